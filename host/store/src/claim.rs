//! Getting at a package that several processes may want at the same time, without waiting for each other in a circle.
//!
//! A run keeps a shared lock on whatever it uses until it ends. Hence these rules: nobody waits for the exclusive lock of
//! a package that is installed but to replace or remove it; who removes holds one lock at a time; and of those who
//! replace, there is one at a time in a store.

use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::path::Path;
use std::thread;
use std::time::Duration;

use rustix::fs::{FlockOperation, Mode, OFlags};
use rustix::io::Errno;
use spack_wasm_spec::DagHash;

use crate::error::{At, FileError};
use crate::installed::{Installation, Installed};
use crate::layout::{DATABASE_FOLDER, REPLACE_LOCK};
use crate::lock::{Holder, HolderNote, LockError, LockMode, Patience, PrefixLock};
use crate::metadata;
use crate::open::{Store, make_shared_file};

/// How long a run that replaces packages sleeps before it looks again whether another one has ended.
const PAUSE: Duration = Duration::from_millis(50);

/// What [`Store::claim`] came to.
#[derive(Debug)]
pub enum Claim {
    /// Nobody has built the package; here is its exclusive lock.
    Build(PrefixLock),
    /// It is installed, maybe by another process meanwhile; and it stays.
    Installed(Box<Installation>),
}

/// The right to replace installed packages, which one run has at a time; given back on drop.
#[derive(Debug)]
pub struct ReplaceLock {
    _file: File,
}

impl Store {
    /// The exclusive lock of a package that has to be built, or the shared one as soon as it is installed.
    ///
    /// `waiting` is called as in [`lock_prefix`](Self::lock_prefix).
    ///
    /// # Errors
    /// `waiting` gave up, or the store can't be read or written.
    pub fn claim(
        &self,
        hash: &DagHash,
        waiting: &mut dyn FnMut(&Holder) -> Patience,
    ) -> Result<Claim, LockError> {
        let mut found = None;
        let lock =
            self.lock_prefix(hash, LockMode::Exclusive, &mut |holder| match self.use_installed(hash) {
                Ok(None) => waiting(holder),
                ended => {
                    found = ended.transpose();
                    Patience::GiveUp
                }
            });
        match found {
            Some(installation) => Ok(Claim::Installed(Box::new(installation?))),
            None => Ok(Claim::Build(lock?)),
        }
    }

    /// The package with its shared lock, where it is installed and nobody is replacing or removing it.
    fn use_installed(&self, hash: &DagHash) -> Result<Option<Installation>, LockError> {
        if !self.installed(hash)? {
            return Ok(None);
        }
        let lock = match self.lock_prefix(hash, LockMode::Shared, &mut |_| Patience::GiveUp) {
            Err(LockError::Held { .. }) => return Ok(None),
            lock => lock?,
        };
        // It may have been removed before it was locked.
        let there = |installed: &Installed| metadata::is_written(&installed.spec_path());
        Ok(self.get(hash)?.filter(there).map(|installed| Installation { installed, lock }))
    }

    /// The right to replace installed packages; to be had before anything is locked.
    ///
    /// Two runs that replace what the other uses would wait for each other for ever.
    ///
    /// # Errors
    /// Another run has it and `waiting` gave up, or the store can't be written.
    pub fn lock_for_replacing(
        &self,
        waiting: &mut dyn FnMut(&Holder) -> Patience,
    ) -> Result<ReplaceLock, LockError> {
        if self.is_read_only() {
            return Err(LockError::ReadOnly { root: self.root().to_owned() });
        }
        let path = self.root().join(DATABASE_FOLDER).join(REPLACE_LOCK);
        let mut file = self.open_replace_lock().at("open", &path)?;
        loop {
            match rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => break,
                Err(Errno::WOULDBLOCK) => {}
                Err(errno) => return Err(FileError { action: "lock", path, cause: errno.into() }.into()),
            }
            let holder = holder_named_in(&mut file);
            if waiting(&holder) == Patience::GiveUp {
                return Err(LockError::Replacing { holder });
            }
            thread::sleep(PAUSE);
        }
        // Only a courtesy to those who wait.
        drop(leave_name(&mut file));
        Ok(ReplaceLock { _file: file })
    }

    fn open_replace_lock(&self) -> io::Result<File> {
        make_shared_file(&self.inner.dir, REPLACE_LOCK, self.inner.folder_mode)?;
        let path = Path::new(DATABASE_FOLDER).join(REPLACE_LOCK);
        let flags = OFlags::RDWR | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        Ok(File::from(rustix::fs::openat(&self.inner.dir, path, flags, Mode::empty())?))
    }
}

fn leave_name(file: &mut File) -> io::Result<()> {
    let note = serde_json::to_vec(&HolderNote::current())?;
    file.set_len(0)?;
    file.rewind()?;
    file.write_all(&note)
}

fn holder_named_in(file: &mut File) -> Holder {
    let mut text = String::new();
    let read = file.rewind().and_then(|()| file.read_to_string(&mut text));
    let note = read.ok().and_then(|_| serde_json::from_str::<HolderNote>(&text).ok());
    Holder::Other { pid: note.as_ref().map(|note| note.pid), host: note.map(|note| note.host) }
}
