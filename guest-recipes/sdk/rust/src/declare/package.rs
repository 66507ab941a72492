use super::{
    Conflict, Dependency, Detection, Extension, License, Listing, Patch, Permission, Provision,
    Redistribution, Requirement, Resource, StandAloneTest, Variant, Version, conditional,
};
use crate::bindings::spack_wasm::recipe::metadata::{self, PackageMetadata};

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
        listing: None,
        tests: Vec::new(),
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

    /// The licence: an SPDX expression where there is one, or [`super::license`] with a condition.
    pub fn license(mut self, license: impl Into<License>) -> Self {
        self.0.licenses.push(license.into().0);
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

    /// A version by its name and the SHA-256 of its archive, which is at the address that the package's make up.
    pub fn release(self, name: &str, sha256: &str) -> Self {
        self.version(super::version(name).sha256(sha256))
    }

    /// As [`Package::release`]; the version is preferred to newer ones.
    pub fn preferred_release(self, name: &str, sha256: &str) -> Self {
        self.version(super::version(name).sha256(sha256).preferred())
    }

    /// Several versions.
    pub fn versions(mut self, versions: impl IntoIterator<Item = Version>) -> Self {
        self.0.versions.extend(versions.into_iter().map(|version| version.0));
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

    /// Several dependencies, for example of a loop.
    pub fn depends_on_all(mut self, dependencies: impl IntoIterator<Item = Dependency>) -> Self {
        self.0.dependencies.extend(dependencies.into_iter().map(|dependency| dependency.0));
        self
    }

    /// Something that must not be.
    pub fn conflicts(mut self, conflict: Conflict) -> Self {
        self.0.conflicts.push(conflict.0);
        self
    }

    /// Several things that must not be, for example of a loop.
    pub fn conflicts_all(mut self, conflicts: impl IntoIterator<Item = Conflict>) -> Self {
        self.0.conflicts.extend(conflicts.into_iter().map(|conflict| conflict.0));
        self
    }

    /// Something that must be.
    pub fn requires(mut self, requirement: Requirement) -> Self {
        self.0.requirements.push(requirement.0);
        self
    }

    /// A virtual package that it stands for: a spec, or [`super::provision`] with a condition, or several
    /// [`super::provided_together`].
    pub fn provides(mut self, provision: impl Into<Provision>) -> Self {
        self.0.provisions.push(provision.into().0);
        self
    }

    /// A package into whose tree it installs: a spec, or [`super::extension`] with a condition.
    pub fn extends(mut self, extension: impl Into<Extension>) -> Self {
        self.0.extensions.push(extension.into().0);
        self
    }

    /// Further sources.
    pub fn resource(mut self, resource: Resource) -> Self {
        self.0.resources.push(resource.0);
        self
    }

    /// What may be passed on; without a call of this: everything.
    pub fn redistribution(mut self, redistribution: Redistribution) -> Self {
        self.0.redistributions.push(redistribution.0);
        self
    }

    /// How installations that something else made are found.
    pub fn detection(mut self, detection: Detection) -> Self {
        self.0.detection = Some(detection.0);
        self
    }

    /// Where upstream lists its versions: an address, or [`super::listed_at`] with a depth.
    pub fn listing(mut self, listing: impl Into<Listing>) -> Self {
        self.0.listing = Some(listing.into().0);
        self
    }

    /// A test of the package as it is installed.
    pub fn stand_alone_test(mut self, test: StandAloneTest) -> Self {
        self.0.tests.push(test.0);
        self
    }

    /// The user has to download the sources by hand.
    pub fn manual_download(mut self) -> Self {
        self.0.manual_download = true;
        self
    }

    /// A patch of the sources.
    pub fn patch(mut self, patch: Patch) -> Self {
        self.0.patches.push(patch.0);
        self
    }

    /// Several patches, applied in this order.
    pub fn patches(mut self, patches: impl IntoIterator<Item = Patch>) -> Self {
        self.0.patches.extend(patches.into_iter().map(|patch| patch.0));
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
