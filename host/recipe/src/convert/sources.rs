use spack_wasm_package as model;
use spack_wasm_spec::Version;

use super::check::{Checker, MetadataError, Place};
use super::no_attributes;
use crate::metadata::{self, Archive, Checkout, DigestAlgorithm, Origin, VersionControl};

pub(super) fn versions(
    checker: &Checker<'_>,
    versions: Vec<metadata::Version>,
) -> Result<Vec<model::DeclaredVersion>, MetadataError> {
    versions.into_iter().enumerate().map(|(index, version)| declared(checker, index, version)).collect()
}

fn declared(
    checker: &Checker<'_>,
    index: usize,
    version: metadata::Version,
) -> Result<model::DeclaredVersion, MetadataError> {
    let place = Place { directive: "version", number: index + 1, name: &version.name };
    checker.name(place, "version")?;
    no_attributes(checker, place, &version.more)?;
    Ok(model::DeclaredVersion {
        version: Version::new(version.name.clone()),
        sources: sources(checker, place, version.origin)?,
        expand: version.expand,
        cached: version.cached,
        preferred: version.preferred,
        deprecated: version.deprecated,
    })
}

pub(super) fn sources(
    checker: &Checker<'_>,
    place: Place<'_>,
    origin: Origin,
) -> Result<Vec<model::Source>, MetadataError> {
    match origin {
        Origin::Nothing => Ok(Vec::new()),
        Origin::Archives(archives) if archives.is_empty() => {
            Err(checker.error(place, "its list of archives is empty"))
        }
        Origin::Archives(archives) => archives
            .into_iter()
            .map(|archive| Ok(model::Source::Archive(self::archive(checker, place, archive)?)))
            .collect(),
        Origin::Checkout(checkout) => {
            Ok(vec![model::Source::Checkout(self::checkout(checker, place, checkout)?)])
        }
    }
}

/// The sources of a resource: each has an address of its own, since the package's are those of the package.
pub(super) fn resource(
    checker: &Checker<'_>,
    place: Place<'_>,
    origin: Origin,
) -> Result<Vec<model::Source>, MetadataError> {
    let sources = sources(checker, place, origin)?;
    let addressed = sources.iter().all(|source| match source {
        model::Source::Archive(archive) => !archive.urls.is_empty(),
        model::Source::Checkout(_) => true,
    });
    match (sources.is_empty(), addressed) {
        (false, true) => Ok(sources),
        (true, _) => Err(checker.error(place, "it has no source")),
        (_, false) => Err(checker.error(place, "its archive has no address")),
    }
}

pub(super) fn archive(
    checker: &Checker<'_>,
    place: Place<'_>,
    archive: Archive,
) -> Result<model::Archive, MetadataError> {
    no_attributes(checker, place, &archive.more)?;
    let checksum = archive.checksum.map(|checksum| self::checksum(checker, place, checksum)).transpose()?;
    Ok(model::Archive { urls: archive.url.into_iter().collect(), checksum, extension: archive.extension })
}

fn checksum(
    checker: &Checker<'_>,
    place: Place<'_>,
    checksum: metadata::Checksum,
) -> Result<model::Checksum, MetadataError> {
    no_attributes(checker, place, &checksum.more)?;
    let (algorithm, length) = match checksum.algorithm {
        DigestAlgorithm::Sha256 => (model::ChecksumAlgorithm::Sha256, 64),
        DigestAlgorithm::Sha512 => (model::ChecksumAlgorithm::Sha512, 128),
        DigestAlgorithm::Sha1 => (model::ChecksumAlgorithm::Sha1, 40),
        DigestAlgorithm::Md5 => (model::ChecksumAlgorithm::Md5, 32),
    };
    if !is_hexadecimal(&checksum.digest, length) {
        return Err(
            checker.error(place, format!("its checksum is not {length} hexadecimal digits in lower case"))
        );
    }
    Ok(model::Checksum { algorithm, digest: checksum.digest })
}

/// So many hexadecimal digits, in lower case.
pub(super) fn is_hexadecimal(text: &str, length: usize) -> bool {
    text.len() == length && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

fn checkout(
    checker: &Checker<'_>,
    place: Place<'_>,
    checkout: Checkout,
) -> Result<model::Checkout, MetadataError> {
    no_attributes(checker, place, &checkout.more)?;
    Ok(model::Checkout {
        system: match checkout.system {
            VersionControl::Git => model::VersionControl::Git,
            VersionControl::Mercurial => model::VersionControl::Mercurial,
            VersionControl::Subversion => model::VersionControl::Subversion,
            VersionControl::Cvs => model::VersionControl::Cvs,
        },
        url: checkout.url,
        branch: checkout.branch,
        tag: checkout.tag,
        commit: checkout.commit,
        date: checkout.date,
        submodules: checkout.submodules,
        submodule_paths: checkout.submodule_paths,
        full_history: checkout.full_history,
    })
}
