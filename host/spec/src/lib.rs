//! Versions, variants, specs and their hashes, in Spack's syntax; no I/O.
//!
//! Two stages of data are two types: what a user or a recipe writes is an [`AbstractSpec`], and what the concretizer
//! answers is a [`Dag`] of concrete [`Node`]s, each with its [`DagHash`]. A function that takes a `Dag` can't be
//! handed anything that was not concretized.

mod abstract_spec;
mod architecture;
mod compare;
mod dag;
mod dependency;
mod hash;
mod node;
mod satisfy;
mod syntax;
mod target;
mod variant;
mod version;
mod version_list;
mod version_range;

pub use abstract_spec::{
    AbstractSpec, DependencyRequest, FlagRequest, RequestedValue, SpecPart, VariantRequest,
};
pub use architecture::Architecture;
pub use compare::Contradiction;
pub use dag::{Dag, DagBuilder, DagError, DraftIndex};
pub use dependency::{Dependency, DependencyType, DependencyTypes};
pub use hash::{DagHash, InvalidHash, SCHEME};
pub use node::{External, Node, NodeFacts};
pub use syntax::{Caret, ParseError};
pub use target::{TargetList, same_family};
pub use variant::VariantValue;
pub use version::Version;
pub use version_list::{InvalidVersions, VersionElement, VersionList};
pub use version_range::VersionRange;
