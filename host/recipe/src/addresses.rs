//! Archives that nobody can fetch because the recipe names no address for them.

use spack_wasm_package::{DeclaredVersion, Package, Source};

use crate::Recipe;
use crate::convert::MetadataError;

impl Recipe {
    /// Whether each archive has an address. A function of the recipe may know one, so it is asked where the declarations name none;
    /// for one version, since a recipe that computes one address computes all.
    ///
    /// # Errors
    /// An archive has none.
    pub(crate) fn check_addresses(&self, package: &Package) -> Result<(), MetadataError> {
        let Some((number, declared)) = without_address(package) else { return Ok(()) };
        let version = declared.version.as_str();
        match self.alone().and_then(|mut session| session.url_for_version(version)) {
            Ok(None) => Err(MetadataError {
                recipe: package.name.clone(),
                place: format!("version {number} '{version}'"),
                reason: "its archive has no address: give it one of its own, or the package a `url`".into(),
            }),
            // A recipe that fails here may need the concrete spec for its answer.
            Ok(Some(_)) | Err(_) => Ok(()),
        }
    }
}

/// The first version with an archive that the declarations name no address for, with its number from 1.
fn without_address(package: &Package) -> Option<(usize, &DeclaredVersion)> {
    if !package.urls.is_empty() || package.manual_download {
        return None;
    }
    let lacks = |source: &Source| matches!(source, Source::Archive(archive) if archive.urls.is_empty());
    let numbered = package.versions.iter().enumerate();
    let mut lacking = numbered.filter(|(_, declared)| declared.sources.first().is_some_and(lacks));
    lacking.next().map(|(index, declared)| (index + 1, declared))
}
