//! Harness of the end-to-end tests: runs the binary as a user would.
//!
//! The tests themselves are a test target of the `spack-wasm` package, `tests/e2e`, so that cargo builds the binary
//! first and tells where it is:
//!
//! ```text
//! let context = TestContext::new(env!("CARGO_BIN_EXE_spack-wasm"));
//! let output = context.run(["find"]);
//! assert_output!(context, output, @"...");
//! ```
//!
//! A [`TestContext`] is a user with nothing but an empty home. [`SpackmonStandIn`] takes the place of a server, and
//! [`require`] asks for programs that not every machine has.
#![expect(clippy::unwrap_used, reason = "a test that cannot be set up fails")]

mod context;
mod filters;
mod output;
mod program;
mod spackmon;
mod user;

pub use context::TestContext;

/// The component of the recipe in `tests/guests/crew`.
pub const CREW: &str = env!("GUEST_CREW");

/// The component of the recipe in `tests/guests/declared`.
pub const DECLARED: &str = env!("GUEST_DECLARED");

/// The component of the recipe in `tests/guests/empty`.
pub const EMPTY: &str = env!("GUEST_EMPTY");

/// The component of the recipe in `tests/guests/misbehaving`.
pub const MISBEHAVING: &str = env!("GUEST_MISBEHAVING");

pub use insta;
pub use output::Output;
pub use program::{require, skip};
pub use spackmon::{Access, Build, Recorded, SpackmonStandIn};
pub use user::User;

/// Compares what a command said with an inline snapshot, behind the filters of its context. What is said to each user of
/// a loop has to be the same.
#[macro_export]
macro_rules! assert_output {
    ($context:expr, $output:expr, @$snapshot:literal) => {{
        let settings: $crate::insta::Settings = $context.snapshots();
        settings.bind(|| {
            $crate::insta::allow_duplicates! { $crate::insta::assert_snapshot!($output.report(), @$snapshot) }
        })
    }};
}
