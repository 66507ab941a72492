//! From what a recipe declares to unpacked and patched sources.

mod archive;
mod checkout;
mod patches;
mod resources;

use std::path::Path;

use cap_std::fs::Dir;
use spack_wasm_monitor::EventKind;
use spack_wasm_package::{DeclaredVersion, Package};
use spack_wasm_recipe_host::{Catalog, RecipeFiles, Session};
use spack_wasm_source::{Algorithm, FetchError, FetchEvent, Fetched, Request};
use spack_wasm_spec::{Dag, Node};
use spack_wasm_store::SourceRecord;

use self::archive::Wanted;
use crate::error::BuildError;
use crate::journal::Journal;
use crate::stage::SOURCE;
use crate::urls::with_version;
use crate::{Cancellation, Installer};

/// What is needed to bring a node's sources into its stage.
pub(crate) struct Sources<'a> {
    pub(crate) installer: &'a Installer,
    pub(crate) journal: &'a Journal,
    pub(crate) package: &'a Package,
    pub(crate) dag: &'a Dag,
    pub(crate) node: &'a Node,
    /// Whether the package's own tests are to be run.
    pub(crate) tested: bool,
    /// The recipe's own files.
    pub(crate) files: &'a RecipeFiles,
    /// Ends downloads.
    pub(crate) cancellation: &'a Cancellation,
}

impl Sources<'_> {
    /// Fetches and unpacks the package's own sources and its resources, then applies the patches; says what was fetched. The
    /// sources are in the folder [`SOURCE`] of the stage.
    pub(crate) fn prepare(
        &self,
        stage: &Dir,
        session: &mut Session,
    ) -> Result<Vec<SourceRecord>, BuildError> {
        let mut records = self.own(stage, session)?;
        for resource in self.resources() {
            records.push(self.resource(resource, stage)?);
        }
        for patch in self.patches()? {
            records.push(self.apply(&patch, stage)?);
        }
        Ok(records)
    }

    /// The package's own sources; an archive with one folder at its top becomes that folder.
    fn own(&self, stage: &Dir, session: &mut Session) -> Result<Vec<SourceRecord>, BuildError> {
        let declared = self.declared()?;
        stage.create_dir(SOURCE).map_err(|source| self.stage_error(SOURCE, source))?;
        if declared.sources.is_empty() {
            return Ok(Vec::new());
        }
        let version = declared.version.to_string();
        let wanted = Wanted {
            resource: None,
            made_up: self.addresses(&version, session)?,
            version,
            sources: &declared.sources,
            expand: declared.expand,
        };
        let (record, top) = self.bring(&wanted, stage, SOURCE)?;
        if let Some(top) = top {
            raise(stage, SOURCE, &top).map_err(|source| self.stage_error(SOURCE, source))?;
        }
        Ok(vec![record])
    }

    fn declared(&self) -> Result<&DeclaredVersion, BuildError> {
        let version = &self.node.facts.version;
        let declared = self.package.versions.iter().find(|declared| declared.version == *version);
        declared.ok_or_else(|| BuildError::NoVersion(version.to_string()))
    }

    /// Addresses of a version's archive: what the recipe says, else what the package's own addresses make up.
    fn addresses(&self, version: &str, session: &mut Session) -> Result<Vec<String>, BuildError> {
        if let Some(url) = session.url_for_version(version)? {
            return Ok(vec![url]);
        }
        Ok(self.package.urls.iter().filter_map(|url| with_version(url, version)).collect())
    }

    fn fetch(&self, request: &Request) -> Result<Fetched, BuildError> {
        let fetched = self.wait(self.installer.fetcher.fetch(request, &|event| self.tell(event)))?;
        self.journal.emit(EventKind::FetchFinished {
            origin: fetched.origin.to_string(),
            checksum: fetched.checksum.hex().to_owned(),
            bytes: fetched.size,
        });
        let what = request.resource.as_ref().unwrap_or(&request.package);
        self.journal.say(&format!("Fetched {what} from {}", fetched.origin));
        Ok(fetched)
    }

    /// Waits for a download, unless the run is cancelled.
    fn wait<T>(&self, download: impl Future<Output = Result<T, FetchError>>) -> Result<T, BuildError> {
        let download = self.cancellation.unless_cancelled(download);
        Ok(self.installer.runtime.block_on(download).map_err(BuildError::Cancelled)??)
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

    fn catalog(&self) -> &Catalog {
        &self.installer.catalog
    }

    fn stage_error(&self, path: impl AsRef<Path>, source: std::io::Error) -> BuildError {
        BuildError::Stage { path: path.as_ref().to_owned(), source }
    }
}

/// Puts a folder in the place of the one that holds it and nothing else.
fn raise(stage: &Dir, folder: &str, inner: &str) -> std::io::Result<()> {
    let aside = "spack-unpacked";
    stage.rename(folder, stage, aside)?;
    stage.rename(Path::new(aside).join(inner), stage, folder)?;
    stage.remove_dir(aside)
}

/// SHA-256, where that is what vouched for a file or what was computed in want of anything that does.
fn record(name: &str, fetched: &Fetched) -> SourceRecord {
    let known = fetched.checksum.algorithm() == Algorithm::Sha256;
    SourceRecord {
        name: name.to_owned(),
        sha256: known.then(|| fetched.checksum.hex().to_owned()),
        origin: fetched.origin.to_string(),
    }
}
