//! Asking what is installed.

use std::sync::Arc;

use rusqlite::types::Value;
use spack_wasm_spec::{Dag, DagHash, Node};

use crate::error::{At, DatabaseError, StoreError};
use crate::index;
use crate::installed::Installed;
use crate::layout::METADATA;
use crate::metadata;
use crate::open::Store;
use crate::record::Provenance;

/// What is looked for; everything that is left out matches all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query {
    /// The package's name.
    pub name: Option<String>,
    /// The version, as written.
    pub version: Option<String>,
    /// The repository of its recipe.
    pub namespace: Option<String>,
    /// The first characters of the hash.
    pub hash_prefix: Option<String>,
    /// Whether the user asked for it.
    pub explicit: Option<bool>,
}

/// Why the beginning of a hash doesn't name a package.
#[derive(Debug, thiserror::Error)]
pub enum LookupError {
    /// Nothing installed begins with it.
    #[error("no installed package has a hash that begins with '{0}'")]
    NotFound(String),
    /// Several do.
    #[error("several installed packages have a hash that begins with '{prefix}':{}", list(candidates))]
    Ambiguous {
        /// What was looked for.
        prefix: String,
        /// What begins with it.
        candidates: Vec<Installed>,
    },
    /// The index.
    #[error(transparent)]
    Database(#[from] DatabaseError),
}

/// Packages, one a line, with whole hashes.
pub(crate) fn list(packages: &[Installed]) -> String {
    packages.iter().map(|each| format!("\n    {}@{}/{}", each.name, each.version, each.hash)).collect()
}

impl Store {
    /// What is installed and matches, by name, version and hash.
    ///
    /// # Errors
    /// The index can't be read.
    pub fn find(&self, query: &Query) -> Result<Vec<Installed>, DatabaseError> {
        let (clause, values) = condition(query);
        let mut found = self.inner.database.read("search", |connection| {
            index::select(connection, self.root(), &clause, rusqlite::params_from_iter(values))
        })?;
        sort(&mut found);
        Ok(found)
    }

    /// The package with this hash.
    ///
    /// # Errors
    /// The index can't be read.
    pub fn get(&self, hash: &DagHash) -> Result<Option<Installed>, DatabaseError> {
        self.inner.database.read("search", |connection| index::get(connection, self.root(), hash))
    }

    /// Whether the package with this hash is in the index and its prefix is there.
    ///
    /// # Errors
    /// The index can't be read.
    pub fn installed(&self, hash: &DagHash) -> Result<bool, DatabaseError> {
        let found = self.get(hash)?;
        Ok(found.is_some_and(|installed| metadata::is_written(&installed.spec_path())))
    }

    /// The nodes of a DAG that have to be built, each after its dependencies; externals never have to.
    ///
    /// # Errors
    /// The index can't be read.
    pub fn missing(&self, dag: &Dag) -> Result<Vec<Arc<Node>>, DatabaseError> {
        let mut missing = Vec::new();
        for node in dag.topological().into_iter().filter(|node| !node.is_external()) {
            if !self.installed(&node.hash)? {
                missing.push(node);
            }
        }
        Ok(missing)
    }

    /// The one package whose hash begins with `prefix`.
    ///
    /// # Errors
    /// There is none, there are several, or the index can't be read.
    pub fn by_hash_prefix(&self, prefix: &str) -> Result<Installed, LookupError> {
        let query = Query { hash_prefix: Some(prefix.to_owned()), ..Query::default() };
        let mut candidates = self.find(&query)?;
        match candidates.len() {
            1 => Ok(candidates.remove(0)),
            0 => Err(LookupError::NotFound(prefix.to_owned())),
            _ => Err(LookupError::Ambiguous { prefix: prefix.to_owned(), candidates }),
        }
    }

    /// What is installed and depends directly on `hash`, for whatever purpose.
    ///
    /// # Errors
    /// The index can't be read.
    pub fn dependents(&self, hash: &DagHash) -> Result<Vec<Installed>, DatabaseError> {
        let clause =
            "WHERE hash IN (SELECT dependent FROM edges WHERE dependency = ?) ORDER BY name, version, hash";
        self.inner
            .database
            .read("search", |connection| index::select(connection, self.root(), clause, [hash.as_str()]))
    }

    /// The concrete spec of an installed package with everything below it.
    ///
    /// # Errors
    /// The prefix's `spec.json` can't be read.
    pub fn dag(&self, installed: &Installed) -> Result<Dag, StoreError> {
        metadata::read_dag(&installed.spec_path())
    }

    /// What built an installed package, from what, behind which walls.
    ///
    /// # Errors
    /// The prefix's `spack-wasm.json` can't be read.
    pub fn provenance(&self, installed: &Installed) -> Result<Provenance, StoreError> {
        let file = metadata::read_record(&installed.metadata_path().join(metadata::RECORD))?;
        Ok(file.provenance)
    }

    /// Says whether the user asked for a package; false when it isn't installed.
    ///
    /// # Errors
    /// The store can't be written.
    pub fn mark_explicit(&self, hash: &DagHash, explicit: bool) -> Result<bool, StoreError> {
        if self.is_read_only() {
            return Err(StoreError::ReadOnly { root: self.root().to_owned() });
        }
        let Some(installed) = self.get(hash)? else { return Ok(false) };
        let folder = installed.metadata_path();
        let inside = folder.strip_prefix(self.root()).unwrap_or(METADATA.as_ref());
        let dir = self.inner.dir.open_dir(inside).at("open the folder", &folder)?;
        metadata::set_explicit(&dir, explicit).at("write in", &folder)?;
        self.inner.database.write("mark a package in", |transaction| {
            let values = (explicit, hash.as_str());
            transaction.execute("UPDATE installs SET explicit = ? WHERE hash = ?", values)
        })?;
        Ok(true)
    }
}

/// By name, version and hash. Rows mostly lie in that order already, and SQLite, when asked for it, would take longer.
fn sort(found: &mut [Installed]) {
    found.sort_unstable_by(|a, b| {
        (&a.name, a.version.as_str(), &a.hash).cmp(&(&b.name, b.version.as_str(), &b.hash))
    });
}

/// The condition of a query, and the values of its parameters.
fn condition(query: &Query) -> (String, Vec<Value>) {
    let mut terms = Vec::new();
    let mut values = Vec::new();
    let texts = [("name", &query.name), ("version", &query.version), ("namespace", &query.namespace)];
    for (column, text) in texts {
        if let Some(text) = text {
            terms.push(format!("{column} = ?"));
            values.push(Value::Text(text.clone()));
        }
    }
    if let Some(prefix) = &query.hash_prefix {
        // A range, so that the key is used; '{' follows 'z', and all characters of a hash come before it.
        terms.push("hash >= ? AND hash < ?".to_owned());
        values.extend([Value::Text(prefix.clone()), Value::Text(format!("{prefix}{{"))]);
    }
    if let Some(explicit) = query.explicit {
        terms.push("explicit = ?".to_owned());
        values.push(Value::Integer(explicit.into()));
    }
    let condition = if terms.is_empty() { String::new() } else { format!("WHERE {}", terms.join(" AND ")) };
    (condition, values)
}
