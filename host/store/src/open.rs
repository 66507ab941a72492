//! Opening a store.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use cap_std::ambient_authority;
use cap_std::fs::Dir;
use rustix::fs::{Access, AtFlags, Mode, OFlags};
use rustix::io::Errno;
use spack_wasm_spec::{DagHash, Node};

use crate::database::Database;
use crate::error::{At, DatabaseError, FileError, StoreError};
use crate::layout::{BUILDING, DATABASE_FILE, DATABASE_FOLDER, HOLDERS, LOCK_FILE, relative_prefix};
use crate::lock::{Holder, LockError, LockFile, LockMode, Patience, PrefixLock};
use crate::{schema, tree};

/// How a store is opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StoreOptions {
    /// What is wanted of it.
    pub access: StoreAccess,
    /// What must have reached the disk before a prefix counts as installed.
    pub durability: Durability,
}

/// What is wanted of a store.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum StoreAccess {
    /// Installing and removing; where the store can't be written it is opened for reading.
    #[default]
    Write,
    /// Queries only: nothing is made, healed or locked.
    Read,
}

/// What must have reached the disk before a prefix counts as installed.
///
/// This is about power that fails, not about processes that are killed, and each wait for a disk costs milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Durability {
    /// The prefix's `spec.json`, without which it doesn't count as one. Other files may be torn when the power fails
    /// within seconds, as with every installer that leaves writing to the kernel.
    #[default]
    Spec,
    /// Every file and folder of the prefix, and its name.
    Everything,
}

/// Why a store can't be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The root belongs to a real Spack.
    #[error(
        "{} is the store of a real Spack (it holds .spack-db/index.json), and the two would not see each other's packages",
        root.display()
    )]
    SpackStore {
        /// The root.
        root: PathBuf,
    },
    /// The index was written by a later version.
    #[error("the database {} has version {found}, and this program knows up to {known}", path.display())]
    NewerDatabase {
        /// The index.
        path: PathBuf,
        /// Its version.
        found: u32,
        /// The newest that is known.
        known: u32,
    },
    /// The root isn't there, and reading was all that was wanted, or it can't be made.
    #[error(transparent)]
    File(#[from] FileError),
    /// The index.
    #[error(transparent)]
    Database(#[from] DatabaseError),
    /// The index was missing and can't be built again, or what a killed process left can't be put right.
    #[error(transparent)]
    Recovery(#[from] StoreError),
}

impl OpenError {
    /// What the user can do about it, where that is known.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::SpackStore { .. } => Some("set config:install_tree:root to a folder of spack-wasm's own"),
            Self::NewerDatabase { .. } => {
                Some("use a newer spack-wasm, or set config:install_tree:root to another folder")
            }
            Self::File(error) => error.hint(),
            Self::Database(error) => error.hint(),
            Self::Recovery(error) => error.hint(),
        }
    }
}

/// A folder of installed prefixes with its index and locks; cheap to clone, usable from several threads.
#[derive(Clone, Debug)]
pub struct Store {
    pub(crate) inner: Arc<Inner>,
}

#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) root: PathBuf,
    pub(crate) dir: Dir,
    pub(crate) database: Database,
    /// None in a store that can't be written.
    pub(crate) locks: Option<Arc<LockFile>>,
    pub(crate) options: StoreOptions,
    /// Mode of the folders between root and prefix.
    pub(crate) folder_mode: Mode,
}

impl Store {
    /// Opens the store at `root`, made with all that it needs where it isn't there.
    ///
    /// An index that is missing is built again, and what killed processes left between two steps of an
    /// installation or a removal is put right.
    ///
    /// # Errors
    /// The root is a real Spack's or can't be made, or the index is damaged or too new.
    pub fn open(root: &Path, options: StoreOptions) -> Result<Self, OpenError> {
        if fs_err::metadata(root.join(".spack-db/index.json")).is_ok() {
            return Err(OpenError::SpackStore { root: root.to_owned() });
        }
        if options.access == StoreAccess::Write {
            make_root(root)?;
        }
        let root = fs_err::canonicalize(root).at("open the store", root)?;
        let dir = Dir::open_ambient_dir(&root, ambient_authority()).at("open the store", &root)?;
        let folder_mode = folder_mode(&dir).at("look at", &root)?;
        if options.access == StoreAccess::Write
            && make_folders(&dir, folder_mode).at("make a folder in", &root)?
        {
            Self::open_for_writing(root, dir, folder_mode, options)
        } else {
            Self::open_for_reading(root, dir, folder_mode, options)
        }
    }

    fn open_for_writing(
        root: PathBuf,
        dir: Dir,
        folder_mode: Mode,
        options: StoreOptions,
    ) -> Result<Self, OpenError> {
        let folder = root.join(DATABASE_FOLDER);
        for name in [LOCK_FILE, DATABASE_FILE] {
            make_shared_file(&dir, name, folder_mode).at("make", folder.join(name))?;
        }
        let locks = LockFile::open(&folder.join(LOCK_FILE), &folder.join(HOLDERS))?;
        let database = Database::open(&folder.join(DATABASE_FILE))?;
        check_version(&database)?;
        let inner = Inner { root, dir, database, locks: Some(locks), options, folder_mode };
        let store = Self { inner: Arc::new(inner) };
        if !store.inner.database.is_complete()? {
            store.reindex()?;
        }
        store.heal()?;
        Ok(store)
    }

    fn open_for_reading(
        root: PathBuf,
        dir: Dir,
        folder_mode: Mode,
        options: StoreOptions,
    ) -> Result<Self, OpenError> {
        let path = root.join(DATABASE_FOLDER).join(DATABASE_FILE);
        let written = fs_err::metadata(&path).is_ok_and(|file| file.len() > 0);
        let database = if written { Database::open_read_only(&path)? } else { Database::empty(&path)? };
        check_version(&database)?;
        let complete = database.is_complete()?;
        let database = if complete { database } else { Database::empty(&path)? };
        let store =
            Self { inner: Arc::new(Inner { root, dir, database, locks: None, options, folder_mode }) };
        if !complete {
            // Whoever writes next makes the file; until then each reader has an index of its own.
            store.fill_index()?;
        }
        Ok(store)
    }

    /// The root, without links in it.
    pub fn root(&self) -> &Path {
        &self.inner.root
    }

    /// Whether nothing can be installed or removed.
    pub fn is_read_only(&self) -> bool {
        self.inner.locks.is_none()
    }

    /// Where a node is, or would be, installed; for an external, where something else did.
    pub fn prefix_of(&self, node: &Node) -> PathBuf {
        match &node.facts.external {
            Some(external) => external.path.clone(),
            None => self.inner.root.join(relative_prefix(node)),
        }
    }

    /// Locks a prefix: shared while it is used, exclusively to build or remove it.
    ///
    /// Where somebody else holds it, `waiting` is called with who that is, first at once and then about twenty times
    /// a second, until it is free or `waiting` gives up.
    ///
    /// # Errors
    /// `waiting` gave up, or the store can't be written.
    pub fn lock_prefix(
        &self,
        hash: &DagHash,
        mode: LockMode,
        waiting: &mut dyn FnMut(&Holder) -> Patience,
    ) -> Result<PrefixLock, LockError> {
        match &self.inner.locks {
            Some(locks) => locks.acquire(hash, mode, waiting),
            None => Err(LockError::ReadOnly { root: self.inner.root.clone() }),
        }
    }

    /// The exclusive lock of a prefix, when nobody has it.
    pub(crate) fn try_lock(&self, hash: &DagHash) -> Result<Option<PrefixLock>, StoreError> {
        match self.lock_prefix(hash, LockMode::Exclusive, &mut |_| Patience::GiveUp) {
            Ok(lock) => Ok(Some(lock)),
            Err(LockError::Held { .. } | LockError::Replacing { .. }) => Ok(None),
            Err(LockError::ReadOnly { root }) => Err(StoreError::ReadOnly { root }),
            Err(LockError::File(error)) => Err(error.into()),
            Err(LockError::Database(error)) => Err(error.into()),
        }
    }

    /// The folder in which prefixes are built.
    pub(crate) fn building(&self) -> Result<Dir, FileError> {
        self.inner.dir.open_dir(BUILDING).at("open the folder", self.building_path())
    }

    pub(crate) fn building_path(&self) -> PathBuf {
        self.inner.root.join(BUILDING)
    }
}

fn check_version(database: &Database) -> Result<(), OpenError> {
    let found = database.version()?;
    if found > schema::VERSION {
        let path = database.path().to_owned();
        return Err(OpenError::NewerDatabase { path, found, known: schema::VERSION });
    }
    Ok(())
}

/// Makes the root; a root that can't be written is found out later.
fn make_root(root: &Path) -> Result<(), FileError> {
    if fs_err::metadata(root).is_ok() {
        return Ok(());
    }
    fs_err::create_dir_all(root).at("make the store", root)?;
    // The build uid must get through to the prefixes, whatever the umask is.
    rustix::fs::chmod(root, Mode::from_raw_mode(0o755)).at("set the mode of", root)
}

/// Folders are as open to a group as the root is.
fn folder_mode(root: &Dir) -> io::Result<Mode> {
    let mode = Mode::from_raw_mode(tree::stat(root, ".")?.st_mode);
    Ok(Mode::from_raw_mode(0o755) | (mode & (Mode::WGRP | Mode::SGID)))
}

/// Makes the folders that a store needs; false when it can't be written.
fn make_folders(root: &Dir, mode: Mode) -> io::Result<bool> {
    for folder in [BUILDING, DATABASE_FOLDER] {
        match make_folder(root, folder, mode).and_then(|()| is_writable(root, folder)) {
            Ok(()) => {}
            Err(error) if cannot_write(&error) => return Ok(false),
            Err(error) => return Err(error),
        }
    }
    make_folder(&root.open_dir(DATABASE_FOLDER)?, HOLDERS, mode)?;
    Ok(true)
}

fn is_writable(root: &Dir, folder: &str) -> io::Result<()> {
    Ok(rustix::fs::accessat(root, folder, Access::WRITE_OK | Access::EXEC_OK, AtFlags::EACCESS)?)
}

fn cannot_write(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::ReadOnlyFilesystem | io::ErrorKind::PermissionDenied)
}

/// Makes a folder with exactly this mode, whatever the umask is; one that is there stays as it is.
pub(crate) fn make_folder(parent: &Dir, name: impl AsRef<Path>, mode: Mode) -> io::Result<()> {
    let name = name.as_ref();
    match rustix::fs::mkdirat(parent, name, mode) {
        Ok(()) => Ok(rustix::fs::chmodat(parent, name, mode, AtFlags::empty())?),
        Err(Errno::EXIST) => Ok(()),
        // Some systems say so before they look whether the folder is there.
        Err(Errno::ROFS | Errno::ACCESS) if tree::exists(parent, name)? => Ok(()),
        Err(errno) => Err(errno.into()),
    }
}

/// Makes an empty file of the index that everybody who may enter the store can read, and the group write where the root
/// allows it; SQLite gives the files beside its own the same mode.
///
/// A lock file that is there must not be opened here: see [`LockFile`].
pub(crate) fn make_shared_file(root: &Dir, name: &str, folder_mode: Mode) -> io::Result<()> {
    let mode = Mode::from_raw_mode(0o644) | (folder_mode & Mode::WGRP);
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
    match rustix::fs::openat(root, Path::new(DATABASE_FOLDER).join(name), flags, mode) {
        Ok(file) => Ok(rustix::fs::fchmod(file, mode)?),
        Err(Errno::EXIST) => Ok(()),
        Err(errno) => Err(errno.into()),
    }
}
