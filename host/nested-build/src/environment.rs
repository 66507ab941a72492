//! What a build script's environment says, and what of it the inner cargo must not see.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::NestedBuildError;

/// Settings of the outer compilation. Taken over, they would compile for the wrong target, run clippy in place of
/// rustc, or change with every profile and so rebuild everything. The job server's variables are not among them.
const OUTER: &[&str] = &[
    "CARGO_BUILD_RUSTFLAGS",
    "CARGO_BUILD_TARGET",
    "CARGO_BUILD_TARGET_DIR",
    "CARGO_ENCODED_RUSTFLAGS",
    "CARGO_PRIMARY_PACKAGE",
    "CARGO_TARGET_DIR",
    "CLIPPY_ARGS",
    "CLIPPY_CONF_DIR",
    "DEBUG",
    "HOST",
    "LD_LIBRARY_PATH",
    "NUM_JOBS",
    "OPT_LEVEL",
    "OUT_DIR",
    "PROFILE",
    "RUSTC",
    "RUSTC_LINKER",
    "RUSTC_WORKSPACE_WRAPPER",
    "RUSTC_WRAPPER",
    "RUSTDOC",
    "RUSTFLAGS",
    "TARGET",
];

const OUTER_PREFIXES: &[&str] =
    &["CARGO_CFG_", "CARGO_CRATE_", "CARGO_FEATURE_", "CARGO_MANIFEST_", "CARGO_PKG_", "DEP_"];

/// A variable that cargo sets for every build script.
pub(crate) fn variable(name: &'static str) -> Result<OsString, NestedBuildError> {
    std::env::var_os(name).ok_or(NestedBuildError::NotABuildScript { variable: name })
}

pub(crate) fn clean(command: &mut Command) {
    for (name, _) in std::env::vars_os() {
        let Some(text) = name.to_str() else { continue };
        if is_outer(text) {
            command.env_remove(&name);
        }
    }
}

fn is_outer(name: &str) -> bool {
    OUTER.contains(&name) || OUTER_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
}

/// The outer cargo's target folder: the nearest folder above `OUT_DIR` with cargo's cache mark, so that
/// `--target-dir` and the variables for it are honoured.
pub(crate) fn target_folder() -> Result<PathBuf, NestedBuildError> {
    let out = PathBuf::from(variable("OUT_DIR")?);
    Ok(marked_ancestor(&out).unwrap_or(out))
}

fn marked_ancestor(path: &Path) -> Option<PathBuf> {
    path.ancestors().find(|folder| folder.join("CACHEDIR.TAG").is_file()).map(Path::to_path_buf)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn job_tokens_are_kept_and_outer_settings_are_not() {
        assert!(!is_outer("CARGO_MAKEFLAGS"));
        assert!(!is_outer("RUSTUP_TOOLCHAIN"));
        assert!(!is_outer("CARGO_NET_OFFLINE"));
        assert!(is_outer("RUSTC_WORKSPACE_WRAPPER"));
        assert!(is_outer("CARGO_PKG_NAME"));
    }

    #[test]
    fn a_path_without_mark_has_no_target_folder() {
        assert_eq!(marked_ancestor(Path::new("/proc/self/task")), None);
    }
}
