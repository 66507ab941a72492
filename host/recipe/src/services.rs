use std::sync::Arc;

use spack_wasm_spec::Node;

use crate::types::{Command, EnvironmentChange, ToolError, ToolOutcome};

/// A tool that a recipe wants to run.
#[derive(Clone, Debug, PartialEq)]
pub struct ToolRequest {
    /// The command.
    pub command: Command,
    /// What it reads from standard input.
    pub input: Option<Vec<u8>>,
    /// Whether standard output is returned.
    pub capture_output: bool,
    /// Whether standard error is returned, by itself.
    pub capture_error: bool,
    /// Whether an exit code other than zero is an outcome and not an error.
    pub accept_failure: bool,
}

/// What a recipe asks about one of its dependencies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Question {
    /// Its libraries.
    Libraries(Vec<String>),
    /// Its headers.
    Headers(Vec<String>),
    /// The executable that stands for it.
    Command(Vec<String>),
    /// Its home.
    Home,
    /// What it offers by a name.
    Offered(String),
    /// The changes that make it usable.
    RunEnvironment,
}

/// The headers of a package.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Headers {
    /// Folders for the compiler's search path.
    pub directories: Vec<String>,
    /// The header files.
    pub files: Vec<String>,
}

/// What a dependency's recipe answers.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// Paths of libraries.
    Libraries(Vec<String>),
    /// Headers.
    Headers(Headers),
    /// A path or text.
    Text(String),
    /// Changes of the environment.
    Environment(Vec<EnvironmentChange>),
}

/// Why a dependency gave no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AskError {
    /// It has nothing of the kind.
    #[error("{0}")]
    Nothing(String),
    /// Its recipe failed.
    #[error("{0}")]
    Failed(String),
}

/// What the build does for its recipe. The recipe host knows neither sandbox nor log: it hands over what a guest asks for, as
/// data that was checked for its form only.
pub trait Services: Send {
    /// Runs a tool in the build's sandbox, to its end.
    ///
    /// # Errors
    /// As the contract words them.
    fn run(&mut self, request: ToolRequest) -> Result<ToolOutcome, ToolError>;

    /// Looks a program up inside the sandbox.
    fn find(&mut self, program: &str) -> Option<String>;

    /// Asks the recipe of a dependency, in an instance of its own.
    ///
    /// # Errors
    /// It has no answer.
    fn ask(&mut self, node: &Arc<Node>, question: Question) -> Result<Answer, AskError>;

    /// The path of the compiler for `language` that the build's tools are told, if the spec depends on the language.
    fn compiler(&mut self, language: &str) -> Option<String>;

    /// A line for the build log; a warning is also repeated at the end.
    fn log(&mut self, warning: bool, message: &str);

    /// How far a phase is.
    fn progress(&mut self, done: u32, total: u32, message: &str);

    /// Whether the guest is to be stopped, since nobody wants its result any more. Asked all the time while it runs.
    fn is_cancelled(&self) -> bool {
        false
    }
}

/// The services outside of a build: none. A recipe that declares its package or answers a question runs no tools.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoServices;

impl Services for NoServices {
    fn run(&mut self, request: ToolRequest) -> Result<ToolOutcome, ToolError> {
        let program = request.command.program;
        Err(ToolError::Refused(format!("'{program}': tools run in the phases of a build only")))
    }

    fn find(&mut self, _: &str) -> Option<String> {
        None
    }

    fn ask(&mut self, node: &Arc<Node>, _: Question) -> Result<Answer, AskError> {
        Err(AskError::Failed(format!("{} can't be asked outside of a build", node.name())))
    }

    fn compiler(&mut self, _: &str) -> Option<String> {
        None
    }

    fn log(&mut self, _: bool, _: &str) {}

    fn progress(&mut self, _: u32, _: u32, _: &str) {}
}
