//! What can go wrong with a jobserver.

use std::io;
use std::path::PathBuf;

/// An error of a jobserver.
#[derive(Debug, thiserror::Error)]
pub enum JobserverError {
    /// A system call on a jobserver's pipe failed.
    #[error("the jobserver's pipe cannot be {what}")]
    Pipe {
        /// What was tried, as a participle.
        what: &'static str,
        /// The system's answer.
        source: io::Error,
    },
    /// A FIFO could not be made or opened.
    #[error("the jobserver's FIFO `{}` cannot be {what}", path.display())]
    Fifo {
        /// Its path on the host.
        path: PathBuf,
        /// What was tried, as a participle.
        what: &'static str,
        /// The system's answer.
        source: io::Error,
    },
    /// All tokens are in use; a build can start when one comes back.
    #[error("no job token is free: a build can start when another gives one back")]
    NoToken,
    /// A client that reads FIFOs only was to be told of a channel without one.
    #[error("ninja reads a jobserver from a FIFO only, and this channel has none")]
    NoFifo,
    /// The jobserver that `MAKEFLAGS` names is not usable.
    #[error(
        "MAKEFLAGS offers a jobserver, `{auth}`, that cannot be used: {reason}; is the rule's line marked `+`?"
    )]
    Outer {
        /// The option's value.
        auth: String,
        /// What is wrong with it.
        reason: String,
    },
}

impl JobserverError {
    pub(crate) fn pipe(what: &'static str) -> impl FnOnce(rustix::io::Errno) -> JobserverError {
        move |errno| JobserverError::Pipe { what, source: errno.into() }
    }
}
