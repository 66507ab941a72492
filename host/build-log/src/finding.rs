//! What was found in a log.

use std::fmt;

/// Who complains in a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A compiler, an assembler or the compiler wrapper.
    Compiler,
    /// A linker.
    Linker,
    /// CMake, while it configures.
    Cmake,
    /// A configure script, the autotools or meson.
    Configure,
    /// A Python program.
    Python,
    /// A Perl program.
    Perl,
    /// A shell, or a tool that a rule runs, such as `install`.
    Shell,
    /// The system: memory, disk, a signal.
    System,
    /// A test suite.
    Test,
    /// make or ninja themselves: about their input, or that a step failed.
    Make,
    /// Some program that says `error`.
    Other,
}

/// The first real error of a log, with the lines around it; all lines are without escapes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Number of the line in the log, from 1.
    pub line_number: usize,
    /// Who complains.
    pub kind: Kind,
    /// The line.
    pub line: String,
    /// Lines before it, oldest first.
    pub before: Vec<String>,
    /// Lines after it.
    pub after: Vec<String>,
}

impl Finding {
    /// Where more is to be read than the log holds, relative to the build's folder.
    pub fn further_reading(&self) -> Option<&'static str> {
        match self.kind {
            Kind::Configure if self.shown().any(|line| line.contains("meson-log")) => {
                Some("meson-logs/meson-log.txt")
            }
            Kind::Configure => Some("config.log"),
            Kind::Cmake => Some("CMakeFiles/CMakeConfigureLog.yaml (CMakeError.log before CMake 3.26)"),
            _ => None,
        }
    }

    fn shown(&self) -> impl Iterator<Item = &str> {
        self.before.iter().chain([&self.line]).chain(&self.after).map(String::as_str)
    }
}

/// All lines with their numbers, the error marked by `>>`, as Spack shows them.
impl fmt::Display for Finding {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let first = self.line_number - self.before.len();
        for (number, line) in (first..).zip(self.shown()) {
            let mark = if number == self.line_number { ">>" } else { "  " };
            writeln!(out, "  {mark} {number:<6}{line}")?;
        }
        Ok(())
    }
}
