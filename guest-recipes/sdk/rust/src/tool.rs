use std::path::Path;

use crate::bindings::spack_wasm::recipe::tools::{self, Capture, Request};
use crate::bindings::spack_wasm::recipe::types::{Command, ToolOutcome};
use crate::{Environment, Failure, Result};

/// A native tool that is about to run in the sandbox.
#[derive(Clone, Debug)]
#[must_use = "a tool does nothing until it is run"]
pub struct Tool(Request);

impl Tool {
    /// A tool by its name along `PATH`, or by its path.
    pub fn new(program: impl Into<String>) -> Self {
        let command = Command {
            program: program.into(),
            arguments: Vec::new(),
            environment: Vec::new(),
            directory: None,
            parallel: true,
        };
        Self::from(command)
    }

    /// One more argument.
    pub fn arg(mut self, argument: impl Into<String>) -> Self {
        self.0.command.arguments.push(argument.into());
        self
    }

    /// More arguments.
    pub fn args<T: Into<String>>(mut self, arguments: impl IntoIterator<Item = T>) -> Self {
        self.0.command.arguments.extend(arguments.into_iter().map(Into::into));
        self
    }

    /// Sets an environment variable.
    pub fn env(self, name: &str, value: impl Into<String>) -> Self {
        let mut change = Environment::new();
        change.set(name, value);
        self.environment(change)
    }

    /// Changes the environment.
    pub fn environment(mut self, changes: Environment) -> Self {
        self.0.command.environment.extend(changes.into_contract());
        self
    }

    /// Runs in this folder and not in the source folder.
    pub fn directory(mut self, directory: impl AsRef<Path>) -> Self {
        self.0.command.directory = Some(directory.as_ref().display().to_string());
        self
    }

    /// Gets one job only.
    pub fn serial(mut self) -> Self {
        self.0.command.parallel = false;
        self
    }

    /// What the tool reads from standard input.
    pub fn input(mut self, input: impl Into<Vec<u8>>) -> Self {
        self.0.input = Some(input.into());
        self
    }

    /// Runs it.
    ///
    /// # Errors
    /// It is not there, refused, or failed.
    pub fn run(self) -> Result {
        tools::run(&self.0)?;
        Ok(())
    }

    /// Runs it and returns how it ended; an exit code other than zero is no error.
    ///
    /// # Errors
    /// It is not there or refused.
    pub fn outcome(mut self) -> Result<ToolOutcome> {
        self.0.accept_failure = true;
        self.0.capture = Capture::Both;
        Ok(tools::run(&self.0)?)
    }

    /// Runs it and returns what it wrote to standard output.
    ///
    /// # Errors
    /// It is not there, refused, failed, or wrote something that is not UTF-8.
    pub fn output(mut self) -> Result<String> {
        self.0.capture = Capture::Output;
        let outcome = tools::run(&self.0)?;
        String::from_utf8(outcome.output).map_err(|_| {
            Failure::new(format!("{} wrote something that is not UTF-8", self.0.command.program))
        })
    }
}

impl From<Command> for Tool {
    fn from(command: Command) -> Self {
        Self(Request { command, input: None, capture: Capture::Nothing, accept_failure: false })
    }
}
