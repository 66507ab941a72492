use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::{Architecture, DagHash, Dependency, DependencyType, VariantValue, Version};

/// A package that something else installed, for example the distribution's compiler.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct External {
    /// The folder above its `bin`, for example `/usr`.
    pub path: PathBuf,
    /// Its executables by role: `c`, `cxx`, `fortran` for a compiler, else by program name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub executables: BTreeMap<String, PathBuf>,
}

/// What is decided of a node, without its edges and hash.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeFacts {
    /// The package's name.
    pub name: String,
    /// Its version.
    pub version: Version,
    /// Where it runs.
    #[serde(rename = "arch")]
    pub architecture: Architecture,
    /// The repository that its recipe comes from, for example `builtin`.
    pub namespace: String,
    /// Every variant of the package with its value, `build_system` included.
    #[serde(rename = "parameters")]
    pub variants: BTreeMap<String, VariantValue>,
    /// Compiler flags by kind (`cflags`, `ldflags`, ...), only those that are set.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub flags: BTreeMap<String, Vec<String>>,
    /// SHA-256 of the patches that apply, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub patches: Vec<String>,
    /// The hash of the recipe's sources; empty for an external, which has no recipe.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub package_hash: String,
    /// Where it is installed, if something else installed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external: Option<External>,
}

/// A concrete package: everything is decided, and the hash says so.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Node {
    /// What was decided.
    #[serde(flatten)]
    pub facts: NodeFacts,
    /// Its direct dependencies, sorted by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dependencies: Vec<Dependency>,
    /// Its identity.
    pub hash: DagHash,
}

impl Node {
    /// The package's name.
    pub fn name(&self) -> &str {
        &self.facts.name
    }

    /// `name@version`.
    pub fn name_version(&self) -> String {
        format!("{}@{}", self.facts.name, self.facts.version)
    }

    /// Whether something else installed it.
    pub fn is_external(&self) -> bool {
        self.facts.external.is_some()
    }

    /// The dependencies that are needed for `kind`.
    pub fn dependencies_of_type(&self, kind: DependencyType) -> impl Iterator<Item = &Dependency> {
        self.dependencies.iter().filter(move |edge| edge.types.contains(kind))
    }

    /// The edge on which the virtual package `name` is provided.
    pub fn provider_of(&self, name: &str) -> Option<&Dependency> {
        self.dependencies.iter().find(|edge| edge.virtuals.iter().any(|provided| provided == name))
    }
}
