//! Building the index again from the prefixes.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use spack_wasm_spec::DagHash;

use crate::error::{At, FileError, StoreError};
use crate::index::{self, PrefixFacts};
use crate::layout::{METADATA, incomplete_marker, relative_prefix};
use crate::metadata::{self, SPEC};
use crate::open::Store;
use crate::{schema, tree};

/// What a new index has that the old one hadn't, and the other way round.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReindexReport {
    /// How many packages are installed.
    pub installed: usize,
    /// Which of them the old index didn't know.
    pub added: Vec<DagHash>,
    /// What the old index knew and isn't there.
    pub removed: Vec<DagHash>,
    /// Folders where prefixes are expected that aren't complete ones.
    pub skipped: Vec<SkippedFolder>,
}

/// A folder that isn't a complete prefix.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SkippedFolder {
    /// The folder.
    pub path: PathBuf,
    /// Why it doesn't count, as it reads behind the path.
    pub reason: String,
}

impl Store {
    /// Builds the index again from what the prefixes' `.spack` folders say.
    ///
    /// # Errors
    /// The store can't be read or written.
    pub fn reindex(&self) -> Result<ReindexReport, StoreError> {
        if self.is_read_only() {
            return Err(StoreError::ReadOnly { root: self.root().to_owned() });
        }
        self.fill_index()
    }

    /// Puts all prefixes into the index, in place of what was in it.
    pub(crate) fn fill_index(&self) -> Result<ReindexReport, StoreError> {
        // The prefixes are read within the transaction, so that one that is published meanwhile gets its row afterwards.
        let mut scanned = Ok(Scan::default());
        let known = self.inner.database.write("build again", |transaction| {
            let mut statement = transaction.prepare("SELECT hash FROM installs")?;
            let known: BTreeSet<String> =
                statement.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
            scanned = self.scan();
            if let Ok(scan) = &scanned {
                transaction.execute("DELETE FROM installs", [])?;
                scan.found.iter().try_for_each(|facts| index::insert(transaction, facts))?;
                schema::set_complete(transaction)?;
            }
            Ok(known)
        })?;
        Ok(report(&known, scanned?))
    }

    /// Reads all prefixes.
    fn scan(&self) -> Result<Scan, FileError> {
        let mut scan = Scan::default();
        let root = &self.inner.dir;
        for arch in tree::names(root).at("list", self.root())? {
            let arch = Path::new(&arch);
            if arch.as_os_str().as_encoded_bytes().starts_with(b".") || !is_folder(&self.root().join(arch)) {
                continue;
            }
            let folder = tree::open_folder(root, arch).at("open the folder", self.root().join(arch))?;
            for name in tree::names(&folder).at("list", self.root().join(arch))? {
                self.scan_prefix(&arch.join(name), &mut scan);
            }
        }
        Ok(scan)
    }

    fn scan_prefix(&self, prefix: &Path, scan: &mut Scan) {
        match self.read_prefix(prefix) {
            Ok(facts) => scan.found.push(facts),
            Err(reason) => scan.skipped.push(SkippedFolder { path: self.root().join(prefix), reason }),
        }
    }

    /// What a prefix says of itself, or why it doesn't count.
    fn read_prefix(&self, prefix: &Path) -> Result<PrefixFacts, String> {
        let spec = self.root().join(prefix).join(METADATA).join(SPEC);
        if !metadata::is_written(&spec) {
            return Err(format!("has no {METADATA}/{SPEC}"));
        }
        let facts = metadata::read_facts(self.root(), prefix).map_err(|error| error.to_string())?;
        let facts = facts.ok_or_else(|| format!("names no package in its {SPEC}"))?;
        if relative_prefix(&facts.node) != prefix {
            return Err(format!("says that it is {}/{}", facts.node.name_version(), facts.node.hash));
        }
        let marker = self.building_path().join(incomplete_marker(&facts.node.hash));
        if fs_err::symlink_metadata(marker).is_ok() {
            return Err("is being built".to_owned());
        }
        Ok(facts)
    }
}

#[derive(Default)]
struct Scan {
    found: Vec<PrefixFacts>,
    skipped: Vec<SkippedFolder>,
}

fn is_folder(path: &Path) -> bool {
    fs_err::symlink_metadata(path).is_ok_and(|metadata| metadata.is_dir())
}

fn report(known: &BTreeSet<String>, scan: Scan) -> ReindexReport {
    let found: BTreeSet<&str> = scan.found.iter().map(|facts| facts.node.hash.as_str()).collect();
    let added = scan.found.iter().map(|facts| facts.node.hash.clone());
    let removed = known.iter().filter(|hash| !found.contains(hash.as_str()));
    ReindexReport {
        installed: scan.found.len(),
        added: added.filter(|hash| !known.contains(hash.as_str())).collect(),
        removed: removed.filter_map(|hash| hash.parse().ok()).collect(),
        skipped: scan.skipped,
    }
}
