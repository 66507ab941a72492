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
        Self::new(error.to_string())
    }
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
