use spack_wasm_spec::{AbstractSpec, DependencyTypes};

use crate::{Patch, Source};

/// `depends_on`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dependency {
    /// What it depends on: a package or a virtual package, with constraints.
    pub spec: AbstractSpec,
    /// When.
    pub when: AbstractSpec,
    /// What for.
    pub types: DependencyTypes,
    /// Patches that the dependent applies to the dependency.
    pub patches: Vec<Patch>,
}

/// `conflicts`: `spec` can't be while `when` holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conflict {
    /// What can't be.
    pub spec: AbstractSpec,
    /// When.
    pub when: AbstractSpec,
    /// The recipe's own words for it.
    pub message: Option<String>,
}

/// `requires`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Requirement {
    /// The choices.
    pub specs: Vec<AbstractSpec>,
    /// How many of them must hold.
    pub policy: RequirementPolicy,
    /// When.
    pub when: AbstractSpec,
    /// The recipe's own words for it.
    pub message: Option<String>,
}

/// How many choices of a [`Requirement`] must hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RequirementPolicy {
    /// Exactly one.
    #[default]
    OneOf,
    /// At least one.
    AnyOf,
}

/// `provides`: a virtual package, with the versions of the interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Provided {
    /// The virtual package.
    pub spec: AbstractSpec,
    /// When.
    pub when: AbstractSpec,
}

/// Virtual packages that one node provides together or not at all, for example `blas` and `lapack`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProvidedTogether {
    /// The sets.
    pub sets: Vec<Vec<String>>,
    /// When.
    pub when: AbstractSpec,
}

/// `extends`: the package is installed so that another one finds it, for example a module of Python.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Extension {
    /// The package that is extended.
    pub spec: AbstractSpec,
    /// What it is needed for.
    pub types: DependencyTypes,
    /// When.
    pub when: AbstractSpec,
}

/// `resource`: another source that is unpacked into the package's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resource {
    /// Its name.
    pub name: String,
    /// Where it comes from, as [`DeclaredVersion::sources`](crate::DeclaredVersion::sources).
    pub sources: Vec<Source>,
    /// Whether an archive is unpacked.
    pub expand: bool,
    /// The folder beneath the source in which it is put.
    pub destination: String,
    /// What becomes what in that folder: pairs of a path in the resource (empty: all of it) and a name.
    pub placement: Vec<(String, String)>,
    /// Whether it is brought only where the package's own tests are to be run.
    pub test_only: bool,
    /// When.
    pub when: AbstractSpec,
}

/// `license`, an SPDX expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct License {
    /// The expression.
    pub expression: String,
    /// For which versions.
    pub when: AbstractSpec,
}

/// `redistribute`: whether mirrors and build caches may hold it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redistribution {
    /// For which versions.
    pub when: AbstractSpec,
    /// Whether the source may be passed on.
    pub source: bool,
    /// Whether what was built may be passed on.
    pub binary: bool,
}

/// What a build wants beyond its sandbox; refused unless configuration allows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Permission {
    /// What kind: `read`, `write`, `program` or `environment`.
    pub kind: String,
    /// Which one, for example a path.
    pub value: String,
    /// Why, in the recipe's words.
    pub reason: String,
}

impl Permission {
    /// Kind and value, as configuration names it.
    pub fn name(&self) -> String {
        format!("{}:{}", self.kind, self.value)
    }
}

impl Provided {
    /// The virtual package's name.
    pub fn name(&self) -> Option<&str> {
        self.spec.name.as_deref()
    }
}
