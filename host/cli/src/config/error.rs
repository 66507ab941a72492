use std::io;

use crate::text::{listed, near};

/// What is wrong with the configuration. Each message names the file and the line, or the option.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConfigError {
    /// A file can't be read; the message of the cause names it.
    #[error("the configuration can't be read: {0}")]
    Read(#[from] io::Error),
    /// A file can't be written; the message of the cause names it.
    #[error("the configuration can't be written: {0}")]
    Write(#[source] io::Error),
    /// A key that nobody knows.
    #[error("{place}: there is no key `{key}`{}", proposal(key, known))]
    UnknownKey {
        /// Where it is.
        place: String,
        /// The key.
        key: String,
        /// Keys that would be right there.
        known: Vec<&'static str>,
    },
    /// A word out of a fixed set was expected.
    #[error("{place}: `{value}` is none of {}", listed(&quoted(known)))]
    UnknownValue {
        /// Where it is.
        place: String,
        /// The word.
        value: String,
        /// Words that would be right.
        known: Vec<&'static str>,
    },
    /// The text is no YAML, or a value has the wrong type.
    #[error("{place}: {reason}")]
    Malformed {
        /// Where it is.
        place: String,
        /// What is wrong.
        reason: String,
    },
    /// `-c` with something else than section, key and value.
    #[error("`-c {setting}`: {reason}")]
    Setting {
        /// What was given.
        setting: String,
        /// What is wrong.
        reason: String,
    },
    /// A value that can't be used.
    #[error("{key}: {reason}")]
    Value {
        /// The key, from the section on.
        key: String,
        /// What is wrong.
        reason: String,
    },
}

impl ConfigError {
    pub(super) fn value(key: impl Into<String>, reason: impl ToString) -> Self {
        Self::Value { key: key.into(), reason: reason.to_string() }
    }
}

/// How many keys a message lists at most.
const MOST_LISTED: usize = 8;

fn quoted(words: &[&'static str]) -> Vec<String> {
    words.iter().map(|word| format!("`{word}`")).collect()
}

/// The nearest key, or all of them where none is near and they are few.
fn proposal(key: &str, known: &[&'static str]) -> String {
    let near = near(key, known.iter().copied());
    match near.first() {
        Some(nearest) => format!("; did you mean `{nearest}`?"),
        None if known.is_empty() || known.len() > MOST_LISTED => String::new(),
        None => format!("; the keys are {}", listed(&quoted(known))),
    }
}
