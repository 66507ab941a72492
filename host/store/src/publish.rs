//! From a checked prefix to an installed package.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::io;
use std::path::PathBuf;

use cap_std::fs::Dir;
use rustix::fs::{AtFlags, FileType, OFlags, RenameFlags};
use rustix::io::Errno;
use rustix::process::{getegid, geteuid};
use spack_wasm_spec::{Dag, Node};

use crate::error::{At, DatabaseError, FileError};
use crate::index::{self, PrefixFacts};
use crate::installed::Installation;
use crate::layout::{METADATA, incomplete_marker, publishing_note, relative_prefix};
use crate::manifest::manifest;
use crate::metadata::{self, MANIFEST, SPEC};
use crate::open::Durability;
use crate::pending::{PendingPrefix, Place};
use crate::record::{InstallRecord, to_seconds};
use crate::tree;

/// A prefix in which nothing was found that may not be installed.
#[derive(Debug)]
pub struct CheckedPrefix {
    pub(crate) pending: PendingPrefix,
    pub(crate) hashes: BTreeMap<PathBuf, String>,
}

/// What has just been done of a publication; killed behind any of them, no half prefix is ever in sight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PublishStep {
    /// All belongs to the user.
    OwnerChanged,
    /// `.spack` is complete.
    RecordWritten,
    /// What must be on the disk is.
    Synced,
    /// A note says that the prefix is about to appear.
    Noted,
    /// It is at its final path.
    Moved,
    /// The index knows it.
    Indexed,
}

impl PublishStep {
    /// All steps, in order.
    pub const ALL: [Self; 6] =
        [Self::OwnerChanged, Self::RecordWritten, Self::Synced, Self::Noted, Self::Moved, Self::Indexed];
}

/// Why a prefix couldn't be published; nothing of it is installed.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// A file of the prefix or the store.
    #[error(transparent)]
    File(#[from] FileError),
    /// The index.
    #[error(transparent)]
    Database(#[from] DatabaseError),
    /// Something else appeared at the final path.
    #[error("{} appeared while the package was built", path.display())]
    Occupied {
        /// The final path.
        path: PathBuf,
    },
}

impl PublishError {
    /// What the user can do about it, where that is known.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::File(error) => error.hint(),
            Self::Database(error) => error.hint(),
            Self::Occupied { .. } => Some("look at it, and move it away"),
        }
    }
}

impl CheckedPrefix {
    /// The node that was built.
    pub fn node(&self) -> &Node {
        self.pending.node()
    }

    /// Its concrete spec with everything below it, as it'll stand in `spec.json`.
    pub fn dag(&self) -> &Dag {
        &self.pending.dag
    }

    /// Moves the prefix to its final path and enters it in the index, completely or not at all.
    ///
    /// To be called on a thread with the process's own rights to files, not on one that took the build user's.
    ///
    /// # Errors
    /// Something can't be written, for example because the disk is full; the prefix is removed.
    pub fn publish(self, record: &InstallRecord) -> Result<Installation, PublishError> {
        self.publish_observed(record, &mut |_| {})
    }

    /// As [`publish`](Self::publish), with a call behind each step.
    ///
    /// # Errors
    /// As [`publish`](Self::publish).
    pub fn publish_observed(
        self,
        record: &InstallRecord,
        observe: &mut dyn FnMut(PublishStep),
    ) -> Result<Installation, PublishError> {
        self.take_over()?;
        observe(PublishStep::OwnerChanged);
        self.write_record(record)?;
        observe(PublishStep::RecordWritten);
        self.sync()?;
        observe(PublishStep::Synced);
        let facts = self.note(record)?;
        observe(PublishStep::Noted);
        self.appear()?;
        observe(PublishStep::Moved);
        self.enter(&facts)?;
        observe(PublishStep::Indexed);
        self.finish(&facts)
    }

    /// Gives everything from the build's user to ours; links themselves, never what they point to.
    fn take_over(&self) -> Result<(), FileError> {
        if self.pending.identity.is_none() {
            return Ok(());
        }
        let shown = self.pending.building_path();
        let (owner, group) = (Some(geteuid()), Some(getegid()));
        rustix::fs::fchown(&self.pending.dir, owner, group).at("take over", &shown)?;
        tree::walk(&self.pending.dir, &shown, &mut |entry| {
            rustix::fs::chownat(entry.parent, entry.name, owner, group, AtFlags::SYMLINK_NOFOLLOW)
                .at("take over", shown.join(entry.path))
        })
    }

    fn write_record(&self, record: &InstallRecord) -> Result<(), FileError> {
        let PendingPrefix { dir, dag, .. } = &self.pending;
        let shown = self.pending.building_path();
        metadata::write(dir, &shown, dag, record)?;
        let left_out = metadata::not_in_manifest();
        let left_out: Vec<_> = left_out.iter().map(PathBuf::as_path).collect();
        let text = manifest(dir, &shown, &self.pending.final_path(), &self.hashes, &left_out)?;
        let path = shown.join(METADATA).join(MANIFEST);
        let folder = tree::open_folder(dir, METADATA).at("open the folder of", &path)?;
        metadata::write_file(&folder, MANIFEST.as_ref(), text.as_bytes()).at("write", path)
    }

    fn sync(&self) -> Result<(), FileError> {
        let dir = &self.pending.dir;
        let shown = self.pending.building_path();
        if !self.is_durable() {
            let path = shown.join(METADATA).join(SPEC);
            let folder = tree::open_folder(dir, METADATA).at("open the folder of", &path)?;
            return sync_entry(&folder, SPEC.as_ref(), OFlags::empty()).at("sync", path);
        }
        tree::walk(dir, &shown, &mut |entry| {
            let synced = match entry.kind() {
                FileType::RegularFile => sync_entry(entry.parent, entry.name, OFlags::empty()),
                FileType::Directory => sync_entry(entry.parent, entry.name, OFlags::DIRECTORY),
                _ => Ok(()),
            };
            synced.at("sync", shown.join(entry.path))
        })?;
        rustix::fs::fsync(dir).at("sync", &shown)
    }

    fn is_durable(&self) -> bool {
        self.pending.store.inner.options.durability == Durability::Everything
    }

    /// Leaves a note from which the next process makes the row, should this one end between move and row.
    fn note(&self, record: &InstallRecord) -> Result<PrefixFacts, FileError> {
        let node = Node::clone(&self.pending.node);
        let prefix = relative_prefix(&node);
        let note = publishing_note(&node.hash);
        let path = self.pending.store.building_path().join(&note);
        let building = self.pending.store.building()?;
        metadata::write_file(&building, note.as_ref(), prefix.as_os_str().as_encoded_bytes())
            .at("write", path)?;
        Ok(PrefixFacts {
            node,
            prefix,
            explicit: record.explicit,
            installed_at: to_seconds(record.installed_at),
        })
    }

    fn appear(&self) -> Result<(), PublishError> {
        let final_path = self.pending.final_path();
        let building = self.pending.store.building()?;
        let (folder, name) = self.pending.store.final_place(&self.pending.node)?;
        match &self.pending.place {
            Place::Apart(from) => {
                let moved = move_prefix(&building, from, &folder, &name, self.pending.replace);
                if moved.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::AlreadyExists) {
                    self.forget_note();
                    return Err(PublishError::Occupied { path: final_path });
                }
                moved.at("move the prefix to", &final_path).inspect_err(|_| self.forget_note())?;
            }
            Place::InPlace => {
                let marker = incomplete_marker(&self.pending.node.hash);
                rustix::fs::unlinkat(&building, &marker, AtFlags::empty()).at("complete", &final_path)?;
            }
        }
        if self.is_durable() {
            rustix::fs::fsync(&folder).at("sync the folder of", &final_path)?;
        }
        Ok(())
    }

    /// Writes the row; without a row there shall be no prefix either.
    fn enter(&self, facts: &PrefixFacts) -> Result<(), PublishError> {
        let database = &self.pending.store.inner.database;
        let entered =
            database.write("record the package in", |transaction| index::insert(transaction, facts));
        if let Err(error) = entered {
            self.disappear()?;
            return Err(error.into());
        }
        Ok(())
    }

    /// Undoes [`appear`](Self::appear).
    fn disappear(&self) -> Result<(), FileError> {
        let PendingPrefix { store, node, place, replace, .. } = &self.pending;
        let building = store.building()?;
        let (folder, name) = store.final_place(node)?;
        let undone = match place {
            Place::Apart(from) if *replace => move_prefix(&building, from, &folder, &name, true),
            Place::Apart(from) => {
                rustix::fs::renameat(&folder, &name, &building, from).map_err(io::Error::from)
            }
            Place::InPlace => return store.trash(&building, &relative_prefix(node), &node.hash),
        };
        undone.at("take back", self.pending.final_path())?;
        self.forget_note();
        Ok(())
    }

    /// A note that stays only makes the next process look.
    fn forget_note(&self) {
        if let Ok(building) = self.pending.store.building() {
            let _ =
                rustix::fs::unlinkat(&building, publishing_note(&self.pending.node.hash), AtFlags::empty());
        }
    }

    fn finish(mut self, facts: &PrefixFacts) -> Result<Installation, PublishError> {
        self.forget_note();
        let installed = facts.installed(self.pending.store.root());
        if let (Place::Apart(name), true) = (&self.pending.place, self.pending.replace) {
            let path = self.pending.store.building_path().join(name);
            tree::remove(&self.pending.store.building()?, name.as_ref()).at("remove the old prefix", path)?;
        }
        // From here on nothing is removed on drop.
        let lock = self.pending.lock.take().ok_or(Errno::NOLCK).at("keep the lock of", &installed.prefix)?;
        Ok(Installation { installed, lock: lock.into_shared()? })
    }
}

/// Moves without ever replacing; where a prefix is built again, the old one takes the new one's place in `building`.
fn move_prefix(building: &Dir, from: &str, folder: &Dir, name: &OsStr, replace: bool) -> io::Result<()> {
    let flags = if replace { RenameFlags::EXCHANGE } else { RenameFlags::NOREPLACE };
    match rustix::fs::renameat_with(building, from, folder, name, flags) {
        // Some file systems know no flags; the exclusive lock keeps others of ours away meanwhile.
        Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => {
            move_in_steps(building, from, folder, name, replace)
        }
        result => Ok(result?),
    }
}

fn move_in_steps(building: &Dir, from: &str, folder: &Dir, name: &OsStr, replace: bool) -> io::Result<()> {
    let aside = format!("{from}.old");
    if replace {
        rustix::fs::renameat(folder, name, building, &aside)?;
    } else if tree::exists(folder, name)? {
        return Err(io::ErrorKind::AlreadyExists.into());
    }
    rustix::fs::renameat(building, from, folder, name)?;
    if replace {
        rustix::fs::renameat(building, &aside, building, from)?;
    }
    Ok(())
}

fn sync_entry(parent: &Dir, name: &OsStr, flags: OFlags) -> io::Result<()> {
    Ok(rustix::fs::fsync(tree::open_file(parent, name, OFlags::RDONLY | flags)?)?)
}

#[cfg(test)]
mod tests {
    use cap_std::ambient_authority;

    use super::*;

    /// Each way of moving must end alike; file systems without flags aren't at hand in a test.
    #[test]
    fn both_ways_of_moving_keep_what_is_there_or_exchange_it() {
        for move_it in [move_prefix, move_in_steps] {
            let base = tempfile::tempdir().unwrap();
            for folder in ["building/new", "folder/old"] {
                fs_err::create_dir_all(base.path().join(folder)).unwrap();
            }
            let open =
                |name: &str| Dir::open_ambient_dir(base.path().join(name), ambient_authority()).unwrap();
            let (building, folder) = (open("building"), open("folder"));
            folder.write("old/file", "old").unwrap();
            building.write("new/file", "new").unwrap();
            let error = move_it(&building, "new", &folder, "old".as_ref(), false).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
            move_it(&building, "new", &folder, "old".as_ref(), true).unwrap();
            assert_eq!(folder.read_to_string("old/file").unwrap(), "new");
            assert_eq!(building.read_to_string("new/file").unwrap(), "old");
            move_it(&building, "new", &folder, "fresh".as_ref(), false).unwrap();
            assert!(folder.exists("fresh/file") && !building.exists("new"));
        }
    }
}
