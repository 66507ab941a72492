//! The ways down from the sandbox, and what is recorded of them.

use serde_json::Value;
use spack_wasm_tests::{Output, TestContext, assert_output};

use crate::{misbehave, user};

fn record(user: &TestContext) -> Value {
    let prefix = user.run(["location", "misbehaving"]).succeeded().stdout;
    let path = std::path::Path::new(prefix.trim_end()).join(".spack/spack-wasm.json");
    serde_json::from_slice(&fs_err::read(path).unwrap()).unwrap()
}

#[test]
fn all_walls_stand_unless_something_else_is_said() {
    let user = user();
    misbehave(&user, "nothing", &[]).succeeded();
    let record = record(&user);
    assert_eq!(record["sandbox"]["level"], "namespaces");
    assert_eq!(record["reproducible"]["answer"], "yes", "{record}");
}

/// Somebody whose builds work in folders that everybody may enter: without a mount namespace tools see real paths.
fn in_the_open() -> TestContext {
    let user = user();
    let root = user.root().display().to_string();
    let places = format!("config:\n  build_stage: {root}/stage\n  install_tree:\n    root: {root}/store\n");
    user.configure("config.yaml", &places)
}

#[test]
fn without_walls_there_is_a_warning_and_a_record() {
    let user = in_the_open();
    let output = misbehave(&user, "nothing", &["--sandbox=none"]).succeeded();
    let told = Output { stdout: String::new(), ..output };
    assert_output!(user, told, @"
    exit status: 0
    ----- stderr -----
    ==> Warning: the sandbox is off: build tools may read and change everything that you may, and this is recorded with what is built
    ");
    let record = record(&user);
    assert_eq!(record["sandbox"]["level"], "none");
    assert_eq!(record["reproducible"]["answer"], "no", "{record}");
}

#[test]
fn landlock_alone_is_recorded() {
    let user = in_the_open();
    misbehave(&user, "nothing", &["--sandbox=landlock"]).succeeded();
    let record = record(&user);
    assert_eq!(record["sandbox"]["level"], "landlock");
    assert_eq!(record["reproducible"]["answer"], "no", "{record}");
    misbehave(&user, "tool-reads-home", &["--sandbox=landlock"]).failed_with(1);
}

#[test]
fn who_requires_the_sandbox_gets_it() {
    let user = user().configure("config.yaml", "config:\n  sandbox:\n    level: none\n");
    let output = misbehave(&user, "nothing", &["--sandbox=none", "--require-sandbox"]).succeeded();
    assert!(!output.report().contains("the sandbox is off"), "{}", output.report());
    assert_eq!(record(&user)["sandbox"]["level"], "namespaces");
}

#[test]
fn a_trace_names_refusals_for_sure() {
    let user = user();
    let output = misbehave(&user, "tool-reads-home", &["--sandbox-trace"]).failed_with(1);
    assert!(output.stderr.contains("/root/.netrc"), "{}", output.report());
}
