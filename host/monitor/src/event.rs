use std::fmt;
use std::path::PathBuf;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use spack_wasm_spec::{DagHash, Version};
use uuid::Uuid;

use crate::OutputChunk;

/// Version of the events' shape, written into each one. Schema 0 may still change between releases.
pub const SCHEMA: u32 = 0;

/// One thing that happened in one run of the command; as a line of JSON, what `--format ndjson` prints.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// [`SCHEMA`] of the writer.
    pub schema: u32,
    /// Which run of the command it belongs to.
    pub run: RunId,
    /// Its place in the run: 0, 1, 2, ... without a gap.
    pub sequence: u64,
    /// When it happened, by the host's clock.
    pub time: Timestamp,
    /// The node of the DAG that it is about; an event without one is about the whole run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<DagHash>,
    /// What happened, with its fields beside the ones above.
    #[serde(flatten)]
    pub kind: EventKind,
}

/// Names one run of the command among all runs on all machines: a random UUID.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RunId(Uuid);

impl RunId {
    /// A name that no other run has.
    pub fn random() -> Self {
        Self(Uuid::new_v4())
    }
}

impl From<Uuid> for RunId {
    fn from(id: Uuid) -> Self {
        Self(id)
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What happened. In JSON the field `event` holds the kind's name in kebab-case.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum EventKind {
    /// The command started. The first event of a run.
    RunStarted {
        /// The command line, without any credential.
        command: Vec<String>,
        /// The version of the program.
        version: String,
        /// The machine that it runs on.
        host: HostFacts,
    },
    /// The concretizer started.
    SolveStarted {
        /// The specs as the user wrote them.
        specs: Vec<String>,
    },
    /// The concretizer found a DAG; a [`EventKind::Package`] for each of its nodes precedes this event.
    SolveFinished {
        /// The nodes that the user asked for.
        roots: Vec<DagHash>,
        /// How many nodes there are.
        packages: u64,
    },
    /// There is no DAG for what the user asked.
    SolveFailed {
        /// Why, as a person reads it.
        message: String,
        /// The names of the packages that were asked for.
        roots: Vec<String>,
    },
    /// What the event's hash stands for.
    Package {
        /// The package's name.
        name: String,
        /// Its version.
        version: Version,
        /// The repository that its recipe comes from.
        namespace: String,
        /// Its direct dependencies.
        dependencies: Vec<DagHash>,
    },
    /// What will be done with each node, dependencies first.
    Plan {
        /// One entry a node.
        steps: Vec<PlanStep>,
    },
    /// A download was tried.
    FetchStarted {
        /// Where from: a URL or a mirror's name, without any credential.
        origin: String,
    },
    /// One source of an archive or patch could not give it.
    SourceFailed {
        /// Where from.
        origin: String,
        /// Why it failed.
        reason: String,
        /// What is tried next; nothing when this was the last one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        next: Option<String>,
    },
    /// A download goes on.
    FetchProgress {
        /// Bytes that have arrived.
        bytes: u64,
        /// Bytes of the whole, when the source says so.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        total: Option<u64>,
    },
    /// An archive or patch is there and its checksum is right.
    FetchFinished {
        /// Where it came from.
        origin: String,
        /// Its SHA-256 in hexadecimal.
        checksum: String,
        /// Its size.
        bytes: u64,
    },
    /// The build of the node started. [`EventKind::BuildEnded`] follows in every case.
    BuildStarted,
    /// A phase of the recipe started. [`EventKind::PhaseEnded`] follows in every case.
    PhaseStarted {
        /// The phase's name in the recipe, for example `configure`.
        phase: String,
    },
    /// A phase ended.
    PhaseEnded {
        /// The phase's name.
        phase: String,
        /// How it ended.
        #[serde(flatten)]
        exit: PhaseExit,
        /// What it took.
        #[serde(flatten)]
        usage: Usage,
    },
    /// A part of the build's log. Chunks of a phase, put one behind the other in order, are the log of the phase; of a very
    /// long one the middle is left out, and a line says so.
    Output(OutputChunk),
    /// The sandbox kept a tool or a recipe from something.
    Refusal {
        /// The path, as the tool saw it.
        path: PathBuf,
        /// What was wanted of it.
        access: Access,
        /// How sure it is that the sandbox was the reason.
        certainty: Certainty,
        /// The setting that would allow it.
        setting: String,
    },
    /// A recipe says how far it is.
    Progress {
        /// Steps done.
        done: u64,
        /// Steps in all, when the recipe knows.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        total: Option<u64>,
        /// What it is doing.
        text: String,
    },
    /// The build of the node ended, or will never start.
    BuildEnded(BuildEnd),
    /// Something that a person should know, without which the run goes on.
    Warning {
        /// What, and what can be done.
        message: String,
    },
    /// Nothing is built, or no more than has ended: the configuration, the store or something else that the run needs is amiss.
    /// What has no solution is a [`EventKind::SolveFailed`] instead, and a build that fails a [`EventKind::BuildEnded`].
    RunFailed {
        /// What and why, as a person reads it.
        message: String,
    },
    /// The command ends. The last event of a run.
    RunEnded {
        /// The exit status that the command will have.
        exit_status: u8,
    },
}

/// What a Spackmon server wants to know of the machine (`install_environment.json`, without the Spack version).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostFacts {
    /// The distribution and its release, for example `debian12`.
    pub host_os: String,
    /// The kernel's family, for example `linux`.
    pub platform: String,
    /// The microarchitecture, for example `x86_64_v4`.
    pub host_target: String,
    /// The machine's name.
    pub hostname: String,
    /// The *version* field of `uname`, not the release.
    pub kernel_version: String,
}

/// What will be done with one node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanStep {
    /// The node.
    pub hash: DagHash,
    /// What will be done.
    pub action: PlanAction,
}

/// What can be done with a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PlanAction {
    /// Build it from source.
    Build,
    /// Nothing: it is in the store.
    Installed,
    /// Nothing: something else installed it.
    External,
}

/// How a phase ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "exit", rename_all = "kebab-case")]
pub enum PhaseExit {
    /// It did what it should.
    Success,
    /// It did not.
    Error {
        /// Why, as a person reads it.
        message: String,
    },
}

/// What a phase took. A tool that was killed because the run was cancelled counts for the time on the clock only.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// Time on the clock, in milliseconds.
    pub wall_ms: u64,
    /// CPU time of its tools in user mode, in milliseconds.
    pub user_ms: u64,
    /// CPU time of its tools in the kernel, in milliseconds.
    pub system_ms: u64,
    /// The largest resident size that one of its tools had, in KiB.
    pub peak_memory_kib: u64,
}

/// What a tool wanted of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Access {
    /// To see or read it.
    Read,
    /// To change it.
    Write,
}

/// How sure a statement about a refusal is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Certainty {
    /// It was seen.
    Certain,
    /// It follows from what the tool printed.
    Probable,
}

/// How a build ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "end", rename_all = "kebab-case")]
pub enum BuildEnd {
    /// The prefix is complete and recorded.
    Installed {
        /// Where it is.
        prefix: PathBuf,
    },
    /// Another process installed it in the meantime.
    AlreadyInstalled {
        /// Where it is.
        prefix: PathBuf,
    },
    /// It failed.
    Failed {
        /// Why, as a person reads it.
        message: String,
    },
    /// It was stopped, or never started, through no fault of its own.
    Cancelled(CancelCause),
}

/// Why a build was cancelled.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "cause", rename_all = "kebab-case")]
pub enum CancelCause {
    /// Something that it depends on failed.
    DependencyFailed {
        /// The node that failed itself.
        dependency: DagHash,
    },
    /// Another build failed, and the user wants to stop at the first failure.
    FailFast {
        /// The node that failed.
        failed: DagHash,
    },
    /// The user or the system interrupted the run.
    Interrupted,
    /// A request to the monitor failed for good, and the user did not ask to keep going.
    Monitor,
    /// The user was asked, and did not want it.
    Declined,
}
