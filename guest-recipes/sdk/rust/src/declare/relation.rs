//! What a package stands for and into what it installs.

use super::{conditional, owned};
use crate::bindings::spack_wasm::recipe::metadata;
use crate::bindings::spack_wasm::recipe::types::DependencyTypes;

/// Virtual packages that the package stands for.
#[derive(Clone, Debug)]
#[must_use = "a provision counts once it is given to a package"]
pub struct Provision(pub(super) metadata::Provision);

conditional!(Provision);

/// One virtual package, with versions where it has them: `mpi@:3.1`.
pub fn provision(spec: &str) -> Provision {
    provided_together(&[spec])
}

/// Several virtual packages of which a dependent gets all from here or none: `blas` and `lapack`.
pub fn provided_together(specs: &[&str]) -> Provision {
    Provision(metadata::Provision { virtuals: owned(specs), when: String::new(), more: Vec::new() })
}

impl From<&str> for Provision {
    fn from(spec: &str) -> Self {
        provision(spec)
    }
}

/// A package into whose tree this one installs.
#[derive(Clone, Debug)]
#[must_use = "an extension counts once it is given to a package"]
pub struct Extension(pub(super) metadata::Extension);

conditional!(Extension);

/// The extended package, for example `python@3.8:`; needed to build and to run, Spack's default.
pub fn extension(spec: &str) -> Extension {
    Extension(metadata::Extension {
        spec: spec.to_owned(),
        types: DependencyTypes::BUILD | DependencyTypes::RUN,
        when: String::new(),
        more: Vec::new(),
    })
}

impl Extension {
    /// What it is needed for.
    pub fn types(mut self, types: DependencyTypes) -> Self {
        self.0.types = types;
        self
    }
}

impl From<&str> for Extension {
    fn from(spec: &str) -> Self {
        extension(spec)
    }
}

/// A licence.
#[derive(Clone, Debug)]
#[must_use = "a licence counts once it is given to a package"]
pub struct License(pub(super) metadata::License);

conditional!(License);

/// A licence by its SPDX expression, or by a name where it has none.
pub fn license(expression: &str) -> License {
    License(metadata::License { expression: expression.to_owned(), when: String::new(), more: Vec::new() })
}

impl From<&str> for License {
    fn from(expression: &str) -> Self {
        license(expression)
    }
}
