//! The ways down from the sandbox, and what is recorded of them.

use serde_json::Value;
use spack_wasm_tests::{TestContext, assert_output};

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

#[test]
fn without_walls_there_is_a_warning_and_a_record() {
    let user = user();
    assert_output!(user, misbehave(&user, "nothing", &["--sandbox=none"]).succeeded(), @"
    exit status: 0
    ----- stdout -----
     -   [HASH] misbehaving@1.0 act=nothing build_system=generic arch=linux-[OS]-[TARGET]
    ==> Plan: 1 package to build, 0 installed already, 0 of the system
    ==> Installing misbehaving-1.0-[HASH] [1/1]
    ==> misbehaving: Executing phase: 'install'
    [+] [STORE]/linux-[TARGET]/misbehaving-1.0-[HASH]  ([TIME])
    ----- stderr -----
    ==> Warning: the sandbox is off: build tools may read and change everything that you may, and this is recorded with what is built
    ");
    let record = record(&user);
    assert_eq!(record["sandbox"]["level"], "none");
    assert_eq!(record["reproducible"]["answer"], "no", "{record}");
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
