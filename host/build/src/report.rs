use std::path::PathBuf;
use std::sync::Arc;

use spack_wasm_build_log::Finding;
use spack_wasm_monitor::CancelCause;
use spack_wasm_spec::Node;

/// How a run ended, node by node, in the order in which they ended.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// Built and published.
    pub installed: Vec<Installed>,
    /// In the store already, maybe through another process that built it meanwhile.
    pub present: Vec<Installed>,
    /// Failed themselves.
    pub failed: Vec<Failure>,
    /// Not built through no fault of their own.
    pub cancelled: Vec<Cancelled>,
    /// What recipes want the user to know.
    pub warnings: Vec<String>,
}

/// A package that is there.
#[derive(Clone, Debug)]
pub struct Installed {
    /// The package.
    pub node: Arc<Node>,
    /// Where it is.
    pub prefix: PathBuf,
}

/// A package that failed.
#[derive(Clone, Debug)]
pub struct Failure {
    /// The package.
    pub node: Arc<Node>,
    /// What failed, where and why.
    pub message: String,
    /// The phase in which it failed, if it came that far.
    pub phase: Option<String>,
    /// The first real error of the log, with its context.
    pub finding: Option<Finding>,
    /// What tools printed last in the phase, where no error was found in the log.
    pub last_lines: Vec<String>,
    /// What the sandbox refused, or probably did: sentences for the user.
    pub refusals: Vec<String>,
    /// What to do next, where that is known.
    pub hints: Vec<String>,
    /// The whole log, kept with the stage.
    pub log: Option<PathBuf>,
    /// The stage, kept for a look.
    pub stage: Option<PathBuf>,
}

/// A package that was not built.
#[derive(Clone, Debug)]
pub struct Cancelled {
    /// The package.
    pub node: Arc<Node>,
    /// Why.
    pub cause: CancelCause,
}

impl Report {
    /// Whether everything that was asked for is there.
    pub fn success(&self) -> bool {
        self.failed.is_empty() && self.cancelled.is_empty()
    }
}
