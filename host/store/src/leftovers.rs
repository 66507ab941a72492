//! What killed processes left: put right or removed.
//!
//! Everything in `.building` belongs to the holder of its prefix's exclusive lock. A lock that can be had therefore
//! proves that the process is dead, on whatever machine and in whatever container it ran.

use std::ffi::OsStr;
use std::path::{Component, Path, PathBuf};

use cap_std::fs::Dir;
use rustix::fs::{AtFlags, RenameFlags};
use spack_wasm_spec::{DagHash, Node};

use crate::error::{At, FileError, StoreError};
use crate::index::{self, PrefixFacts};
use crate::installed::Installed;
use crate::layout::{BuildingEntry, incomplete_marker, relative_prefix};
use crate::lock::PrefixLock;
use crate::metadata::{self, SPEC};
use crate::open::Store;
use crate::pending::unique_name;
use crate::{layout, tree};

impl Store {
    /// Removes what builds and removals of dead processes left, and says what; what others are busy with stays.
    ///
    /// To be called when a command starts.
    ///
    /// # Errors
    /// Something can't be removed, or the store can't be written.
    pub fn collect_leftovers(&self) -> Result<Vec<PathBuf>, StoreError> {
        self.each_leftover(&mut |_| true)
    }

    /// Puts right what makes the index differ from the prefixes, which takes no time worth mentioning.
    pub(crate) fn heal(&self) -> Result<(), StoreError> {
        let differs = |entry: &BuildingEntry| match entry {
            BuildingEntry::Publishing(_) => true,
            // The row of a prefix that was moved away is removed; the prefix itself can wait.
            BuildingEntry::Trash(hash) => self.get(hash).is_ok_and(|installed| installed.is_some()),
            BuildingEntry::Pending(_) | BuildingEntry::Incomplete(_) => false,
        };
        self.each_leftover(&mut |entry| differs(entry)).map(drop)
    }

    /// Clears the entries of dead processes that are wanted.
    fn each_leftover(
        &self,
        wanted: &mut dyn FnMut(&BuildingEntry) -> bool,
    ) -> Result<Vec<PathBuf>, StoreError> {
        let building = self.building()?;
        let mut cleared = Vec::new();
        for (name, entry) in entries(&building).at("list", self.building_path())? {
            if !wanted(&entry) {
                continue;
            }
            let Some(lock) = self.try_lock(entry.hash())? else { continue };
            self.clear(&building, &name, &entry, &lock)?;
            cleared.push(self.building_path().join(name));
        }
        Ok(cleared)
    }

    /// Clears everything that belongs to a prefix whose lock the caller has.
    pub(crate) fn clear_leftovers_of(&self, lock: &PrefixLock) -> Result<(), StoreError> {
        let building = self.building()?;
        for (name, entry) in entries(&building).at("list", self.building_path())? {
            if entry.hash() == lock.hash() {
                self.clear(&building, &name, &entry, lock)?;
            }
        }
        Ok(())
    }

    fn clear(
        &self,
        building: &Dir,
        name: &str,
        entry: &BuildingEntry,
        lock: &PrefixLock,
    ) -> Result<(), StoreError> {
        let path = self.building_path().join(name);
        match entry {
            BuildingEntry::Incomplete(hash) => self.remove_incomplete(name, hash),
            BuildingEntry::Publishing(hash) => {
                self.complete_publication(building, name, hash)?;
                self.forget_missing(hash)?;
                Ok(rustix::fs::unlinkat(building, name, AtFlags::empty()).at("remove", path)?)
            }
            BuildingEntry::Trash(hash) => {
                self.forget_missing(hash)?;
                Ok(tree::remove(building, OsStr::new(name)).at("remove", path)?)
            }
            BuildingEntry::Pending(_) => {
                debug_assert_eq!(lock.hash(), entry.hash());
                Ok(tree::remove(building, OsStr::new(name)).at("remove", path)?)
            }
        }
    }

    /// Enters the prefix that a note names, if it got as far as its final path.
    fn complete_publication(&self, building: &Dir, note: &str, hash: &DagHash) -> Result<(), StoreError> {
        let incomplete =
            tree::exists(building, incomplete_marker(hash)).at("look at", self.building_path())?;
        let Some(prefix) = self.noted_prefix(building, note)? else { return Ok(()) };
        if incomplete || !self.is_complete(&prefix) {
            return Ok(());
        }
        match self.read_facts(&prefix)? {
            Some(facts) if facts.node.hash == *hash => Ok(self
                .inner
                .database
                .write("record a package in", |transaction| index::insert(transaction, &facts))?),
            _ => Ok(()),
        }
    }

    /// Removes a row whose prefix is gone.
    fn forget_missing(&self, hash: &DagHash) -> Result<(), StoreError> {
        if self.get(hash)?.is_some_and(|installed| fs_err::symlink_metadata(&installed.prefix).is_err()) {
            self.inner
                .database
                .write("remove a package from", |transaction| index::remove(transaction, hash))?;
        }
        Ok(())
    }

    /// Removes a prefix that was built in place and is not complete, then its marker.
    pub(crate) fn remove_incomplete(&self, marker: &str, hash: &DagHash) -> Result<(), StoreError> {
        let building = self.building()?;
        if let Some(prefix) = self.noted_prefix(&building, marker)? {
            self.trash(&building, &prefix, hash)?;
        }
        let path = self.building_path().join(marker);
        Ok(rustix::fs::unlinkat(&building, marker, AtFlags::empty()).at("remove", path)?)
    }

    /// Moves what is at a prefix's path out of sight, then deletes it; nothing there is fine.
    pub(crate) fn trash(&self, building: &Dir, prefix: &Path, hash: &DagHash) -> Result<(), FileError> {
        let Some(trash) = self.move_to_trash(building, prefix, hash)? else { return Ok(()) };
        let path = self.building_path().join(&trash);
        tree::remove(building, OsStr::new(&trash)).at("remove", path)
    }

    /// Moves a prefix out of sight in one step, and says under which name; none when it wasn't there.
    pub(crate) fn move_to_trash(
        &self,
        building: &Dir,
        prefix: &Path,
        hash: &DagHash,
    ) -> Result<Option<String>, FileError> {
        let full = self.root().join(prefix);
        let trash = format!("trash-{}", unique_name(hash));
        let root = &self.inner.dir;
        let moved = match rustix::fs::renameat_with(root, prefix, building, &trash, RenameFlags::NOREPLACE) {
            Err(rustix::io::Errno::INVAL | rustix::io::Errno::NOSYS | rustix::io::Errno::NOTSUP) => {
                rustix::fs::renameat(root, prefix, building, &trash)
            }
            result => result,
        };
        match moved {
            Ok(()) => Ok(Some(trash)),
            Err(rustix::io::Errno::NOENT) => Ok(None),
            Err(errno) => Err(errno).at("move away", full),
        }
    }

    /// The prefix, beneath the root, that a marker or note names; none when it doesn't read as one.
    fn noted_prefix(&self, building: &Dir, name: &str) -> Result<Option<PathBuf>, FileError> {
        let text = building.read(name).at("read", self.building_path().join(name))?;
        let text = String::from_utf8_lossy(&text);
        let path = Path::new(text.as_ref());
        let plain = path.components().all(|part| matches!(part, Component::Normal(_)));
        Ok((plain && path.components().count() == 2).then(|| path.to_owned()))
    }

    /// What is installed at a node's prefix; enters a complete prefix that the index doesn't know, and removes the row
    /// of one that is gone. The caller has its exclusive lock.
    pub(crate) fn complete_prefix(&self, node: &Node) -> Result<Option<Installed>, StoreError> {
        let prefix = relative_prefix(node);
        match (self.get(&node.hash)?, self.is_complete(&prefix)) {
            (Some(installed), true) => Ok(Some(installed)),
            (known, false) => {
                if known.is_some() {
                    self.inner.database.write("remove a package from", |transaction| {
                        index::remove(transaction, &node.hash)
                    })?;
                }
                Ok(None)
            }
            (None, true) => self.adopt(&prefix, node),
        }
    }

    fn is_complete(&self, prefix: &Path) -> bool {
        metadata::is_written(&self.root().join(prefix).join(layout::METADATA).join(SPEC))
    }

    /// Removes a prefix of ours whose spec a loss of power tore, or that can't be read, and says what was wrong with it;
    /// the caller has its exclusive lock.
    pub(crate) fn remove_torn(&self, prefix: &Path, hash: &DagHash) -> Result<Option<String>, StoreError> {
        let folder = self.root().join(prefix).join(layout::METADATA);
        if fs_err::symlink_metadata(&folder).is_err() {
            return Ok(None);
        }
        let spec = folder.join(SPEC);
        let wrong = match self.is_complete(prefix).then(|| metadata::read_dag(&spec)) {
            None => format!("{} is missing or empty", spec.display()),
            Some(Err(error @ StoreError::Spec { .. })) => error.to_string(),
            Some(Err(error)) => return Err(error),
            Some(Ok(_)) => return Ok(None),
        };
        self.trash(&self.building()?, prefix, hash)?;
        Ok(Some(wrong))
    }

    /// What a prefix says of itself; nothing where that can't be understood.
    fn read_facts(&self, prefix: &Path) -> Result<Option<PrefixFacts>, StoreError> {
        match metadata::read_facts(self.root(), prefix) {
            Err(StoreError::Spec { .. }) => Ok(None),
            facts => facts,
        }
    }

    fn adopt(&self, prefix: &Path, node: &Node) -> Result<Option<Installed>, StoreError> {
        let Some(facts) = self.read_facts(prefix)?.filter(|facts| facts.node.hash == node.hash) else {
            return Ok(None);
        };
        self.inner.database.write("record a package in", |transaction| index::insert(transaction, &facts))?;
        Ok(Some(facts.installed(self.root())))
    }
}

/// Our entries in `.building`; what isn't ours stays.
fn entries(building: &Dir) -> std::io::Result<Vec<(String, BuildingEntry)>> {
    let names = tree::names(building)?;
    let ours = names.into_iter().filter_map(|name| {
        let name = name.into_string().ok()?;
        let entry = BuildingEntry::parse(&name)?;
        Some((name, entry))
    });
    Ok(ours.collect())
}
