//! The first message and its answer: what the walls are, and whether they stand.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::{Layer, Level, WireString};

/// What the build may do with a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Access {
    /// Read and execute.
    ReadOnly,
    /// Read, execute and write.
    ReadWrite,
}

/// The walls of one build.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Setup {
    /// Which walls are wanted.
    pub level: Level,
    /// Walls whose absence is accepted.
    pub allow_missing: BTreeSet<Layer>,
    /// Everything that exists for the build, parents before children.
    pub mounts: Vec<SetupMount>,
    /// Symbolic links of the root, such as `/bin`.
    pub links: Vec<Link>,
    /// Files that exist in the sandbox only, such as `/etc/passwd`.
    pub files: Vec<OwnFile>,
    /// Device nodes to take over from the host.
    pub devices: Vec<WireString>,
    /// The user and group to become where [`must_change_user`](crate::must_change_user) says so; never 0.
    pub build_uid: u32,
    /// Name of the machine as the build sees it.
    pub hostname: String,
    /// Limits for each process.
    pub limits: Limits,
    /// Largest size of the private `/tmp` in bytes; 0 leaves the kernel's default, half of the memory.
    pub tmp_bytes: u64,
    /// Whether refused opens and connects are reported; the trace socket follows as a descriptor.
    pub trace: bool,
}

/// A host path that exists in the sandbox.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetupMount {
    /// Absolute path on the host.
    pub source: WireString,
    /// Absolute path in the sandbox.
    pub target: WireString,
    /// What may be done beneath it.
    pub access: Access,
}

/// A symbolic link.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// Where it stands.
    pub path: WireString,
    /// Where it points.
    pub target: WireString,
}

/// A file that is made for the sandbox.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnFile {
    /// Where it stands.
    pub path: WireString,
    /// What it holds.
    pub content: Vec<u8>,
}

/// Limits for each process of the build; `None` leaves what the host has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Processes and threads of the whole build (of the whole user at levels without a user namespace).
    pub processes: Option<u64>,
    /// Open descriptors.
    pub open_files: Option<u64>,
    /// Address space in bytes.
    pub address_space: Option<u64>,
    /// Largest file in bytes.
    pub file_size: Option<u64>,
    /// CPU seconds.
    pub cpu_seconds: Option<u64>,
}

/// The helper's answer to [`Setup`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Started {
    /// The walls stand; orders are taken.
    Ready {
        /// Walls that do not stand and were allowed to be missing.
        missing: Vec<Missing>,
    },
    /// Nothing was started.
    Failed(Failure),
}

/// A wall that this machine does not give.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Missing {
    /// Which.
    pub layer: Layer,
    /// The system's error number; 0 where the reason is no system error.
    pub errno: i32,
}

/// Which step of the setup failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// What was being done.
    pub step: Step,
    /// The path at fault, if there is one.
    pub path: Option<WireString>,
    /// The wall that the step belongs to.
    pub layer: Option<Layer>,
    /// The system's error number; 0 where the reason is no system error.
    pub errno: i32,
}

/// A step of the setup.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Step {
    /// Reading the setup.
    Receive,
    /// Letting the build user into a folder that is closed to it, where paths are real.
    OpenFolder,
    /// Becoming the build user.
    DropRoot,
    /// Creating a namespace.
    Unshare,
    /// Writing the identity map.
    IdMap,
    /// Opening the source of a mount.
    OpenSource,
    /// Making a mount read-only.
    Restrict,
    /// Making the new root and what is only in it.
    NewRoot,
    /// Making or finding the place of a mount.
    Target,
    /// Attaching a mount.
    Attach,
    /// Mounting `/proc`.
    Proc,
    /// Mounting a private temporary file system or the private terminals.
    Private,
    /// Changing into the new root.
    PivotRoot,
    /// Setting the host name.
    Hostname,
    /// Bringing the loopback up.
    Loopback,
    /// Starting the executor.
    Fork,
    /// Giving up privileges.
    Privileges,
    /// Laying the Landlock rules.
    Landlock,
    /// Loading the filter.
    Seccomp,
}

impl Step {
    /// The step as a part of a sentence: "cannot ...".
    pub fn describe(self) -> &'static str {
        match self {
            Step::Receive => "read the setup",
            Step::OpenFolder => "let the build user into a folder",
            Step::DropRoot => "become the build user",
            Step::Unshare => "create a namespace",
            Step::IdMap => "map the build user",
            Step::OpenSource => "open the source of a mount",
            Step::Restrict => "make a mount read-only",
            Step::NewRoot => "make the new root",
            Step::Target => "make the place of a mount",
            Step::Attach => "attach a mount",
            Step::Proc => "mount /proc",
            Step::Private => "mount a private file system",
            Step::PivotRoot => "enter the new root",
            Step::Hostname => "set the host name",
            Step::Loopback => "bring the loopback up",
            Step::Fork => "start the executor",
            Step::Privileges => "give up privileges",
            Step::Landlock => "lay the Landlock rules",
            Step::Seccomp => "load the system call filter",
        }
    }
}
