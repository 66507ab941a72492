//! `--format ndjson`: the events, and nothing else.

use serde_json::Value;
use spack_wasm_tests::{MISBEHAVING, Output, assert_output};

use crate::{misbehave, user};

/// The events of a run, which are all of schema 0, of one run and numbered without gaps, between the first and the last.
pub(crate) fn events(output: &Output) -> Vec<Value> {
    let parse =
        |line: &str| serde_json::from_str::<Value>(line).unwrap_or_else(|error| panic!("{error}: {line}"));
    let events: Vec<Value> = output.stdout.lines().map(parse).collect();
    for (index, event) in events.iter().enumerate() {
        assert_eq!(event["schema"], 0, "{event}");
        assert_eq!(event["run"], events[0]["run"], "{event}");
        assert_eq!(event["sequence"], index, "{event}");
        assert!(event["time"].is_string(), "{event}");
    }
    events
}

pub(crate) fn kinds(events: &[Value]) -> Vec<&str> {
    events.iter().map(|event| event["event"].as_str().unwrap()).filter(|kind| *kind != "output").collect()
}

#[test]
fn a_build_is_a_sequence_of_events() {
    let output = misbehave(&user(), "nothing", &["--format", "ndjson"]).succeeded();
    let events = events(&output);
    assert_eq!(
        kinds(&events),
        [
            "run-started",
            "solve-started",
            "package",
            "solve-finished",
            "plan",
            "build-started",
            "phase-started",
            "phase-ended",
            "build-ended",
            "run-ended",
        ]
    );
    assert_eq!(events.last().unwrap()["exit_status"], 0);
}

#[test]
fn a_failed_build_ends_like_any_other() {
    let output = misbehave(&user(), "failing-tool", &["--format", "ndjson"]).failed_with(1);
    let events = events(&output);
    let said: String = events.iter().filter_map(|event| event["text"].as_str()).collect();
    assert!(said.contains("main.c:1:1: error: it is broken"), "{said}");
    let end = events.iter().find(|event| event["event"] == "build-ended").unwrap();
    assert_eq!(end["end"], "failed", "{end}");
    assert_eq!(events.last().unwrap()["exit_status"], 1);
}

#[test]
fn what_fails_before_any_build_is_an_event_too() {
    let user = user();
    let output = user.run(["install", "--format", "ndjson", "zlb"]).failed_with(3);
    let unsolved = events(&output);
    assert_eq!(kinds(&unsolved), ["run-started", "solve-started", "solve-failed", "run-ended"]);
    assert_eq!(unsolved[3]["exit_status"], 3);
    let arguments = ["install", "--format", "ndjson", "--monitor", "--recipe", MISBEHAVING];
    let unmonitored = events(&user.run(arguments).failed_with(4));
    assert_eq!(kinds(&unmonitored), ["run-started", "run-failed", "run-ended"]);
    assert_eq!(unmonitored.last().unwrap()["exit_status"], 4);
}

#[test]
fn a_format_that_a_command_does_not_have_is_refused() {
    let user = user();
    assert_output!(user, user.run(["logs", "--format", "ndjson", "zlib"]), @"
    exit status: 2
    ----- stderr -----
    ==> Error: this command has no output in the format `ndjson`
    ");
}
