//! What a command said.

use std::process::ExitStatus;

/// What a command said and how it ended.
#[derive(Clone, Debug)]
pub struct Output {
    /// How it ended.
    pub status: ExitStatus,
    /// Its standard output; bytes that are not UTF-8 are replaced.
    pub stdout: String,
    /// Its standard error; bytes that are not UTF-8 are replaced.
    pub stderr: String,
}

impl Output {
    /// The exit status; `None` when a signal ended the command.
    pub fn code(&self) -> Option<i32> {
        self.status.code()
    }

    /// The command, which has to have succeeded.
    ///
    /// # Panics
    ///
    /// When it failed, with all that it said.
    pub fn succeeded(self) -> Self {
        assert!(self.status.success(), "{}", self.report());
        self
    }

    /// The command, which has to have failed with this exit status.
    ///
    /// # Panics
    ///
    /// When it succeeded or ended otherwise, with all that it said.
    pub fn failed_with(self, code: i32) -> Self {
        assert_eq!(self.code(), Some(code), "{}", self.report());
        self
    }

    /// Exit status, standard output and standard error as one text, for snapshots.
    pub fn report(&self) -> String {
        let mut report = format!("{}\n", self.status);
        for (name, text) in [("stdout", &self.stdout), ("stderr", &self.stderr)] {
            if !text.is_empty() {
                report.push_str(&format!("----- {name} -----\n{text}"));
            }
        }
        report
    }
}
