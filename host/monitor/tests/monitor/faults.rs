//! What happens when a request goes wrong.

use std::collections::BTreeSet;
use std::net::TcpListener;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use spack_wasm_monitor::{
    BuildEnd, CancelCause, Client, ClientSettings, Delivery, PhaseExit, Proxies, RetryPolicy, Stream, Usage,
    upload,
};
use spack_wasm_spec::Dag;

use crate::packages::{dag, hash_of, recorded_dag};
use crate::replay::{Answer, Exchange, Replay, recording};
use crate::run::{Run, TOKEN, build, client, identity, installed, settings};

const PHASES: [(&str, &str); 2] = [("configure", "a\n"), ("install", "b\n")];

/// The install of `znet`, which all recordings of faults are about.
struct Fault {
    expected: Vec<Exchange>,
    dag: Arc<Dag>,
    folder: tempfile::TempDir,
}

impl Fault {
    fn recorded(number: &str) -> Self {
        let expected = recording(number);
        let spec = expected.iter().find(|exchange| exchange.body.get("spec").is_some());
        let dag =
            spec.map_or_else(|| dag(&[("znet", "1.0", &[])], &["znet"]), |spec| recorded_dag(&[&spec.body]));
        Self { expected, dag, folder: tempfile::tempdir().unwrap() }
    }

    /// Compares what says what is sent; the shape of the bodies is the subject of other tests.
    fn replay(&self) -> Replay {
        let body = |body: Value| {
            let known = ["build_id", "status", "phase_name"];
            known.iter().map(|key| body.get(*key).cloned().unwrap_or_default()).collect()
        };
        Replay::start(self.expected.clone(), body)
    }

    async fn start(&self, client: Client, keep_going: bool) -> Run {
        client.check().await.unwrap();
        let run = Run::start(client, identity("0.17.0", None), keep_going, self.folder.path());
        run.emitter.concretized(Arc::clone(&self.dag));
        run
    }

    fn build(&self, run: &Run) {
        build(&run.emitter, &hash_of(&self.dag, "znet"), &PHASES, installed());
    }

    /// The exchange at `index` is answered as wished.
    fn answered(&self, index: usize, answer: Answer) -> Exchange {
        Exchange { answer: Some(answer), ..self.expected[index].clone() }
    }
}

fn ok() -> Answer {
    Answer::json(200, &json!({"message": "fine", "data": {}, "code": 200}))
}

fn once(replay: &Replay) -> Client {
    client(&replay.host()).with_retry(RetryPolicy::ONCE)
}

fn kinds(folder: &Path) -> BTreeSet<String> {
    let names =
        fs_err::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let parts = |name: String| {
        let stem = name.trim_end_matches(".json").to_owned();
        stem.split('-').filter(|part| part.len() != 32).collect::<Vec<_>>().join("-")
    };
    names.map(parts).collect()
}

fn whole_build() -> BTreeSet<String> {
    let names = [
        "spec-znet-1.0-config",
        "build-metadata",
        "build-phase-configure",
        "build-phase-install",
        "build-status",
    ];
    names.map(str::to_owned).into()
}

fn status_in(delivery: &Delivery) -> Value {
    let folder = delivery.saved.as_ref().unwrap();
    let mut files = fs_err::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let file = files.find(|path| path.to_string_lossy().ends_with("-status.json")).unwrap();
    serde_json::from_str::<Value>(&fs_err::read_to_string(file).unwrap()).unwrap()["status"].clone()
}

/// The request fails for good: the run ends, and the server still hears that the build was cancelled.
#[tokio::test(flavor = "multi_thread")]
async fn a_refused_phase_ends_the_run() {
    let mut fault = Fault::recorded("30");
    fault.expected.truncate(7);
    let mut last = fault.answered(6, ok());
    last.path = "/ms1/builds/update/".into();
    last.body = json!({"build_id": 3, "status": "CANCELLED"});
    fault.expected[6] = last;
    let replay = fault.replay();
    let mut run = fault.start(once(&replay), false).await;
    let span = run.emitter.build(&hash_of(&fault.dag, "znet"));
    let mut phase = span.phase("configure");
    phase.output(Stream::Stdout, b"configuring\n");
    phase.end(PhaseExit::Success, Usage::default());
    let failure = run.failed().await;
    assert!(failure.ends_run);
    assert!(
        failure.reason.contains("500 Internal Server Error") && failure.reason.ends_with("injected"),
        "{failure:?}"
    );
    span.end(BuildEnd::Cancelled(CancelCause::Monitor));
    let delivery = run.end().await;
    replay.assert_done();
    assert_eq!(delivery.failure, Some(failure));
    assert_eq!(delivery.undelivered, 1);
    let mut expected = whole_build();
    expected.remove("build-phase-install");
    assert_eq!(kinds(delivery.saved.as_ref().unwrap()), expected);
    assert_eq!(status_in(&delivery), "CANCELLED");
}

/// With keep-going the build ends well, nothing more is sent, and the whole build is there to be uploaded.
async fn keeps_going(number: &str, requests: usize) {
    let mut fault = Fault::recorded(number);
    fault.expected.truncate(requests);
    let replay = fault.replay();
    let mut run = fault.start(once(&replay), true).await;
    fault.build(&run);
    let failure = run.failed().await;
    assert!(!failure.ends_run);
    let delivery = run.end().await;
    replay.assert_done();
    assert_eq!(delivery.undelivered, 1, "{number}");
    assert_eq!(kinds(delivery.saved.as_ref().unwrap()), whole_build(), "{number}");
    assert_eq!(status_in(&delivery), "SUCCESS");
}

#[tokio::test(flavor = "multi_thread")]
async fn keep_going_after_a_refused_spec_build_phase_or_status() {
    keeps_going("34", 2).await;
    keeps_going("43", 2).await;
    keeps_going("33", 5).await;
    keeps_going("31", 6).await;
    keeps_going("32", 8).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_not_delivered_can_be_uploaded() {
    let mut fault = Fault::recorded("31");
    fault.expected.truncate(6);
    let replay = fault.replay();
    let run = fault.start(once(&replay), true).await;
    fault.build(&run);
    run.end().await;
    let post = |path: &str, body: Value, answer: Answer| Exchange {
        method: "POST".into(),
        path: format!("/ms1/{path}"),
        headers: Vec::new(),
        body,
        answer: Some(answer),
    };
    let phase = |name: &str| json!({"build_id": "new id", "status": "SUCCESS", "phase_name": name});
    let built = Answer::json(201, &json!({"data": {"build": {"build_id": "new id"}}}));
    fault.expected = vec![
        post("specs/new/", Value::Null, ok()),
        post("builds/new/", Value::Null, built),
        post("builds/phases/update/", phase("configure"), ok()),
        post("builds/phases/update/", phase("install"), ok()),
        post("builds/update/", json!({"build_id": "new id", "status": "SUCCESS"}), ok()),
    ];
    let replay = fault.replay();
    // The folder above the one that was saved.
    let summary = upload(fault.folder.path(), &client(&replay.host()), &mut |_| {}).await.unwrap();
    assert_eq!((summary.runs, summary.sent, summary.problems.len()), (1, 5, 0));
    replay.assert_done();
}

/// Passing faults are not seen by anybody.
async fn is_survived(mut fault: Fault, index: usize) {
    let good = fault.answered(index, ok());
    fault.expected.insert(index + 1, good);
    let replay = fault.replay();
    let run = fault.start(client(&replay.host()), false).await;
    fault.build(&run);
    let delivery = run.end().await;
    replay.assert_done();
    assert_eq!((delivery.failure, delivery.undelivered, delivery.saved), (None, 0, None));
}

/// Recording 30 or 35 up to its fault, then the rest of a good install.
fn with_rest(number: &str) -> Fault {
    let mut fault = Fault::recorded(number);
    fault.expected.truncate(6);
    let good = recording("32");
    fault.expected.push(good[6].clone());
    fault.expected.push(Exchange { answer: Some(ok()), ..good[7].clone() });
    fault
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_is_tried_again_after_500_and_after_a_dropped_connection() {
    is_survived(with_rest("30"), 5).await;
    assert!(Fault::recorded("35").expected[5].answer.is_none());
    is_survived(with_rest("35"), 5).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_asks_for_a_day_of_patience_gets_none() {
    let mut fault = Fault::recorded("34");
    let mut answer = Answer::json(429, &json!({"detail": "Request was throttled."}));
    answer.headers.push(("Retry-After".into(), "86400".into()));
    fault.expected[1].answer = Some(answer);
    let replay = fault.replay();
    let mut run = fault.start(client(&replay.host()), false).await;
    let failure = run.failed().await;
    assert!(failure.reason.ends_with("Request was throttled."), "{failure:?}");
    run.end().await;
    replay.assert_done();
}

#[tokio::test(flavor = "multi_thread")]
async fn redirects_of_a_post() {
    for number in ["38", "39"] {
        let mut fault = Fault::recorded(number);
        fault.expected.push(fault.answered(1, ok()));
        let replay = fault.replay();
        let run = fault.start(client(&replay.host()), false).await;
        assert_eq!(run.end().await.failure, None, "{number}");
        replay.assert_done();
    }
    for number in ["36", "37"] {
        let mut fault = Fault::recorded(number);
        fault.expected.truncate(2);
        let replay = fault.replay();
        let mut run = fault.start(client(&replay.host()), false).await;
        let failure = run.failed().await;
        assert!(failure.reason.contains("would lose what is sent"), "{failure:?}");
        run.end().await;
        replay.assert_done();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn redirects_of_the_service_info() {
    for number in ["40", "41"] {
        let mut fault = Fault::recorded(number);
        // The rest of these recordings is an install of what is installed already.
        fault.expected.truncate(2);
        let replay = fault.replay();
        assert_eq!(client(&replay.host()).check().await.unwrap().id, "spackmon");
        replay.assert_done();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_without_authentication_that_cannot_make_builds() {
    let mut fault = Fault::recorded("24");
    fault.dag = dag(&[("ztop", "1.0", &[])], &["ztop"]);
    let replay = fault.replay();
    let open = ClientSettings { credentials: None, retry: RetryPolicy::ONCE, ..settings(&replay.host()) };
    let mut run = fault.start(Client::new(open).unwrap(), false).await;
    let span = run.emitter.build(&hash_of(&fault.dag, "ztop"));
    let failure = run.failed().await;
    assert!(failure.reason.starts_with("500 ") && failure.reason.ends_with("A page"), "{failure:?}");
    span.end(BuildEnd::Cancelled(CancelCause::Monitor));
    run.end().await;
    replay.assert_done();
}

async fn check_message(client: &Client, address: &str) -> String {
    client.check().await.unwrap_err().to_string().replace(address, "HOST")
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_check_says_what_is_wrong() {
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let nobody = client(&format!("http://{address}"));
    insta::assert_snapshot!(check_message(&nobody, &address).await, @"[Errno 111] Connection refused: no Spackmon server answers at http://HOST/ms1/ (--monitor-host and --monitor-prefix name another)");
    for (number, prefix) in [("25", "nope"), ("42", "ms1")] {
        let fault = Fault::recorded(number);
        let replay = fault.replay();
        let client =
            Client::new(ClientSettings { prefix: prefix.into(), ..settings(&replay.host()) }).unwrap();
        let message = check_message(&client, &replay.address.to_string()).await;
        replay.assert_done();
        match number {
            "25" => {
                insta::assert_snapshot!(message, @"404 Not Found from http://HOST/nope/: A page (is --monitor-prefix right?)")
            }
            _ => {
                insta::assert_snapshot!(message, @"503 Service Unavailable from http://HOST/ms1/: injected (is --monitor-prefix right?)")
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn something_else_answers_the_first_check() {
    let page = Answer { status: 200, headers: Vec::new(), body: "<html>hello</html>".into() };
    let mut fault = Fault::recorded("25");
    fault.expected[0] = Exchange { path: "/ms1/".into(), ..fault.answered(0, page) };
    let replay = fault.replay();
    let message = check_message(&client(&replay.host()), &replay.address.to_string()).await;
    assert!(message.starts_with("http://HOST/ms1/ answers, but not as a Spackmon server does"), "{message}");
}

/// Nobody but the configured origin ever sees the credentials.
#[tokio::test(flavor = "multi_thread")]
async fn a_realm_elsewhere_is_refused() {
    let thief = TcpListener::bind("127.0.0.1:0").unwrap();
    thief.set_nonblocking(true).unwrap();
    let mut fault = Fault::recorded("34");
    let mut answer = Answer { status: 401, headers: Vec::new(), body: String::new() };
    let realm = format!("http://{}/auth/token/", thief.local_addr().unwrap());
    answer.headers.push(("Www-Authenticate".into(), format!("realm=\"{realm}\",service=\"x\"")));
    fault.expected[1].answer = Some(answer);
    let replay = fault.replay();
    let mut run = fault.start(client(&replay.host()), false).await;
    let failure = run.failed().await;
    assert!(
        failure.reason.contains(&format!("sent to {realm}, which is another origin: refused")),
        "{failure:?}"
    );
    run.end().await;
    replay.assert_done();
    assert!(thief.accept().is_err(), "a connection was made");
}

#[test]
fn credentials_without_tls_are_worth_a_warning_or_refused() {
    let new = |host: &str, require_tls| Client::new(ClientSettings { require_tls, ..settings(host) });
    assert_eq!(new("http://127.0.0.1", true).unwrap().warning(), None);
    assert_eq!(new("https://monitor.org", true).unwrap().warning(), None);
    insta::assert_snapshot!(new("http://monitor.org", false).unwrap().warning().unwrap(), @"the Spackmon credentials go to http://monitor.org without TLS, readable on the way; use an https URL, or set `monitor:require-tls` to forbid this");
    insta::assert_snapshot!(new("http://monitor.org", true).unwrap_err(), @"the monitor's host http://monitor.org is reached without TLS, and `monitor:require-tls` forbids to send credentials there: use an https URL in --monitor-host");
    let open = ClientSettings { credentials: None, require_tls: true, ..settings("http://monitor.org") };
    assert_eq!(Client::new(open).unwrap().warning(), None);
}

#[test]
fn the_token_is_in_no_debug_output() {
    let (settings, client) = (settings("http://127.0.0.1"), client("http://127.0.0.1"));
    assert!(!format!("{settings:?} {settings:#?} {client:?} {client:#?}").contains(TOKEN));
}

#[tokio::test(flavor = "multi_thread")]
async fn loopback_never_goes_through_a_proxy() {
    let mut fault = Fault::recorded("34");
    fault.expected.truncate(1);
    let replay = fault.replay();
    let nowhere = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let proxies = Proxies { http: Some(format!("http://{nowhere}")), ..Proxies::default() };
    let proxied = ClientSettings { proxies, ..settings(&replay.host()) };
    Client::new(proxied).unwrap().check().await.unwrap();
    replay.assert_done();
}

/// Which of two proxies, the one of `http` and the one of `https`, a client of `host` asks.
async fn asked(host: &str, direct: Option<&str>) -> [bool; 2] {
    let proxies = [(); 2].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
    let [http, https] =
        proxies.each_ref().map(|proxy| Some(format!("http://{}", proxy.local_addr().unwrap())));
    let proxies_of_user = Proxies { http, https, direct: direct.map(str::to_owned) };
    let timeout = Duration::from_millis(500);
    let settings = ClientSettings { proxies: proxies_of_user, timeout, ..settings(host) };
    Client::new(settings).unwrap().check().await.unwrap_err();
    proxies.map(|proxy| {
        proxy.set_nonblocking(true).unwrap();
        proxy.accept().is_ok()
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_is_for_its_scheme_and_not_for_hosts_of_no_proxy() {
    assert_eq!(asked("http://monitor.invalid", None).await, [true, false]);
    assert_eq!(asked("HTTPS://monitor.invalid", None).await, [false, true]);
    assert_eq!(asked("http://monitor.invalid", Some("example.org,.invalid")).await, [false, false]);
    assert_eq!(asked("https://monitor.invalid", Some(".invalid")).await, [false, false]);
    assert_eq!(asked("http://monitor.invalid", Some("example.org")).await, [true, false]);
}

/// A server that takes requests and never answers holds the end of the run up no longer than the drain.
#[tokio::test(flavor = "multi_thread")]
async fn the_drain_is_bounded() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let host = format!("http://{}", silent.local_addr().unwrap());
    let patient = ClientSettings { timeout: Duration::from_secs(60), ..settings(&host) };
    let fault = Fault::recorded("34");
    let mut run = Run::start_with_drain(
        Client::new(patient).unwrap(),
        identity("0.17.0", None),
        false,
        fault.folder.path(),
        Duration::from_secs(2),
    );
    run.emitter.concretized(Arc::clone(&fault.dag));
    fault.build(&run);
    assert!(tokio::time::timeout(Duration::from_millis(100), run.failed()).await.is_err());
    let started = Instant::now();
    let delivery = run.end().await;
    assert!(started.elapsed() < Duration::from_secs(8), "{:?}", started.elapsed());
    assert_eq!(delivery.undelivered, 1);
    assert_eq!(kinds(delivery.saved.as_ref().unwrap()), whole_build());
    let failure = delivery.failure.unwrap();
    assert!(!failure.ends_run, "there is nothing left to end");
    insta::assert_snapshot!(failure.reason, @"the server did not take everything within 2s");
}
