use super::{Patch, conditional};
use crate::bindings::spack_wasm::recipe::metadata;
use crate::bindings::spack_wasm::recipe::types::DependencyTypes;

/// Something that the package depends on.
#[derive(Clone, Debug)]
#[must_use = "a dependency counts once it is given to a package"]
pub struct Dependency(pub(super) metadata::Dependency);

conditional!(Dependency);

/// A package or virtual that is needed to build and to link, Spack's default.
pub fn dependency(spec: &str) -> Dependency {
    Dependency(metadata::Dependency {
        spec: spec.to_owned(),
        types: DependencyTypes::BUILD | DependencyTypes::LINK,
        when: String::new(),
        patches: Vec::new(),
        more: Vec::new(),
    })
}

/// A package or virtual that is needed to build only, for example a language or a tool.
pub fn build_dependency(spec: &str) -> Dependency {
    dependency(spec).types(DependencyTypes::BUILD)
}

impl Dependency {
    /// What it is needed for.
    pub fn types(mut self, types: DependencyTypes) -> Self {
        self.0.types = types;
        self
    }

    /// Needed when the package is used, besides what it was needed for so far.
    pub fn and_run(mut self) -> Self {
        self.0.types = self.0.types | DependencyTypes::RUN;
        self
    }

    /// Needed when the package is used, and for nothing else.
    pub fn run_only(self) -> Self {
        self.types(DependencyTypes::RUN)
    }

    /// Needed to test the package, and for nothing else.
    pub fn test_only(self) -> Self {
        self.types(DependencyTypes::TEST)
    }

    /// A patch that the dependency gets for this package's sake.
    pub fn patch(mut self, patch: Patch) -> Self {
        self.0.patches.push(patch.0);
        self
    }
}
