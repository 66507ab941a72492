use std::io;
use std::path::{Path, PathBuf};

use spack_wasm_spec::DagError;

/// A file operation that failed: what was tried, on which path, and why.
#[derive(Debug, thiserror::Error)]
#[error("can't {action} {}: {cause}", path.display())]
pub struct FileError {
    /// What was tried, as it reads behind "can't".
    pub action: &'static str,
    /// On what.
    pub path: PathBuf,
    /// What the system said.
    pub cause: io::Error,
}

impl FileError {
    /// What the user can do about it, where that is known.
    pub fn hint(&self) -> Option<&'static str> {
        hint_of(self.cause.kind())
    }
}

fn hint_of(kind: io::ErrorKind) -> Option<&'static str> {
    match kind {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            Some("free some space on the store's file system, or set config:install_tree:root to another one")
        }
        io::ErrorKind::ReadOnlyFilesystem | io::ErrorKind::PermissionDenied => {
            Some("set config:install_tree:root to a folder that you may write")
        }
        io::ErrorKind::NotADirectory => Some("set config:install_tree:root to a folder"),
        _ => None,
    }
}

/// Adds to a system error what was tried and where.
pub(crate) trait At<T> {
    fn at(self, action: &'static str, path: impl AsRef<Path>) -> Result<T, FileError>;
}

impl<T, E: Into<io::Error>> At<T> for Result<T, E> {
    fn at(self, action: &'static str, path: impl AsRef<Path>) -> Result<T, FileError> {
        self.map_err(|cause| FileError { action, path: path.as_ref().to_owned(), cause: cause.into() })
    }
}

/// A request to the index that failed.
#[derive(Debug, thiserror::Error)]
#[error("can't {action} {}: {cause}", path.display())]
pub struct DatabaseError {
    /// What was tried, as it reads behind "can't".
    pub action: &'static str,
    /// The database file.
    pub path: PathBuf,
    /// What SQLite said.
    pub cause: rusqlite::Error,
}

impl DatabaseError {
    /// What the user can do about it, where that is known.
    pub fn hint(&self) -> Option<&'static str> {
        use rusqlite::ErrorCode;
        if self.is_damage() {
            return Some("the database is only an index: `spack-wasm reindex` builds it again");
        }
        match self.cause.sqlite_error_code()? {
            ErrorCode::DiskFull => hint_of(io::ErrorKind::StorageFull),
            ErrorCode::ReadOnly => hint_of(io::ErrorKind::ReadOnlyFilesystem),
            ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => {
                Some("another process has been writing for long; try again")
            }
            _ => None,
        }
    }
}

impl DatabaseError {
    /// Whether the index itself is to blame: it is no database, is torn, or has not the tables and values that it should.
    pub(crate) fn is_damage(&self) -> bool {
        use rusqlite::{Error, ErrorCode};
        let code = self.cause.sqlite_error_code();
        let wrong_value = matches!(
            self.cause,
            Error::FromSqlConversionFailure(..)
                | Error::IntegralValueOutOfRange(..)
                | Error::InvalidColumnType(..)
                | Error::Utf8Error(..)
        );
        // `Unknown` is what SQLite says of a table that is not there; our statements are right.
        let unreadable = [ErrorCode::DatabaseCorrupt, ErrorCode::NotADatabase, ErrorCode::Unknown].map(Some);
        wrong_value || unreadable.contains(&code)
    }
}

/// Why the store couldn't answer.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A file or folder of the store.
    #[error(transparent)]
    File(#[from] FileError),
    /// The index.
    #[error(transparent)]
    Database(#[from] DatabaseError),
    /// A prefix's `spec.json` is no spec file.
    #[error("{} can't be used: {cause}", path.display())]
    Spec {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        cause: DagError,
    },
    /// A prefix's `spack-wasm.json` isn't what this version writes.
    #[error("{} can't be used: {cause}", path.display())]
    Record {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        cause: serde_json::Error,
    },
    /// The store can't be written, so nothing can be installed or removed.
    #[error("the store {} is read-only", root.display())]
    ReadOnly {
        /// The store's root.
        root: PathBuf,
    },
}

impl StoreError {
    /// What the user can do about it, where that is known.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::File(error) => error.hint(),
            Self::Database(error) => error.hint(),
            Self::Spec { .. } => {
                Some("`spack-wasm reindex` leaves the package out, and installing it again replaces it")
            }
            Self::Record { .. } => Some("uninstall the package and install it again"),
            Self::ReadOnly { .. } => hint_of(io::ErrorKind::ReadOnlyFilesystem),
        }
    }
}
