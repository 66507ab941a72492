//! End-to-end tests: what a user sees. One module a command, and one a promise of the README.
//!
//! A test target of the `spack-wasm` package, so that cargo builds the binary first.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod broken;
mod crew;
mod declared;
mod ends;
mod errors;
mod events;
mod flood;
mod hdf5;
mod help;
mod install;
mod interrupt;
mod jobs;
mod limits;
mod locks;
mod logs;
mod misbehaving;
mod mistakes;
mod monitor;
mod monitor_faults;
mod permissions;
mod recipes;
mod repo;
mod sandbox;
mod scheduling;
mod sources;

use std::path::PathBuf;

use spack_wasm_tests::{MISBEHAVING, Output, TestContext, User};

/// A user with an empty home.
fn user() -> TestContext {
    of(User::Current)
}

/// One of [`User::everybody`], with an empty home.
fn of(user: User) -> TestContext {
    TestContext::of(user, env!("CARGO_BIN_EXE_spack-wasm"))
}

/// The prefix of an installed package.
fn location(user: &TestContext, spec: &str) -> PathBuf {
    user.run(["location", "-i", spec]).succeeded().stdout.trim_end().into()
}

/// Installs the recipe that does what it is asked for; needs neither a compiler nor sources.
fn misbehave(user: &TestContext, act: &str, options: &[&str]) -> Output {
    let act = format!("act={act}");
    let base = ["install", "--recipe", MISBEHAVING, "misbehaving", &act];
    user.run(base.iter().chain(options))
}
