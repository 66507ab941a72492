//! An index that can't be read: moved aside, and built again.

use std::path::{Path, PathBuf};

use crate::error::{At, FileError, StoreError};
use crate::layout::{DATABASE_FILE, DATABASE_FOLDER};
use crate::open::{OpenError, Store, StoreOptions};
use crate::record::to_seconds;
use crate::reindex::ReindexReport;

/// What SQLite keeps beside a database, as the names end.
const COMPANIONS: [&str; 3] = ["-wal", "-shm", "-journal"];

/// What [`Store::rebuild`] did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rebuilt {
    /// What is in the index now, and what was not in it before.
    pub report: ReindexReport,
    /// Where the old index is, when it was damaged.
    pub damaged: Option<PathBuf>,
}

impl OpenError {
    fn is_damage(&self) -> bool {
        match self {
            Self::Database(error) | Self::Recovery(StoreError::Database(error)) => error.is_damage(),
            _ => false,
        }
    }
}

impl Store {
    /// Builds the index of the store at `root` again, also where the old one is damaged: that one is moved aside first.
    ///
    /// # Errors
    /// The store can't be read or written.
    pub fn rebuild(root: &Path, options: StoreOptions) -> Result<Rebuilt, OpenError> {
        let again = || -> Result<ReindexReport, OpenError> { Ok(Self::open(root, options)?.reindex()?) };
        match again() {
            Err(error) if error.is_damage() => {
                let damaged = move_aside(&root.join(DATABASE_FOLDER))?;
                Ok(Rebuilt { report: again()?, damaged: Some(damaged) })
            }
            report => Ok(Rebuilt { report: report?, damaged: None }),
        }
    }
}

/// Moves the index with what belongs to it, and says where it is now.
fn move_aside(folder: &Path) -> Result<PathBuf, FileError> {
    let now = to_seconds(std::time::SystemTime::now());
    let aside = format!("{DATABASE_FILE}.damaged-{now}-{}", std::process::id());
    for companion in COMPANIONS {
        let path = folder.join(format!("{DATABASE_FILE}{companion}"));
        if fs_err::symlink_metadata(&path).is_ok() {
            fs_err::rename(&path, folder.join(format!("{aside}{companion}"))).at("move away", path)?;
        }
    }
    let (path, aside) = (folder.join(DATABASE_FILE), folder.join(aside));
    fs_err::rename(&path, &aside).at("move away", path)?;
    Ok(aside)
}
