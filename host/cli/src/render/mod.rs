//! How things look.

pub(crate) mod failure;
pub(crate) mod find;
pub(crate) mod node;
pub(crate) mod package;
pub(crate) mod tree;

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
