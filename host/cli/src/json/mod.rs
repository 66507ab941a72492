//! The shapes of `--format json`. Their fields are a promise to scripts: they may grow, and keep their names.

mod outcome;
mod package;

pub(crate) use outcome::{Outcome, planned};
pub(crate) use package::PackageInfo;
