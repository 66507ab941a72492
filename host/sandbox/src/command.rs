//! One command and how it ended.

use std::ffi::OsString;
use std::os::fd::{OwnedFd, RawFd};
use std::path::PathBuf;
use std::time::Duration;

use spack_wasm_sandbox_protocol::{Request, WireString};

use crate::error::RunError;
use crate::refusal::Refusal;

/// A command to run. Nothing of the host's environment is added to it.
#[derive(Debug)]
pub struct Command {
    /// Arguments; the first is also the program, looked up in the sandbox along `PATH` of `env`.
    pub argv: Vec<OsString>,
    /// The whole environment.
    pub env: Vec<(OsString, OsString)>,
    /// Working directory, as the build sees it.
    pub cwd: PathBuf,
    /// Standard input; `/dev/null` when `None`.
    pub stdin: Option<Vec<u8>>,
    /// Further descriptors, such as a job server's, each with the number that the program gets it under.
    pub extra_fds: Vec<(RawFd, OwnedFd)>,
    /// File mode creation mask.
    pub umask: u32,
}

/// Which stream a piece of output came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Status {
    /// With this exit status.
    Exited(i32),
    /// By this signal.
    Signaled(i32),
}

impl Status {
    /// Whether the exit status was 0.
    pub fn success(self) -> bool {
        self == Status::Exited(0)
    }
}

/// How a command ended and what it cost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// How it ended.
    pub status: Status,
    /// Time from the order to the end.
    pub wall: Duration,
    /// CPU time in user mode, with all children that it waited for.
    pub user_cpu: Duration,
    /// CPU time in the kernel, likewise.
    pub system_cpu: Duration,
    /// Largest resident size of one of its processes, KiB.
    pub max_rss_kib: u64,
    /// Refused accesses, when the policy asks for a trace.
    pub refusals: Vec<Refusal>,
}

impl Command {
    /// A command with an empty environment, no input, and the mask 022.
    pub fn new<A: Into<OsString>>(argv: impl IntoIterator<Item = A>, cwd: impl Into<PathBuf>) -> Self {
        Command {
            argv: argv.into_iter().map(Into::into).collect(),
            env: Vec::new(),
            cwd: cwd.into(),
            stdin: None,
            extra_fds: Vec::new(),
            umask: 0o022,
        }
    }

    /// Adds a variable.
    #[must_use]
    pub fn env(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.env.push((name.into(), value.into()));
        self
    }

    pub(crate) fn program(&self) -> String {
        self.argv.first().map(|program| program.to_string_lossy().into_owned()).unwrap_or_default()
    }

    /// The value of `PATH`, when the program is looked up along it.
    pub(crate) fn search_path(&self) -> Option<String> {
        let has_slash = self.argv.first()?.as_encoded_bytes().contains(&b'/');
        let path = self.env.iter().find(|(name, _)| name == "PATH").map(|(_, value)| value.to_string_lossy());
        (!has_slash).then(|| path.unwrap_or_default().into_owned())
    }

    pub(crate) fn request(&self) -> Result<Request, RunError> {
        self.validate()?;
        Ok(Request {
            argv: self.argv.iter().map(WireString::from).collect(),
            env: self.env.iter().map(|(name, value)| (name.into(), value.into())).collect(),
            cwd: WireString::from(&self.cwd),
            umask: self.umask,
            has_stdin: self.stdin.is_some(),
            extra_fds: self.extra_fds.iter().map(|(number, _)| *number).collect(),
        })
    }

    fn validate(&self) -> Result<(), RunError> {
        let has_nul = |text: &OsString| text.as_encoded_bytes().contains(&0);
        let bad_name = |name: &OsString| name.is_empty() || name.as_encoded_bytes().contains(&b'=');
        let numbers: Vec<_> = self.extra_fds.iter().map(|(number, _)| *number).collect();
        let repeated = numbers.iter().enumerate().any(|(index, number)| numbers[..index].contains(number));
        let checks = [
            (self.argv.first().is_none_or(|program| program.is_empty()), "it names no program"),
            (self.argv.iter().any(has_nul), "an argument holds a NUL character"),
            (self.env.iter().any(|(name, _)| bad_name(name)), "a variable's name is empty or holds `=`"),
            (
                self.env.iter().any(|(name, value)| has_nul(name) || has_nul(value)),
                "a variable holds a NUL character",
            ),
            (has_nul(&self.cwd.clone().into_os_string()), "the working directory holds a NUL character"),
            (!self.cwd.is_absolute(), "the working directory is not absolute"),
            (
                repeated || numbers.iter().any(|number| !(3..1000).contains(number)),
                "a descriptor's number is unusable",
            ),
            (numbers.len() > 64, "it has too many descriptors"),
        ];
        match checks.into_iter().find(|(wrong, _)| *wrong) {
            Some((_, what)) => Err(RunError::Invalid { what }),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_kernel_takes_is_refused_by_name() {
        let refused = |command: Command| command.request().unwrap_err().to_string();
        assert_eq!(refused(Command::new([""; 0], "/")), "the command is invalid: it names no program");
        assert_eq!(
            refused(Command::new(["a", "b\0"], "/")),
            "the command is invalid: an argument holds a NUL character"
        );
        assert_eq!(
            refused(Command::new(["a"], "x")),
            "the command is invalid: the working directory is not absolute"
        );
        let named = Command::new(["a"], "/").env("A=B", "");
        assert_eq!(refused(named), "the command is invalid: a variable's name is empty or holds `=`");
    }
}
