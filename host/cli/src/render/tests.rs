use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

use spack_wasm_build::{Cancelled, Failure, Report};
use spack_wasm_build_log::{Finding, Kind};
use spack_wasm_monitor::CancelCause;
use spack_wasm_package::{
    Archive, BuildSystem, Checksum, ChecksumAlgorithm, DeclaredVersion, Dependency, License, Listing,
    Package, Permission, Provided, Source, StandAloneTest, VariantDefault, VariantDefinition, VariantValues,
};
use spack_wasm_spec::{
    AbstractSpec, Architecture, Dag, DagBuilder, DependencyType, DependencyTypes, External, Node, NodeFacts,
    VariantValue, Version,
};
use spack_wasm_store::Installed;

use super::find::Look;
use super::tree::{HashLength, Status};
use crate::selection::Found;

fn facts(name: &str, version: &str) -> NodeFacts {
    let variants = [
        ("build_system".to_owned(), VariantValue::Single("autotools".to_owned())),
        ("cxx".to_owned(), VariantValue::Bool(false)),
        ("shared".to_owned(), VariantValue::Bool(true)),
    ];
    NodeFacts {
        name: name.into(),
        version: Version::new(version),
        architecture: Architecture {
            platform: "linux".into(),
            os: "debian12".into(),
            target: "x86_64_v3".into(),
        },
        namespace: "builtin".into(),
        variants: variants.into(),
        flags: BTreeMap::new(),
        patches: Vec::new(),
        package_hash: "p".repeat(52),
        external: None,
    }
}

fn dag() -> Dag {
    let mut builder = DagBuilder::new();
    let gcc = NodeFacts {
        external: Some(External { path: "/usr".into(), executables: BTreeMap::new() }),
        package_hash: String::new(),
        variants: BTreeMap::new(),
        ..facts("gcc", "12.2.0")
    };
    let build = DependencyType::Build.into();
    let gcc = builder.add(gcc, []);
    let zlib = builder.add(facts("zlib", "1.2.13"), [(gcc, build, vec!["c".into(), "cxx".into()])]);
    let edges = [(zlib, DependencyTypes::DEFAULT, vec!["zlib-api".into()]), (gcc, build, vec!["c".into()])];
    let hdf5 = builder.add(facts("hdf5", "1.10.8"), edges);
    builder.finish([hdf5])
}

fn node(name: &str) -> Arc<Node> {
    Arc::clone(dag().nodes().find(|node| node.name() == name).unwrap())
}

fn found(name: &str) -> Found {
    let node = node(name);
    let installed = Installed {
        hash: node.hash.clone(),
        name: name.to_owned(),
        version: node.facts.version.clone(),
        namespace: "builtin".to_owned(),
        architecture: node.facts.architecture.clone(),
        variants: String::new(),
        prefix: PathBuf::from(format!("/store/linux-x86_64_v3/{name}")),
        explicit: true,
        installed_at: SystemTime::UNIX_EPOCH,
    };
    Found { installed, dag: dag().subdag(&node.hash).unwrap() }
}

#[test]
fn a_tree_shows_each_node_once() {
    let dag = dag();
    let root = dag.roots().next().unwrap();
    let status = |node: &Node| match node.name() {
        "zlib" => Status::Installed,
        "gcc" => Status::External,
        _ => Status::Absent,
    };
    insta::assert_snapshot!(super::tree::tree(&dag, root, HashLength::Short, &status).unstyled(), @r"
     -   bokexro hdf5@1.10.8~cxx+shared build_system=autotools arch=linux-debian12-x86_64_v3
    [e]  utyylwx     ^gcc@12.2.0 arch=linux-debian12-x86_64_v3
    [+]  rleeskd     ^zlib@1.2.13~cxx+shared build_system=autotools arch=linux-debian12-x86_64_v3
    ");
    let plain = super::tree::tree(&dag, root, HashLength::None, &status).unstyled();
    assert!(
        plain.starts_with(" -   hdf5@1.10.8+shared~cxx") || plain.starts_with(" -   hdf5@1.10.8~cxx+shared")
    );
}

fn look() -> Look {
    Look { hashes: HashLength::None, variants: false, paths: false, dependencies: false, width: None }
}

#[test]
fn packages_are_listed_in_groups() {
    let packages = [found("zlib"), found("hdf5")];
    let list = |look| super::find::list(&packages, look).unstyled();
    insta::assert_snapshot!(list(look()), @r"
    -- linux-debian12-x86_64_v3 / %c,cxx=gcc@12.2.0 --------------------------------
    zlib@1.2.13

    -- linux-debian12-x86_64_v3 / %c=gcc@12.2.0 ------------------------------------
    hdf5@1.10.8

    ==> 2 installed packages
    ");
    insta::assert_snapshot!(list(Look { hashes: HashLength::Short, variants: true, paths: true, ..look() }), @r"
    -- linux-debian12-x86_64_v3 / %c,cxx=gcc@12.2.0 --------------------------------
    rleeskd zlib@1.2.13~cxx+shared build_system=autotools  /store/linux-x86_64_v3/zlib

    -- linux-debian12-x86_64_v3 / %c=gcc@12.2.0 ------------------------------------
    bokexro hdf5@1.10.8~cxx+shared build_system=autotools  /store/linux-x86_64_v3/hdf5

    ==> 2 installed packages
    ");
    insta::assert_snapshot!(
        super::find::list(&[], look()).unstyled(), @"==> 0 installed packages");
}

#[test]
fn packages_are_listed_with_their_dependencies() {
    let list = |look| super::find::list(&[found("hdf5")], look).unstyled();
    insta::assert_snapshot!(list(Look { hashes: HashLength::Short, dependencies: true, ..look() }), @r"
    -- linux-debian12-x86_64_v3 / %c=gcc@12.2.0 ------------------------------------
    bokexro hdf5@1.10.8
    utyylwx     ^gcc@12.2.0
    rleeskd     ^zlib@1.2.13

    ==> 1 installed package
    ");
}

/// Packages of these names with the same version, all in one group.
fn named(names: &[&str]) -> Vec<Found> {
    let node = |name: &&str| {
        let mut builder = DagBuilder::new();
        let root = builder.add(facts(name, "1.0"), []);
        let dag = builder.finish([root]);
        let hash = dag.roots().next().unwrap().hash.clone();
        let prefix = PathBuf::from(format!("/store/{name}"));
        Found {
            installed: Installed { hash, name: (*name).to_owned(), prefix, ..found("zlib").installed },
            dag,
        }
    };
    names.iter().map(node).collect()
}

#[test]
fn a_terminal_is_filled_in_columns() {
    let names = ["a", "bb", "ccc", "dddd", "eeeee", "ffffff", "ggggggg"];
    let list = |width| super::find::list(&named(&names), Look { width: Some(width), ..look() }).unstyled();
    insta::assert_snapshot!(list(34), @r"
    -- linux-debian12-x86_64_v3 / no compilers --
    a@1.0    dddd@1.0    ggggggg@1.0
    bb@1.0   eeeee@1.0
    ccc@1.0  ffffff@1.0

    ==> 7 installed packages
    ");
    insta::assert_snapshot!(list(5), @r"
    -- linux-debian12-x86_64_v3 / no compilers --
    a@1.0
    bb@1.0
    ccc@1.0
    dddd@1.0
    eeeee@1.0
    ffffff@1.0
    ggggggg@1.0

    ==> 7 installed packages
    ");
    assert!(list(200).contains("a@1.0  bb@1.0  ccc@1.0  dddd@1.0  eeeee@1.0  ffffff@1.0  ggggggg@1.0\n"));
}

#[test]
fn folders_stand_in_a_column_of_their_own() {
    let list = super::find::list(&named(&["a", "bbb"]), Look { paths: true, ..look() }).unstyled();
    assert!(list.contains("\na@1.0    /store/a\nbbb@1.0  /store/bbb\n"), "{list}");
}

fn spec(text: &str) -> AbstractSpec {
    AbstractSpec::parse(text).unwrap()
}

fn package() -> Package {
    let checksum = Checksum { algorithm: ChecksumAlgorithm::Sha256, digest: "0".repeat(64) };
    let archive =
        |url: &str, checksum| Source::Archive(Archive { urls: vec![url.into()], checksum, extension: None });
    let version = |number: &str, preferred, deprecated, source| DeclaredVersion {
        version: Version::new(number),
        sources: vec![source],
        expand: true,
        cached: true,
        preferred,
        deprecated,
    };
    Package {
        name: "zlib".into(),
        namespace: "builtin".into(),
        description: "A free, lossless\ndata-compression library.\x1b[2J".into(),
        homepage: Some("https://zlib.net".into()),
        versions: vec![
            version("1.3.1", false, false, archive("https://zlib.net/zlib-1.3.1.tar.gz", Some(checksum))),
            version("1.2.13", true, false, archive("https://zlib.net/zlib-1.2.13.tar.gz", None)),
            version("1.2.3", false, true, archive("https://zlib.net/zlib-1.2.3.tar.gz", None)),
        ],
        variants: vec![VariantDefinition {
            name: "shared".into(),
            when: spec("@1.2:"),
            default: VariantDefault::Bool(true),
            values: VariantValues::Bool,
            multi: false,
            validated: false,
            sticky: false,
            description: "Enables the build of shared libraries.".into(),
        }],
        dependencies: vec![Dependency {
            spec: spec("gmake"),
            when: spec("platform=linux"),
            types: DependencyType::Build.into(),
            patches: Vec::new(),
        }],
        provides: vec![Provided { spec: spec("zlib-api"), when: AbstractSpec::default() }],
        build_systems: vec![BuildSystem {
            name: "makefile".into(),
            phases: vec!["edit".into(), "build".into(), "install".into()],
            when: AbstractSpec::default(),
        }],
        licenses: vec![License { expression: "Zlib".into(), when: AbstractSpec::default() }],
        permissions: vec![Permission {
            kind: "read".into(),
            value: "/opt/data".into(),
            reason: "test data".into(),
        }],
        ..Package::default()
    }
}

#[test]
fn tests_and_listings_are_shown_where_there_are_some() {
    let mut package = package();
    package.listing = Some(Listing { url: "https://zlib.net/fossils".into(), depth: 1 });
    package.tests = vec![StandAloneTest {
        name: "test_version".into(),
        purpose: "ensure that the library tells its version".into(),
        compiles: true,
        when: spec("+shared"),
    }];
    package.versions[0].cached = false;
    let text = super::package::info(&package, "builtin").unstyled();
    assert!(text.contains("\nVersions are listed at: https://zlib.net/fossils\n"), "{text}");
    assert!(text.contains("1.3.1    https://zlib.net/zlib-1.3.1.tar.gz (fetched each time)\n"), "{text}");
    let (_, tests) = text.split_once("Stand-Alone").unwrap();
    insta::assert_snapshot!(tests.split_once("\n\n").unwrap().0, @r"
    /Smoke Test Methods:
        test_version when +shared
            ensure that the library tells its version
    ");
    let json = serde_json::to_value(crate::json::PackageInfo::from(&package)).unwrap();
    assert_eq!(json["tests"][0]["name"], "test_version");
    assert_eq!(json["listing"]["depth"], 1);
    assert_eq!(json["versions"][1]["cached"], false);
}

#[test]
fn a_recipe_is_shown() {
    insta::assert_snapshot!(super::package::info(&package(), "builtin").unstyled(), @r#"
    zlib  (repository builtin, builtin)

    Description:
        A free, lossless
        data-compression library.[2J

    Homepage: https://zlib.net

    Preferred version:
        1.2.13    https://zlib.net/zlib-1.2.13.tar.gz (no checksum)

    Safe versions:
        1.2.13    https://zlib.net/zlib-1.2.13.tar.gz (no checksum)
        1.3.1    https://zlib.net/zlib-1.3.1.tar.gz

    Deprecated versions:
        1.2.3    https://zlib.net/zlib-1.2.3.tar.gz (no checksum)

    Variants:
        shared [true]    false, true
          when @1.2:
            Enables the build of shared libraries.

    Build Dependencies:
        gmake when platform=linux

    Link Dependencies:
        None

    Run Dependencies:
        None

    Test Dependencies:
        None

    Conflicts:
        None

    Virtual Packages:
        zlib-api

    Installation Phases:
        edit    build    install    (makefile)

    Licenses:
        Zlib

    Permissions beyond the sandbox:
        read:/opt/data  test data
        refused unless allowed: -c "config:permissions:zlib:['read:/opt/data']"
    "#);
    insta::assert_snapshot!(
        super::package::info(&Package { name: "empty".into(), ..Package::default() }, "x").unstyled(), @r"
    empty  (repository , x)

    Description:
        None

    Preferred version:
        None

    Safe versions:
        None

    Deprecated versions:
        None

    Variants:
        None

    Build Dependencies:
        None

    Link Dependencies:
        None

    Run Dependencies:
        None

    Test Dependencies:
        None

    Conflicts:
        None

    Virtual Packages:
        None

    Installation Phases:
        None

    Licenses:
        None

    Permissions beyond the sandbox:
        None
    ");
}

fn failure(name: &str) -> Failure {
    Failure {
        node: node(name),
        message: "`make` exited with status 2".into(),
        phase: Some("build".into()),
        last_lines: Vec::new(),
        finding: Some(Finding {
            line_number: 120,
            kind: Kind::Compiler,
            line: "adler32.c:7:12: error: 'x' undeclared".into(),
            before: vec!["gcc -c adler32.c".into()],
            after: vec!["make: *** [adler32.o] Error 1".into()],
        }),
        refusals: vec!["probably refused: /root/.netrc (read); allow with config:sandbox:read".into()],
        hints: vec!["look at the log".into()],
        log: Some("/stage/log.txt".into()),
        stage: Some("/stage".into()),
    }
}

#[test]
fn a_failed_build_is_one_block() {
    let cause = CancelCause::DependencyFailed { dependency: node("zlib").hash.clone() };
    let cancelled = vec![Cancelled { node: node("hdf5"), cause }];
    let report = Report { failed: vec![failure("zlib")], cancelled, ..Report::default() };
    insta::assert_snapshot!(super::failure::error(&report, false).unwrap().text().unstyled(), @r"
    ==> Error: zlib@1.2.13/rleeskd failed in phase 'build': `make` exited with status 2

    The first error in the log:
         119   gcc -c adler32.c
      >> 120   adler32.c:7:12: error: 'x' undeclared
         121   make: *** [adler32.o] Error 1

    Sandbox: probably refused: /root/.netrc (read); allow with config:sandbox:read

    Log:   /stage/log.txt
    Stage: /stage

    1 package was not built: hdf5@1.10.8
    hint: look at the log
    hint: `spack-wasm logs /rleeskd` shows the whole log
    ");
}

#[test]
fn several_failed_builds_are_a_block_each() {
    let bare =
        Failure { finding: None, refusals: Vec::new(), hints: Vec::new(), phase: None, ..failure("hdf5") };
    let report = Report { failed: vec![failure("zlib"), bare], ..Report::default() };
    insta::assert_snapshot!(super::failure::error(&report, false).unwrap().text().unstyled(), @r"
    ==> Error: 2 builds failed

    ==> Error: zlib@1.2.13/rleeskd failed in phase 'build': `make` exited with status 2

    The first error in the log:
         119   gcc -c adler32.c
      >> 120   adler32.c:7:12: error: 'x' undeclared
         121   make: *** [adler32.o] Error 1

    Sandbox: probably refused: /root/.netrc (read); allow with config:sandbox:read

    Log:   /stage/log.txt
    Stage: /stage
    hint: look at the log
    hint: `spack-wasm logs /rleeskd` shows the whole log

    ==> Error: hdf5@1.10.8/bokexro failed: `make` exited with status 2

    Log:   /stage/log.txt
    Stage: /stage
    hint: `spack-wasm logs /bokexro` shows the whole log
    ");
    assert!(super::failure::error(&Report::default(), false).is_none());
}

#[test]
fn the_whole_log_is_shown_without_its_tricks() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log.txt");
    fs_err::write(&log, b"one\x1b[31m red\x1b[0m\r\n\x1b]0;title\x07two\nb\xe4d\n").unwrap();
    let report = Report { failed: vec![Failure { log: Some(log), ..failure("zlib") }], ..Report::default() };
    let text = super::failure::error(&report, true).unwrap().text().unstyled();
    assert!(
        text.contains("The log:\none red\ntwo\n<line lost: output was not encoded as UTF-8>\n"),
        "{text}"
    );
}
