//! However a run ends, its events say so, and it ends soon.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, ChildStdout, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use spack_wasm_tests::{Access, MISBEHAVING, Output, SpackmonStandIn, TestContext, User, require};

use crate::crew::with_crew;
use crate::events::{events, kinds};
use crate::sources::with_zlib;
use crate::{misbehave, user};

/// A mirror that gives a little at a time, and never comes to an end.
fn slow_mirror() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for client in listener.incoming().filter_map(Result::ok) {
            thread::spawn(|| trickle(client));
        }
    });
    format!("http://{address}")
}

fn trickle(client: TcpStream) -> Option<()> {
    let mut request = BufReader::new(client.try_clone().ok()?);
    let mut line = String::new();
    while line != "\r\n" {
        line.clear();
        request.read_line(&mut line).ok().filter(|read| *read > 0)?;
    }
    let mut client = client;
    client.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n").ok()?;
    loop {
        client.write_all(&[0; 100]).ok()?;
        thread::sleep(Duration::from_millis(200));
    }
}

/// Starts the program, and gives what it has printed when `sign` was in it.
fn start(user: &TestContext, arguments: &[&str], sign: &str) -> (Child, BufReader<ChildStdout>, String) {
    let mut command = user.command(user.binary());
    command.args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    let mut said = String::new();
    while !said.contains(sign) {
        assert!(stdout.read_line(&mut said).unwrap() > 0, "it ended early: {said}");
    }
    (child, stdout, said)
}

/// Sends a signal, after which the program ends within two seconds.
fn interrupt(mut child: Child, mut stdout: BufReader<ChildStdout>, mut said: String) -> Output {
    let asked = Instant::now();
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        if asked.elapsed() > Duration::from_secs(20) {
            child.kill().unwrap();
        }
        thread::sleep(Duration::from_millis(5));
    };
    let took = asked.elapsed();
    stdout.read_to_string(&mut said).unwrap();
    let mut stderr = String::new();
    child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
    let output = Output { status, stdout: said, stderr };
    assert!(took < Duration::from_secs(2), "it took {took:?}: {}", output.report());
    output
}

#[test]
fn a_download_is_interrupted() {
    let user = user().configure("mirrors.yaml", &format!("mirrors:\n  slow: {}\n", slow_mirror()));
    let arguments = ["install", "--format", "ndjson", "zlib"];
    let (child, stdout, said) = start(&user, &arguments, r#""event":"fetch-progress""#);
    let output = interrupt(child, stdout, said).failed_with(130);
    let events = events(&output);
    let end = events.iter().find(|event| event["event"] == "build-ended").unwrap();
    assert_eq!((&end["end"], &end["cause"]), (&"cancelled".into(), &"interrupted".into()), "{end}");
    assert_eq!(events.last().unwrap()["event"], "run-ended");
    assert_eq!(events.last().unwrap()["exit_status"], 130);
}

#[test]
fn fail_fast_ends_a_download() {
    let user = user().configure("mirrors.yaml", &format!("mirrors:\n  slow: {}\n", slow_mirror()));
    let specs = ["install", "--format", "ndjson", "--fail-fast", "-j2", "--recipe", MISBEHAVING];
    let began = Instant::now();
    let output = user.run(specs.iter().chain(&["misbehaving", "act=failing-tool", "zlib"])).failed_with(1);
    assert!(began.elapsed() < Duration::from_secs(60), "{:?}", began.elapsed());
    let events = events(&output);
    let causes: Vec<&Value> =
        events.iter().map(|event| &event["cause"]).filter(|cause| !cause.is_null()).collect();
    assert_eq!(causes, ["fail-fast"], "{}", output.report());
}

/// The reason of the one event that says why the run failed, which is the last but one.
fn reason(output: &Output) -> String {
    let events = events(output);
    let kinds = kinds(&events);
    assert_eq!(kinds[kinds.len() - 2..], ["run-failed", "run-ended"], "{}", output.report());
    assert!(!kinds.contains(&"solve-failed"), "{}", output.report());
    events[events.len() - 2]["message"].as_str().unwrap().to_owned()
}

#[test]
fn a_store_that_can_not_be_made_is_an_event() {
    let user = user();
    let output =
        misbehave(&user, "nothing", &["--format", "ndjson", "-c", "config:install_tree:root:/proc/foo"]);
    let reason = reason(&output.failed_with(1));
    assert!(reason.contains("/proc/foo"), "{reason}");
}

#[test]
fn a_proxy_that_is_none_is_an_event() {
    let user = user().env("http_proxy", "http://[");
    let reason = reason(&misbehave(&user, "nothing", &["--format", "ndjson"]).failed_with(1));
    assert!(reason.contains("http_proxy"), "{reason}");
}

#[test]
fn the_store_of_a_real_spack_is_an_event_and_the_monitor_knows_of_the_failure() {
    let (user, server) = (user(), SpackmonStandIn::start(Access::Open));
    let database = user.work().join("opt/.spack-db");
    fs_err::create_dir_all(&database).unwrap();
    fs_err::write(database.join("index.json"), "{}").unwrap();
    let setting = format!("config:install_tree:root:{}", user.work().join("opt").display());
    let host = server.host();
    let monitor = ["--monitor", "--monitor-host", &host, "--monitor-disable-auth"];
    let options = [&["--format", "ndjson", "-c", &setting][..], &monitor].concat();
    let reason = reason(&misbehave(&user, "nothing", &options).failed_with(1));
    assert!(reason.contains("is the store of a real Spack"), "{reason}");
    let builds = server.builds();
    let statuses: Vec<_> = builds.iter().map(|build| (build.name.as_str(), build.status.as_str())).collect();
    assert_eq!(statuses, [("misbehaving", "FAILED")]);
}

#[test]
fn a_configuration_that_is_wrong_is_not_a_failed_search() {
    let user = user().configure("config.yaml", "config: [\n");
    let reason = reason(&misbehave(&user, "nothing", &["--format", "ndjson"]).failed_with(1));
    assert!(reason.contains("config.yaml"), "{reason}");
}

/// Installs on a terminal whose user types `answer` when asked.
fn on_terminal(user: &TestContext, options: &str, answer: &[u8]) -> Output {
    let program = user.binary().display();
    let line = format!("{program} install --recipe {MISBEHAVING} misbehaving act=nothing {options}");
    let mut command = user.command("script");
    command.args(["-qec", &line, "/dev/null"]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.stderr(Stdio::null()).spawn().unwrap();
    let (mut stdin, mut stdout) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
    let (mut said, mut byte) = (Vec::new(), [0]);
    while stdout.read(&mut byte).unwrap() > 0 {
        said.extend(byte);
        if said.ends_with(b"[y/N] ") {
            stdin.write_all(answer).unwrap();
        }
    }
    let stdout = String::from_utf8_lossy(&said).into_owned();
    Output { status: child.wait().unwrap(), stdout, stderr: String::new() }
}

#[test]
fn who_declines_to_replace_a_package_has_cancelled_its_build() {
    if !require("script") {
        return;
    }
    let (user, server) = (user(), SpackmonStandIn::start(Access::Open));
    let monitor = format!("--monitor --monitor-disable-auth --monitor-host {}", server.host());
    // What is not installed is nothing to ask about.
    let first = on_terminal(&user, "--overwrite", b"").succeeded();
    assert!(!first.stdout.contains("Replace"), "{}", first.report());
    let second = on_terminal(&user, &format!("--overwrite {monitor}"), b"n\n").failed_with(1);
    assert!(second.stdout.contains("Replace what is installed of misbehaving@1.0?"), "{}", second.report());
    assert!(second.stdout.contains("misbehaving@1.0 not built: not wanted"), "{}", second.report());
    let statuses: Vec<_> = server.builds().into_iter().map(|build| (build.name, build.status)).collect();
    assert_eq!(statuses, [("misbehaving".to_owned(), "CANCELLED".to_owned())]);
}

#[test]
fn ctrl_c_at_the_question_cancels_the_build() {
    if !require("script") {
        return;
    }
    let user = user();
    misbehave(&user, "nothing", &[]).succeeded();
    let output = on_terminal(&user, "--overwrite", b"\x03").failed_with(130);
    assert!(output.stdout.contains("misbehaving@1.0 not built: interrupted"), "{}", output.report());
}

#[test]
fn only_what_was_asked_for_is_said_to_be_there() {
    let user = with_crew(user());
    user.run(["install", "crew-outer"]).succeeded();
    let output = user.run(["install", "crew-outer"]).succeeded();
    assert!(output.stdout.contains("4 installed already"), "{}", output.report());
    let there: Vec<&str> = output.stdout.lines().filter(|line| line.contains("[+] /")).collect();
    assert!(matches!(there[..], [only] if only.contains("crew-outer")), "{}", output.report());
}

/// A server that has stopped answering, and a run that waits for it; gives what it says.
fn waiting_for_the_server(
    act: &str,
    sign: &str,
) -> (TestContext, SpackmonStandIn, Child, BufReader<ChildStdout>, String) {
    let (user, server) = (user(), SpackmonStandIn::start(Access::Open));
    server.hang("builds/new/");
    let (act, host) = (format!("act={act}"), server.host());
    let arguments = ["install", "--format", "ndjson", "--recipe", MISBEHAVING, "misbehaving", &act];
    let monitor = ["--monitor", "--monitor-disable-auth", "--monitor-host", &host];
    let (child, stdout, said) = start(&user, &[&arguments[..], &monitor].concat(), sign);
    (user, server, child, stdout, said)
}

fn assert_is_saved(output: &Output) {
    let folder = output
        .stderr
        .split_once("spack-wasm monitor upload ")
        .unwrap_or_else(|| panic!("{}", output.report()))
        .1;
    let folder = Path::new(folder.split(['`', '\n', ' ']).next().unwrap());
    assert!(fs_err::read_dir(folder).unwrap().count() >= 3, "{}", output.report());
    assert!(output.stdout.contains(r#""event":"run-ended""#), "{}", output.report());
}

#[test]
fn the_wait_for_the_monitor_is_told_and_interrupted() {
    let sign = "waiting for the Spackmon server at http://127.0.0.1:";
    let (_user, _server, child, stdout, said) = waiting_for_the_server("nothing", sign);
    assert!(said.contains("reports, at most 30 s"), "{said}");
    let output = interrupt(child, stdout, said);
    assert!(
        output.stderr.contains("the server did not take everything before the wait was ended"),
        "{}",
        output.report()
    );
    assert_is_saved(&output);
}

#[test]
fn a_second_interruption_loses_no_report() {
    let (_user, _server, child, mut stdout, mut said) =
        waiting_for_the_server("wait", r#""event":"phase-started""#);
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    while !said.contains("waiting for the Spackmon server") {
        assert!(stdout.read_line(&mut said).unwrap() > 0, "it ended early: {said}");
    }
    let output = interrupt(child, stdout, said).failed_with(130);
    assert_is_saved(&output);
}

#[test]
fn the_monitor_is_told_why_a_build_failed_behind_its_phases() {
    let (user, server) = (user(), SpackmonStandIn::start(Access::Open));
    let host = server.host();
    misbehave(&user, "empty", &["--monitor", "--monitor-disable-auth", "--monitor-host", &host])
        .failed_with(1);
    let mut reports =
        server.requests().into_iter().filter(|request| request.path.ends_with("/phases/update/"));
    let last = reports.next_back().unwrap().body;
    assert_eq!(last["status"], "ERROR", "{last}");
    let output = last["output"].as_str().unwrap();
    assert!(output.starts_with("==> misbehaving: Executing phase: 'install'\n"), "{output}");
    assert!(output.ends_with("==> Error: its install phases put nothing into the prefix\n"), "{output}");
    let log = user.run(["logs", "misbehaving"]).succeeded().stdout;
    assert!(log.ends_with("==> Error: its install phases put nothing into the prefix\n"), "{log}");
}

#[test]
fn a_log_without_an_error_is_shown_at_its_end() {
    let Some(user) = with_zlib(User::Current) else { return };
    let output = user.run(["install", "zlib", "cflags='-include nonexist.h'"]).failed_with(1);
    let (_, behind) = output
        .stderr
        .split_once("The last lines of the phase:\n")
        .unwrap_or_else(|| panic!("{}", output.report()));
    let shown: Vec<&str> = behind.lines().take_while(|line| !line.is_empty()).collect();
    assert!((1..=10).contains(&shown.len()), "{}", output.report());
}
