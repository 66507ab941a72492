use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

/// The value of a variant in a concrete node.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(untagged)]
pub enum VariantValue {
    /// `+name` or `~name`.
    Bool(bool),
    /// `name=value`.
    Single(String),
    /// `name=a,b`: a variant that takes several values; sorted.
    Multi(BTreeSet<String>),
}

impl VariantValue {
    /// Writes the variant called `name` as a spec does: `+shared`, `~mpi`, `api=v18`, `fabrics=ofi,ucx`.
    pub fn display<'a>(&'a self, name: &'a str) -> impl fmt::Display + 'a {
        Named { name, value: self }
    }

    /// The value or values as text; a boolean is `true` or `false`.
    pub fn values(&self) -> Vec<&str> {
        match self {
            Self::Bool(true) => vec!["true"],
            Self::Bool(false) => vec!["false"],
            Self::Single(value) => vec![value],
            Self::Multi(values) => values.iter().map(String::as_str).collect(),
        }
    }
}

struct Named<'a> {
    name: &'a str,
    value: &'a VariantValue,
}

impl fmt::Display for Named<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.value {
            VariantValue::Bool(true) => write!(f, "+{}", self.name),
            VariantValue::Bool(false) => write!(f, "~{}", self.name),
            VariantValue::Single(_) | VariantValue::Multi(_) => {
                write!(f, "{}={}", self.name, self.value.values().join(","))
            }
        }
    }
}
