//! From what a recipe declares to unpacked and patched sources.

use std::path::Path;

use cap_std::fs::Dir;
use spack_wasm_monitor::EventKind;
use spack_wasm_package::{
    Archive, ChecksumAlgorithm, DeclaredVersion, Package, Patch, PatchLocation, Source,
};
use spack_wasm_recipe_host::Session;
use spack_wasm_source::{Algorithm, ArchiveChoice, Checksum, FetchEvent, Fetched, Request, patch, unpack};
use spack_wasm_spec::{Dag, Node};
use spack_wasm_store::SourceRecord;

use crate::Installer;
use crate::error::BuildError;
use crate::journal::Journal;
use crate::stage::SOURCE;
use crate::urls::with_version;

/// What is needed to bring a node's sources into its stage.
pub(crate) struct Sources<'a> {
    pub(crate) installer: &'a Installer,
    pub(crate) journal: &'a Journal,
    pub(crate) package: &'a Package,
    pub(crate) dag: &'a Dag,
    pub(crate) node: &'a Node,
    /// The folder of the recipe's own files.
    pub(crate) recipe_folder: Option<&'a Path>,
}

impl Sources<'_> {
    /// Fetches, unpacks and patches; says what was fetched. The sources are in the folder [`SOURCE`] of the stage.
    pub(crate) fn prepare(
        &self,
        stage: &Dir,
        session: &mut Session,
    ) -> Result<Vec<SourceRecord>, BuildError> {
        let declared = self.declared()?;
        let mut records = Vec::new();
        let made =
            stage.create_dir(SOURCE).map_err(|source| BuildError::Stage { path: SOURCE.into(), source });
        if declared.sources.is_empty() {
            made?;
            return Ok(records);
        }
        let request = self.request(declared, session)?;
        let fetched = self.fetch(&request)?;
        records.push(record(&format!("{}-{}", request.package, request.version), &fetched));
        self.unpack(&fetched, stage, declared.expand)?;
        for patch in self.package.patches.iter().filter(|patch| self.applies(patch)) {
            records.push(self.apply(patch, stage)?);
        }
        Ok(records)
    }

    fn declared(&self) -> Result<&DeclaredVersion, BuildError> {
        let version = &self.node.facts.version;
        let declared = self.package.versions.iter().find(|declared| declared.version == *version);
        declared.ok_or_else(|| BuildError::NoArchive(version.to_string()))
    }

    fn request(&self, declared: &DeclaredVersion, session: &mut Session) -> Result<Request, BuildError> {
        let version = declared.version.to_string();
        let made_up = self.addresses(&version, session)?;
        let archives = declared.sources.iter().filter_map(|source| match source {
            Source::Archive(archive) => Some(choice(archive, &made_up)),
            Source::Checkout(_) => None,
        });
        let archives: Vec<_> = archives.collect::<Result<_, _>>()?;
        if archives.is_empty() {
            return Err(BuildError::NoArchive(version));
        }
        Ok(Request { package: self.package.name.clone(), version, archives, expand: declared.expand })
    }

    /// Addresses of a version's archive: what the recipe says, else what the package's own addresses make up.
    fn addresses(&self, version: &str, session: &mut Session) -> Result<Vec<String>, BuildError> {
        if let Some(url) = session.url_for_version(version)? {
            return Ok(vec![url]);
        }
        Ok(self.package.urls.iter().filter_map(|url| with_version(url, version)).collect())
    }

    fn fetch(&self, request: &Request) -> Result<Fetched, BuildError> {
        let fetched = self
            .installer
            .runtime
            .block_on(self.installer.fetcher.fetch(request, &|event| self.tell(event)))?;
        self.journal.emit(EventKind::FetchFinished {
            origin: fetched.origin.to_string(),
            checksum: fetched.checksum.hex().to_owned(),
            bytes: fetched.size,
        });
        self.journal.say(&format!("Fetched {} from {}", request.package, fetched.origin));
        Ok(fetched)
    }

    fn tell(&self, event: FetchEvent) {
        let kind = match event {
            FetchEvent::Started { origin } => EventKind::FetchStarted { origin: origin.to_string() },
            FetchEvent::Progress { bytes, total } => EventKind::FetchProgress { bytes, total },
            FetchEvent::SourceFailed { origin, reason, next } => EventKind::SourceFailed {
                origin: origin.to_string(),
                reason,
                next: next.map(|next| next.to_string()),
            },
            FetchEvent::Waiting | FetchEvent::Resumed { .. } | FetchEvent::Verified { .. } => return,
        };
        self.journal.emit(kind);
    }

    /// Unpacks into [`SOURCE`]; an archive with one folder at its top becomes that folder.
    fn unpack(&self, fetched: &Fetched, stage: &Dir, expand: bool) -> Result<(), BuildError> {
        let at = |source| BuildError::Stage { path: SOURCE.into(), source };
        let source = stage.open_dir(SOURCE).map_err(at)?;
        let name = fetched.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if !expand {
            unpack::place(&fetched.path, &name, &source)?;
            return Ok(());
        }
        let unpacked =
            unpack::unpack(&fetched.path, &self.package.name, &source, &unpack::UnpackLimits::default())?;
        let Some(top) = unpacked.top else { return Ok(()) };
        let aside = "spack-unpacked";
        stage.rename(SOURCE, stage, aside).map_err(at)?;
        let inner = Path::new(aside).join(top);
        stage.rename(&inner, stage, SOURCE).map_err(at)?;
        stage.remove_dir(aside).map_err(at)
    }

    fn applies(&self, patch: &Patch) -> bool {
        self.node.satisfies(&patch.when, self.dag)
    }

    fn apply(&self, patch: &Patch, stage: &Dir) -> Result<SourceRecord, BuildError> {
        let (name, text, origin) = self.patch_text(patch)?;
        let found = sha256(&text);
        if found != patch.sha256 {
            return Err(BuildError::PatchChanged { name, found });
        }
        let source =
            stage.open_dir(SOURCE).map_err(|source| BuildError::Stage { path: SOURCE.into(), source })?;
        let working_dir = if patch.working_dir.is_empty() { "." } else { &patch.working_dir };
        let options = patch::PatchOptions { level: patch.level, working_dir, reverse: patch.reverse };
        patch::apply(&source, &text, &options)
            .map_err(|source| BuildError::Patch { name: name.clone(), source })?;
        self.journal.say(&format!("Applied patch {name}"));
        Ok(SourceRecord { name, sha256: Some(patch.sha256.clone()), origin })
    }

    fn patch_text(&self, patch: &Patch) -> Result<(String, Vec<u8>, String), BuildError> {
        let stage_error = |path: &Path, source| BuildError::Stage { path: path.to_owned(), source };
        match &patch.location {
            PatchLocation::File(file) => {
                let folder = self.recipe_folder.ok_or_else(|| BuildError::NoFolder(file.clone()))?;
                let path = folder.join(file);
                let text = fs_err::read(&path).map_err(|source| stage_error(&path, source))?;
                Ok((file.clone(), text, "the recipe's folder".to_owned()))
            }
            PatchLocation::Url { url, archive_sha256 } => {
                let digest = archive_sha256.as_ref().unwrap_or(&patch.sha256);
                let request = Request {
                    package: self.package.name.clone(),
                    version: format!("patch-{}", &digest[..8]),
                    archives: vec![ArchiveChoice {
                        checksum: Some(format!("sha256:{digest}").parse::<Checksum>()?),
                        urls: vec![url.clone()],
                        extension: None,
                    }],
                    expand: false,
                };
                let fetched = self.fetch(&request)?;
                let text =
                    fs_err::read(&fetched.path).map_err(|source| stage_error(&fetched.path, source))?;
                Ok((url.clone(), text, fetched.origin.to_string()))
            }
        }
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

fn record(name: &str, fetched: &Fetched) -> SourceRecord {
    let known = fetched.checksum.algorithm() == Algorithm::Sha256;
    SourceRecord {
        name: name.to_owned(),
        sha256: known.then(|| fetched.checksum.hex().to_owned()),
        origin: fetched.origin.to_string(),
    }
}

fn sha256(bytes: &[u8]) -> String {
    let mut hasher = Algorithm::Sha256.hasher();
    hasher.update(bytes);
    hasher.finish().hex().to_owned()
}
