//! The words in which a recipe declares its package. Each is a thin builder over a record of the contract.

mod dependency;
mod package;
mod rule;
mod variant;
mod version;

pub use dependency::{Dependency, build_dependency, dependency};
pub use package::{AUTOTOOLS, BuildSystem, CMAKE, GENERIC, MAKEFILE, Package, build_system, package};
pub use rule::{Conflict, Patch, Permission, conflict, patch, permission};
pub use variant::{Variant, boolean, choice};
pub use version::{Version, version};

/// Implements `when`, which nearly every directive has.
macro_rules! conditional {
    ($builder:ty) => {
        impl $builder {
            /// Only under a condition such as `@1.2:+shared`; several calls: all of them.
            #[must_use]
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
