//! The concretizer over repositories in memory.

#![expect(clippy::unwrap_used, reason = "a helper of a test may panic as the test itself may")]

mod choose;
mod common;
mod errors;
mod large;
mod laws;
mod patches;
