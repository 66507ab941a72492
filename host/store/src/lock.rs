//! Byte-range locks on prefixes, shared between threads, processes and machines.
//!
//! As in Spack there is one lock file, and each prefix has one byte of its range, chosen by its hash. `fcntl` locks
//! belong to the process: a second thread would be let in, and closing any descriptor of the file would drop them all.
//! Hence a table of what this process holds, and one descriptor a lock file that is never closed.

use std::collections::HashMap;
use std::fmt;
use std::fs::File;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, fcntl};
use nix::libc::{self, off_t};
use serde::{Deserialize, Serialize};
use spack_wasm_spec::DagHash;

use crate::error::{At, DatabaseError, FileError, StoreError};
use crate::process;

/// How a prefix is locked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LockMode {
    /// The prefix is used and must stay: many may hold it.
    Shared,
    /// The prefix is built or removed: one holds it, and nobody else holds anything.
    Exclusive,
}

/// Whether to go on waiting for a lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Patience {
    /// Ask again soon.
    Wait,
    /// Return [`LockError::Held`].
    GiveUp,
}

/// Who holds a lock, as far as it can be known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Holder {
    /// A thread of this process.
    ThisProcess,
    /// Another process.
    Other {
        /// Its number; none for a process of another container or machine.
        pid: Option<u32>,
        /// Its machine, where it left its name.
        host: Option<String>,
    },
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ThisProcess => f.write_str("another build of this process"),
            Self::Other { pid, host } => {
                match pid {
                    Some(pid) => write!(f, "process {pid}")?,
                    None => f.write_str("a process elsewhere")?,
                }
                host.as_ref().map_or(Ok(()), |host| write!(f, " on {host}"))
            }
        }
    }
}

/// Why a prefix couldn't be locked.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Somebody else holds it, and the caller didn't wait longer.
    #[error("the prefix of {hash} is held by {holder}")]
    Held {
        /// Which prefix.
        hash: DagHash,
        /// By whom.
        holder: Holder,
    },
    /// The store can't be written.
    #[error("the store {} is read-only, so nothing in it can be locked", root.display())]
    ReadOnly {
        /// The store's root.
        root: PathBuf,
    },
    /// Another run replaces packages, and the caller didn't wait longer.
    #[error("installed packages are being replaced by {holder}")]
    Replacing {
        /// By whom.
        holder: Holder,
    },
    /// The lock file.
    #[error(transparent)]
    File(#[from] FileError),
    /// Whether a package is installed can't be found out.
    #[error(transparent)]
    Database(#[from] DatabaseError),
}

impl LockError {
    /// What the user can do about it, where that is known.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Held { .. } | Self::Replacing { .. } => Some("wait until it has ended"),
            Self::ReadOnly { root } => StoreError::ReadOnly { root: root.clone() }.hint(),
            Self::File(error) => error.hint(),
            Self::Database(error) => error.hint(),
        }
    }
}

/// What this process holds of one byte.
#[derive(Debug)]
enum Held {
    Shared(usize),
    Exclusive,
}

/// The lock file of a store.
#[derive(Debug)]
pub(crate) struct LockFile {
    file: File,
    path: PathBuf,
    holders: PathBuf,
    table: Mutex<HashMap<off_t, Held>>,
}

/// A file, whatever its path: device and inode.
type FileKey = (u64, u64);

/// Every lock file that this process opened.
static OPENED: Mutex<Vec<(FileKey, Arc<LockFile>)>> = Mutex::new(Vec::new());

/// The tables hold no invariant that a panic elsewhere could break.
fn guard<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl LockFile {
    /// The lock file at `path`, made where it isn't there; who holds a lock is noted in the folder `holders`.
    pub(crate) fn open(path: &Path, holders: &Path) -> Result<Arc<Self>, FileError> {
        let mut opened = guard(&OPENED);
        // A look at the path instead of an open: closing a second descriptor would drop this process's locks.
        if let Ok(metadata) = fs_err::metadata(path) {
            let key = (metadata.dev(), metadata.ino());
            if let Some((_, file)) = opened.iter().find(|(known, _)| *known == key) {
                return Ok(Arc::clone(file));
            }
        }
        let options = fs_err::OpenOptions::new().read(true).write(true).create(true).open(path);
        let file = options.at("open the lock file", path)?.into_file();
        let metadata = file.metadata().at("look at", path)?;
        let table = Mutex::new(HashMap::new());
        let file = Arc::new(Self { file, path: path.to_owned(), holders: holders.to_owned(), table });
        opened.push(((metadata.dev(), metadata.ino()), Arc::clone(&file)));
        Ok(file)
    }

    /// Takes the lock of `hash`; `waiting` is called with the holder each time that it isn't free.
    pub(crate) fn acquire(
        self: &Arc<Self>,
        hash: &DagHash,
        mode: LockMode,
        waiting: &mut dyn FnMut(&Holder) -> Patience,
    ) -> Result<PrefixLock, LockError> {
        let mut pause = Duration::from_millis(1);
        while let Some(holder) = self.try_acquire(hash, mode)? {
            if waiting(&holder) == Patience::GiveUp {
                return Err(LockError::Held { hash: hash.clone(), holder });
            }
            thread::sleep(pause);
            pause = (pause * 2).min(Duration::from_millis(50));
        }
        Ok(PrefixLock { file: Arc::clone(self), hash: hash.clone(), mode })
    }

    /// Takes the lock, or says who holds it.
    fn try_acquire(&self, hash: &DagHash, mode: LockMode) -> Result<Option<Holder>, FileError> {
        let offset = offset_of(hash);
        let mut table = guard(&self.table);
        match (table.get_mut(&offset), mode) {
            (Some(Held::Shared(count)), LockMode::Shared) => *count += 1,
            (Some(_), _) => return Ok(Some(Holder::ThisProcess)),
            (None, _) => {
                // Whoever was in the way may be gone by the time that we ask who it was.
                while !self.set(offset, lock_type(mode))? {
                    if let Some(holder) = self.holder(offset, mode, hash)? {
                        return Ok(Some(holder));
                    }
                }
                let held = match mode {
                    LockMode::Shared => Held::Shared(1),
                    LockMode::Exclusive => Held::Exclusive,
                };
                table.insert(offset, held);
                if mode == LockMode::Exclusive {
                    self.note_holder(hash);
                }
            }
        }
        Ok(None)
    }

    /// Sets the lock of this process on one byte; false when another process is in the way.
    fn set(&self, offset: off_t, kind: i32) -> Result<bool, FileError> {
        match fcntl(&self.file, FcntlArg::F_SETLK(&byte_range(offset, kind))) {
            Ok(_) => Ok(true),
            Err(Errno::EAGAIN | Errno::EACCES) => Ok(false),
            Err(errno) => Err(errno).at("lock a byte of", &self.path),
        }
    }

    /// The process in the way, if it still is.
    fn holder(&self, offset: off_t, mode: LockMode, hash: &DagHash) -> Result<Option<Holder>, FileError> {
        let mut range = byte_range(offset, lock_type(mode));
        fcntl(&self.file, FcntlArg::F_GETLK(&mut range)).at("ask who locks", &self.path)?;
        if i32::from(range.l_type) == libc::F_UNLCK {
            return Ok(None);
        }
        let pid = u32::try_from(range.l_pid).ok().filter(|pid| *pid > 0);
        let note = self.read_holder(hash).filter(|note| pid.is_none_or(|pid| pid == note.pid));
        Ok(Some(Holder::Other { pid, host: note.map(|note| note.host) }))
    }

    /// Leaves this process's name for those who wait. Only a courtesy: a store that is full can still be locked.
    fn note_holder(&self, hash: &DagHash) {
        let note = HolderNote::current();
        let path = self.holders.join(hash.as_str());
        if let Ok(text) = serde_json::to_string(&note)
            && fs_err::write(&path, text).is_ok()
        {
            let _ = rustix::fs::chmod(path, rustix::fs::Mode::from_raw_mode(0o644));
        }
    }

    fn read_holder(&self, hash: &DagHash) -> Option<HolderNote> {
        let text = fs_err::read_to_string(self.holders.join(hash.as_str())).ok()?;
        serde_json::from_str(&text).ok()
    }

    fn release(&self, hash: &DagHash, mode: LockMode) {
        let offset = offset_of(hash);
        let mut table = guard(&self.table);
        if let Some(Held::Shared(count)) = table.get_mut(&offset)
            && *count > 1
        {
            *count -= 1;
            return;
        }
        if mode == LockMode::Exclusive {
            drop(fs_err::remove_file(self.holders.join(hash.as_str())));
        }
        table.remove(&offset);
        // Unlocking a range that is locked can't fail for a reason that anybody could act on.
        drop(self.set(offset, libc::F_UNLCK));
    }
}

/// What a holder leaves for those who wait.
#[derive(Serialize, Deserialize)]
pub(crate) struct HolderNote {
    pub(crate) host: String,
    pub(crate) pid: u32,
}

impl HolderNote {
    /// The name of this process.
    pub(crate) fn current() -> Self {
        Self { host: process::host_name(), pid: std::process::id() }
    }
}

fn lock_type(mode: LockMode) -> i32 {
    match mode {
        LockMode::Shared => libc::F_RDLCK,
        LockMode::Exclusive => libc::F_WRLCK,
    }
}

fn byte_range(offset: off_t, kind: i32) -> libc::flock {
    libc::flock {
        // The constants are 0, 1 and 2.
        l_type: i16::try_from(kind).unwrap_or_default(),
        l_whence: i16::try_from(libc::SEEK_SET).unwrap_or_default(),
        l_start: offset,
        l_len: 1,
        l_pid: 0,
    }
}

/// The byte that stands for a hash: its first 60 bits.
fn offset_of(hash: &DagHash) -> off_t {
    let digit = |byte: u8| if byte.is_ascii_digit() { byte - b'2' + 26 } else { byte - b'a' };
    hash.as_str().bytes().take(12).fold(0, |offset, byte| offset << 5 | off_t::from(digit(byte)))
}

/// A lock on a prefix, released on drop.
#[derive(Debug)]
pub struct PrefixLock {
    file: Arc<LockFile>,
    hash: DagHash,
    mode: LockMode,
}

impl PrefixLock {
    /// Which prefix it locks.
    pub fn hash(&self) -> &DagHash {
        &self.hash
    }

    /// How.
    pub fn mode(&self) -> LockMode {
        self.mode
    }

    /// Lets others use the prefix, without a moment in which somebody could remove it.
    ///
    /// # Errors
    /// The lock file can't be used.
    pub fn into_shared(mut self) -> Result<Self, FileError> {
        if self.mode == LockMode::Exclusive {
            let offset = offset_of(&self.hash);
            let mut table = guard(&self.file.table);
            drop(fs_err::remove_file(self.file.holders.join(self.hash.as_str())));
            self.file.set(offset, libc::F_RDLCK)?;
            table.insert(offset, Held::Shared(1));
            drop(table);
            self.mode = LockMode::Shared;
        }
        Ok(self)
    }
}

impl Drop for PrefixLock {
    fn drop(&mut self) {
        self.file.release(&self.hash, self.mode);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lock_file(folder: &Path) -> Arc<LockFile> {
        LockFile::open(&folder.join("lock"), folder).unwrap()
    }

    fn hash(letter: char) -> DagHash {
        letter.to_string().repeat(32).parse().unwrap()
    }

    fn now(_: &Holder) -> Patience {
        Patience::GiveUp
    }

    #[test]
    fn two_threads_do_not_share_an_exclusive_lock() {
        let folder = tempfile::tempdir().unwrap();
        let first = lock_file(folder.path());
        let held = first.acquire(&hash('a'), LockMode::Exclusive, &mut now).unwrap();
        let second = lock_file(folder.path());
        let error = second.acquire(&hash('a'), LockMode::Shared, &mut now).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("the prefix of {} is held by another build of this process", hash('a'))
        );
        second.acquire(&hash('b'), LockMode::Exclusive, &mut now).unwrap();
        drop(held);
        second.acquire(&hash('a'), LockMode::Exclusive, &mut now).unwrap();
    }

    #[test]
    fn readers_share_and_keep_a_writer_out_until_the_last_is_gone() {
        let folder = tempfile::tempdir().unwrap();
        let file = lock_file(folder.path());
        let one = file.acquire(&hash('a'), LockMode::Shared, &mut now).unwrap();
        let two = file.acquire(&hash('a'), LockMode::Shared, &mut now).unwrap();
        drop(one);
        assert!(file.acquire(&hash('a'), LockMode::Exclusive, &mut now).is_err());
        drop(two);
        let writer = file.acquire(&hash('a'), LockMode::Exclusive, &mut now).unwrap();
        let reader = writer.into_shared().unwrap();
        assert_eq!(reader.mode(), LockMode::Shared);
        file.acquire(&hash('a'), LockMode::Shared, &mut now).unwrap();
    }

    #[test]
    fn a_waiter_gets_the_lock_when_the_holder_lets_go() {
        let folder = tempfile::tempdir().unwrap();
        let file = lock_file(folder.path());
        let mut held = Some(file.acquire(&hash('a'), LockMode::Exclusive, &mut now).unwrap());
        let mut waited = 0;
        let lock = file.acquire(&hash('a'), LockMode::Exclusive, &mut |holder| {
            assert_eq!(*holder, Holder::ThisProcess);
            waited += 1;
            if waited == 3 {
                held = None;
            }
            Patience::Wait
        });
        assert!(lock.is_ok());
        assert_eq!(waited, 3);
    }

    #[test]
    fn a_hash_locks_the_byte_of_its_first_60_bits() {
        assert_eq!(offset_of(&hash('a')), 0);
        assert_eq!(offset_of(&hash('7')), (1 << 60) - 1);
    }
}
