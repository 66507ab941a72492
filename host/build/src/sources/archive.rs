//! Archives, single files and checkouts: fetched and unpacked into a folder of the stage.

use cap_std::fs::Dir;
use spack_wasm_package::{Archive, ChecksumAlgorithm, Source};
use spack_wasm_source::{ArchiveChoice, Request, unpack};
use spack_wasm_store::SourceRecord;

use super::{Sources, record};
use crate::error::BuildError;

/// Something to fetch: the package's own sources, or one of its resources.
pub(super) struct Wanted<'a> {
    /// The resource's name.
    pub(super) resource: Option<&'a str>,
    pub(super) version: String,
    pub(super) sources: &'a [Source],
    /// Whether an archive is unpacked.
    pub(super) expand: bool,
    /// Addresses for archives that name none.
    pub(super) made_up: Vec<String>,
}

impl Wanted<'_> {
    fn request(&self, package: &str) -> Result<Request, BuildError> {
        let archives = self.sources.iter().filter_map(|source| match source {
            Source::Archive(archive) => Some(choice(archive, &self.made_up)),
            Source::Checkout(_) => None,
        });
        let archives: Vec<_> = archives.collect::<Result<_, _>>()?;
        if archives.is_empty() {
            return Err(BuildError::NoArchive(self.name(package)));
        }
        Ok(Request {
            package: package.to_owned(),
            version: self.version.clone(),
            resource: self.resource.map(str::to_owned),
            archives,
            expand: self.expand,
        })
    }

    /// What it is called in records and messages.
    pub(super) fn name(&self, package: &str) -> String {
        format!("{}-{}", self.resource.unwrap_or(package), self.version)
    }
}

impl Sources<'_> {
    /// Fetches and unpacks into a folder of the stage; says what it was, and which folder holds all of it, if there is one.
    pub(super) fn bring(
        &self,
        wanted: &Wanted<'_>,
        stage: &Dir,
        folder: &str,
    ) -> Result<(SourceRecord, Option<String>), BuildError> {
        if let Some(Source::Checkout(checkout)) = wanted.sources.first() {
            return Ok((self.check_out(wanted, checkout, stage, folder)?, None));
        }
        let request = wanted.request(&self.package.name)?;
        let fetched = self.fetch(&request)?;
        let into = stage.open_dir(folder).map_err(|source| self.stage_error(folder, source))?;
        let name = wanted.name(&self.package.name);
        let record = record(&name, &fetched);
        let single = wanted.resource.unwrap_or(&self.package.name);
        if wanted.expand {
            let limits = unpack::UnpackLimits::default();
            let unpacked = unpack::unpack(&fetched.path, single, &into, &limits)?;
            return Ok((record, unpacked.top));
        }
        let file = request.archives.iter().find_map(ArchiveChoice::file_name).unwrap_or(&name);
        unpack::place(&fetched.path, file, &into)?;
        Ok((record, None))
    }
}

fn choice(archive: &Archive, made_up: &[String]) -> Result<ArchiveChoice, BuildError> {
    let checksum = archive.checksum.as_ref().map(|checksum| {
        let algorithm = match checksum.algorithm {
            ChecksumAlgorithm::Sha256 => "sha256",
            ChecksumAlgorithm::Sha512 => "sha512",
            ChecksumAlgorithm::Sha1 => "sha1",
            ChecksumAlgorithm::Md5 => "md5",
        };
        format!("{algorithm}:{}", checksum.digest).parse()
    });
    let urls = if archive.urls.is_empty() { made_up.to_vec() } else { archive.urls.clone() };
    Ok(ArchiveChoice { checksum: checksum.transpose()?, urls, extension: archive.extension.clone() })
}
