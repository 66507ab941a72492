use std::path::Path;

use crate::bindings::spack_wasm::recipe::types::{EnvironmentAction, EnvironmentChange};

/// Changes of environment variables, applied in the order in which they are made.
///
/// ```
/// use spack_wasm_sdk::Environment;
///
/// let mut changes = Environment::new();
/// changes.set("FOO_ROOT", "/opt/foo").prepend_path("PATH", "/opt/foo/bin").append_flags("CFLAGS", "-DFOO");
/// assert_eq!(changes.as_contract().len(), 3);
/// ```
#[derive(Clone, Debug, Default)]
#[must_use = "changes count once they are returned"]
pub struct Environment(Vec<EnvironmentChange>);

impl Environment {
    /// No change.
    pub fn new() -> Self {
        Self::default()
    }

    /// The variable gets this value.
    pub fn set(&mut self, name: &str, value: impl Into<String>) -> &mut Self {
        self.change(EnvironmentAction::Set, name, value.into(), "")
    }

    /// The variable gets this path as its value.
    pub fn set_path(&mut self, name: &str, path: impl AsRef<Path>) -> &mut Self {
        self.set(name, path_text(path))
    }

    /// The variable is removed.
    pub fn unset(&mut self, name: &str) -> &mut Self {
        self.change(EnvironmentAction::Unset, name, String::new(), "")
    }

    /// The path is put in front of a list that colons separate.
    pub fn prepend_path(&mut self, name: &str, path: impl AsRef<Path>) -> &mut Self {
        self.change(EnvironmentAction::PrependPath, name, path_text(path), ":")
    }

    /// The path is put behind a list that colons separate.
    pub fn append_path(&mut self, name: &str, path: impl AsRef<Path>) -> &mut Self {
        self.change(EnvironmentAction::AppendPath, name, path_text(path), ":")
    }

    /// The path is taken out of a list that colons separate, wherever it stands.
    pub fn remove_path(&mut self, name: &str, path: impl AsRef<Path>) -> &mut Self {
        self.change(EnvironmentAction::RemovePath, name, path_text(path), ":")
    }

    /// The flags are put behind the variable's text, with a blank between.
    pub fn append_flags(&mut self, name: &str, flags: impl Into<String>) -> &mut Self {
        self.change(EnvironmentAction::AppendFlags, name, flags.into(), " ")
    }

    /// Everything that `other` changes, after what this one does.
    pub fn extend(&mut self, other: Self) -> &mut Self {
        self.0.extend(other.0);
        self
    }

    /// The records of the contract.
    pub fn as_contract(&self) -> &[EnvironmentChange] {
        &self.0
    }

    pub(crate) fn into_contract(self) -> Vec<EnvironmentChange> {
        self.0
    }

    fn change(&mut self, action: EnvironmentAction, name: &str, value: String, separator: &str) -> &mut Self {
        self.0.push(EnvironmentChange {
            action,
            name: name.to_owned(),
            value,
            separator: separator.to_owned(),
        });
        self
    }
}

impl From<Vec<EnvironmentChange>> for Environment {
    fn from(changes: Vec<EnvironmentChange>) -> Self {
        Self(changes)
    }
}

fn path_text(path: impl AsRef<Path>) -> String {
    path.as_ref().display().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_keep_their_order_and_separators() {
        let mut changes = Environment::new();
        changes.unset("A").append_path("PATH", "/x").remove_path("PATH", "/y").append_flags("CFLAGS", "-g");
        let seen: Vec<_> = changes
            .as_contract()
            .iter()
            .map(|change| {
                (change.action, change.name.as_str(), change.value.as_str(), change.separator.as_str())
            })
            .collect();
        assert_eq!(
            seen,
            [
                (EnvironmentAction::Unset, "A", "", ""),
                (EnvironmentAction::AppendPath, "PATH", "/x", ":"),
                (EnvironmentAction::RemovePath, "PATH", "/y", ":"),
                (EnvironmentAction::AppendFlags, "CFLAGS", "-g", " "),
            ]
        );
    }
}
