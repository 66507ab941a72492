//! The words in which a recipe declares its package. Each is a thin builder over a record of the contract.

mod dependency;
mod detection;
mod origin;
mod package;
mod patch;
mod relation;
mod resource;
mod rule;
mod upkeep;
mod variant;
mod version;

pub use dependency::{Dependency, build_dependency, dependency};
pub use detection::{Detection, detected_by};
pub use package::{AUTOTOOLS, BuildSystem, CMAKE, GENERIC, MAKEFILE, Package, build_system, package};
pub use patch::{Patch, fetched_patch, patch};
pub use relation::{Extension, License, Provision, extension, license, provided_together, provision};
pub use resource::{Resource, resource};
pub use rule::{
    Conflict, Permission, Redistribution, Requirement, any_of, conflict, no_redistribution, one_of,
    permission, requirement,
};
pub use upkeep::{Listing, StandAloneTest, listed_at, stand_alone_test};
pub use variant::{
    Variant, any_combination_of, auto_or_any_combination_of, boolean, choice, disjoint_sets, number,
    predicate, text,
};
pub use version::{Version, version};

/// Implements `when`, which nearly every directive has.
macro_rules! conditional {
    ($builder:ty) => {
        impl $builder {
            /// Only under a condition such as `@1.2:+shared`; several calls: all of them.
            pub fn when(mut self, condition: &str) -> Self {
                if !self.0.when.is_empty() {
                    self.0.when.push(' ');
                }
                self.0.when.push_str(condition);
                self
            }
        }
    };
}
use conditional;

fn owned(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|&text| text.to_owned()).collect()
}
