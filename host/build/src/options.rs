use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use spack_wasm_sandbox::{Layer, Level};
use spack_wasm_spec::DagHash;

/// How packages are built.
#[derive(Clone, Debug)]
pub struct InstallOptions {
    /// How many jobs run at a time, over all builds.
    pub jobs: usize,
    /// What an outer make said in `MAKEFLAGS`: its jobserver is joined.
    pub makeflags: Option<String>,
    /// Whether the first failure ends the run.
    pub fail_fast: bool,
    /// Whether the stage of a successful build is kept, too.
    pub keep_stage: bool,
    /// Installed nodes that are built again.
    pub overwrite: BTreeSet<DagHash>,
    /// Nodes whose own tests are run.
    pub tests: BTreeSet<DagHash>,
    /// Nodes that the user asked for by name.
    pub explicit: BTreeSet<DagHash>,
    /// The walls.
    pub sandbox: SandboxOptions,
    /// What recipes may have beyond their sandbox, by package: values of `permission` that configuration allows.
    pub allowed: BTreeMap<String, BTreeSet<String>>,
    /// Variables of the user's that recipes may have where configuration allows it, by name.
    pub user_variables: BTreeMap<String, String>,
    /// How much of a build's log is kept.
    pub log: LogLimits,
    /// The folder in which stages are made; the user's own.
    pub stage_root: PathBuf,
    /// The folder in which helper programs are kept; the user's own.
    pub tools: PathBuf,
}

/// How much of a build's log is kept, on disk and in the events: a tool that prints for ever fills neither disk nor memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogLimits {
    /// How many bytes of its beginning.
    pub head: usize,
    /// How many bytes of each phase's end; and of its beginning, where earlier phases have used up the room for the whole
    /// log. They are held in memory.
    pub tail: usize,
}

impl Default for LogLimits {
    /// 64 MiB, which hardly a build reaches, and 1 MiB.
    fn default() -> Self {
        Self { head: 64 << 20, tail: 1 << 20 }
    }
}

/// The walls around native tools.
#[derive(Clone, Debug)]
pub struct SandboxOptions {
    /// Which walls are wanted.
    pub level: Level,
    /// Layers that may be missing.
    pub allow_missing: BTreeSet<Layer>,
    /// Whether all walls are insisted on; see [`Policy::required`](spack_wasm_sandbox::Policy::required).
    pub required: bool,
    /// The user of builds when the program runs as root.
    pub build_uid: Option<u32>,
    /// Further paths that every build may read.
    pub read: Vec<PathBuf>,
    /// Further paths that every build may write.
    pub write: Vec<PathBuf>,
    /// Whether refusals are named exactly.
    pub trace: bool,
}

impl Default for SandboxOptions {
    fn default() -> Self {
        Self {
            level: Level::Namespaces,
            allow_missing: BTreeSet::new(),
            required: false,
            build_uid: None,
            read: Vec::new(),
            write: Vec::new(),
            trace: false,
        }
    }
}
