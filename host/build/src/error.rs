use std::io;
use std::path::PathBuf;

use spack_wasm_compiler_wrapper::ConfigError;
use spack_wasm_monitor::CancelCause;
use spack_wasm_recipe_host::{AskError, CatalogError, RunError};
use spack_wasm_sandbox::{StartError, ToolError};
use spack_wasm_source::FetchError;
use spack_wasm_source::patch::PatchError;
use spack_wasm_source::unpack::UnpackError;
use spack_wasm_store::{BeginError, CheckError, DatabaseError, FileError, LockError, PublishError};

/// Why nothing was built at all.
#[derive(Debug, thiserror::Error)]
pub enum InstallError {
    /// A wall that is wanted is not to be had on this machine.
    #[error("the sandbox can't be set up")]
    Walls(#[source] StartError),
    /// A helper program can't be put in its place.
    #[error("a helper program can't be installed")]
    Tool(#[from] ToolError),
    /// The job budget.
    #[error("the job server can't be set up")]
    Jobserver(#[from] spack_wasm_jobserver::JobserverError),
    /// The folder of stages.
    #[error("stages can't be made in {}", path.display())]
    Stages {
        /// The folder.
        path: PathBuf,
        /// What the operating system says.
        #[source]
        source: io::Error,
    },
    /// A path that configuration opens to builds does not exist.
    #[error("{setting} names {}, which does not exist", path.display())]
    NoSuchPath {
        /// The setting.
        setting: &'static str,
        /// The path.
        path: PathBuf,
    },
    /// What is installed already can't be kept from being removed meanwhile.
    #[error("an installed dependency can't be locked")]
    Lock(#[from] LockError),
    /// What was installed when the plan was made no longer is.
    #[error("{package} was installed when the run began, and has been removed meanwhile")]
    Removed {
        /// The package, as `name@version/hash`.
        package: String,
    },
    /// There is something to build, and nowhere to put it.
    #[error("nothing can be built, since the store {} is read-only", store.display())]
    ReadOnly {
        /// The store's root.
        store: PathBuf,
    },
    /// Whether something is installed can't be found out.
    #[error(transparent)]
    Database(#[from] DatabaseError),
    /// The operating system has no thread left.
    #[error("no thread can be started")]
    Thread(#[source] io::Error),
}

impl InstallError {
    /// What the user can do about it, where that is known.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Stages { .. } => Some("config:build_stage names another folder"),
            Self::Lock(error) => error.hint(),
            Self::Database(error) => error.hint(),
            Self::Removed { .. } => Some("run the same again: it is built then"),
            Self::ReadOnly { .. } => Some("set config:install_tree:root to a folder that you may write"),
            Self::Walls(_)
            | Self::Tool(_)
            | Self::Jobserver(_)
            | Self::NoSuchPath { .. }
            | Self::Thread(_) => None,
        }
    }
}

/// Why one build has no prefix.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BuildError {
    #[error("the build was cancelled")]
    Cancelled(CancelCause),
    #[error(
        "a recipe changes the variable '{0}', which is no name of a variable: letters, digits and underscores, no digit first"
    )]
    VariableName(String),
    #[error("the host panicked; this is a bug of spack-wasm, please report it")]
    Bug,
    #[error("no thread can be started for it")]
    Thread(#[source] io::Error),
    #[error("the recipe of {name}, which it depends on, can't be asked what dependents need")]
    Dependency {
        name: String,
        #[source]
        source: AskError,
    },
    #[error("{package}, which it depends on, is not in its prefix {}", prefix.display())]
    DependencyGone { package: String, prefix: PathBuf },
    #[error(transparent)]
    Lock(#[from] LockError),
    #[error(transparent)]
    Begin(#[from] BeginError),
    #[error("there is no recipe for {0}; is the repository that had it gone?")]
    NoRecipe(String),
    #[error(transparent)]
    Recipe(#[from] CatalogError),
    #[error("its recipe wants more than its sandbox has, and configuration does not allow it: {refused}")]
    Permission { refused: String, setting: String },
    #[error("the stage in {} can't be used", path.display())]
    Stage {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("its recipe declares no archive for {0}")]
    NoArchive(String),
    #[error("the sources of {name} can't be had: {reason}")]
    Checkout { name: String, reason: &'static str },
    #[error("its recipe no longer declares version {0}; was the recipe changed meanwhile?")]
    NoVersion(String),
    #[error("its resource {name} can't be put at {}", path.display())]
    Resource {
        name: String,
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("a checksum of its recipe is malformed")]
    Checksum(#[from] spack_wasm_source::ChecksumError),
    #[error(transparent)]
    Fetch(#[from] FetchError),
    #[error(transparent)]
    Unpack(#[from] UnpackError),
    #[error("patch {name} does not apply")]
    Patch {
        name: String,
        #[source]
        source: PatchError,
    },
    #[error("patch {name} is not what its recipe describes: its SHA-256 is {found}")]
    PatchChanged { name: String, found: String },
    #[error("patch {name} has more than 64 MiB")]
    PatchSize { name: String },
    #[error("the archive of patch {name} holds {files} files, and exactly one is expected")]
    PatchArchive { name: String, files: usize },
    #[error(
        "its spec has the patch with the SHA-256 {sha256}, which neither its own recipe nor that of a dependent declares"
    )]
    PatchUnknown { sha256: String },
    #[error("the compiler wrapper can't be configured")]
    Wrapper(#[from] ConfigError),
    #[error("the compiler wrapper can't be told what {target} needs")]
    Target {
        target: String,
        #[source]
        source: spack_wasm_machine::TargetError,
    },
    #[error(transparent)]
    Jobserver(#[from] spack_wasm_jobserver::JobserverError),
    #[error("the sandbox can't be set up")]
    Walls(#[from] StartError),
    #[error(transparent)]
    Run(#[from] RunError),
    #[error("build system '{0}' of its spec is not one that its recipe declares")]
    BuildSystem(String),
    #[error(transparent)]
    Prefix(#[from] FileError),
    #[error(transparent)]
    Check(#[from] CheckError),
    #[error("its install phases put nothing into the prefix")]
    Empty,
    #[error(transparent)]
    Publish(#[from] PublishError),
}

impl BuildError {
    /// What the user can do about it.
    pub(crate) fn hints(&self) -> Vec<String> {
        match self {
            Self::Fetch(error) => error.hints(),
            Self::Lock(error) => error.hint().map(str::to_owned).into_iter().collect(),
            Self::DependencyGone { .. } => {
                vec!["run the same again: what is missing is built first then".to_owned()]
            }
            Self::Begin(error) => error.hint().map(str::to_owned).into_iter().collect(),
            Self::Publish(error) => error.hint().map(str::to_owned).into_iter().collect(),
            Self::Permission { setting, .. } => {
                vec![format!("if you trust the recipe with all that it wants, allow it: -c \"{setting}\"")]
            }
            _ => Vec::new(),
        }
    }
}

/// An error with its causes, as one text; what a cause repeats of the error above it is said once.
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let more = error.to_string();
        if !text.contains(&more) {
            text.push_str(": ");
            text.push_str(&more);
        }
        cause = error.source();
    }
    text
}
