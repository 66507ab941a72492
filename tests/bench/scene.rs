//! Users with something installed.

use std::path::Path;
use std::process::Stdio;

use spack_wasm_tests::{EMPTY, TestContext};

pub(crate) fn user() -> TestContext {
    TestContext::new(env!("CARGO_BIN_EXE_spack-wasm"))
}

/// Runs `spack-wasm` for its time: no harness beside it, and its output goes nowhere.
pub(crate) fn run(user: &TestContext, arguments: &[&str]) {
    let mut command = user.command(user.binary());
    let status = command.args(arguments).stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap();
    assert!(status.success(), "spack-wasm {arguments:?}: {status}");
}

pub(crate) fn run_program(user: &TestContext, program: &str, arguments: &[&str]) {
    let mut command = user.command(program);
    let status = command.args(arguments).stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap();
    assert!(status.success(), "{program} {arguments:?}: {status}");
}

/// A repository of packages that install one file each: names and what each depends on.
pub(crate) fn add_packages<'a>(
    user: &TestContext,
    packages: impl IntoIterator<Item = (&'a str, Option<&'a str>)>,
) {
    let folder = user.work().join("empty");
    for (name, dependency) in packages {
        let package = folder.join("packages").join(name);
        fs_err::create_dir_all(&package).unwrap();
        fs_err::copy(EMPTY, package.join("recipe.wasm")).unwrap();
        let depends = dependency.map(|name| format!("depends-on {name}\n")).unwrap_or_default();
        fs_err::write(package.join("package.txt"), format!("name {name}\n{depends}")).unwrap();
    }
    fs_err::write(folder.join("repo.yaml"), "repo:\n  namespace: empty\n").unwrap();
    user.run(["repo", "add", "empty"]).succeeded();
}

/// The archives of a package, fetched once and kept in the build folder.
pub(crate) fn sources(package: &str) -> String {
    let cache = Path::new(env!("CARGO_TARGET_TMPDIR")).join("sources").join(package);
    format!("config:source_cache:{}", cache.display())
}
