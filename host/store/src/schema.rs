//! The tables of the index and how older ones become newer ones.

use rusqlite::{Connection, Transaction, TransactionBehavior};

/// What brings the index from version n to n + 1; a released step is never changed.
const MIGRATIONS: &[&str] = &["
    CREATE TABLE installs (
        hash         TEXT UNIQUE NOT NULL,
        name         TEXT NOT NULL,
        version      TEXT NOT NULL,
        namespace    TEXT NOT NULL,
        platform     TEXT NOT NULL,
        os           TEXT NOT NULL,
        target       TEXT NOT NULL,
        variants     TEXT NOT NULL,     -- as a spec writes them
        prefix       TEXT NOT NULL,     -- beneath the root
        explicit     INTEGER NOT NULL,
        installed_at INTEGER NOT NULL,  -- seconds since 1970
        -- Rows lie in the order in which they are shown.
        PRIMARY KEY (name, version, hash)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE edges (
        dependent  TEXT NOT NULL REFERENCES installs (hash) ON DELETE CASCADE,
        dependency TEXT NOT NULL,       -- may be an external, which has no row in installs
        types      TEXT NOT NULL,
        PRIMARY KEY (dependent, dependency)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX edges_by_dependency ON edges (dependency);
"];

/// What stands in the file's header once every prefix has been entered: whoever made the tables may have been killed
/// before that.
const APPLICATION_ID: i32 = 0x5350_574d;

/// The version that this program writes.
pub(crate) const VERSION: u32 = MIGRATIONS.len() as u32;

/// Version of the index; 0 for a file that was just made.
pub(crate) fn version(connection: &Connection) -> rusqlite::Result<u32> {
    connection.query_row("PRAGMA user_version", [], |row| row.get(0))
}

/// Whether every prefix has been entered.
pub(crate) fn is_complete(connection: &Connection) -> rusqlite::Result<bool> {
    connection
        .query_row("PRAGMA application_id", [], |row| row.get::<_, i32>(0))
        .map(|id| id == APPLICATION_ID)
}

/// Says that every prefix has been entered.
pub(crate) fn set_complete(transaction: &Transaction<'_>) -> rusqlite::Result<()> {
    transaction.pragma_update(None, "application_id", APPLICATION_ID)
}

/// Brings the tables to [`VERSION`].
pub(crate) fn migrate(connection: &mut Connection) -> rusqlite::Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    // Another process may have done it since the caller looked.
    let found = version(&transaction)?;
    for step in MIGRATIONS.iter().skip(found as usize) {
        transaction.execute_batch(step)?;
    }
    transaction.pragma_update(None, "user_version", VERSION.max(found))?;
    transaction.commit()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_migration_finds_nothing_to_do() {
        let mut connection = Connection::open_in_memory().unwrap();
        migrate(&mut connection).unwrap();
        assert_eq!(version(&connection).unwrap(), VERSION);
        migrate(&mut connection).unwrap();
        assert!(!is_complete(&connection).unwrap());
    }

    #[test]
    fn an_index_of_a_later_version_is_left_alone() {
        let mut connection = Connection::open_in_memory().unwrap();
        connection.pragma_update(None, "user_version", VERSION + 1).unwrap();
        migrate(&mut connection).unwrap();
        assert_eq!(version(&connection).unwrap(), VERSION + 1);
    }
}
