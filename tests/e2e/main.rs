//! End-to-end tests: what a user sees. One module a command, and one a promise of the README.
//!
//! A test target of the `spack-wasm` package, so that cargo builds the binary first.

mod help;

use spack_wasm_tests::TestContext;

/// A user with an empty home.
fn user() -> TestContext {
    TestContext::new(env!("CARGO_BIN_EXE_spack-wasm"))
}
