//! Runs against a real Spackmon server, and a look at the rows that it keeps.
//!
//! They need a running server: its address in `SPACK_WASM_SPACKMON_HOST`, a user of it in `SPACKMON_USER` and
//! `SPACKMON_TOKEN`. Without one they say that they are skipped.

use std::collections::BTreeMap;
use std::env;
use std::sync::Arc;

use serde_json::Value;
use spack_wasm_monitor::{
    BuildEnd, CancelCause, Client, ClientSettings, Credentials, Fanout, OfflineSink, RunId, Stream, upload,
};
use spack_wasm_spec::Dag;

use crate::packages::{dag, hash_of};
use crate::run::{Run, build, failed, identity, installed, settings, skip};

const VERSION: &str = "spack-wasm-0.1.0";

/// The server, or `None` after saying that the test is skipped.
#[expect(clippy::print_stdout, reason = "a skipped test says so")]
fn server() -> Option<Client> {
    let variable = |name| env::var(name).ok().filter(|value| !value.is_empty());
    let Some(host) = variable("SPACK_WASM_SPACKMON_HOST") else {
        // Not even with SPACK_WASM_REQUIRE_ALL: no package registry has the server, so CI can't install it.
        println!("skipped: needs a Spackmon server, named by SPACK_WASM_SPACKMON_HOST");
        return None;
    };
    let credentials = Credentials::new(variable("SPACKMON_USER"), variable("SPACKMON_TOKEN")).unwrap();
    Some(Client::new(ClientSettings { credentials: Some(credentials), ..settings(&host) }).unwrap())
}

/// Packages `top` -> `middle` -> `leaf` that no earlier run has built.
fn chain() -> Arc<Dag> {
    let version = RunId::random().to_string();
    dag(&[("leaf", &version, &[]), ("middle", &version, &["leaf"]), ("top", &version, &["middle"])], &["top"])
}

async fn rows(client: &Client, table: &str) -> Vec<Value> {
    let url = client.base().join(&format!("/api/{table}/?limit=100000")).unwrap();
    let answer = reqwest::get(url).await.unwrap().bytes().await.unwrap();
    let answer: Value = serde_json::from_slice(&answer).unwrap();
    answer["results"].as_array().unwrap().clone()
}

/// What the server keeps of the builds of a DAG: by package, the status and the phases in order.
async fn kept(client: &Client, dag: &Dag) -> BTreeMap<String, (String, Vec<(String, String, String)>)> {
    let (specs, builds, phases) =
        (rows(client, "specs").await, rows(client, "builds").await, rows(client, "buildphases").await);
    let mut kept = BTreeMap::new();
    for node in dag.nodes() {
        let is_its = |spec: &&Value| spec["full_hash"] == node.hash.as_str();
        let Some(spec) = specs.iter().find(is_its) else { continue };
        assert_eq!(
            (spec["name"].as_str(), spec["spack_version"].as_str()),
            (Some(node.name()), Some(VERSION))
        );
        let Some(build) = builds.iter().find(|build| *id_of(&build["spec"]) == spec["id"]) else { continue };
        let text = |row: &Value, name: &str| row[name].as_str().unwrap().to_owned();
        let own = phases.iter().filter(|phase| *id_of(&phase["build"]) == build["id"]);
        let own = own.map(|phase| (text(phase, "name"), text(phase, "status"), text(phase, "output")));
        kept.insert(node.name().to_owned(), (text(build, "status"), own.collect()));
    }
    kept
}

/// Rows name others by number, or hold them whole.
fn id_of(reference: &Value) -> &Value {
    if reference.is_object() { &reference["id"] } else { reference }
}

async fn statuses(client: &Client, dag: &Dag) -> BTreeMap<String, String> {
    kept(client, dag).await.into_iter().map(|(name, (status, _))| (name, status)).collect()
}

fn expect(list: &[(&str, &str)]) -> BTreeMap<String, String> {
    list.iter().map(|(name, status)| ((*name).to_owned(), (*status).to_owned())).collect()
}

fn start(client: &Client, dag: &Arc<Dag>) -> Run {
    let run = Run::start(client.clone(), identity(VERSION, Some("pizza,pasta")), false, &env::temp_dir());
    run.emitter.concretized(Arc::clone(dag));
    run
}

async fn end(run: Run) {
    let delivery = run.end().await;
    assert_eq!((delivery.failure, delivery.undelivered), (None, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_of_a_success() {
    let Some(client) = server() else { return };
    assert_eq!(client.check().await.unwrap().id, "spackmon");
    let dag = chain();
    let run = start(&client, &dag);
    let phases = [("configure", "checking\n"), ("build", "caf\u{e9} \u{1f600}\0\n"), ("install", "")];
    for name in ["leaf", "middle", "top"] {
        build(&run.emitter, &hash_of(&dag, name), &phases, installed());
    }
    end(run).await;
    let kept = kept(&client, &dag).await;
    assert_eq!(kept.len(), 3);
    let (status, phases) = &kept["middle"];
    assert_eq!(status, "SUCCESS");
    let phase = |name: &str, log: &str| {
        let log = format!("==> middle: Executing phase: '{name}'\n{log}");
        (name.to_owned(), "SUCCESS".to_owned(), log)
    };
    let expected = [
        phase("configure", "checking\n"),
        phase("build", "caf\u{e9} \u{1f600}\u{2400}\n"),
        phase("install", ""),
    ];
    assert_eq!(phases[..], expected);
}

/// With each update of a dependent, the server makes CANCELLED of what its dependencies had.
#[tokio::test(flavor = "multi_thread")]
async fn rows_of_a_failure_below_two_levels() {
    let Some(client) = server() else { return };
    let dag = chain();
    let run = start(&client, &dag);
    build(&run.emitter, &hash_of(&dag, "leaf"), &[("configure", "ok\n"), ("build", "error: no\n")], failed());
    skip(&run.emitter, &dag, "middle", "leaf");
    skip(&run.emitter, &dag, "top", "leaf");
    end(run).await;
    let expected = expect(&[("leaf", "FAILED"), ("middle", "CANCELLED"), ("top", "FAILED")]);
    assert_eq!(statuses(&client, &dag).await, expected);
    let (_, phases) = &kept(&client, &dag).await["leaf"];
    assert_eq!(phases[1].1, "ERROR");
    assert!(phases[1].2.ends_with("error: no\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_of_an_interrupt() {
    let Some(client) = server() else { return };
    let dag = chain();
    let run = start(&client, &dag);
    build(&run.emitter, &hash_of(&dag, "leaf"), &[("install", "fine\n")], installed());
    let span = run.emitter.build(&hash_of(&dag, "middle"));
    let mut phase = span.phase("build");
    phase.output(Stream::Stdout, b"half a lin");
    drop(phase);
    span.end(BuildEnd::Cancelled(CancelCause::Interrupted));
    end(run).await;
    let expected = expect(&[("leaf", "SUCCESS"), ("middle", "CANCELLED"), ("top", "NOTRUN")]);
    assert_eq!(statuses(&client, &dag).await, expected);
    let (_, phases) = &kept(&client, &dag).await["middle"];
    assert_eq!((phases[0].1.as_str(), phases[0].2.lines().last()), ("ERROR", Some("half a lin")));
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_of_a_saved_run_that_is_uploaded() {
    let Some(client) = server() else { return };
    let dag = chain();
    let folder = tempfile::tempdir().unwrap();
    let now = jiff::ZonedDateTime::now();
    let sink = OfflineSink::create(folder.path(), &now, identity(VERSION, None)).unwrap();
    let fanout = Fanout::start(RunId::random(), vec![Box::new(sink)]).unwrap();
    let emitter = fanout.emitter();
    emitter.concretized(Arc::clone(&dag));
    build(&emitter, &hash_of(&dag, "leaf"), &[("configure", "a\n"), ("build", "b\n")], failed());
    skip(&emitter, &dag, "middle", "leaf");
    skip(&emitter, &dag, "top", "leaf");
    assert!(fanout.finish().is_empty());
    let expected = expect(&[("leaf", "FAILED"), ("middle", "CANCELLED"), ("top", "FAILED")]);
    for _ in 0..2 {
        let summary = upload(folder.path(), &client, &mut |_| {}).await.unwrap();
        assert_eq!((summary.runs, summary.problems.as_slice(), summary.stopped), (1, &[][..], None));
        assert_eq!(statuses(&client, &dag).await, expected);
    }
    let (_, phases) = &kept(&client, &dag).await["leaf"];
    let names: Vec<_> = phases.iter().map(|(name, ..)| name.as_str()).collect();
    assert_eq!(names, ["configure", "build"]);
}
