//! The index: one SQLite file over what the prefixes' `.spack` folders say.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use rusqlite::{Connection, ErrorCode, OpenFlags, Transaction, TransactionBehavior};

use crate::error::{At, DatabaseError, FileError};
use crate::schema;

/// How long a transaction of another process is waited for.
const BUSY: Duration = Duration::from_secs(60);

/// The open index.
#[derive(Debug)]
pub(crate) struct Database {
    path: PathBuf,
    connection: Mutex<Connection>,
}

impl Database {
    /// Opens the index for reading and writing, made or brought up to date where needed.
    pub(crate) fn open(path: &Path) -> Result<Self, DatabaseError> {
        let start = Instant::now();
        loop {
            match Self::try_open(path) {
                // SQLite doesn't wait by itself while another process makes the file or its log.
                Err(error) if is_busy(&error) && start.elapsed() < BUSY => {
                    thread::sleep(Duration::from_millis(2))
                }
                result => return result.map_err(|error| failed("open the database", path, error)),
            }
        }
    }

    fn try_open(path: &Path) -> rusqlite::Result<Self> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
            | OpenFlags::SQLITE_OPEN_CREATE
            | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let mut connection = Connection::open_with_flags(path, flags)?;
        connection.busy_timeout(BUSY)?;
        set_journal(&connection, path)?;
        connection.pragma_update(None, "foreign_keys", true)?;
        if schema::version(&connection)? < schema::VERSION {
            schema::migrate(&mut connection)?;
        }
        Ok(Self { path: path.to_owned(), connection: Mutex::new(connection) })
    }

    /// Opens the index for reading only, leaving no file behind; for a store that can't be written.
    ///
    /// With a write-ahead log beside it, SQLite must look into that log; without one, nobody is writing, and the
    /// file is taken as unchangeable, which needs neither locks nor a place for them.
    pub(crate) fn open_read_only(path: &Path) -> Result<Self, DatabaseError> {
        let this = |error| failed("open the database", path, error);
        let log = path.with_extension("sqlite-wal");
        let written = fs_err::metadata(log).is_ok_and(|log| log.len() > 0);
        let uri = format!("file:{}?mode=ro{}", encode(path), if written { "" } else { "&immutable=1" });
        let flags =
            OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(uri, flags).map_err(this)?;
        connection.busy_timeout(BUSY).map_err(this)?;
        Ok(Self { path: path.to_owned(), connection: Mutex::new(connection) })
    }

    /// An empty index in memory, for a store that has none and that isn't written.
    pub(crate) fn empty(path: &Path) -> Result<Self, DatabaseError> {
        let this = |error| failed("stand in for the database", path, error);
        let mut connection = Connection::open_in_memory().map_err(this)?;
        schema::migrate(&mut connection).map_err(this)?;
        Ok(Self { path: path.to_owned(), connection: Mutex::new(connection) })
    }

    /// The file.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Version of the tables.
    pub(crate) fn version(&self) -> Result<u32, DatabaseError> {
        self.read("read the version of", schema::version)
    }

    /// Whether every prefix has been entered since the index was made.
    pub(crate) fn is_complete(&self) -> Result<bool, DatabaseError> {
        self.read("look into", schema::is_complete)
    }

    /// Runs a query; `action` names it in errors.
    pub(crate) fn read<T>(
        &self,
        action: &'static str,
        query: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, DatabaseError> {
        let connection = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        query(&connection).map_err(|error| failed(action, &self.path, error))
    }

    /// Runs changes that happen together or not at all.
    pub(crate) fn write<T>(
        &self,
        action: &'static str,
        changes: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T>,
    ) -> Result<T, DatabaseError> {
        let mut connection = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        let run = || {
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let value = changes(&transaction)?;
            transaction.commit()?;
            Ok(value)
        };
        run().map_err(|error| failed(action, &self.path, error))
    }
}

fn is_busy(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked))
}

fn failed(action: &'static str, path: &Path, cause: rusqlite::Error) -> DatabaseError {
    DatabaseError { action, path: path.to_owned(), cause }
}

/// A write-ahead log needs memory that all readers share, which no network file system has.
fn set_journal(connection: &Connection, path: &Path) -> rusqlite::Result<()> {
    let network = path.parent().is_none_or(|folder| is_network(folder).unwrap_or(true));
    let (wanted, synchronous) = if network { ("delete", "full") } else { ("wal", "normal") };
    let mode: String = connection.query_row("PRAGMA journal_mode", [], |row| row.get(0))?;
    if mode != wanted {
        connection.query_row(&format!("PRAGMA journal_mode = {wanted}"), [], |_| Ok(()))?;
    }
    connection.pragma_update(None, "synchronous", synchronous)
}

/// Magic numbers of file systems that other machines can write to (`statfs(2)`, `linux/magic.h`); FUSE and 9p are
/// among them, since what lies behind can't be seen.
const NETWORK: [u64; 17] = [
    0x0000_6969, // NFS
    0x0000_517b, // SMB
    0xff53_4d42, // CIFS
    0xfe53_4d42, // SMB2
    0x0000_564c, // NCP
    0x5346_414f, // AFS
    0x6b41_4653, // kAFS
    0x7375_7245, // Coda
    0x0bd0_0bd0, // Lustre
    0x4750_4653, // GPFS
    0x00c3_6400, // Ceph
    0x1983_0326, // BeeGFS
    0x7461_636f, // OCFS2
    0x0116_1970, // GFS2
    0xaad7_aaea, // PanFS
    0x6573_5546, // FUSE
    0x0102_1997, // 9p
];

fn is_network(folder: &Path) -> Result<bool, FileError> {
    let found = rustix::fs::statfs(folder).at("ask for the file system of", folder)?.f_type;
    // The kernel's numbers have 32 bits; the field is signed and may be wider.
    Ok(NETWORK.contains(&(found as u64 & 0xffff_ffff)))
}

/// A path as SQLite's URI wants it: `%`, `?` and `#` have a meaning there.
fn encode(path: &Path) -> String {
    path.to_string_lossy().replace('%', "%25").replace('?', "%3f").replace('#', "%23")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_log_is_ahead_on_a_local_file_system() {
        let folder = tempfile::tempdir().unwrap();
        let database = Database::open(&folder.path().join("index.sqlite")).unwrap();
        let mode: String = database
            .read("read", |connection| connection.query_row("PRAGMA journal_mode", [], |row| row.get(0)))
            .unwrap();
        assert_eq!(mode, "wal");
        assert!(is_network(Path::new("/proc")).is_ok_and(|network| !network));
    }

    #[test]
    fn a_file_that_is_no_database_is_named_with_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("index.sqlite");
        fs_err::write(&path, "x".repeat(4096)).unwrap();
        let error = Database::open(&path).unwrap_err();
        assert!(error.to_string().contains("file is not a database"), "{error}");
        assert!(error.hint().unwrap().contains("spack-wasm reindex"));
    }

    #[test]
    fn a_read_only_index_sees_what_is_only_in_the_log() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("in?dex.sqlite");
        let writer = Database::open(&path).unwrap();
        assert_eq!(Database::open_read_only(&path).unwrap().version().unwrap(), schema::VERSION);
        drop(writer);
        assert_eq!(Database::open_read_only(&path).unwrap().version().unwrap(), schema::VERSION);
        assert!(!path.with_extension("sqlite-wal").exists());
    }
}
