use std::path::Path;

use spack_wasm_sandbox::{Layer, Level};
use spack_wasm_spec::Version;

use super::packages::Packages;
use super::settings::SandboxSettings;
use super::*;
use crate::environment::Environment;

/// A user whose folder of configuration holds these files.
struct User {
    folder: tempfile::TempDir,
}

impl User {
    fn new(files: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            fs_err::write(folder.path().join(name), text).unwrap();
        }
        Self { folder }
    }

    fn load(&self, command_line: &[&str]) -> Result<Settings, ConfigError> {
        let environment = Environment {
            home: Some("/home/u".into()),
            user: Some("u".to_owned()),
            temporary: "/tmp".into(),
            working_directory: "/work".into(),
            user_config_path: Some(self.folder.path().to_owned()),
            ..Environment::default()
        };
        let command_line: Vec<String> = command_line.iter().map(|text| (*text).to_owned()).collect();
        load(&Paths::new(&environment).unwrap(), &command_line)
    }

    /// The message, without the folder's name.
    fn error(&self, command_line: &[&str]) -> String {
        let message = self.load(command_line).unwrap_err().to_string();
        message.replace(&self.folder.path().display().to_string(), "CONFIG")
    }
}

#[test]
fn without_files_there_are_defaults() {
    let settings = User::new(&[]).load(&[]).unwrap();
    assert_eq!(settings.store, Path::new("/home/u/.spack-wasm/store"));
    assert_eq!(settings.source_cache, Path::new("/home/u/.spack/spack-wasm/sources"));
    assert_eq!(settings.monitor_dir, Path::new("/home/u/.spack/reports/monitor"));
    assert_eq!(settings.sandbox, SandboxSettings::default());
    assert!(settings.checksum && settings.apt && !settings.require_tls && settings.repositories.is_empty());
}

#[test]
fn the_command_line_counts_more_than_files() {
    let user = User::new(&[(
        "config.yaml",
        "config:\n  build_jobs: 2\n  install_tree: {root: ~/store}\n  sandbox:\n    level: landlock\n    build_uid: 7\n",
    )]);
    let settings =
        user.load(&["config:build_jobs:4", "config:sandbox:level:none", "monitor:require-tls:true"]);
    let settings = settings.unwrap();
    assert_eq!(settings.build_jobs, Some(4));
    assert_eq!(settings.store, Path::new("/home/u/store"));
    assert_eq!((settings.sandbox.level, settings.sandbox.build_uid), (Level::None, Some(7)));
    assert!(settings.require_tls);
}

#[test]
fn all_keys_are_read() {
    let user = User::new(&[
        (
            "config.yaml",
            "config:\n  build_stage:\n  - $tempdir/$user/${user}-stage\n  source_cache: rel/sources\n  checksum: false\n  \
             monitor_dir: $user_cache_path/m\n  deprecated: true\n  registry_mirrors: []\n  sandbox:\n    \
             allow_missing: [cgroup, uts]\n    read: [/opt/data]\n    write: [/scratch]\n  permissions:\n    \
             hdf5: ['network:all']\n    zlib: 'read:/x'\n  ccache: true\n",
        ),
        ("monitor.yaml", "monitor:\n  require-tls: true\n"),
        ("repos.yaml", "repos:\n- /a\n- ~/b\n"),
        (
            "mirrors.yaml",
            "mirrors:\n  one: https://example.org/m\n  two: {url: /srv/m}\n  bin: {url: 's3://b', source: false}\n",
        ),
    ]);
    let settings = user.load(&["repos:[/c]"]).unwrap();
    assert_eq!(settings.stages, Path::new("/tmp/u/u-stage"));
    assert_eq!(settings.source_cache, Path::new("/work/rel/sources"));
    assert_eq!(settings.monitor_dir, Path::new("/home/u/.spack/m"));
    assert!(!settings.checksum && settings.deprecated && !settings.apt && settings.require_tls);
    assert_eq!(settings.sandbox.allow_missing, [Layer::Uts, Layer::Cgroup].into());
    assert_eq!(settings.sandbox.read, [Path::new("/opt/data")]);
    assert_eq!(settings.sandbox.write, [Path::new("/scratch")]);
    assert!(
        settings.permissions["hdf5"].contains("network:all")
            && settings.permissions["zlib"].contains("read:/x")
    );
    assert_eq!(settings.repositories, [Path::new("/c"), Path::new("/a"), Path::new("/home/u/b")]);
    assert_eq!(settings.mirrors.len(), 2);
}

#[test]
fn packages_are_read() {
    let user = User::new(&[(
        "packages.yaml",
        "packages:\n  all:\n    providers: {zlib-api: [zlib]}\n    variants: +shared\n  hdf5:\n    version: [1.10.8, '1.12']\n    \
         variants: [+cxx, ~hl]\n    buildable: false\n  gcc:\n    externals:\n    - spec: gcc@13.1.0 languages='c,c++'\n      \
         prefix: /opt/gcc\n      extra_attributes: {compilers: {c: /opt/gcc/bin/gcc, cxx: /opt/gcc/bin/g++}}\n",
    )]);
    let settings = user.load(&["packages:hdf5:buildable:true"]).unwrap();
    let Packages { externals, preferences, .. } = settings.packages;
    assert_eq!(preferences.providers["zlib-api"], ["zlib"]);
    assert_eq!(preferences.versions["hdf5"].len(), 2);
    assert!(preferences.versions["hdf5"][0].contains(&Version::new("1.10.8")));
    assert_eq!(preferences.variants["hdf5"].to_string(), "+cxx~hl");
    assert!(preferences.not_buildable.is_empty());
    assert_eq!((externals[0].name.as_str(), externals[0].version.as_str()), ("gcc", "13.1.0"));
    assert_eq!(externals[0].virtuals, ["c".to_owned(), "cxx".to_owned()].into());
    assert_eq!(externals[0].prefix, Path::new("/opt/gcc"));
}

#[test]
fn mistakes_are_told_with_file_line_and_the_nearest_key() {
    let message = |text: &str| User::new(&[("config.yaml", text)]).error(&[]);
    insta::assert_snapshot!(message("config:\n  checksum: true\n  buid_jobs: 4\n"), @"CONFIG/config.yaml:3: there is no key `buid_jobs`; did you mean `build_jobs`?");
    insta::assert_snapshot!(message("confg:\n  build_jobs: 4\n"), @"CONFIG/config.yaml:1: there is no key `confg`; did you mean `config`?");
    insta::assert_snapshot!(message("config:\n  install_tree:\n    zzz: /x\n"), @"CONFIG/config.yaml:3: there is no key `zzz`; the keys are `root`, `padded_length` and `projections`");
    insta::assert_snapshot!(message("config:\n  build_jobs: many\n"), @"CONFIG/config.yaml:2: a whole number that is not too large is expected");
    insta::assert_snapshot!(message("config:\n  sandbox:\n    level: strong\n"), @"CONFIG/config.yaml:3: `strong` is none of `namespaces`, `landlock` and `none`");
    insta::assert_snapshot!(message("config: [\n"), @"CONFIG/config.yaml:1: keys with values are expected");
    insta::assert_snapshot!(message("config:\n  build_stage: $nowhere/x\n"), @"CONFIG/config.yaml: config:build_stage: `$nowhere/x`: `$nowhere` is not known; there are `$user_cache_path`, `$user_config_path`, `$tempdir`, `$user`");
    insta::assert_snapshot!(message("config:\n  sandbox: {build_uid: 0}\n"), @"CONFIG/config.yaml: config:sandbox:build_uid: builds never run as root: give another number");
    insta::assert_snapshot!(message("config:\n  build_jobs: 0\n"), @"CONFIG/config.yaml: config:build_jobs: 0 jobs build nothing");
}

#[test]
fn mistakes_on_the_command_line_are_told() {
    let user = User::new(&[]);
    insta::assert_snapshot!(user.error(&["config:buildjobs:4"]), @"-c config:buildjobs:4: there is no key `buildjobs`; did you mean `build_jobs`?");
    insta::assert_snapshot!(user.error(&["config:foo:1"]), @"-c config:foo:1: there is no key `foo`");
    insta::assert_snapshot!(user.error(&["build_jobs"]), @"`-c build_jobs`: expected are a section, a key and a value with colons between them");
    insta::assert_snapshot!(user.error(&["config:sandbox:allow_missing:[usr]"]), @"-c config:sandbox:allow_missing:[usr]: `usr` is none of `user`, `mount`, `pid`, `network`, `ipc`, `uts`, `cgroup`, `proc`, `landlock` and `seccomp`");
    insta::assert_snapshot!(user.error(&["mirrors:m:s3://bucket"]), @r#"-c mirrors:m:s3://bucket: mirror `m` has the address "s3://bucket", which is neither a folder nor a file, http or https address"#);
}

#[test]
fn mistakes_in_packages_are_told() {
    let message = |text: &str| User::new(&[("packages.yaml", text)]).error(&[]);
    insta::assert_snapshot!(message("packages:\n  gcc:\n    externals: [{spec: gcc, prefix: /usr}]\n"), @"CONFIG/packages.yaml: packages:gcc:externals: `gcc` does not say which version it is: write `gcc@VERSION`");
    insta::assert_snapshot!(message("packages:\n  gcc:\n    externals: [{spec: llvm@1, prefix: /usr}]\n"), @"CONFIG/packages.yaml: packages:gcc:externals: `llvm@1` is no spec of gcc");
    insta::assert_snapshot!(message("packages:\n  gcc:\n    external: []\n"), @"CONFIG/packages.yaml:3: there is no key `external`; did you mean `externals`?");
    insta::assert_snapshot!(message("packages:\n  hdf5:\n    variants: '+ +'\n"), @r"
    CONFIG/packages.yaml: packages:hdf5:variants: a variant's name is missing behind `+`
        + +
        ^^
    ");
}

#[test]
fn a_file_of_spack_1_0_is_read() {
    let user =
        User::new(&[("repos.yaml", "repos:\n  mine: ~/r\n  builtin:\n    git: https://example.org/p.git\n")]);
    assert_eq!(user.load(&[]).unwrap().repositories, [Path::new("/home/u/r")]);
    let user = User::new(&[("config.yaml", ""), ("repos.yaml", "# nothing\n")]);
    assert!(user.load(&[]).unwrap().repositories.is_empty());
}

#[test]
fn every_file_is_named_with_what_is_wrong_in_it() {
    let message = |file: &str, text: &str| User::new(&[(file, text)]).error(&[]);
    insta::assert_snapshot!(message("repos.yaml", "repos: 7\n"), @"CONFIG/repos.yaml:1: a list of folders is expected, or folders by name");
    insta::assert_snapshot!(message("repos.yaml", "repos:\n- /a\n- [b]\n"), @"CONFIG/repos.yaml:2: a list of folders is expected, or folders by name");
    insta::assert_snapshot!(message("repos.yaml", "repos:\n- $x/a\n"), @"CONFIG/repos.yaml: repos: `$x/a`: `$x` is not known; there are `$user_cache_path`, `$user_config_path`, `$tempdir`, `$user`");
    insta::assert_snapshot!(message("mirrors.yaml", "mirrors:\n- /a\n"), @"CONFIG/mirrors.yaml:2: keys with values are expected");
    insta::assert_snapshot!(message("mirrors.yaml", "mirrors:\n  m: [a]\n"), @"CONFIG/mirrors.yaml:2: a folder or an address is expected, or keys such as `url` and `source`");
    insta::assert_snapshot!(message("mirrors.yaml", "mirrors:\n  m: {url: 's3://b'}\n"), @r#"CONFIG/mirrors.yaml: mirrors: mirror `m` has the address "s3://b", which is neither a folder nor a file, http or https address"#);
    insta::assert_snapshot!(message("monitor.yaml", "monitor:\n  require_tls: true\n"), @"CONFIG/monitor.yaml:2: there is no key `require_tls`; did you mean `require-tls`?");
    insta::assert_snapshot!(message("monitor.yaml", "monitor: yes please\n"), @"CONFIG/monitor.yaml:1: keys with values are expected");
    insta::assert_snapshot!(message("packages.yaml", "packages:\n  zlib:\n    version: 1.2\n"), @"CONFIG/packages.yaml:3: a list is expected");
    insta::assert_snapshot!(message("packages.yaml", "packages:\n  zlib:\n    externals:\n    - prefix: /usr\n"), @"CONFIG/packages.yaml:4: missing field `spec`");
    insta::assert_snapshot!(message("packages.yaml", "packages:\n  zlib: [a]\n"), @"CONFIG/packages.yaml:2: keys with values are expected");
    insta::assert_snapshot!(message("config.yaml", "config:\n\tbuild_jobs: 4\n"), @"CONFIG/config.yaml:2: tabs disallowed within this context (block indentation)");
    insta::assert_snapshot!(message("config.yaml", "config:\n  checksum: maybe\n"), @"CONFIG/config.yaml:2: `true` or `false` is expected");
    insta::assert_snapshot!(message("config.yaml", "config:\n  build_jobs: 1\n  build_jobs: 2\n"), @"CONFIG/config.yaml:3: the key `build_jobs` is there twice");
    insta::assert_snapshot!(message("config.yaml", "config:\n  build_stage: {a: b}\n"), @"CONFIG/config.yaml:2: one text is expected, or a list of texts");
    insta::assert_snapshot!(message("config.yaml", "config:\n  source_cache: [a]\n"), @"CONFIG/config.yaml:2: a text is expected");
    insta::assert_snapshot!(message("config.yaml", "config:\n  registry_mirrors: [yum]\n"), @"CONFIG/config.yaml:2: `yum` is none of `apt`");
    insta::assert_snapshot!(message("config.yaml", "config: {}\n--- \nconfig: {}\n"), @"CONFIG/config.yaml:3: one YAML document is expected, and there are more");
    insta::assert_snapshot!(message("config.yaml", "just text\n"), @"CONFIG/config.yaml:1: keys with values are expected");
}

#[test]
fn empty_sections_say_nothing() {
    let files = [
        ("config.yaml", "config:\n"),
        ("monitor.yaml", "monitor:\n"),
        ("repos.yaml", "repos:\n"),
        ("mirrors.yaml", "mirrors:\n"),
        ("packages.yaml", "packages:\n"),
    ];
    let settings = User::new(&files).load(&[]).unwrap();
    assert!(settings.repositories.is_empty() && settings.mirrors.is_empty());
}

#[test]
fn what_is_no_file_of_text_is_named() {
    let user = User::new(&[]);
    let path = user.folder.path().join("config.yaml");
    fs_err::create_dir(&path).unwrap();
    insta::assert_snapshot!(user.error(&[]), @"the configuration can't be read: failed to read from file `CONFIG/config.yaml`: Is a directory (os error 21)");
    fs_err::remove_dir(&path).unwrap();
    fs_err::write(&path, b"config:\n  source_cache: /caf\xe9\n").unwrap();
    insta::assert_snapshot!(user.error(&[]), @"the configuration can't be read: failed to read from file `CONFIG/config.yaml`: stream did not contain valid UTF-8");
}

/// zlib@1.3.1+shared, which is below hdf5.
fn dag_of_hdf5() -> spack_wasm_spec::Dag {
    use spack_wasm_spec::{Architecture, DagBuilder, DependencyTypes, NodeFacts, VariantValue};
    let facts = |name: &str, version: &str| NodeFacts {
        name: name.to_owned(),
        version: Version::new(version),
        architecture: Architecture {
            platform: "linux".into(),
            os: "debian12".into(),
            target: "x86_64_v3".into(),
        },
        namespace: "builtin".into(),
        variants: [("shared".to_owned(), VariantValue::Bool(true))].into(),
        flags: std::collections::BTreeMap::new(),
        patches: Vec::new(),
        package_hash: String::new(),
        external: None,
    };
    let mut builder = DagBuilder::new();
    let zlib = builder.add(facts("zlib", "1.3.1"), Vec::new());
    let below = vec![(zlib, DependencyTypes::DEFAULT, vec!["zlib-api".to_owned()])];
    let hdf5 = builder.add(facts("hdf5", "1.14.5"), below);
    builder.finish([hdf5])
}

#[test]
fn what_is_required_holds_or_is_told() {
    let violation = |text: &str| {
        let user = User::new(&[("packages.yaml", text)]);
        user.load(&[]).unwrap().packages.requirements.violation(&dag_of_hdf5())
    };
    for fine in [
        "packages: {all: {require: target=x86_64_v3}}",
        "packages: {zlib: {require: ['@1.3:', '+shared']}}",
        "packages: {zlib: {require: [{one_of: ['@1.2', '@1.3'], when: '+shared'}]}}",
        "packages: {zlib: {require: [{spec: '@1.2', when: '~shared'}]}}",
        "packages: {all: {require: +mpi}}",
        "packages: {all: {require: '~shared'}, zlib: {require: +shared}, hdf5: {require: '@1.14'}}",
        "packages: {zlib-api: {require: zlib}}",
        "packages: {zlib: {prefer: ['@1.2'], conflict: ['@1.2']}}",
    ] {
        assert_eq!(violation(fine), None, "{fine}");
    }
    let told = |text: &str| violation(text).unwrap_or_default();
    insta::assert_snapshot!(told("packages: {all: {require: [target=zen4]}}"), @"hdf5@1.14.5 is not `target=zen4`, against `packages:all:require` of the configuration");
    insta::assert_snapshot!(told("packages: {zlib: {require: [{any_of: ['@1.2', '~shared'], message: for site}]}}"), @"zlib@1.3.1 is not `@1.2` or `~shared` (for site), against `packages:zlib:require` of the configuration");
    insta::assert_snapshot!(told("packages: {zlib: {require: [{one_of: ['@1.3', '+shared']}]}}"), @"zlib@1.3.1 is not `@1.3` or `+shared`, against `packages:zlib:require` of the configuration");
    insta::assert_snapshot!(told("packages: {zlib-api: {require: zlib-ng}}"), @"zlib@1.3.1 is not `zlib-ng`, against `packages:zlib-api:require` of the configuration");
    insta::assert_snapshot!(told("packages: {all: {conflict: ['+shared']}}"), @"hdf5@1.14.5 is `+shared`, against `packages:all:conflict` of the configuration");
    insta::assert_snapshot!(User::new(&[("packages.yaml", "packages: {zlib: {require: [{when: +shared}]}}")]).error(&[]), @"CONFIG/packages.yaml: packages:zlib:require: there is no spec in it");
}

#[test]
fn what_is_required_is_preferred() {
    let user = User::new(&[(
        "packages.yaml",
        "packages:\n  all: {require: [target=x86_64_v2]}\n  zlib:\n    require: '@1.2 ~shared'\n    prefer: ['@1.3 +shared +pic']\n    \
         version: ['1.1']\n  mpi: {require: [mpich]}\n",
    )]);
    let Packages { preferences, target, .. } = user.load(&[]).unwrap().packages;
    let versions: Vec<_> = preferences.versions["zlib"].iter().map(ToString::to_string).collect();
    assert_eq!(versions, ["1.2", "1.3", "1.1"]);
    assert_eq!(preferences.variants["zlib"].to_string(), "+pic~shared");
    assert_eq!(preferences.providers["mpi"], ["mpich"]);
    assert_eq!(target.as_deref(), Some("x86_64_v2"));
}

#[test]
fn forms_of_a_real_spack_are_read() {
    let user = User::new(&[
        ("config.yaml", "config::\n  install_tree: ~/tree\n  build_jobs:: 3\n"),
        ("packages.yaml", "packages::\n  all::\n    require::\n    - target=x86_64_v3\n"),
    ]);
    let settings = user.load(&[]).unwrap();
    assert_eq!((settings.store.as_path(), settings.build_jobs), (Path::new("/home/u/tree"), Some(3)));
    assert_eq!(settings.packages.target.as_deref(), Some("x86_64_v3"));
    let message = |text: &str| User::new(&[("config.yaml", text)]).error(&[]);
    insta::assert_snapshot!(message("config:\n  install_tree: $spack/opt\n"), @"CONFIG/config.yaml: config:install_tree:root: `$spack/opt`: `$spack` is the folder that Spack itself is in, and this program has none: write the path");
    insta::assert_snapshot!(message("config:\n  install_tree: [a]\n"), @"CONFIG/config.yaml:2: a folder is expected, or keys such as `root`");
}
