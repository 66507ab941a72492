//! For build scripts: builds workspace packages for another target, in a target folder of its own.
//!
//! The host embeds programs that must be compiled differently from itself: the sandbox helper and the compiler
//! wrapper are static, recipes are WASI components. A build script names them here; one cargo call builds them all:
//!
//! ```no_run
//! # use spack_wasm_nested_build::{Artifact, NestedBuild};
//! let built = NestedBuild::static_for_host()?.artifact(Artifact::program("spack-wasm-sandbox-helper")).run()?;
//! println!("cargo::rustc-env=HELPER={}", built[0].display());
//! # Ok::<(), spack_wasm_nested_build::NestedBuildError>(())
//! ```
//!
//! The inner cargo has a target folder of its own (`target/nested/<target>`), hence locks of its own, and shares the
//! job tokens of the outer one.

mod artifact;
mod depinfo;
mod environment;
mod error;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

pub use artifact::Artifact;
pub use error::NestedBuildError;

/// One call of an inner `cargo build --release --locked`.
#[derive(Debug, Clone)]
pub struct NestedBuild {
    target: String,
    rustflags: Vec<String>,
    artifacts: Vec<Artifact>,
}

impl NestedBuild {
    /// Builds for `target`, a triple such as `wasm32-wasip2`.
    pub fn new(target: impl Into<String>) -> Self {
        NestedBuild { target: target.into(), rustflags: Vec::new(), artifacts: Vec::new() }
    }

    /// Builds static programs for the target that the outer cargo builds for.
    ///
    /// # Errors
    ///
    /// [`NestedBuildError::NotABuildScript`] when called from anything but a build script.
    pub fn static_for_host() -> Result<Self, NestedBuildError> {
        let target = environment::variable("TARGET")?.to_string_lossy().into_owned();
        Ok(NestedBuild::new(target).rustflag("-Ctarget-feature=+crt-static"))
    }

    /// Adds one flag for rustc. Flags of the outer build are never taken over.
    #[must_use]
    pub fn rustflag(mut self, flag: impl Into<String>) -> Self {
        self.rustflags.push(flag.into());
        self
    }

    /// Adds a package to build; its product is returned by [`NestedBuild::run`] in the order of the calls.
    #[must_use]
    pub fn artifact(mut self, artifact: Artifact) -> Self {
        self.artifacts.push(artifact);
        self
    }

    /// Builds, tells the outer cargo what the result depends on, and returns the products' absolute paths.
    ///
    /// # Errors
    ///
    /// A missing target, with the command that adds it; a failed build, whose diagnostics cargo has printed.
    pub fn run(&self) -> Result<Vec<PathBuf>, NestedBuildError> {
        self.require_target()?;
        let folder = environment::target_folder()?.join("nested").join(&self.target);
        let mut command = self.command(&folder)?;
        let status = command.status().map_err(|source| NestedBuildError::Spawn {
            program: PathBuf::from(command.get_program()),
            source,
        })?;
        if !status.success() {
            return Err(NestedBuildError::Failed { packages: self.package_names(), status });
        }
        self.collect(&folder.join(&self.target).join("release"))
    }

    fn command(&self, folder: &Path) -> Result<Command, NestedBuildError> {
        let mut command = Command::new(environment::variable("CARGO")?);
        command.current_dir(environment::variable("CARGO_MANIFEST_DIR")?);
        command
            .args(["build", "--release", "--locked", "--target", &self.target, "--target-dir"])
            .arg(folder);
        for artifact in &self.artifacts {
            command.args(["--package", artifact.package()]);
        }
        environment::clean(&mut command);
        command.env("CARGO_ENCODED_RUSTFLAGS", self.rustflags.join("\u{1f}"));
        Ok(command)
    }

    fn collect(&self, products: &Path) -> Result<Vec<PathBuf>, NestedBuildError> {
        let mut paths = Vec::new();
        for artifact in &self.artifacts {
            let path = products.join(artifact.file_name());
            depinfo::announce(&products.join(artifact.depinfo_name()))?;
            if !path.is_file() {
                return Err(NestedBuildError::NoArtifact { package: artifact.package().to_owned(), path });
            }
            paths.push(path);
        }
        Ok(paths)
    }

    /// rustc's own complaint ("can't find crate for `std`") names no remedy that works without knowing rustup.
    fn require_target(&self) -> Result<(), NestedBuildError> {
        let rustc = environment::variable("RUSTC").unwrap_or_else(|_| OsString::from("rustc"));
        let output = Command::new(&rustc)
            .args(["--print", "target-libdir", "--target", &self.target])
            .output()
            .map_err(|source| NestedBuildError::Spawn { program: PathBuf::from(&rustc), source })?;
        let folder = PathBuf::from(String::from_utf8_lossy(&output.stdout).trim_end());
        if output.status.success() && folder.is_dir() {
            return Ok(());
        }
        Err(NestedBuildError::MissingTarget { target: self.target.clone() })
    }

    fn package_names(&self) -> Vec<String> {
        self.artifacts.iter().map(|artifact| artifact.package().to_owned()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_target_is_answered_with_the_command_that_adds_it() {
        for target in ["armv4t-none-eabi", "no-such-target"] {
            let error = NestedBuild::new(target).require_target().unwrap_err().to_string();
            assert!(error.ends_with(&format!("rustup target add {target}")), "{error}");
        }
    }
}
