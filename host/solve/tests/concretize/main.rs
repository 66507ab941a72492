//! The concretizer over repositories in memory.

mod choose;
mod common;
mod errors;
