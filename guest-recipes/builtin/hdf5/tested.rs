//! The package as it is installed: its tools run and know which release they belong to.

use spack_wasm_sdk::prelude::*;

/// The test's name, as it is declared.
pub(crate) const VERSIONS: &str = "test_versions";

/// Tools of every release that tell their version.
const TOOLS: &[&str] = &["h5copy", "h5diff", "h5dump", "h5ls", "h5repack", "h5stat"];

pub(crate) fn versions(test: &Test) -> TestOutcome {
    for name in TOOLS {
        test.part(name, || tells_its_version(test, name));
    }
    TestOutcome::Passed
}

fn tells_its_version(test: &Test, name: &str) -> Result<TestOutcome> {
    let tool = test.spec().prefix().join("bin").join(name);
    let output = test.tool(tool.display().to_string()).arg("--version").output()?;
    let version = test.spec().version();
    if output.contains(&version) {
        Ok(TestOutcome::Passed)
    } else {
        Err(format!("it says '{}' and is of {version}", output.trim()).into())
    }
}
