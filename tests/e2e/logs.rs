//! `logs`: the newest build's.

use spack_wasm_tests::{Output, assert_output};

use crate::{misbehave, user};

/// What was said of a log, without the log.
fn title(output: Output) -> Output {
    Output { stdout: String::new(), ..output.succeeded() }
}

#[test]
fn the_newest_build_counts_whatever_became_of_it() {
    let user = user();
    misbehave(&user, "failing-tool", &[]).failed_with(1);
    misbehave(&user, "nothing", &[]).succeeded();
    let newer = user.run(["logs", "misbehaving"]).succeeded();
    assert!(!newer.stdout.contains("it is broken"), "{}", newer.report());
    assert_output!(user, title(newer), @"
    exit status: 0
    ----- stderr -----
    ==> Log of misbehaving@1.0/[HASH], which was installed on [DATE]; 1 older build fits, too
    ");

    misbehave(&user, "failing-tool", &[]).failed_with(1);
    let newest = user.run(["logs", "misbehaving"]).succeeded();
    assert!(newest.stdout.contains("it is broken"), "{}", newest.report());
    assert_output!(user, title(newest), @"
    exit status: 0
    ----- stderr -----
    ==> Log of misbehaving@1.0/[HASH], which failed on [DATE]; 1 older build fits, too
    ");
    let asked = user.run(["logs", "misbehaving", "act=nothing"]).succeeded();
    assert!(!asked.stdout.contains("it is broken"), "{}", asked.report());
}

#[test]
fn a_fetch_that_failed_has_a_log() {
    // Nobody listens there, and so nothing is upstream.
    let user = user().env("http_proxy", "http://127.0.0.1:1").env("https_proxy", "http://127.0.0.1:1");
    let output = user.run(["-c", "config:registry_mirrors:[]", "install", "zlib"]).failed_with(1);
    let log = user.run(["logs", "zlib"]).succeeded();
    assert!(log.stdout.contains("==> Error: "), "{}", log.report());
    let told = log.stdout.trim_end().strip_prefix("==> Error: ").unwrap();
    assert!(output.stderr.contains(told), "{}", log.report());
    assert!(log.stderr.contains("which failed on "), "{}", log.report());
}
