//! Installs whose requests were recorded from Spack's own clients, replayed with ours.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::packages::{hash_of, recorded_dag};
use crate::replay::{Exchange, Replay, recording};
use crate::run::{Run, TOKEN, USER, build, client, failed, identity, installed, settings, skip};
use serde_json::{Value, json};
use spack_wasm_monitor::{BuildEnd, CancelCause, Client, Credentials, EventKind, PlanAction, PlanStep};
use spack_wasm_spec::Dag;

/// A recorded install: what was sent, the DAG of its specs, the logs of its phases.
struct Install {
    expected: Vec<Exchange>,
    dag: Arc<Dag>,
    spack_version: String,
    tags: Option<String>,
    logs: BTreeMap<(String, String), String>,
}

impl Install {
    fn recorded(number: &str) -> Self {
        let expected = recording(number);
        let mut specs: Vec<&Value> = bodies(&expected, "/ms1/specs/new/").collect();
        // With the challenge, the first one is sent twice.
        specs.dedup();
        let spack_version = specs[0]["spack_version"].as_str().unwrap().to_owned();
        let tags =
            bodies(&expected, "/ms1/builds/new/").find_map(|body| body["tags"].as_str().map(str::to_owned));
        let dag = recorded_dag(&specs);
        let logs = logs(&expected);
        Self { dag, spack_version, tags, logs, expected }
    }

    fn replay(&self) -> Replay {
        Replay::start(self.expected.clone(), normalizer(&self.expected, &self.dag))
    }

    fn start(&self, client: Client, keep_going: bool) -> Run {
        let identity = identity(&self.spack_version, self.tags.as_deref());
        let run = Run::start(client, identity, keep_going, &std::env::temp_dir().join("never-used"));
        run.emitter.concretized(Arc::clone(&self.dag));
        run
    }

    fn build(&self, run: &Run, package: &str, phases: &[&str], end: BuildEnd) {
        let log =
            |phase: &str| self.logs.get(&(package.to_owned(), phase.to_owned())).map_or("", String::as_str);
        let phases: Vec<_> = phases.iter().map(|phase| (*phase, log(phase))).collect();
        build(&run.emitter, &hash_of(&self.dag, package), &phases, end);
    }
}

fn bodies<'a>(exchanges: &'a [Exchange], path: &str) -> impl Iterator<Item = &'a Value> {
    let path = path.to_owned();
    exchanges.iter().filter(move |exchange| exchange.path == path).map(|exchange| &exchange.body)
}

/// Recorded logs by package and phase. Where the old client lost a log there is none.
fn logs(exchanges: &[Exchange]) -> BTreeMap<(String, String), String> {
    let mut names = BTreeMap::new();
    let mut logs = BTreeMap::new();
    for exchange in exchanges {
        let answer =
            exchange.answer.as_ref().and_then(|answer| serde_json::from_str::<Value>(&answer.body).ok());
        if let Some(build) = answer.as_ref().and_then(|answer| answer["data"].get("build")) {
            let name = build["spec_name"].as_str().unwrap().to_owned();
            names.insert(build["build_id"].to_string(), name);
        }
        if let (Some(phase), Some(log)) =
            (exchange.body["phase_name"].as_str(), exchange.body["output"].as_str())
        {
            logs.insert(
                (names[&exchange.body["build_id"].to_string()].clone(), phase.to_owned()),
                log.to_owned(),
            );
        }
    }
    logs
}

/// Both sides name a node's hashes after its package; a log that the old client lost is like any.
fn normalizer(exchanges: &[Exchange], dag: &Dag) -> impl Fn(Value) -> Value + Send + 'static {
    let mut names: BTreeMap<String, String> =
        dag.nodes().map(|node| (node.hash.to_string(), node.name().to_owned())).collect();
    for body in bodies(exchanges, "/ms1/specs/new/") {
        for node in body["spec"]["nodes"].as_array().unwrap() {
            for hash in ["hash", "full_hash", "build_hash"].iter().filter_map(|field| node[field].as_str()) {
                names.insert(hash.to_owned(), node["name"].as_str().unwrap().to_owned());
            }
        }
    }
    move |mut body| {
        rename(&mut body, &names);
        body
    }
}

fn rename(value: &mut Value, names: &BTreeMap<String, String>) {
    match value {
        Value::String(text) => {
            if let Some(name) = names.get(text) {
                *text = name.clone();
            }
        }
        Value::Array(values) => values.iter_mut().for_each(|value| rename(value, names)),
        Value::Object(fields) => {
            // The generation of July 2022 counts the format one up and has no build hash.
            fields.remove("build_hash");
            if fields.contains_key("_meta") {
                fields.insert("_meta".into(), json!("any"));
            }
            let lost = |output: &Value| output.as_str().is_none_or(|text| text.lines().count() <= 1);
            if fields.get("output").is_some_and(lost) {
                fields.insert("output".into(), json!("lost"));
            }
            fields.values_mut().for_each(|value| rename(value, names));
        }
        _ => {}
    }
}

const PHASES: [&str; 2] = ["configure", "install"];

async fn check_and_start(install: &Install) -> (Replay, Run) {
    let replay = install.replay();
    let client = client(&replay.host());
    client.check().await.unwrap();
    let run = install.start(client, false);
    (replay, run)
}

async fn end(replay: Replay, run: Run) {
    let delivery = run.end().await;
    assert_eq!(delivery.failure, None);
    assert_eq!((delivery.undelivered, delivery.saved), (0, None));
    replay.assert_done();
}

#[tokio::test(flavor = "multi_thread")]
async fn success_with_a_dependency() {
    let install = Install::recorded("01");
    let (replay, run) = check_and_start(&install).await;
    install.build(&run, "zdep", &PHASES, installed());
    install.build(&run, "ztop", &PHASES, installed());
    end(replay, run).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_root_that_is_installed_already() {
    let install = Install::recorded("02");
    let (replay, run) = check_and_start(&install).await;
    let step = |hash| PlanStep { hash, action: PlanAction::Installed };
    let steps = install.dag.nodes().map(|node| step(node.hash.clone())).collect();
    run.emitter.emit(EventKind::Plan { steps });
    end(replay, run).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tags_travel_with_each_build() {
    let install = Install::recorded("03");
    assert_eq!(install.tags.as_deref(), Some("pizza,pasta"));
    let (replay, run) = check_and_start(&install).await;
    let root = install.dag.roots().next().unwrap().name().to_owned();
    install.build(&run, &root, &PHASES, installed());
    end(replay, run).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_phase_fails() {
    let install = Install::recorded("04");
    let (replay, run) = check_and_start(&install).await;
    install.build(&run, "zbad", &PHASES, failed());
    end(replay, run).await;
}

/// The last client says FAILED twice, once for the package and once for the root, which here are the same.
#[tokio::test(flavor = "multi_thread")]
async fn a_phase_fails_with_the_last_client() {
    let mut install = Install::recorded("13");
    let repeated = install.expected.pop().unwrap();
    assert_eq!(repeated.body, install.expected.last().unwrap().body);
    let (replay, run) = check_and_start(&install).await;
    install.build(&run, "zleafbad", &PHASES, failed());
    end(replay, run).await;
}

/// The old client reports FAILED for the root alone. We report the package that failed as well, and again at the
/// end, since the root's update has made CANCELLED of it.
#[tokio::test(flavor = "multi_thread")]
async fn a_dependency_fails() {
    let mut install = Install::recorded("06");
    let root = install.expected.pop().unwrap();
    let mut own = root.clone();
    own.body["build_id"] = json!(4);
    install.expected.extend([own.clone(), root, own]);
    let (replay, run) = check_and_start(&install).await;
    install.build(&run, "zbad", &PHASES, failed());
    skip(&run.emitter, &install.dag, "zneedsbad", "zbad");
    end(replay, run).await;
}

/// The old client lets FAILED overwrite CANCELLED. We send what was meant.
#[tokio::test(flavor = "multi_thread")]
async fn an_interrupted_build_is_cancelled() {
    let mut install = Install::recorded("08");
    let cancelled = install.expected.remove(6);
    assert_eq!(cancelled.body["status"], "CANCELLED");
    *install.expected.last_mut().unwrap() = cancelled;
    let (replay, run) = check_and_start(&install).await;
    install.build(&run, "zslow", &PHASES, BuildEnd::Cancelled(CancelCause::Interrupted));
    end(replay, run).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn several_roots() {
    let install = Install::recorded("09");
    let (replay, run) = check_and_start(&install).await;
    for package in ["zdep", "znet", "ztop"] {
        install.build(&run, package, &PHASES, installed());
    }
    end(replay, run).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_concretization() {
    let expected = recording("15");
    let replay = Replay::start(expected, |mut body| {
        if body["spec"].is_object() {
            body["spec"]["_meta"] = json!("any");
            assert!(body["spec"]["nodes"][0]["hash"].as_str().is_some_and(|hash| hash.len() == 32));
            body["spec"]["nodes"][0]["hash"] = json!("any");
        }
        body
    });
    let client = client(&replay.host());
    client.check().await.unwrap();
    let run = Run::start(client, identity("0.19.0.dev0", None), false, &std::env::temp_dir());
    let message = "Package 'nosuchpkg' not found.".to_owned();
    run.emitter.emit(EventKind::SolveFailed { message, roots: vec!["nosuchpkg".into()] });
    end(replay, run).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_the_server_forgot_is_renewed() {
    let install = Install::recorded("23");
    let (replay, run) = check_and_start(&install).await;
    install.build(&run, "znap", &PHASES, installed());
    end(replay, run).await;
}

/// The first request after the check fails for good: nothing is built, and the reason says what to do.
async fn fails_at_once(number: &str, credentials: Option<Credentials>) -> String {
    let install = Install::recorded(number);
    let replay = install.replay();
    let client =
        Client::new(spack_wasm_monitor::ClientSettings { credentials, ..settings(&replay.host()) }).unwrap();
    client.check().await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let identity = identity(&install.spack_version, None);
    let mut run = Run::start(client, identity, false, folder.path());
    run.emitter.concretized(Arc::clone(&install.dag));
    let failure = run.failed().await;
    assert!(failure.ends_run);
    run.end().await;
    replay.assert_done();
    failure.reason.replace(&replay.address.to_string(), "HOST")
}

#[tokio::test(flavor = "multi_thread")]
async fn no_credentials_where_some_are_needed() {
    insta::assert_snapshot!(fails_at_once("20", None).await, @"Unauthorized: http://HOST/ms1/specs/new/ requires authentication; export SPACKMON_USER and SPACKMON_TOKEN, and leave out --monitor-disable-auth");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_token() {
    let wrong = Credentials::new(Some(USER.into()), Some("deadbeef".into())).unwrap();
    let reason = fails_at_once("21", Some(wrong)).await;
    assert!(!reason.contains("deadbeef") && !reason.contains(TOKEN));
    insta::assert_snapshot!(reason, @"Forbidden: http://HOST/auth/token/ does not accept SPACKMON_USER `spacky` with the given SPACKMON_TOKEN");
}
