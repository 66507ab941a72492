//! What may not be in a prefix.

use std::fmt;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// An entry of a prefix that may not be installed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The entry, beneath the prefix.
    pub path: PathBuf,
    /// What is wrong with it.
    pub kind: ProblemKind,
}

/// What is wrong with an entry of a prefix.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProblemKind {
    /// Running it would give its owner's or group's rights.
    SetId,
    /// It carries rights of its own (`security.capability`).
    Capabilities,
    /// Everybody may change it.
    WorldWritable,
    /// It is neither a file, a folder nor a link: `a device`, `a fifo` or `a socket`.
    Special(&'static str),
    /// The link leads neither into the own prefix nor into a dependency's.
    LinkOutside {
        /// What it says.
        target: PathBuf,
        /// Where it leads.
        leads_to: PathBuf,
    },
    /// The link leads to itself.
    LinkLoop {
        /// What it says.
        target: PathBuf,
    },
    /// The file has names outside the prefix, by which it could be changed later.
    HardLinkOutside {
        /// How many.
        names: u64,
    },
    /// Reading the file, which is mostly or wholly empty, would not end in reasonable time.
    TooLarge {
        /// How many bytes it says it has.
        size: u64,
        /// How many of them were never written.
        holes: u64,
    },
    /// The name would change what a terminal shows.
    ControlCharacters,
    /// The folder is spack-wasm's own.
    Reserved,
    /// Its contents, target or name hold a byte string that won't mean anything after the build.
    Trace {
        /// What it names, for example `the stage`.
        what: String,
        /// The bytes, as text.
        bytes: String,
    },
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = printable(&self.path);
        match &self.kind {
            ProblemKind::SetId => write!(f, "{path} has a set-user-id or set-group-id bit"),
            ProblemKind::Capabilities => write!(f, "{path} has file capabilities"),
            ProblemKind::WorldWritable => write!(f, "{path} can be written by everybody"),
            ProblemKind::Special(what) => write!(f, "{path} is {what}"),
            ProblemKind::LinkOutside { target, leads_to } => {
                write!(f, "{path} is a link to {}", printable(target))?;
                if target != leads_to {
                    write!(f, ", which leads to {}", printable(leads_to))?;
                }
                f.write_str(": neither in the own prefix nor in a dependency's")
            }
            ProblemKind::LinkLoop { target } => {
                write!(f, "{path} is a link to {}, which leads in a circle", printable(target))
            }
            ProblemKind::HardLinkOutside { names } => {
                write!(f, "{path} is a file with names outside the prefix ({names})")
            }
            ProblemKind::TooLarge { size, holes } => {
                let (size, holes) = (size >> 30, holes >> 30);
                write!(f, "{path} is a file of {size} GiB, {holes} GiB of which were never written")
            }
            ProblemKind::ControlCharacters => write!(f, "{path} has control characters in its name"),
            ProblemKind::Reserved => write!(f, "{path} is a name that spack-wasm uses itself"),
            ProblemKind::Trace { what, bytes } => write!(f, "{path} names {what} ({bytes})"),
        }
    }
}

/// A path that can't change what a terminal shows.
pub(crate) fn printable(path: &Path) -> String {
    path.to_string_lossy()
        .chars()
        .map(|c| if c.is_control() { c.escape_default().to_string() } else { c.into() })
        .collect()
}

/// Whether a name holds a control character, of ASCII or of Unicode.
pub(crate) fn has_control_characters(name: &std::ffi::OsStr) -> bool {
    name.to_str().map_or_else(
        || name.as_bytes().iter().any(u8::is_ascii_control),
        |name| name.chars().any(char::is_control),
    )
}
