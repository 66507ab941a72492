//! Packages, records and stores for tests.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, UNIX_EPOCH};

use spack_wasm_spec::{
    Architecture, Dag, DagBuilder, DagHash, DependencyTypes, DraftIndex, External, Node, NodeFacts,
    VariantValue, Version,
};
use spack_wasm_store::{
    BeginOptions, Begun, CheckOptions, InstallEnvironment, InstallRecord, InstallTimes, Installation,
    LockMode, Patience, PendingPrefix, PhaseTime, Provenance, RecipeIdentity, RecipeRecord, Reproducibility,
    SandboxRecord, SourceRecord, Store, StoreOptions, ToolRecord,
};

/// Says that a test is skipped, or fails where nothing may be skipped.
#[expect(clippy::print_stdout, reason = "the test's output says what was skipped")]
pub(crate) fn skip(needs: &str) {
    assert!(
        std::env::var_os("SPACK_WASM_REQUIRE_ALL").is_none_or(|all| all != "1"),
        "this test needs {needs}"
    );
    println!("skipped: needs {needs}");
}

pub(crate) fn facts(name: &str, version: &str) -> NodeFacts {
    NodeFacts {
        name: name.into(),
        version: Version::new(version),
        architecture: Architecture {
            platform: "linux".into(),
            os: "debian12".into(),
            target: "x86_64_v3".into(),
        },
        namespace: "builtin".into(),
        variants: BTreeMap::from([
            ("shared".to_owned(), VariantValue::Bool(true)),
            ("build_system".to_owned(), VariantValue::Single("autotools".into())),
        ]),
        flags: BTreeMap::new(),
        patches: Vec::new(),
        package_hash: "p".repeat(52),
        external: None,
    }
}

/// hdf5 -> zlib, both built by an external gcc.
pub(crate) fn hdf5() -> Dag {
    let mut builder = DagBuilder::new();
    let zlib = zlib_of(&mut builder);
    let hdf5 =
        builder.add(facts("hdf5", "1.10.8"), [(zlib, DependencyTypes::DEFAULT, vec!["zlib-api".into()])]);
    builder.finish([hdf5])
}

pub(crate) fn zlib() -> Dag {
    let mut builder = DagBuilder::new();
    let zlib = zlib_of(&mut builder);
    builder.finish([zlib])
}

fn zlib_of(builder: &mut DagBuilder) -> DraftIndex {
    let external = Some(External { path: "/usr".into(), executables: BTreeMap::new() });
    let gcc = builder.add(NodeFacts { external, package_hash: String::new(), ..facts("gcc", "12.2.0") }, []);
    let build = spack_wasm_spec::DependencyType::Build.into();
    builder.add(facts("zlib", "1.2.13"), [(gcc, build, vec!["c".into()])])
}

/// A package without dependencies.
pub(crate) fn lone(name: &str, version: &str) -> Dag {
    let mut builder = DagBuilder::new();
    let node = builder.add(facts(name, version), []);
    builder.finish([node])
}

pub(crate) fn node(dag: &Dag, name: &str) -> Node {
    Node::clone(dag.nodes().find(|node| node.name() == name).unwrap())
}

pub(crate) fn hash_of(dag: &Dag, name: &str) -> DagHash {
    node(dag, name).hash
}

pub(crate) fn open(root: &Path) -> Store {
    Store::open(root, StoreOptions::default()).unwrap()
}

pub(crate) fn never() -> impl FnMut(&spack_wasm_store::Holder) -> Patience {
    |_| Patience::GiveUp
}

pub(crate) fn begin(store: &Store, dag: &Dag, name: &str, options: &BeginOptions) -> PendingPrefix {
    let node = node(dag, name);
    let lock = store.lock_prefix(&node.hash, LockMode::Exclusive, &mut never()).unwrap();
    match store.begin(dag, &node, lock, options).unwrap() {
        Begun::Build(pending) => *pending,
        Begun::Installed(installation) => panic!("{} is installed already", installation.installed),
    }
}

/// What a small build would install.
pub(crate) fn fill(pending: &PendingPrefix) {
    let dir = pending.dir();
    dir.create_dir("bin").unwrap();
    dir.write("bin/tool", "#!/bin/sh\necho tool\n").unwrap();
    dir.create_dir("lib").unwrap();
    dir.write("lib/libx.so.1", [0x7f, b'E', b'L', b'F', 0]).unwrap();
    dir.symlink("libx.so.1", "lib/libx.so").unwrap();
}

pub(crate) fn install(store: &Store, dag: &Dag, name: &str, explicit: bool) -> Installation {
    let pending = begin(store, dag, name, &BeginOptions::default());
    fill(&pending);
    pending.check(&CheckOptions::default()).unwrap().publish(&record(explicit)).unwrap()
}

pub(crate) fn record(explicit: bool) -> InstallRecord {
    InstallRecord {
        explicit,
        installed_at: UNIX_EPOCH + Duration::from_secs(1_764_000_000),
        build_log: None,
        environment_changes: "export CC=/usr/bin/gcc\n".into(),
        configure_args: Some("--enable-shared".into()),
        environment: InstallEnvironment {
            host_os: "debian12".into(),
            platform: "linux".into(),
            host_target: "zen2".into(),
            hostname: "node1".into(),
            spack_version: "spack-wasm-0.1.0".into(),
            kernel_version: "#1 SMP".into(),
        },
        times: InstallTimes {
            total: 1.5,
            phases: vec![PhaseTime { name: "build".into(), path: "build".into(), seconds: 1.25, count: 1 }],
        },
        provenance: Provenance {
            builder: "spack-wasm-0.1.0".into(),
            sandbox: SandboxRecord { level: "namespaces".into(), missing_layers: vec![] },
            reproducible: Reproducibility::Yes,
            sources: vec![SourceRecord {
                name: "zlib-1.2.13.tar.gz".into(),
                sha256: Some("b".repeat(64)),
                origin: "mirror".into(),
            }],
            recipe: RecipeIdentity {
                component_sha256: "c".repeat(64),
                package_hash: "p".repeat(52),
                origin: "builtin".into(),
            },
            toolchain: vec![ToolRecord {
                role: "c".into(),
                spec: "gcc@12.2.0".into(),
                path: "/usr/bin/gcc".into(),
            }],
        },
        recipe: RecipeRecord {
            component: b"\0asm".to_vec(),
            files: vec![("patches/fix.patch".into(), b"--- a\n".to_vec())],
        },
    }
}
