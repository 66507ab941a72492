//! The sandbox beside no sandbox.

use std::path::Path;
use std::process::Stdio;

use spack_wasm_sandbox::{Access, Command, HELPER, InstalledTool, Level, Policy, Sandbox};

use crate::table::{Row, median, medians};

const RUNS: usize = 200;

pub(crate) fn rows() -> Vec<Row> {
    let folder = tempfile::tempdir().unwrap();
    let helper = HELPER.install(&folder.path().join("cache")).unwrap();
    let stage = folder.path().join("stage");
    fs_err::create_dir(&stage).unwrap();
    let policy = policy(&stage);
    vec![call(&policy, &helper), start(&policy, &helper)]
}

fn policy(stage: &Path) -> Policy {
    let mut policy = Policy::new(Level::Namespaces);
    policy.mount(stage, "/build", Access::ReadWrite);
    policy
}

fn call(policy: &Policy, helper: &InstalledTool) -> Row {
    let sandbox = Sandbox::start(policy, helper).unwrap();
    let command = Command::new(["/bin/true"], "/");
    let ours = || assert!(sandbox.run(&command, &mut |_, _| {}).unwrap().status.success());
    let (ours, peer) = medians(RUNS, ours, || {
        let mut command = std::process::Command::new("/bin/true");
        let output = command.env_clear().stdin(Stdio::null()).output().unwrap();
        assert!(output.status.success());
    });
    let peer = Some(("a plain spawn of the same".to_owned(), peer));
    Row { what: "one tool call in the sandbox".to_owned(), ours, peer, goal: "at most 0.5 ms more" }
}

fn start(policy: &Policy, helper: &InstalledTool) -> Row {
    let ours = median(RUNS, || drop(Sandbox::start(policy, helper).unwrap()));
    Row { what: "sandbox, start and stop".to_owned(), ours, peer: None, goal: "under 5 ms" }
}
