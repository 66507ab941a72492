//! From what a guest declares to the package model: every text is parsed and every name checked, and what is wrong is said with
//! the directive in which it stands.

mod check;
mod directives;
mod implied;
mod sources;
mod upkeep;
mod variants;
mod whole;

use std::path::{Component, Path};

use spack_wasm_package::Package;

use crate::component::Recipe;
use crate::metadata::PackageMetadata;
use crate::types::Attribute;
pub use check::MetadataError;
pub(crate) use check::is_package_name;
use check::{Checker, Place};

/// What is known of a recipe besides its declarations.
struct Surroundings<'a> {
    recipe: &'a Recipe,
}

impl Recipe {
    /// The recipe's declarations as the package model.
    ///
    /// # Errors
    /// A spec does not parse, a name is none, a value is out of its list, or there is more of something than any package has.
    pub fn package(&self, metadata: PackageMetadata) -> Result<Package, MetadataError> {
        let surroundings = Surroundings { recipe: self };
        surroundings.package(metadata)
    }
}

impl Surroundings<'_> {
    fn package(&self, metadata: PackageMetadata) -> Result<Package, MetadataError> {
        let checker = Checker::new(&self.recipe.source().name);
        checker.package(&metadata)?;
        let (provides, provides_together) = directives::provisions(&checker, metadata.provisions)?;
        let mut package = Package {
            name: metadata.name,
            namespace: self.recipe.source().namespace.clone(),
            description: metadata.description,
            homepage: metadata.homepage,
            urls: metadata.urls,
            repository: metadata.repository,
            manual_download: metadata.manual_download,
            versions: sources::versions(&checker, metadata.versions)?,
            variants: variants::definitions(&checker, metadata.variants)?,
            dependencies: directives::dependencies(&checker, metadata.dependencies, &|file| {
                self.patch_digest(file)
            })?,
            conflicts: directives::conflicts(&checker, metadata.conflicts)?,
            requirements: directives::requirements(&checker, metadata.requirements)?,
            provides,
            provides_together,
            extends: directives::extensions(&checker, metadata.extensions)?,
            resources: directives::resources(&checker, metadata.resources)?,
            patches: directives::patches(&checker, metadata.patches, &|file| self.patch_digest(file))?,
            licenses: directives::licenses(&checker, metadata.licenses)?,
            build_systems: directives::build_systems(&checker, metadata.build_systems)?,
            redistribute: directives::redistributions(&checker, metadata.redistributions)?,
            maintainers: metadata.maintainers,
            tags: metadata.tags,
            permissions: directives::permissions(&checker, metadata.permissions)?,
            package_hash: self.recipe.package_hash().to_owned(),
            detection: metadata.detection.map(directives::detection).unwrap_or_default(),
            listing: metadata.listing.map(|listing| upkeep::listing(&checker, listing)).transpose()?,
            tests: upkeep::tests(&checker, metadata.tests)?,
        };
        implied::complete(&checker, &mut package)?;
        whole::check(&checker, &package)?;
        Ok(package)
    }

    /// SHA-256 of a patch in the recipe's folder.
    fn patch_digest(&self, file: &str) -> Result<String, String> {
        let plain = Path::new(file).components().all(|component| matches!(component, Component::Normal(_)));
        if !plain || file.is_empty() {
            return Err(format!("'{}' is not a path below the recipe's folder", file.escape_debug()));
        }
        match self.recipe.source().files.get(file) {
            Some(contents) => Ok(crate::engine::sha256(contents)),
            None => Err(format!(
                "'{file}' is not among the recipe's own files, which are kept beside its component"
            )),
        }
    }
}

/// Version 0.1.0 of the contract knows no attributes.
fn no_attributes(checker: &Checker<'_>, place: Place<'_>, more: &[Attribute]) -> Result<(), MetadataError> {
    match more.first() {
        None => Ok(()),
        Some(attribute) => Err(checker.error(
            place,
            format!(
                "it has the attribute '{}', which contract {} does not know",
                attribute.key.escape_debug(),
                crate::CONTRACT
            ),
        )),
    }
}
