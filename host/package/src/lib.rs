//! What a recipe declares, parsed and checked: the package model that the concretizer works on.
//!
//! A [`Package`] is plain data. A recipe host fills it from a recipe's metadata, a [`Repository`] hands it out by name, and
//! nobody calls the recipe again while the concretizer searches. The directives are Spack's and keep their names.

mod directives;
mod package;
mod preference;
mod repository;
mod source;
mod variant;

pub use directives::{
    Conflict, Dependency, Extension, License, Permission, Provided, ProvidedTogether, Redistribution,
    Requirement, RequirementPolicy, Resource,
};
pub use package::{BuildSystem, Detection, Listing, Package, StandAloneTest};
pub use preference::by_preference;
pub use repository::{Repository, provides};
pub use source::{
    Archive, Checkout, Checksum, ChecksumAlgorithm, DeclaredVersion, Patch, PatchLocation, Source,
    VersionControl,
};
pub use variant::{AnyValue, ConditionalValue, VariantDefault, VariantDefinition, VariantValues};
