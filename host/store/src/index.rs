//! Rows of the index: written from concrete nodes, read as [`Installed`].

use std::path::{Path, PathBuf};

use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};
use spack_wasm_spec::{Architecture, DagHash, Node, Version};

use crate::installed::Installed;
use crate::record::from_seconds;

/// What a prefix says of itself.
#[derive(Clone, Debug)]
pub(crate) struct PrefixFacts {
    pub(crate) node: Node,
    /// Beneath the root.
    pub(crate) prefix: PathBuf,
    pub(crate) explicit: bool,
    /// Seconds since 1970.
    pub(crate) installed_at: i64,
}

impl PrefixFacts {
    /// As it'll be read from the index.
    pub(crate) fn installed(&self, root: &Path) -> Installed {
        let facts = &self.node.facts;
        Installed {
            hash: self.node.hash.clone(),
            name: facts.name.clone(),
            version: facts.version.clone(),
            namespace: facts.namespace.clone(),
            architecture: facts.architecture.clone(),
            variants: variants(&self.node),
            prefix: root.join(&self.prefix),
            explicit: self.explicit,
            installed_at: from_seconds(self.installed_at),
        }
    }
}

/// Variants as a spec writes them: booleans directly behind the version, the others apart.
fn variants(node: &Node) -> String {
    let each = node.facts.variants.iter().map(|(name, value)| value.display(name).to_string());
    let (booleans, others): (Vec<_>, Vec<_>) = each.partition(|text| text.starts_with(['+', '~']));
    let mut text = booleans.concat();
    for other in others {
        text.push(' ');
        text.push_str(&other);
    }
    text
}

/// Writes or replaces the rows of one prefix.
pub(crate) fn insert(transaction: &Transaction<'_>, facts: &PrefixFacts) -> rusqlite::Result<()> {
    remove(transaction, &facts.node.hash)?;
    let node = &facts.node.facts;
    transaction.prepare_cached("INSERT INTO installs VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")?.execute(
        params![
            facts.node.hash.as_str(),
            node.name,
            node.version.as_str(),
            node.namespace,
            node.architecture.platform,
            node.architecture.os,
            node.architecture.target,
            variants(&facts.node),
            facts.prefix.to_string_lossy(),
            facts.explicit,
            facts.installed_at,
        ],
    )?;
    let mut edge = transaction.prepare_cached("INSERT OR REPLACE INTO edges VALUES (?, ?, ?)")?;
    for dependency in &facts.node.dependencies {
        let types: Vec<_> = dependency.types.iter().map(|kind| kind.as_str()).collect();
        edge.execute(params![facts.node.hash.as_str(), dependency.hash.as_str(), types.join(",")])?;
    }
    Ok(())
}

/// Removes the rows of one prefix.
pub(crate) fn remove(transaction: &Transaction<'_>, hash: &DagHash) -> rusqlite::Result<()> {
    transaction.prepare_cached("DELETE FROM installs WHERE hash = ?")?.execute([hash.as_str()])?;
    Ok(())
}

const COLUMNS: &str = "SELECT hash, name, version, namespace, platform, os, target, variants, prefix, explicit, \
                       installed_at FROM installs";

/// Reads rows; `clause` is what follows the table's name.
pub(crate) fn select(
    connection: &Connection,
    root: &Path,
    clause: &str,
    parameters: impl rusqlite::Params,
) -> rusqlite::Result<Vec<Installed>> {
    let mut statement = connection.prepare_cached(&format!("{COLUMNS} {clause}"))?;
    let rows = statement.query_map(parameters, |row| read(row, root))?;
    rows.collect()
}

/// Reads the row of one prefix.
pub(crate) fn get(
    connection: &Connection,
    root: &Path,
    hash: &DagHash,
) -> rusqlite::Result<Option<Installed>> {
    let mut statement = connection.prepare_cached(&format!("{COLUMNS} WHERE hash = ?"))?;
    statement.query_row([hash.as_str()], |row| read(row, root)).optional()
}

fn read(row: &Row<'_>, root: &Path) -> rusqlite::Result<Installed> {
    let hash = row.get_ref(0)?.as_str()?.parse().map_err(|error| {
        rusqlite::Error::FromSqlConversionFailure(0, rusqlite::types::Type::Text, Box::new(error))
    })?;
    Ok(Installed {
        hash,
        name: row.get(1)?,
        version: Version::new(row.get::<_, String>(2)?),
        namespace: row.get(3)?,
        architecture: Architecture { platform: row.get(4)?, os: row.get(5)?, target: row.get(6)? },
        variants: row.get(7)?,
        prefix: root.join(row.get_ref(8)?.as_str()?),
        explicit: row.get(9)?,
        installed_at: from_seconds(row.get(10)?),
    })
}
