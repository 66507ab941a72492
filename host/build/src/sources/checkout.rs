//! Checkouts of repositories: fetched as archives of their trees, and unpacked like any other.

use std::path::Path;

use cap_std::fs::Dir;
use spack_wasm_monitor::EventKind;
use spack_wasm_package::{Checkout, VersionControl};
use spack_wasm_source::{CheckoutRequest, unpack};
use spack_wasm_store::SourceRecord;

use super::Sources;
use super::archive::Wanted;
use crate::error::BuildError;

impl Sources<'_> {
    /// Fetches and unpacks into a folder of the stage.
    pub(super) fn check_out(
        &self,
        wanted: &Wanted<'_>,
        checkout: &Checkout,
        stage: &Dir,
        folder: &str,
    ) -> Result<SourceRecord, BuildError> {
        let request = self.checkout_request(wanted, checkout)?;
        let tell = |event| self.tell(event);
        let fetched = self.wait(self.installer.fetcher.checkout(&request, &tell))?;
        let into = stage.open_dir(folder).map_err(|source| self.stage_error(folder, source))?;
        for tree in &fetched.trees {
            let below = if tree.below.as_os_str().is_empty() { Path::new(".") } else { &tree.below };
            into.create_dir_all(below).map_err(|source| self.stage_error(below, source))?;
            let place = into.open_dir(below).map_err(|source| self.stage_error(below, source))?;
            unpack::unpack(&tree.archive, "tree", &place, &unpack::UnpackLimits::default())?;
        }
        let origin = format!("{} at {}", fetched.origin, fetched.commit);
        self.journal.emit(EventKind::FetchFinished {
            origin: origin.clone(),
            checksum: fetched.commit.clone(),
            bytes: fetched.bytes,
        });
        self.journal.say(&format!("Fetched {} from {origin}", wanted.resource.unwrap_or(&self.package.name)));
        let name = wanted.name(&self.package.name);
        Ok(SourceRecord { name, sha256: Some(fetched.sha256.clone()), origin })
    }

    fn checkout_request(
        &self,
        wanted: &Wanted<'_>,
        checkout: &Checkout,
    ) -> Result<CheckoutRequest, BuildError> {
        let refused = |reason| BuildError::Checkout { name: wanted.name(&self.package.name), reason };
        match checkout.system {
            VersionControl::Git => {}
            VersionControl::Mercurial => return Err(refused("Mercurial repositories can't be fetched")),
            VersionControl::Subversion => return Err(refused("Subversion repositories can't be fetched")),
            VersionControl::Cvs => return Err(refused("CVS repositories can't be fetched")),
        }
        if checkout.full_history {
            return Err(refused("a repository's history can't be fetched, only the state of one commit"));
        }
        let url = checkout.url.as_ref().or(self.package.repository.as_ref());
        let url = url.ok_or_else(|| refused("its recipe names no repository"))?;
        Ok(CheckoutRequest {
            package: self.package.name.clone(),
            version: wanted.version.clone(),
            url: url.clone(),
            commit: checkout.commit.clone(),
            tag: checkout.tag.clone(),
            branch: checkout.branch.clone(),
            submodules: checkout.submodules,
            submodule_paths: checkout.submodule_paths.clone(),
        })
    }
}
