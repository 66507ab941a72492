//! What programs answered before, kept for as long as their files do not change.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::scan::FileState;

/// Number of the file's layout and of the table's questions: raised when either changes.
const FORMAT: u32 = 1;

/// A cache that could not be written.
#[derive(Debug, thiserror::Error)]
#[error("the list of programs found on this machine cannot be kept in `{}`; the next start asks them again", path.display())]
pub struct CacheError {
    path: PathBuf,
    source: io::Error,
}

/// Answers of programs, by package and file.
#[derive(Debug, Default)]
pub struct ExternalCache {
    records: Records,
    changed: bool,
}

type Records = BTreeMap<String, BTreeMap<String, Record>>;

/// What one file answered when it was in this state; no version when it was not the package's program.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Record {
    modified: i64,
    size: u64,
    version: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct Stored {
    format: u32,
    packages: Records,
}

impl ExternalCache {
    /// Reads a cache; one that is missing, damaged or of another format is empty.
    pub fn load(path: &Path) -> ExternalCache {
        let stored = fs_err::read(path).ok().and_then(|bytes| serde_json::from_slice::<Stored>(&bytes).ok());
        let current = stored.filter(|stored| stored.format == FORMAT);
        ExternalCache { records: current.map(|stored| stored.packages).unwrap_or_default(), changed: false }
    }

    /// Writes the cache where it has changed since it was read; the old file stays whole until the new one is.
    ///
    /// # Errors
    ///
    /// The folder is missing or cannot be written.
    pub fn save(&mut self, path: &Path) -> Result<(), CacheError> {
        if self.changed {
            let stored = Stored { format: FORMAT, packages: self.records.clone() };
            replace(path, &stored).map_err(|source| CacheError { path: path.to_owned(), source })?;
            self.changed = false;
        }
        Ok(())
    }

    /// The answer for a file in this state: the outer option is whether it is known.
    pub(crate) fn get(&self, package: &str, file: &FileState) -> Option<Option<String>> {
        let record = self.records.get(package)?.get(file.real_path.to_str()?)?;
        (record.modified == file.modified && record.size == file.size).then(|| record.version.clone())
    }

    pub(crate) fn insert(&mut self, package: &str, file: &FileState, version: Option<String>) {
        // A path that is not text cannot stand in JSON; it is asked each time.
        let Some(path) = file.real_path.to_str() else { return };
        let record = Record { modified: file.modified, size: file.size, version };
        self.records.entry(package.to_owned()).or_default().insert(path.to_owned(), record);
        self.changed = true;
    }
}

fn replace(path: &Path, stored: &Stored) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    serde_json::to_writer_pretty(&mut file, stored)?;
    file.flush()?;
    file.persist(path).map(drop).map_err(|error| error.error)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(size: u64) -> FileState {
        FileState { real_path: "/usr/bin/gcc-12".into(), modified: 5, size }
    }

    #[test]
    fn answers_last_as_long_as_their_files() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("externals.json");
        let mut cache = ExternalCache::load(&path);
        assert_eq!(cache.get("gcc", &state(1)), None);
        cache.insert("gcc", &state(1), Some("12.2.0".to_owned()));
        cache.insert("llvm", &state(1), None);
        cache.save(&path).unwrap();

        let again = ExternalCache::load(&path);
        assert_eq!(again.get("gcc", &state(1)), Some(Some("12.2.0".to_owned())));
        assert_eq!(again.get("llvm", &state(1)), Some(None));
        assert_eq!(again.get("gcc", &state(2)), None);
    }

    #[test]
    fn a_damaged_or_foreign_cache_is_empty() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("externals.json");
        for contents in ["{", "{\"format\": 0, \"packages\": {}}"] {
            fs_err::write(&path, contents).unwrap();
            assert!(ExternalCache::load(&path).records.is_empty());
        }
    }

    #[test]
    fn a_cache_that_cannot_be_kept_says_where() {
        let mut cache = ExternalCache::default();
        cache.insert("gcc", &state(1), None);
        let error = cache.save(Path::new("/nonexistent/externals.json")).unwrap_err();
        assert!(error.to_string().contains("`/nonexistent/externals.json`"));
    }
}
