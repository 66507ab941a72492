//! A monitor that fails in the middle of a run: nothing of the reports is lost.

use std::path::PathBuf;

use spack_wasm_tests::{Access, Output, SpackmonStandIn, TestContext, assert_output};

use crate::{misbehave, user};

/// No number of attempts is enough.
const ALWAYS: usize = usize::MAX;

fn monitored(user: &TestContext, server: &SpackmonStandIn, act: &str, options: &[&str]) -> Output {
    let host = server.host();
    let options = [&["--monitor", "--monitor-host", &host][..], options].concat();
    misbehave(user, act, &options)
}

/// The folder behind the upload command that a user was told.
fn told_folder(output: &Output) -> PathBuf {
    let report = output.report();
    let (_, behind) = report.split_once("spack-wasm monitor upload ").unwrap_or_else(|| panic!("{report}"));
    behind.split(['`', '\n', ' ']).next().unwrap().into()
}

fn statuses(server: &SpackmonStandIn) -> Vec<(String, String)> {
    server.builds().into_iter().map(|build| (build.name, build.status)).collect()
}

/// Sends what was saved to a server that works, and says what that has then.
fn deliver(user: &TestContext, folder: &std::path::Path) -> Vec<(String, String)> {
    let server = SpackmonStandIn::start(Access::Open);
    let host = server.host();
    let folder = folder.to_str().unwrap();
    let arguments = ["monitor", "upload", folder, "--monitor-host", &host, "--monitor-disable-auth"];
    user.run(arguments).succeeded();
    statuses(&server)
}

#[test]
fn a_wrong_token_ends_the_run_and_the_reports_are_saved() {
    let access = Access::Credentials { user: "spacky".into(), token: "right".into() };
    let server = SpackmonStandIn::start(access);
    let user = user().env("SPACKMON_USER", "spacky").env("SPACKMON_TOKEN", "wrong");
    let output = monitored(&user, &server, "nothing", &[]).failed_with(4);
    let told = Output { stdout: String::new(), ..output.clone() };
    assert_output!(user, told, @"
    exit status: 4
    ----- stderr -----
    ==> Error: the monitor failed: Forbidden: http://127.0.0.1:[PORT]/auth/token/ does not accept SPACKMON_USER `spacky` with the given SPACKMON_TOKEN
    1 build not reported in full, saved in [MONITOR]/[RUN]
    hint: `spack-wasm monitor upload [MONITOR]/[RUN]` sends it later
    ");
    assert!(server.builds().is_empty());
    let delivered = deliver(&user, &told_folder(&output));
    assert_eq!(delivered.len(), 1, "{delivered:?}");
}

#[test]
fn a_request_that_fails_for_good_ends_the_run() {
    let (user, server) = (user(), SpackmonStandIn::start(Access::Open));
    server.fail("builds/new/", 400, ALWAYS);
    let output = monitored(&user, &server, "wait", &["--monitor-disable-auth"]).failed_with(4);
    let told = Output { stdout: String::new(), ..output.clone() };
    assert_output!(user, told, @"
    exit status: 4
    ----- stderr -----
    ==> Error: the monitor failed: 400 Bad Request from http://127.0.0.1:[PORT]/ms1/builds/new/: the server does not say why
    1 build not reported in full, saved in [MONITOR]/[RUN]
    hint: `spack-wasm monitor upload [MONITOR]/[RUN]` sends it later
    ");
    let delivered = deliver(&user, &told_folder(&output));
    assert_eq!(delivered, [("misbehaving".to_owned(), "CANCELLED".to_owned())]);
}

#[test]
fn a_run_that_keeps_going_installs_and_saves_its_reports() {
    let (user, server) = (user(), SpackmonStandIn::start(Access::Open));
    server.fail("builds/phases/update/", 400, ALWAYS);
    let options = ["--monitor-disable-auth", "--monitor-keep-going"];
    let output = monitored(&user, &server, "nothing", &options).succeeded();
    let told = Output { stdout: String::new(), ..output.clone() };
    assert_output!(user, told, @"
    exit status: 0
    ----- stderr -----
    ==> Warning: the monitor failed: 400 Bad Request from http://127.0.0.1:[PORT]/ms1/builds/phases/update/: the server does not say why; 1 build not reported in full, saved in [MONITOR]/[RUN]; `spack-wasm monitor upload [MONITOR]/[RUN]` sends it later
    ");
    assert!(user.run(["location", "misbehaving"]).status.success());
    let delivered = deliver(&user, &told_folder(&output));
    assert_eq!(delivered, [("misbehaving".to_owned(), "SUCCESS".to_owned())]);
}

#[test]
fn a_server_that_comes_back_in_time_gets_everything() {
    let (user, server) = (user(), SpackmonStandIn::start(Access::Open));
    server.fail("builds/new/", 503, 1);
    let output = monitored(&user, &server, "nothing", &["--monitor-disable-auth"]).succeeded();
    assert!(!output.report().contains("monitor upload"), "{}", output.report());
    assert_eq!(statuses(&server), [("misbehaving".to_owned(), "SUCCESS".to_owned())]);
}
