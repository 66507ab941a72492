use std::collections::BTreeSet;

use spack_wasm_spec::AbstractSpec;

/// One use of the `variant` directive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VariantDefinition {
    /// The variant's name.
    pub name: String,
    /// When the package has it.
    pub when: AbstractSpec,
    /// Its default.
    pub default: VariantDefault,
    /// Which values it takes.
    pub values: VariantValues,
    /// Whether it takes several values at once.
    pub multi: bool,
    /// Whether a function of the recipe looks at the chosen values together; asked when the recipe runs.
    pub validated: bool,
    /// Whether only the user may change it, and never the concretizer.
    pub sticky: bool,
    /// What it does.
    pub description: String,
}

/// The default of a variant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VariantDefault {
    /// On or off.
    Bool(bool),
    /// A value, or several of a multi-valued variant.
    Values(BTreeSet<String>),
}

/// Which values a variant takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VariantValues {
    /// On and off.
    Bool,
    /// These.
    List(Vec<ConditionalValue>),
    /// Values out of exactly one of these sets.
    DisjointSets(Vec<Vec<String>>),
    /// Every value of a kind.
    Any(AnyValue),
}

/// A value that a package may have under a condition only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConditionalValue {
    /// The value.
    pub value: String,
    /// When it may be chosen.
    pub when: AbstractSpec,
}

/// What an open set of values holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AnyValue {
    /// Whole numbers.
    Integer,
    /// Any text.
    Text,
    /// What a function of the recipe accepts; asked when the recipe runs.
    Checked,
}

impl VariantDefault {
    /// The values as text, a boolean as `true` or `false`.
    pub fn texts(&self) -> Vec<&str> {
        match self {
            Self::Bool(true) => vec!["true"],
            Self::Bool(false) => vec!["false"],
            Self::Values(values) => values.iter().map(String::as_str).collect(),
        }
    }
}

impl VariantDefinition {
    /// The values that are listed, as text; for an open set the defaults alone.
    pub fn listed_values(&self) -> Vec<&str> {
        match &self.values {
            VariantValues::Bool => vec!["true", "false"],
            VariantValues::List(values) => values.iter().map(|value| value.value.as_str()).collect(),
            VariantValues::DisjointSets(sets) => sets.iter().flatten().map(String::as_str).collect(),
            VariantValues::Any(_) => self.default.texts(),
        }
    }

    /// Whether `value` may be chosen under some condition.
    pub fn allows(&self, value: &str) -> bool {
        match &self.values {
            VariantValues::Any(AnyValue::Integer) => {
                value.parse::<i64>().is_ok() || self.default.texts().contains(&value)
            }
            VariantValues::Any(AnyValue::Text | AnyValue::Checked) => true,
            _ => self.listed_values().contains(&value),
        }
    }

    /// The condition under which `value` may be chosen, if it has one of its own.
    pub fn value_condition(&self, value: &str) -> Option<&AbstractSpec> {
        let VariantValues::List(values) = &self.values else { return None };
        values
            .iter()
            .find(|known| known.value == value)
            .map(|known| &known.when)
            .filter(|when| !when.is_empty())
    }
}
