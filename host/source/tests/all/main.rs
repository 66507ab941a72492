//! Tests of the room from outside, in one program.

#![expect(clippy::unwrap_used, clippy::print_stderr, reason = "tests, helpers included, fail by panicking")]

mod apt;
mod archives;
mod fetch_faults;
mod fetch_order;
mod fetching;
mod git;
mod patch;
mod patch_peer;
mod server;
mod stage;
mod unpack_attacks;
mod unpack_good;

/// Whether a test that needs something of the machine can run; says so when not, and fails where everything has to be
/// there.
fn skip(what: &str) {
    assert!(std::env::var_os("SPACK_WASM_REQUIRE_ALL").is_none_or(|value| value != "1"), "needs {what}");
    eprintln!("skipped: needs {what}");
}
