//! The local cache: a folder in the layout of a Spack mirror, so that it is one.
//!
//! ```text
//! _source-cache/archive/7b/7b38e58f….tar.gz    complete archives, only ever renamed into place
//! .part/7b38e58f….part                         a download under way or cut off
//! .part/7b38e58f….json                         where it came from, for resuming
//! .part/7b38e58f….lock                         held while one of these is touched
//! ```

use crate::checksum::Checksum;
use fs_err as fs;
use std::fs::TryLockError;
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use tempfile::TempDir;

const POLL: Duration = Duration::from_millis(50);
const ARCHIVE_MODE: u32 = 0o644;

/// Path of an archive within a mirror's root: `_source-cache/archive/<2 hex>/<hex>[.<extension>]`.
pub(crate) fn archive_path(checksum: &Checksum, extension: Option<&str>) -> String {
    let hex = checksum.hex();
    let dot = if extension.is_some() { "." } else { "" };
    format!("_source-cache/archive/{}/{hex}{dot}{}", &hex[..2], extension.unwrap_or_default())
}

/// The archive with that checksum in a mirror's folder, whatever its extension.
pub(crate) fn find_archive(root: &Path, checksum: &Checksum) -> io::Result<Option<PathBuf>> {
    let folder = root.join("_source-cache/archive").join(&checksum.hex()[..2]);
    let entries = match fs::read_dir(&folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name();
        let rest = name.to_str().and_then(|name| name.strip_prefix(checksum.hex()));
        if rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.')) {
            return Ok(Some(entry.path()));
        }
    }
    Ok(None)
}

/// The cache folder.
#[derive(Debug, Clone)]
pub(crate) struct Cache {
    root: PathBuf,
}

impl Cache {
    pub(crate) fn new(root: PathBuf) -> Self {
        Cache { root }
    }

    pub(crate) fn find(&self, checksum: &Checksum) -> io::Result<Option<PathBuf>> {
        find_archive(&self.root, checksum)
    }

    /// Where the work on an archive goes on; the key is its checksum, or stands for its address.
    pub(crate) fn workplace(&self, key: &str) -> io::Result<Workplace> {
        let folder = self.root.join(".part");
        fs::create_dir_all(&folder)?;
        Ok(Workplace { stem: folder.join(key) })
    }

    /// A file of the cache by its path in a mirror.
    pub(crate) fn path(&self, below: &str) -> PathBuf {
        self.root.join(below)
    }

    /// A folder that goes when it is dropped.
    pub(crate) fn scratch(&self, prefix: &str) -> io::Result<TempDir> {
        let folder = self.root.join(".part");
        fs::create_dir_all(&folder)?;
        tempfile::Builder::new().prefix(&format!("{prefix}-")).tempdir_in(folder)
    }

    /// Makes a complete file one of the cache, by its path in a mirror.
    pub(crate) fn keep(&self, file: &Path, below: &str) -> io::Result<()> {
        let to = self.root.join(below);
        fs::create_dir_all(to.parent().unwrap_or(&self.root))?;
        fs::set_permissions(file, std::fs::Permissions::from_mode(ARCHIVE_MODE))?;
        fs::File::open(file)?.sync_all()?;
        fs::rename(file, &to)
    }

    /// Makes a complete file an archive of the cache. It is on the disk before it has its name.
    pub(crate) fn publish(
        &self,
        file: &Path,
        checksum: &Checksum,
        extension: Option<&str>,
    ) -> io::Result<PathBuf> {
        let to = self.root.join(archive_path(checksum, extension));
        let folder = to.parent().unwrap_or(&self.root);
        fs::create_dir_all(folder)?;
        fs::set_permissions(file, std::fs::Permissions::from_mode(ARCHIVE_MODE))?;
        fs::File::open(file)?.sync_all()?;
        fs::rename(file, &to)?;
        fs::File::open(folder)?.sync_all()?;
        Ok(to)
    }
}

/// Files of one archive's download.
#[derive(Debug, Clone)]
pub(crate) struct Workplace {
    stem: PathBuf,
}

impl Workplace {
    pub(crate) fn part(&self) -> PathBuf {
        self.with("part")
    }

    pub(crate) fn notes(&self) -> PathBuf {
        self.with("json")
    }

    /// For programs that write the file themselves.
    pub(crate) fn foreign(&self) -> PathBuf {
        self.with("foreign")
    }

    fn with(&self, extension: &str) -> PathBuf {
        let mut name = self.stem.clone().into_os_string();
        name.push(".");
        name.push(extension);
        name.into()
    }

    /// Takes the lock, telling once when somebody else has it. Polls, so that a cancelled fetch leaves no thread
    /// waiting.
    pub(crate) async fn lock(&self, waiting: impl FnOnce()) -> io::Result<Lock> {
        let mut waiting = Some(waiting);
        loop {
            if let Some(lock) = Lock::try_take(&self.with("lock"))? {
                return Ok(lock);
            }
            if let Some(tell) = waiting.take() {
                tell();
            }
            tokio::time::sleep(POLL).await;
        }
    }
}

/// A lock file, gone when it is dropped.
#[derive(Debug)]
pub(crate) struct Lock {
    path: PathBuf,
    _file: std::fs::File,
}

impl Lock {
    /// Takes the lock if it is free. Whoever lets go of it removes the file, so a lock counts only when the file is
    /// still the one with that name.
    pub(crate) fn try_take(path: &Path) -> io::Result<Option<Self>> {
        let file = fs::OpenOptions::new().create(true).truncate(false).write(true).open(path)?.into_file();
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(None),
            Err(TryLockError::Error(error)) => return Err(error),
        }
        let named = fs::metadata(path).ok().map(|metadata| (metadata.dev(), metadata.ino()));
        let held = file.metadata()?;
        let current = named == Some((held.dev(), held.ino()));
        Ok(current.then(|| Lock { path: path.to_owned(), _file: file }))
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // A file that stays is only litter: the lock itself ends with the descriptor.
        let _ = fs::remove_file(&self.path);
    }
}

/// Removes a file that may not be there.
pub(crate) fn remove_if_there(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checksum::Algorithm;

    fn checksum() -> Checksum {
        Algorithm::Sha256.hasher().finish()
    }

    #[test]
    fn archives_are_found_by_checksum_whatever_their_extension() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::new(folder.path().to_owned());
        assert_eq!(cache.find(&checksum()).unwrap(), None);
        let file = folder.path().join("download");
        fs::write(&file, "").unwrap();
        let path = cache.publish(&file, &checksum(), Some("tar.gz")).unwrap();
        assert_eq!(path, folder.path().join(archive_path(&checksum(), Some("tar.gz"))));
        assert_eq!(cache.find(&checksum()).unwrap(), Some(path));
        assert!(!file.exists());
    }

    #[test]
    fn a_lock_is_held_by_one_and_leaves_no_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.lock");
        let held = Lock::try_take(&path).unwrap().unwrap();
        assert!(Lock::try_take(&path).unwrap().is_none());
        drop(held);
        assert!(!path.exists());
        assert!(Lock::try_take(&path).unwrap().is_some());
    }
}
