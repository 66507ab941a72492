//! Programs that some tests need.

use std::env;
use std::path::PathBuf;

/// What a developer's machine may lack, beyond rustup, a C compiler, make and perl; and who brings it on Debian.
/// `.ci/run` installs all of them.
const PROGRAMS: &[(&str, &str)] = &[
    ("bzip2", "bzip2"),
    ("cmake", "cmake"),
    ("g++", "g++"),
    ("git", "git"),
    ("gzip", "gzip"),
    ("readelf", "binutils"),
    ("script", "bsdutils"),
    ("setpriv", "util-linux"),
    ("tar", "tar"),
    ("unshare", "util-linux"),
    ("xz", "xz-utils"),
];

/// Whether a program of the table is there. Where it is not, the test says that it is skipped and has to return; with
/// `SPACK_WASM_REQUIRE_ALL=1`, as in CI, it fails.
///
/// # Panics
///
/// When the program is not in the table, or is missing where everything is required.
pub fn require(program: &str) -> bool {
    let entry = PROGRAMS.iter().find(|(name, _)| *name == program);
    let (_, package) = entry.unwrap_or_else(|| panic!("`{program}` is not in the table of programs"));
    let found = find(program).is_some();
    if !found {
        skip(&format!("{program}: apt-get install {package}"));
    }
    found
}

/// Says that a test is skipped, which has to return then, and what it needs.
///
/// # Panics
///
/// With `SPACK_WASM_REQUIRE_ALL=1`, as in CI.
#[expect(clippy::print_stderr, reason = "a skipped test says so")]
pub fn skip(needs: &str) {
    let required = env::var_os("SPACK_WASM_REQUIRE_ALL").is_some_and(|value| value == "1");
    assert!(!required, "needs {needs}");
    eprintln!("skipped: needs {needs}");
}

fn find(program: &str) -> Option<PathBuf> {
    let folders = env::var_os("PATH")?;
    env::split_paths(&folders).map(|folder| folder.join(program)).find(|path| path.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ci_installs_every_program() {
        let script = include_str!("../../.ci/run");
        for (program, package) in PROGRAMS {
            assert!(
                script.split_whitespace().any(|word| word == format!("{program}={package}")),
                "{program}"
            );
        }
    }

    #[test]
    fn a_program_that_is_there_is_found() {
        assert!(find("sh").is_some());
        assert_eq!(find("no-such-program"), None);
    }

    #[test]
    #[should_panic(expected = "`no-such-program` is not in the table")]
    fn a_program_that_ci_does_not_install_is_refused() {
        require("no-such-program");
    }
}
