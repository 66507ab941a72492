//! Versions, variants, specs and their hashes, in Spack's syntax; no I/O.
//!
//! Two stages of data are two types: what a user or a recipe writes is an abstract spec, and what the concretizer
//! answers is a [`Dag`] of concrete [`Node`]s, each with its [`DagHash`]. A function that takes a `Dag` can't be
//! handed anything that was not concretized.

mod architecture;
mod dag;
mod dependency;
mod hash;
mod node;
mod variant;
mod version;

pub use architecture::Architecture;
pub use dag::{Dag, DagBuilder, DagError, DraftIndex};
pub use dependency::{Dependency, DependencyType, DependencyTypes};
pub use hash::{DagHash, InvalidHash, SCHEME};
pub use node::{External, Node, NodeFacts};
pub use variant::VariantValue;
pub use version::Version;
