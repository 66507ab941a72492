use super::{Conflict, Dependency, Patch, Permission, Variant, Version, conditional};
use crate::bindings::spack_wasm::recipe::metadata::{
    self, License, PackageMetadata, Provision, Requirement, RequirementPolicy,
};

/// A build system of the package.
#[derive(Clone, Debug)]
#[must_use = "a build system counts once it is given to a package"]
pub struct BuildSystem(metadata::BuildSystem);

conditional!(BuildSystem);

/// `configure`, `make`, `make install`; named by its phases.
pub const AUTOTOOLS: (&str, &[&str]) = ("autotools", &["autoreconf", "configure", "build", "install"]);
/// CMake with make or ninja.
pub const CMAKE: (&str, &[&str]) = ("cmake", &["cmake", "build", "install"]);
/// Plain make.
pub const MAKEFILE: (&str, &[&str]) = ("makefile", &["edit", "build", "install"]);
/// None of the known ones: the recipe defines the phase `install`.
pub const GENERIC: (&str, &[&str]) = ("generic", &["install"]);

/// A build system by its name and phases, for example [`AUTOTOOLS`].
pub fn build_system((name, phases): (&str, &[&str])) -> BuildSystem {
    BuildSystem(metadata::BuildSystem {
        name: name.to_owned(),
        phases: phases.iter().map(|phase| (*phase).to_owned()).collect(),
        when: String::new(),
        more: Vec::new(),
    })
}

impl From<(&str, &[&str])> for BuildSystem {
    fn from(named: (&str, &[&str])) -> Self {
        build_system(named)
    }
}

/// A package, as its recipe declares it.
#[derive(Clone, Debug)]
#[must_use = "a package is what `describe` returns"]
pub struct Package(PackageMetadata);

/// A package by its name, with a description of which the first line is its title.
pub fn package(name: &str, description: &str) -> Package {
    Package(PackageMetadata {
        name: name.to_owned(),
        description: description.to_owned(),
        homepage: None,
        urls: Vec::new(),
        repository: None,
        maintainers: Vec::new(),
        tags: Vec::new(),
        licenses: Vec::new(),
        build_systems: Vec::new(),
        versions: Vec::new(),
        variants: Vec::new(),
        dependencies: Vec::new(),
        conflicts: Vec::new(),
        requirements: Vec::new(),
        provisions: Vec::new(),
        extensions: Vec::new(),
        resources: Vec::new(),
        patches: Vec::new(),
        redistributions: Vec::new(),
        permissions: Vec::new(),
        detection: None,
        manual_download: false,
        more: Vec::new(),
    })
}

impl Package {
    /// Its home page.
    pub fn homepage(mut self, address: &str) -> Self {
        self.0.homepage = Some(address.to_owned());
        self
    }

    /// The address of one version's archive; other versions are put in its place. Called again: tried after the ones before.
    pub fn url(mut self, address: &str) -> Self {
        self.0.urls.push(address.to_owned());
        self
    }

    /// The git repository.
    pub fn git(mut self, address: &str) -> Self {
        self.0.repository = Some(address.to_owned());
        self
    }

    /// A maintainer of the recipe.
    pub fn maintainer(mut self, account: &str) -> Self {
        self.0.maintainers.push(account.to_owned());
        self
    }

    /// A word that groups packages.
    pub fn tag(mut self, tag: &str) -> Self {
        self.0.tags.push(tag.to_owned());
        self
    }

    /// The licence, as an SPDX expression where there is one.
    pub fn license(mut self, expression: &str) -> Self {
        self.0.licenses.push(License { expression: expression.to_owned(), when: String::new() });
        self
    }

    /// A build system; the first whose condition holds is the default.
    pub fn build_system(mut self, build_system: impl Into<BuildSystem>) -> Self {
        self.0.build_systems.push(build_system.into().0);
        self
    }

    /// A version.
    pub fn version(mut self, version: Version) -> Self {
        self.0.versions.push(version.0);
        self
    }

    /// A variant.
    pub fn variant(mut self, variant: Variant) -> Self {
        self.0.variants.push(variant.0);
        self
    }

    /// A dependency.
    pub fn depends_on(mut self, dependency: Dependency) -> Self {
        self.0.dependencies.push(dependency.0);
        self
    }

    /// Something that must not be.
    pub fn conflicts(mut self, conflict: Conflict) -> Self {
        self.0.conflicts.push(conflict.0);
        self
    }

    /// Something that must be under a condition; the empty condition always holds.
    pub fn requires(mut self, spec: &str, when: &str) -> Self {
        self.0.requirements.push(Requirement {
            specs: vec![spec.to_owned()],
            policy: RequirementPolicy::OneOf,
            when: when.to_owned(),
            message: None,
            more: Vec::new(),
        });
        self
    }

    /// A virtual package that it stands for.
    pub fn provides(mut self, spec: &str) -> Self {
        self.0.provisions.push(Provision {
            virtuals: vec![spec.to_owned()],
            when: String::new(),
            more: Vec::new(),
        });
        self
    }

    /// A patch of the sources.
    pub fn patch(mut self, patch: Patch) -> Self {
        self.0.patches.push(patch.0);
        self
    }

    /// Something that it wants beyond its sandbox.
    pub fn wants(mut self, permission: Permission) -> Self {
        self.0.permissions.push(permission.0);
        self
    }

    /// The record of the contract, for what this type has no method for.
    pub fn contract_mut(&mut self) -> &mut PackageMetadata {
        &mut self.0
    }

    pub(crate) fn into_contract(self) -> PackageMetadata {
        self.0
    }
}
