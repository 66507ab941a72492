//! What an installation leaves in `.spack`, in the shapes that Spack's own tools and the monitor read.

use std::path::PathBuf;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

/// All that is recorded of an installation besides its files.
#[derive(Clone, Debug)]
pub struct InstallRecord {
    /// Whether the user asked for it, as opposed to something that depends on it.
    pub explicit: bool,
    /// When it was finished.
    pub installed_at: SystemTime,
    /// The whole output of the build, a file outside the prefix that is copied.
    pub build_log: Option<PathBuf>,
    /// What the build changed in the environment, as shell text.
    pub environment_changes: String,
    /// The arguments of the configuring step, a line each; none where there is no such step.
    pub configure_args: Option<String>,
    /// The machine.
    pub environment: InstallEnvironment,
    /// How long each phase took.
    pub times: InstallTimes,
    /// What built it, from what, behind which walls.
    pub provenance: Provenance,
    /// The recipe itself.
    pub recipe: RecipeRecord,
}

/// The machine on which a package was built: `install_environment.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstallEnvironment {
    /// The distribution and its release, for example `debian12`.
    pub host_os: String,
    /// The kernel's family, for example `linux`.
    pub platform: String,
    /// The microarchitecture of the machine, for example `zen2`.
    pub host_target: String,
    /// The machine's name.
    pub hostname: String,
    /// `spack-wasm-<version>`.
    pub spack_version: String,
    /// What the kernel calls its version.
    pub kernel_version: String,
}

/// Times of a build: `install_times.json`, as Spack's timer writes it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct InstallTimes {
    /// Seconds from start to end.
    pub total: f64,
    /// The phases, in the order in which they began.
    pub phases: Vec<PhaseTime>,
}

/// Time of one phase.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PhaseTime {
    /// Its name, for example `configure`.
    pub name: String,
    /// Its name behind those of the phases around it, with `/` between them.
    pub path: String,
    /// Seconds of wall time.
    pub seconds: f64,
    /// How often it ran.
    pub count: u32,
}

/// The recipe that built a package.
#[derive(Clone, Debug)]
pub struct RecipeRecord {
    /// The component.
    pub component: Vec<u8>,
    /// Other files of the recipe's folder, for example patches: path beneath that folder, and contents.
    pub files: Vec<(PathBuf, Vec<u8>)>,
}

/// What built a package, from what, behind which walls: `spack-wasm.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Provenance {
    /// The program, as `spack-wasm-<version>`.
    pub builder: String,
    /// The walls.
    pub sandbox: SandboxRecord,
    /// Whether the same inputs give the same bytes elsewhere.
    pub reproducible: Reproducibility,
    /// The archives, patches and resources.
    pub sources: Vec<SourceRecord>,
    /// The recipe.
    pub recipe: RecipeIdentity,
    /// The native tools that the recipe was given.
    pub toolchain: Vec<ToolRecord>,
}

/// The sandbox of a build.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SandboxRecord {
    /// `namespaces`, `landlock` or `none`.
    pub level: String,
    /// Layers of that level which the machine lacks and the user allowed to be missing.
    pub missing_layers: Vec<String>,
}

/// Whether the same inputs give the same bytes elsewhere, and if not, why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "answer")]
pub enum Reproducibility {
    /// Nothing is known that would change them.
    Yes,
    /// Something is.
    No {
        /// What.
        reasons: Vec<String>,
    },
}

/// One thing that was fetched.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceRecord {
    /// What it is, for example its file name.
    pub name: String,
    /// Checksum in lower-case hexadecimal; none for what was taken unchecked.
    pub sha256: Option<String>,
    /// Where it came from, without credentials.
    pub origin: String,
}

/// Which recipe it was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecipeIdentity {
    /// SHA-256 of the component, in lower-case hexadecimal.
    pub component_sha256: String,
    /// The hash over the recipe's sources, which is part of the DAG hash.
    pub package_hash: String,
    /// The repository or file that it was taken from.
    pub origin: String,
}

/// One native tool.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToolRecord {
    /// What it is used for, for example `c` or `make`.
    pub role: String,
    /// `name@version`.
    pub spec: String,
    /// Where it is.
    pub path: PathBuf,
}

/// The contents of `spack-wasm.json`.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct RecordFile {
    /// Version of this format.
    pub(crate) format: u32,
    /// Seconds since 1970.
    pub(crate) installed_at: i64,
    #[serde(flatten)]
    pub(crate) provenance: Provenance,
}

/// The version of `spack-wasm.json` that this program writes.
pub(crate) const RECORD_FORMAT: u32 = 1;

/// Seconds since 1970; a clock before that counts as 1970.
pub(crate) fn to_seconds(time: SystemTime) -> i64 {
    time.duration_since(UNIX_EPOCH).map_or(0, |since| i64::try_from(since.as_secs()).unwrap_or(i64::MAX))
}

/// The time that [`to_seconds`] gave.
pub(crate) fn from_seconds(seconds: i64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(u64::try_from(seconds).unwrap_or(0))
}
