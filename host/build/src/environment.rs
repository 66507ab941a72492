//! The environment of a build's tools: computed, never inherited.

use std::collections::BTreeMap;
use std::ffi::OsString;

use spack_wasm_recipe_host::types::{EnvironmentAction, EnvironmentChange};

/// Variables by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Environment(BTreeMap<String, String>);

/// Variables that no recipe changes: they would reach around the sandbox's own rules or make results differ.
const PROTECTED: [&str; 3] = ["LD_PRELOAD", "LD_AUDIT", "MAKEFLAGS"];

impl Environment {
    pub(crate) fn set(&mut self, name: &str, value: impl Into<String>) {
        self.0.insert(name.to_owned(), value.into());
    }

    /// Sets a list of paths, unless it is empty.
    pub(crate) fn set_paths(&mut self, name: &str, paths: impl IntoIterator<Item = String>) {
        let value = paths.into_iter().collect::<Vec<_>>().join(":");
        if !value.is_empty() {
            self.set(name, value);
        }
    }

    #[cfg(test)]
    fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// The environment with changes on top, in their order.
    #[must_use]
    pub(crate) fn with(&self, changes: &[EnvironmentChange]) -> Self {
        let mut changed = self.clone();
        for change in changes.iter().filter(|change| !PROTECTED.contains(&change.name.as_str())) {
            changed.apply(change);
        }
        changed
    }

    fn apply(&mut self, change: &EnvironmentChange) {
        let EnvironmentChange { action, name, value, separator } = change;
        let old = self.0.get(name).cloned().unwrap_or_default();
        let separator = if separator.is_empty() { default_separator(*action) } else { separator };
        let others = || old.split(separator).filter(|part| !part.is_empty() && *part != value.as_str());
        let joined = |parts: Vec<&str>| parts.join(separator);
        let new = match action {
            EnvironmentAction::Set => value.clone(),
            EnvironmentAction::Unset => {
                self.0.remove(name);
                return;
            }
            EnvironmentAction::PrependPath => joined([value.as_str()].into_iter().chain(others()).collect()),
            EnvironmentAction::AppendPath => joined(others().chain([value.as_str()]).collect()),
            EnvironmentAction::RemovePath => joined(others().collect()),
            EnvironmentAction::AppendFlags if old.is_empty() => value.clone(),
            EnvironmentAction::AppendFlags => format!("{old}{separator}{value}"),
        };
        self.set(name, new);
    }

    /// As a program gets it.
    pub(crate) fn variables(&self) -> Vec<(OsString, OsString)> {
        self.0.iter().map(|(name, value)| (name.into(), value.into())).collect()
    }

    /// As shell text, for `spack-build-env.txt`.
    pub(crate) fn shell_text(&self) -> String {
        let lines = self.0.iter().map(|(name, value)| format!("{name}={}; export {name}\n", quote(value)));
        lines.collect()
    }
}

fn default_separator(action: EnvironmentAction) -> &'static str {
    if action == EnvironmentAction::AppendFlags { " " } else { ":" }
}

/// Quotes a text for a shell, as Spack's logs do.
pub(crate) fn quote(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\"'\"'"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(action: EnvironmentAction, name: &str, value: &str) -> EnvironmentChange {
        EnvironmentChange { action, name: name.into(), value: value.into(), separator: String::new() }
    }

    #[test]
    fn changes_apply_in_order() {
        let mut environment = Environment::default();
        environment.set("PATH", "/usr/bin:/bin");
        let changes = [
            change(EnvironmentAction::PrependPath, "PATH", "/opt/a/bin"),
            change(EnvironmentAction::AppendPath, "PATH", "/usr/bin"),
            change(EnvironmentAction::RemovePath, "PATH", "/bin"),
            change(EnvironmentAction::AppendFlags, "CFLAGS", "-O2"),
            change(EnvironmentAction::AppendFlags, "CFLAGS", "-fPIC"),
            change(EnvironmentAction::Set, "MAKEFLAGS", "-j100"),
        ];
        let changed = environment.with(&changes);
        assert_eq!(changed.get("PATH"), Some("/opt/a/bin:/usr/bin"));
        assert_eq!(changed.get("CFLAGS"), Some("-O2 -fPIC"));
        assert_eq!(changed.get("MAKEFLAGS"), None);
    }

    #[test]
    fn quotes_survive_a_shell() {
        assert_eq!(quote("it's"), "'it'\"'\"'s'");
    }
}
