//! The store as its users see it, in one process.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod common;
mod hostile;
mod install;
