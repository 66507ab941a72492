//! The one form of error that the program ends with, and what its exit statuses mean.

use spack_wasm_build::chain;
use spack_wasm_recipe_host::{CatalogError, ChoiceError};
use spack_wasm_solve::SolveError;
use spack_wasm_spec::ParseError;
use spack_wasm_store::{DatabaseError, LookupError, OpenError, StoreError, UninstallError};

use crate::config::ConfigError;
use crate::text::{ERROR, HINT, Text};

/// What an error is to whoever started the program: it decides the exit status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ErrorKind {
    /// A build failed, or anything that has no kind of its own.
    Failure,
    /// The command line or a spec on it can't be read.
    Usage,
    /// What was asked for does not exist, or not together.
    Unsolvable,
    /// The monitor can't be reached, or did not get everything.
    Monitor,
    /// A wall of the sandbox is missing.
    Walls,
    /// Ctrl-C.
    Interrupted,
    /// SIGTERM.
    Terminated,
    /// SIGHUP.
    HungUp,
}

/// Every exit status with its meaning, as `--help` shows them.
pub(crate) const EXIT_STATUSES: [(u8, &str); 9] = [
    (0, "success"),
    (1, "a build failed, or another error"),
    (2, "the command line can't be understood"),
    (3, "no solution: an unknown package, version or variant, or wishes that exclude each other"),
    (4, "the monitor: credentials are missing, no server answers, or not everything was delivered"),
    (5, "a wall of the sandbox is missing on this machine, so nothing was built"),
    (129, "the terminal was closed (SIGHUP)"),
    (130, "interrupted (SIGINT)"),
    (143, "ended (SIGTERM)"),
];

impl ErrorKind {
    /// The exit status, one of [`EXIT_STATUSES`].
    pub(crate) fn exit_status(self) -> u8 {
        match self {
            Self::Failure => 1,
            Self::Usage => 2,
            Self::Unsolvable => 3,
            Self::Monitor => 4,
            Self::Walls => 5,
            Self::HungUp => 129,
            Self::Interrupted => 130,
            Self::Terminated => 143,
        }
    }
}

/// An error as the user reads it: what failed, where and why, and what to do next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CommandError {
    /// What it is.
    pub(crate) kind: ErrorKind,
    /// What failed and why; the first line stands behind `==> Error:`.
    pub(crate) message: String,
    /// More that belongs to it, below the message.
    pub(crate) details: Text,
    /// What to do next, one a line.
    pub(crate) hints: Vec<String>,
}

impl CommandError {
    /// An error without details.
    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), details: Text::new(), hints: Vec::new() }
    }

    /// An error of no special kind.
    pub(crate) fn failure(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Failure, message)
    }

    /// A command line that can't be understood.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Usage, message)
    }

    /// Something went wrong, with its causes.
    pub(crate) fn caused(what: &str, cause: &dyn std::error::Error) -> Self {
        Self::failure(format!("{what}: {}", chain(cause)))
    }

    /// Adds what to do next.
    #[must_use]
    pub(crate) fn hinted(mut self, hint: impl Into<Option<String>>) -> Self {
        self.hints.extend(hint.into());
        self
    }

    /// The whole text.
    pub(crate) fn text(&self) -> Text {
        let mut text = Text::new();
        text.styled(ERROR, "==> Error:").push(" ").push(self.message.trim_end()).push("\n");
        text.append(&self.details);
        for hint in &self.hints {
            text.styled(HINT, "hint:").push(" ").push(hint).push("\n");
        }
        text
    }
}

fn hint(hint: Option<&'static str>) -> Option<String> {
    hint.map(str::to_owned)
}

impl From<ConfigError> for CommandError {
    fn from(error: ConfigError) -> Self {
        match error {
            ConfigError::Setting { .. } => {
                Self::usage(error.to_string()).hinted("for example `-c config:build_jobs:4`".to_owned())
            }
            error => Self::failure(error.to_string()),
        }
    }
}

impl From<SolveError> for CommandError {
    fn from(error: SolveError) -> Self {
        let kind = match error {
            SolveError::Interrupted => ErrorKind::Interrupted,
            _ => ErrorKind::Unsolvable,
        };
        Self::new(kind, error.to_string())
    }
}

impl From<ParseError> for CommandError {
    fn from(error: ParseError) -> Self {
        Self::usage(error.to_string())
    }
}

impl From<CatalogError> for CommandError {
    fn from(error: CatalogError) -> Self {
        Self::failure(chain(&error))
    }
}

impl From<ChoiceError> for CommandError {
    fn from(error: ChoiceError) -> Self {
        let kind = match error {
            ChoiceError::Refused(_) => ErrorKind::Unsolvable,
            ChoiceError::Catalog(_) | ChoiceError::Run(_) => ErrorKind::Failure,
        };
        Self::new(kind, chain(&error))
    }
}

impl From<OpenError> for CommandError {
    fn from(error: OpenError) -> Self {
        Self::failure(chain(&error)).hinted(hint(error.hint()))
    }
}

impl From<StoreError> for CommandError {
    fn from(error: StoreError) -> Self {
        Self::failure(chain(&error)).hinted(hint(error.hint()))
    }
}

impl From<DatabaseError> for CommandError {
    fn from(error: DatabaseError) -> Self {
        Self::failure(chain(&error)).hinted(hint(error.hint()))
    }
}

impl From<LookupError> for CommandError {
    fn from(error: LookupError) -> Self {
        let more = matches!(error, LookupError::Ambiguous { .. });
        let hint = more.then(|| "write more characters of the hash".to_owned());
        Self::failure(chain(&error)).hinted(hint)
    }
}

impl From<UninstallError> for CommandError {
    fn from(error: UninstallError) -> Self {
        Self::failure(chain(&error)).hinted(hint(error.hint()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_a_documented_status() {
        use ErrorKind::{Failure, HungUp, Interrupted, Monitor, Terminated, Unsolvable, Usage, Walls};
        let mut statuses = vec![0];
        statuses.extend(
            [Failure, Usage, Unsolvable, Monitor, Walls, HungUp, Interrupted, Terminated]
                .map(ErrorKind::exit_status),
        );
        assert_eq!(statuses, EXIT_STATUSES.map(|(status, _)| status));
    }

    #[test]
    fn errors_are_shown_with_hints_last() {
        let mut error = CommandError::failure("it failed\n    with two lines").hinted("try again".to_owned());
        error.details.push("  a detail\n");
        insta::assert_snapshot!(error.text().unstyled(), @r"
        ==> Error: it failed
            with two lines
          a detail
        hint: try again
        ");
    }

    #[test]
    fn an_error_from_a_recipe_can_not_play_tricks() {
        let error = CommandError::failure("\x1b[2Jcleared");
        assert_eq!(error.text().unstyled(), "==> Error: [2Jcleared\n");
    }
}
