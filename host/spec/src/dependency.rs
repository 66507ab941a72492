use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::DagHash;

/// What a dependency is needed for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DependencyType {
    /// Its programs run while the dependent is built.
    Build,
    /// The dependent links against its libraries.
    Link,
    /// It is needed when the dependent is used.
    Run,
    /// It is needed to test the dependent.
    Test,
}

impl DependencyType {
    /// All types, in the order in which Spack writes them.
    pub const ALL: [Self; 4] = [Self::Build, Self::Link, Self::Run, Self::Test];

    /// The name in recipes and spec files.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Build => "build",
            Self::Link => "link",
            Self::Run => "run",
            Self::Test => "test",
        }
    }

    fn bit(self) -> u8 {
        match self {
            Self::Build => 1,
            Self::Link => 2,
            Self::Run => 4,
            Self::Test => 8,
        }
    }
}

impl fmt::Display for DependencyType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A set of [`DependencyType`]s.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DependencyTypes(u8);

impl DependencyTypes {
    /// Spack's default for a dependency without explicit types: build and link.
    pub const DEFAULT: Self = Self(1 | 2);

    /// Whether the set holds `kind`.
    pub fn contains(self, kind: DependencyType) -> bool {
        self.0 & kind.bit() != 0
    }

    /// Whether the two sets have a type in common.
    pub fn intersects(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// Whether the set is empty.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The types of both sets.
    #[must_use]
    pub fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// The types in Spack's order.
    pub fn iter(self) -> impl Iterator<Item = DependencyType> {
        DependencyType::ALL.into_iter().filter(move |kind| self.contains(*kind))
    }
}

impl FromIterator<DependencyType> for DependencyTypes {
    fn from_iter<I: IntoIterator<Item = DependencyType>>(kinds: I) -> Self {
        Self(kinds.into_iter().fold(0, |bits, kind| bits | kind.bit()))
    }
}

impl From<DependencyType> for DependencyTypes {
    fn from(kind: DependencyType) -> Self {
        Self(kind.bit())
    }
}

impl Serialize for DependencyTypes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

impl<'de> Deserialize<'de> for DependencyTypes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Vec::<DependencyType>::deserialize(deserializer)?.into_iter().collect())
    }
}

/// An edge of a concrete DAG, from the dependent's side.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dependency {
    /// The package's name.
    pub name: String,
    /// Which node it is.
    pub hash: DagHash,
    /// What it is needed for.
    #[serde(rename = "type")]
    pub types: DependencyTypes,
    /// The virtual packages that it provides on this edge, for example `zlib-api` or `c`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub virtuals: Vec<String>,
}
