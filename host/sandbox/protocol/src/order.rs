//! Orders to the executor and their answers.

use serde::{Deserialize, Serialize};

use crate::{Access, Layer, WireString};

/// Positions of the descriptors beside an [`Order`].
pub mod fd {
    /// The sealed body.
    pub const BODY: usize = 0;
    /// The socket for the one reply.
    pub const REPLY: usize = 1;
    /// Standard output.
    pub const STDOUT: usize = 2;
    /// Standard error.
    pub const STDERR: usize = 3;
    /// The first of those that [`Request`](super::Request) names: standard input if it has one, then the extra ones.
    pub const FIRST_OPTIONAL: usize = 4;
}

/// What the executor can be asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Order {
    /// Run a program; answered by [`Reply`].
    Run(Request),
    /// Say which file [`Order::Run`] would start; answered by [`Found`].
    Find(Request),
    /// Try what must be refused; answered by [`Attempted`].
    Attempt(Attempts),
}

/// A program to run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// Arguments; the first is also the program, looked up along `PATH` of `env` when it holds no slash.
    pub argv: Vec<WireString>,
    /// The whole environment.
    pub env: Vec<(WireString, WireString)>,
    /// Working directory.
    pub cwd: WireString,
    /// File mode creation mask.
    pub umask: u32,
    /// Whether a descriptor for standard input is among those sent; else it is `/dev/null`.
    pub has_stdin: bool,
    /// Numbers that the further descriptors get.
    pub extra_fds: Vec<i32>,
}

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Ended {
    /// With this exit status.
    Exited(i32),
    /// By this signal.
    Signaled(i32),
}

/// The answer to [`Order::Run`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Reply {
    /// The program ran.
    Ended {
        /// How it ended.
        status: Ended,
        /// CPU time in user mode, microseconds, with all children that were waited for.
        user_micros: u64,
        /// CPU time in the kernel, microseconds, likewise.
        system_micros: u64,
        /// Largest resident size of one process, KiB.
        max_rss_kib: u64,
    },
    /// The program was not started.
    NotStarted(ExecFailure),
}

/// The answer to [`Order::Find`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Found {
    /// The absolute path, if there is such a program.
    pub path: Option<WireString>,
}

/// Why a program was not started.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExecFailure {
    /// What was being done.
    pub step: ExecStep,
    /// The file or folder at fault.
    pub path: Option<WireString>,
    /// The system's error number.
    pub errno: i32,
}

/// A step between the order and the running program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ExecStep {
    /// Reading the order.
    Receive,
    /// Making a process.
    Fork,
    /// Placing descriptors.
    Descriptors,
    /// Setting limits or giving up rights.
    Confine,
    /// Entering the working directory.
    WorkingDirectory,
    /// No such program along the path.
    Search,
    /// The file exists; the interpreter that its first line or header names does not.
    Interpreter,
    /// The file was found and the system refused to execute it.
    Execute,
}

/// What the executor needs to know to try what must be refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempts {
    /// A file that exists outside and must not exist inside.
    pub hidden_file: WireString,
    /// A process outside; 0 when its number could be one inside too.
    pub outside_pid: i32,
    /// A TCP port on the host's loopback on which somebody listens.
    pub loopback_port: u16,
    /// The host's namespaces as the links in `/proc/self/ns` name them, by layer.
    pub namespaces: Vec<(Layer, WireString)>,
}

/// The answer to [`Order::Attempt`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempted {
    /// Walls that let the forbidden thing through, each with what got through.
    pub open: Vec<(Layer, String)>,
}

/// An access that was seen just before it happened; whether it was refused, the policy says.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct TracedAccess {
    /// The absolute path, or `address:port` for a connection.
    pub path: WireString,
    /// What was wanted.
    pub access: Access,
    /// Whether nothing was wanted but to know what is there.
    pub looks: bool,
    /// Whether it was a connection.
    pub network: bool,
}
