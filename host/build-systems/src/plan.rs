/// A command that a build system planned, to be run in the sandbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlannedCommand {
    /// A name to be looked up along `PATH`, or a path.
    pub program: String,
    /// The arguments, without the program's name.
    pub arguments: Vec<String>,
    /// Variables to be set on top of the build's environment.
    pub environment: Vec<(String, String)>,
    /// Where it runs, an absolute path.
    pub directory: String,
    /// Whether it may use the job budget.
    pub parallel: bool,
}

impl PlannedCommand {
    pub(crate) fn new(program: &str, directory: &str) -> Self {
        Self {
            program: program.to_owned(),
            arguments: Vec::new(),
            environment: Vec::new(),
            directory: directory.to_owned(),
            parallel: true,
        }
    }

    pub(crate) fn arguments<T: Into<String>>(mut self, arguments: impl IntoIterator<Item = T>) -> Self {
        self.arguments.extend(arguments.into_iter().map(Into::into));
        self
    }

    pub(crate) fn variable(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }
}

/// The build system has no such phase.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{build_system} has no phase '{phase}': it has {}", .known.join(", "))]
pub struct UnknownPhase {
    /// The build system.
    pub build_system: &'static str,
    /// What was asked for.
    pub phase: String,
    /// The phases that it has.
    pub known: &'static [&'static str],
}
