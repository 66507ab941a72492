//! Why a tool was not installed, a sandbox not started, a command not run.

use std::io;
use std::path::PathBuf;

use spack_wasm_sandbox_protocol::{Layer, Level};

/// Why an embedded program could not be put into the cache.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ToolError {
    /// A file or folder of the cache could not be read or written; the message names it.
    #[error("cannot install the embedded program `{name}`")]
    Cache {
        /// The program.
        name: &'static str,
        /// The system's reason, with the path.
        source: io::Error,
    },
    /// The cache belongs to somebody else, who could exchange programs in it.
    #[error(
        "the cache `{}` belongs to user {owner}, not to {user}; set another cache folder, or remove this one",
        path.display()
    )]
    Owner {
        /// The folder.
        path: PathBuf,
        /// Its owner.
        owner: u32,
        /// Who we are.
        user: u32,
    },
    /// The installed file is not what was written, straight after it was written.
    #[error("`{}` {what} just after it was written: is the disk full, or another program changing it?", path.display())]
    Changed {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        what: &'static str,
    },
}

/// Why a sandbox was not started. Nothing of it is left running.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// This machine does not give a wall that the policy asks for.
    #[error(
        "the sandbox's `{layer}` layer is missing on this machine ({why}), so nothing is built; {}",
        way_around(flag.as_deref())
    )]
    MissingLayer {
        /// The wall.
        layer: Layer,
        /// The system's reason.
        why: io::Error,
        /// The option that continues; none where all walls are insisted on.
        flag: Option<String>,
    },
    /// The build user can't reach a path that it works at, and can't be let in.
    #[error(
        "builds run as user {uid}, who can't enter `{0}`, and at the sandbox level `{level}` they work at real paths \
         (mounts that would let them in are refused: {why}); \
         open it with `chmod o+x {0}`, or keep store and stage elsewhere: \
         `-c config:install_tree:root:DIR -c config:build_stage:DIR`",
        path.display()
    )]
    Closed {
        /// The build's user.
        uid: u32,
        /// The policy's level.
        level: Level,
        /// The folder that is closed.
        path: PathBuf,
        /// The system's reason.
        why: io::Error,
    },
    /// The build user does not exist in the user namespace that we were started in.
    #[error(
        "builds run as user {uid}, whom the user namespace of this container does not have; \
         set `config:sandbox:build_uid` to one of the numbers in /proc/self/uid_map and /proc/self/gid_map, but not to 0"
    )]
    NoSuchUser {
        /// The build's user.
        uid: u32,
    },
    /// A step of the setup failed that no option can leave out.
    #[error("the sandbox cannot {step}{}", at(path.as_ref()))]
    Setup {
        /// What was being done.
        step: &'static str,
        /// The path at fault, if there is one.
        path: Option<PathBuf>,
        /// The system's reason.
        source: io::Error,
    },
    /// The policy wants a path to appear elsewhere, which needs a mount namespace.
    #[error(
        "at the sandbox level `{level}` paths are real, so `{}` cannot appear as `{}`",
        source_path.display(), target.display()
    )]
    CannotRemap {
        /// The policy's level.
        level: Level,
        /// The host's path.
        source_path: PathBuf,
        /// The path that was asked for.
        target: PathBuf,
    },
    /// A path of the policy is not absolute.
    #[error("`{}` in the sandbox's policy is not an absolute path", path.display())]
    RelativePath {
        /// The path.
        path: PathBuf,
    },
    /// Builds as root are never run.
    #[error("the build user must not be 0; set `config:sandbox:build_uid` to another number")]
    BuildAsRoot,
    /// The helper could not be started or talked to.
    #[error("cannot start the sandbox's helper program")]
    Helper(#[source] io::Error),
    /// The helper ended without an answer.
    #[error("the sandbox's helper program ended without an answer ({status})")]
    HelperEnded {
        /// How it ended.
        status: String,
    },
}

/// Why a command was not run, or its end not seen.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// No such program, as the build sees the files.
    #[error("`{program}` was not found in the sandbox{}", along(path.as_deref()))]
    NotFound {
        /// The name or path asked for.
        program: String,
        /// The `PATH` that was searched; `None` when the program was named with a slash.
        path: Option<String>,
    },
    /// The program exists, and the interpreter or loader that it names does not.
    #[error("`{}` names an interpreter (first line, or ELF loader) that does not exist in the sandbox", path.display())]
    NoInterpreter {
        /// The program.
        path: PathBuf,
    },
    /// The program exists and may not be executed.
    #[error("`{}` may not be executed: its mode, or the sandbox, forbids it", path.display())]
    NotPermitted {
        /// The program.
        path: PathBuf,
    },
    /// The working directory cannot be entered.
    #[error("cannot enter the working directory `{}`", path.display())]
    WorkingDirectory {
        /// The directory.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// The program was not started for another reason, such as arguments that are too long.
    #[error("cannot start `{program}`")]
    NotStarted {
        /// The name or path asked for.
        program: String,
        /// The system's reason.
        source: io::Error,
    },
    /// The command can be run nowhere.
    #[error("the command is invalid: {what}")]
    Invalid {
        /// What is wrong with it.
        what: &'static str,
    },
    /// The build was cancelled.
    #[error("the build was cancelled")]
    Cancelled,
    /// The executor ended before the command.
    #[error("the sandbox ended before `{program}` did: it was killed, or the machine is out of memory")]
    Lost {
        /// The name or path asked for.
        program: String,
    },
    /// The executor could not be talked to.
    #[error("cannot talk to the sandbox")]
    Channel(#[source] io::Error),
}

fn way_around(flag: Option<&str>) -> String {
    match flag {
        Some(flag) => format!("to build without it: {flag}"),
        None => "`--require-sandbox` insists on it".to_owned(),
    }
}

fn at(path: Option<&PathBuf>) -> String {
    path.map(|path| format!(" `{}`", path.display())).unwrap_or_default()
}

fn along(path: Option<&str>) -> String {
    path.map(|path| format!(" along PATH={path}")).unwrap_or_default()
}
