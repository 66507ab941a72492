use std::{fmt, io};

use crate::bindings::exports::spack_wasm::recipe::build::Failure as ContractFailure;
use crate::bindings::spack_wasm::recipe::types::ToolError;

/// What a recipe's functions return.
pub type Result<T = ()> = std::result::Result<T, Failure>;

/// Why a recipe could not do its work.
///
/// Failed tools, failed file operations and plain text become one with `?`.
#[derive(Clone, Debug)]
pub struct Failure(ContractFailure);

impl Failure {
    /// A failure in words for the user.
    pub fn new(message: impl Into<String>) -> Self {
        Self(ContractFailure::Other(message.into()))
    }

    pub(crate) fn into_contract(self) -> ContractFailure {
        self.0
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            ContractFailure::Other(reason)
            | ContractFailure::Tool(ToolError::Refused(reason) | ToolError::Invalid(reason)) => {
                out.write_str(reason)
            }
            ContractFailure::Tool(ToolError::NotFound(name)) => {
                write!(out, "there is no '{name}' in the sandbox")
            }
            ContractFailure::Tool(ToolError::Failed(failed)) => {
                write!(out, "this failed: {}", failed.command_line)
            }
        }
    }
}

impl From<ToolError> for Failure {
    fn from(error: ToolError) -> Self {
        Self(ContractFailure::Tool(error))
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        let mut message = without_number(&error.to_string());
        if error.kind() == io::ErrorKind::PermissionDenied {
            message.push_str("; a recipe may write its stage and its prefix and nothing else");
        }
        Self::new(message)
    }
}

/// The words without the number that the standard library puts behind them: WASI's numbers are not those that people know.
fn without_number(message: &str) -> String {
    message.split_once(" (os error ").map_or(message, |(words, _)| words).to_owned()
}

impl From<String> for Failure {
    fn from(message: String) -> Self {
        Self::new(message)
    }
}

impl From<&str> for Failure {
    fn from(message: &str) -> Self {
        Self::new(message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_file_operation_is_told_in_words() {
        let failed = |kind| Failure::from(io::Error::from(kind)).to_string();
        assert_eq!(failed(io::ErrorKind::NotFound), "entity not found");
        assert!(
            failed(io::ErrorKind::PermissionDenied).ends_with("its stage and its prefix and nothing else")
        );
        assert_eq!(
            without_number("`/x`: No such file or directory (os error 44)"),
            "`/x`: No such file or directory"
        );
    }
}
