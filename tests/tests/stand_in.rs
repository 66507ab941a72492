//! The stand-in for a Spackmon server and the real client: what a run leaves there is what the published server keeps of it.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::sync::Arc;

use spack_wasm_monitor::{
    BuildEnd, CancelCause, Client, ClientSettings, Credentials, Emitter, EventKind, Fanout, HostFacts,
    MonitorIdentity, PhaseExit, RunId, SpackmonSettings, SpackmonSink, Stream, Usage,
};
use spack_wasm_spec::{Architecture, Dag, DagBuilder, DagHash, DependencyTypes, NodeFacts, Version};
use spack_wasm_tests::{Access, SpackmonStandIn};
use tokio::runtime::Runtime;

const USER: &str = "spacky";
const TOKEN: &str = "0123456789abcdef0123456789abcdef01234567";

fn facts(name: &str) -> NodeFacts {
    NodeFacts {
        name: name.into(),
        version: Version::new("1.0"),
        architecture: Architecture {
            platform: "linux".into(),
            os: "debian12".into(),
            target: "x86_64".into(),
        },
        namespace: "builtin".into(),
        variants: BTreeMap::new(),
        flags: BTreeMap::new(),
        patches: Vec::new(),
        package_hash: "recipe".into(),
        external: None,
    }
}

/// `hdf5` that needs `zlib`.
fn dag() -> Arc<Dag> {
    let mut builder = DagBuilder::new();
    let zlib = builder.add(facts("zlib"), []);
    let hdf5 = builder.add(facts("hdf5"), [(zlib, DependencyTypes::DEFAULT, Vec::new())]);
    Arc::new(builder.finish([hdf5]))
}

fn hash_of(dag: &Dag, name: &str) -> DagHash {
    dag.nodes().find(|node| node.name() == name).unwrap().hash.clone()
}

fn client(server: &SpackmonStandIn) -> Client {
    let credentials = Some(Credentials::new(Some(USER.into()), Some(TOKEN.into())).unwrap());
    Client::new(ClientSettings {
        host: server.host(),
        credentials,
        ..ClientSettings::new("spack-wasm-0.1.0")
    })
    .unwrap()
}

fn identity() -> MonitorIdentity {
    let host = HostFacts {
        host_os: "debian12".into(),
        platform: "linux".into(),
        host_target: "x86_64".into(),
        hostname: "vm".into(),
        kernel_version: "#1 SMP".into(),
    };
    MonitorIdentity { host, spack_version: "spack-wasm-0.1.0".into(), tags: Some("pizza,pasta".into()) }
}

/// A monitored run whose builds are what `builds` emits; nothing of it may stay undelivered.
fn run(server: &SpackmonStandIn, builds: impl FnOnce(&Emitter, &Arc<Dag>)) {
    let runtime = Runtime::new().unwrap();
    let client = client(server);
    assert_eq!(runtime.block_on(client.check()).unwrap().id, "spackmon");
    let folder = tempfile::tempdir().unwrap();
    let settings = SpackmonSettings {
        identity: identity(),
        keep_going: false,
        drain: std::time::Duration::from_secs(30),
        spool: folder.path().to_owned(),
        save_under: folder.path().to_owned(),
        now: jiff::ZonedDateTime::now(),
    };
    let (sink, handle) = SpackmonSink::start(client, settings, runtime.handle().clone());
    let fanout = Fanout::start(RunId::random(), vec![Box::new(sink)]).unwrap();
    let emitter = fanout.emitter();
    let dag = dag();
    emitter.concretized(Arc::clone(&dag));
    builds(&emitter, &dag);
    emitter.emit(EventKind::RunEnded { exit_status: 0 });
    assert!(fanout.finish().is_empty());
    let delivery = runtime.block_on(handle.delivery());
    assert_eq!((delivery.failure, delivery.undelivered), (None, 0));
}

fn build(emitter: &Emitter, node: &DagHash, exit: PhaseExit, end: BuildEnd) {
    let span = emitter.build(node);
    let mut phase = span.phase("install");
    phase.output(Stream::Stdout, b"done\n");
    phase.end(exit, Usage::default());
    span.end(end);
}

/// Name, status and phases of each build, by name.
fn kept(server: &SpackmonStandIn) -> Vec<String> {
    let shown = |build: spack_wasm_tests::Build| {
        let phases: Vec<String> =
            build.phases.iter().map(|(name, status)| format!("{name} {status}")).collect();
        format!("{} {} [{}] {}", build.name, build.status, phases.join(", "), build.tags.unwrap_or_default())
    };
    let mut kept: Vec<String> = server.builds().into_iter().map(shown).collect();
    kept.sort();
    kept
}

#[test]
fn a_success_with_credentials() {
    let server = SpackmonStandIn::start(Access::Credentials { user: USER.into(), token: TOKEN.into() });
    run(&server, |emitter, dag| {
        for name in ["zlib", "hdf5"] {
            let end = BuildEnd::Installed { prefix: "/store".into() };
            build(emitter, &hash_of(dag, name), PhaseExit::Success, end);
        }
    });
    let expected =
        ["hdf5 SUCCESS [install SUCCESS] pizza,pasta", "zlib SUCCESS [install SUCCESS] pizza,pasta"];
    assert_eq!(kept(&server), expected);
    assert!(
        server.requests().iter().any(|request| request.path == "/auth/token/" && request.answered == 200)
    );
}

#[test]
fn a_dependency_that_failed_stays_failed() {
    let server = SpackmonStandIn::start(Access::Credentials { user: USER.into(), token: TOKEN.into() });
    run(&server, |emitter, dag| {
        let (zlib, hdf5) = (hash_of(dag, "zlib"), hash_of(dag, "hdf5"));
        let exit = PhaseExit::Error { message: "exit status 2".into() };
        build(emitter, &zlib, exit, BuildEnd::Failed { message: "exit status 2".into() });
        let cause = CancelCause::DependencyFailed { dependency: zlib };
        emitter.emit_for(&hdf5, EventKind::BuildEnded(BuildEnd::Cancelled(cause)));
    });
    assert_eq!(kept(&server), ["hdf5 FAILED [] pizza,pasta", "zlib FAILED [install ERROR] pizza,pasta"]);
}
