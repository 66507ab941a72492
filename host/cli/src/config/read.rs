//! Reading the files of a scope.

use std::io;
use std::path::Path;

use serde_saphyr::Error as YamlError;

use super::{ConfigError, Scope};

/// The files, each with the section of its name.
pub(super) const FILES: [&str; 5] =
    ["config.yaml", "monitor.yaml", "repos.yaml", "mirrors.yaml", "packages.yaml"];

/// Reads a file; one that is missing says nothing.
pub(super) fn file(path: &Path) -> Result<Scope, ConfigError> {
    match fs_err::read_to_string(path) {
        Ok(text) => parse(&text).map_err(|error| describe(&error, &path.display().to_string(), true)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Scope::default()),
        Err(error) => Err(error.into()),
    }
}

/// Reads the text of a file.
pub(super) fn parse(text: &str) -> Result<Scope, YamlError> {
    let scope: Option<Scope> = serde_saphyr::from_str(&without_overrides(text))?;
    Ok(scope.unwrap_or_default())
}

/// The text with `key: ` for `key::`, by which Spack lets a scope take the place of those below it. There is one scope of
/// files here, so both mean the same. Lines and columns stay what they are.
fn without_overrides(text: &str) -> String {
    let plain = |line: &str| {
        let key =
            line.trim_start().trim_start_matches(|c: char| c.is_ascii_alphanumeric() || "_-".contains(c));
        let behind = key
            .strip_prefix("::")
            .filter(|behind| behind.is_empty() || behind.starts_with([' ', '\n', '\r']));
        match behind {
            Some(behind) => format!("{}: {behind}", &line[..line.len() - key.len()]),
            None => line.to_owned(),
        }
    };
    text.split_inclusive('\n').map(plain).collect()
}

/// What is wrong with a text, which `origin` names; lines are told where it has them.
pub(super) fn describe(error: &YamlError, origin: &str, with_lines: bool) -> ConfigError {
    let error = error.without_snippet();
    let line = error.location().filter(|_| with_lines).map(|location| location.line());
    let place = line.map_or_else(|| origin.to_owned(), |line| format!("{origin}:{line}"));
    match error {
        YamlError::SerdeUnknownField { field, expected, .. } => {
            ConfigError::UnknownKey { place, key: field.clone(), known: expected.clone() }
        }
        YamlError::SerdeUnknownVariant { variant, expected, .. } => {
            ConfigError::UnknownValue { place, value: variant.clone(), known: expected.clone() }
        }
        YamlError::InvalidScalar { ty, .. } => {
            let expected = match *ty {
                "bool" | "boolean" => "`true` or `false`",
                ty if ty.starts_with(['i', 'u']) => "a whole number that is not too large",
                ty => ty,
            };
            ConfigError::Malformed { place, reason: format!("{expected} is expected") }
        }
        other => ConfigError::Malformed { place, reason: plain(&without_position(&other.to_string())) },
    }
}

/// What the reader of YAML says, in a user's words.
fn plain(message: &str) -> String {
    let twice =
        message.strip_prefix("duplicate mapping key: ").map(|rest| rest.split(',').next().unwrap_or(rest));
    match (message, twice) {
        (_, Some(key)) => format!("the key `{key}` is there twice"),
        ("expected mapping start", _) => "keys with values are expected".to_owned(),
        ("expected sequence start", _) => "a list is expected".to_owned(),
        ("expected string scalar", _) => "a text is expected".to_owned(),
        (other, _) if other.starts_with("multiple YAML documents") => {
            "one YAML document is expected, and there are more".to_owned()
        }
        (other, _) => other.to_owned(),
    }
}

/// The message alone: the place is told in front of it.
fn without_position(message: &str) -> String {
    message.rfind(" at line ").map_or(message, |end| &message[..end]).to_owned()
}
