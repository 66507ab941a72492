//! Prefixes, their records, the database and its locks.
