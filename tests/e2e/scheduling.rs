//! Several builds in one run: which overlap, which are cancelled, and that each has one end, whatever happens.

use std::io::{BufRead, BufReader, Read};
use std::process::Stdio;

use rustix::process::{Pid, Signal, kill_process};
use spack_wasm_tests::{Access, Output, SpackmonStandIn, assert_output};

use crate::crew::{Told, install, with_crew};
use crate::user;

#[test]
fn independent_builds_overlap_and_dependents_wait() {
    let user = with_crew(user());
    let specs = "crew-joint ^crew-north act=sleep ^crew-south act=sleep";
    let told = Told::by(&install(&user, specs, &["-j2"]).succeeded());
    let at = |package: &str, kind: &str| told.one(package, kind)["sequence"].as_u64().unwrap();
    for (one, other) in [("crew-north", "crew-south"), ("crew-south", "crew-north")] {
        assert!(at(one, "phase-started") < at(other, "phase-ended"), "{one} waited for {other}");
        assert!(at(one, "build-ended") < at("crew-joint", "build-started"));
    }
    assert_eq!(told.end("crew-joint"), "installed");
}

#[test]
fn with_one_job_one_build_runs_at_a_time() {
    let user = with_crew(user());
    let specs = "crew-joint ^crew-north act=sleep ^crew-south act=sleep";
    let told = Told::by(&install(&user, specs, &["-j1"]).succeeded());
    let at = |package: &str, kind: &str| told.one(package, kind)["sequence"].as_u64().unwrap();
    let apart = |one, other| at(one, "build-ended") < at(other, "build-started");
    assert!(apart("crew-north", "crew-south") || apart("crew-south", "crew-north"));
}

#[test]
fn a_failure_cancels_its_dependents_and_nothing_else() {
    let user = with_crew(user());
    let specs = "crew-outer ^crew-north act=fail ^crew-south act=sleep crew-alone";
    let told = Told::by(&install(&user, specs, &["-j2"]).failed_with(1));
    let ends =
        ["crew-north", "crew-south", "crew-joint", "crew-outer", "crew-alone"].map(|name| told.end(name));
    let because = "cancelled dependency-failed";
    assert_eq!(ends, ["failed", "installed", because, because, "installed"]);
    for dependent in ["crew-joint", "crew-outer"] {
        let event = told.one(dependent, "build-ended");
        assert_eq!(event["dependency"], told.hash("crew-north").as_str(), "the one that failed itself");
        assert!(told.all(dependent, "build-started").is_empty());
    }
}

#[test]
fn who_wants_to_fail_fast_does() {
    let user = with_crew(user());
    let specs = "crew-alone act=sleep crew-joint ^crew-north act=fail ^crew-south act=sleep";
    let told = Told::by(&install(&user, specs, &["-j3", "--fail-fast"]).failed_with(1));
    assert_eq!(told.end("crew-north"), "failed");
    assert_eq!(told.end("crew-joint"), "cancelled dependency-failed");
    for running in ["crew-south", "crew-alone"] {
        assert_eq!(told.end(running), "cancelled fail-fast");
    }
}

#[test]
fn an_interrupted_run_ends_all_its_builds() {
    let user = with_crew(user());
    let mut command = user.command(user.binary());
    command.args(["install", "--format", "ndjson", "-j1", "crew-joint", "^crew-north", "act=sleep"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut reader = BufReader::new(child.stdout.take().unwrap());
    let mut stdout = String::new();
    while !stdout.ends_with("\n") || !stdout.contains("\"phase-started\"") {
        assert!(reader.read_line(&mut stdout).unwrap() > 0, "{stdout}");
    }
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    reader.read_to_string(&mut stdout).unwrap();
    let output = Output { status: child.wait().unwrap(), stdout, stderr: String::new() };
    let told = Told::by(&output.failed_with(130));
    assert_eq!(told.end("crew-joint"), "cancelled interrupted");
}

#[test]
fn a_monitor_that_fails_ends_all_builds() {
    let (user, server) = (with_crew(user()), SpackmonStandIn::start(Access::Open));
    server.fail("builds/new/", 400, usize::MAX);
    let host = server.host();
    let options = ["-j2", "--monitor", "--monitor-disable-auth", "--monitor-host", &host];
    let specs = "crew-outer ^crew-north act=sleep ^crew-south act=sleep";
    let told = Told::by(&install(&user, specs, &options).failed_with(4));
    for name in ["crew-north", "crew-south", "crew-joint", "crew-outer"] {
        assert_eq!(told.end(name), "cancelled monitor", "{name}");
    }
}

/// The last request fails when all builds have ended well: the last event knows.
#[test]
fn the_last_event_knows_what_the_monitor_did_not_get() {
    let (user, server) = (with_crew(user()), SpackmonStandIn::start(Access::Open));
    server.fail("builds/update/", 400, usize::MAX);
    let host = server.host();
    let options = ["--monitor", "--monitor-disable-auth", "--monitor-host", &host];
    let told = Told::by(&install(&user, "crew-alone", &options).failed_with(4));
    assert_eq!(told.end("crew-alone"), "installed");
}

#[test]
fn builds_that_can_not_begin_have_ends_too() {
    let user = with_crew(user());
    let options = ["-c", "config:sandbox:read:[/nonexistent/path]"];
    let told = Told::by(&install(&user, "crew-joint", &options).failed_with(1));
    for name in ["crew-north", "crew-south", "crew-joint"] {
        assert_eq!(told.end(name), "failed", "{name}");
    }
}

#[test]
fn a_dependency_that_can_not_be_asked_fails_the_build_and_is_named() {
    let user = with_crew(user());
    let output = user.run(["install", "crew-joint", "^crew-south", "act=mute"]).failed_with(1);
    let told = Output { stdout: String::new(), ..output };
    assert_output!(user, told, @"
    exit status: 1
    ----- stderr -----
    ==> Error: crew-joint@1.0/[HASH] failed: the recipe of crew-south, which it depends on, can't be asked what dependents need: the recipe of crew-south says: it tells its dependents nothing

    Log:   [HOME]/.spack/spack-wasm/stage/spack-wasm-stage-crew-joint-1.0-[HASH]-[STAGE]/spack-build-out.txt
    Stage: [HOME]/.spack/spack-wasm/stage/spack-wasm-stage-crew-joint-1.0-[HASH]-[STAGE]
    hint: `spack-wasm logs /[HASH]` shows the whole log
    ");
}

/// Two tools that work, one that takes memory, and one that fails: the phase is the sum, and the largest.
#[test]
fn a_failed_phase_tells_what_all_its_tools_took() {
    let user = with_crew(user());
    let told = Told::by(&install(&user, "crew-alone act=use", &[]).failed_with(1));
    let phase = told.one("crew-alone", "phase-ended");
    assert_eq!(phase["exit"], "error", "{phase}");
    let number = |name: &str| phase[name].as_u64().unwrap();
    assert!(number("user_ms") >= 100, "{phase}");
    assert!(number("wall_ms") * 8 >= number("user_ms"), "{phase}");
    assert!((85_000..200_000).contains(&number("peak_memory_kib")), "{phase}");
}
