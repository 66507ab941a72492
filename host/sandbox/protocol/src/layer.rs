//! The walls by name.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// How strong the sandbox is asked to be. Written into the provenance, never changed silently.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// All namespaces, Landlock, seccomp and limits.
    #[default]
    Namespaces,
    /// Landlock and seccomp alone, for kernels that refuse user namespaces. Real paths, no private `/tmp`.
    Landlock,
    /// No wall.
    None,
}

/// One wall of the level `namespaces`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Layer {
    /// User namespace: the build has an account of its own, without power outside.
    User,
    /// Mount namespace: what is not granted does not exist.
    Mount,
    /// Process namespace: other processes do not exist, and nothing outlives the build.
    Pid,
    /// Network namespace with nothing but its own loopback.
    Network,
    /// System V IPC and POSIX message queues of its own.
    Ipc,
    /// Host name of its own.
    Uts,
    /// View of the control groups of its own.
    Cgroup,
    /// A `/proc` that shows the build's processes only.
    Proc,
    /// Landlock: a second wall around files.
    Landlock,
    /// Filter for system calls.
    Seccomp,
}

/// A name that is no level or no layer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownName {
    /// What was given.
    pub name: String,
    /// The names that exist.
    pub known: Vec<&'static str>,
}

impl fmt::Display for UnknownName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "`{}` is none of {}", self.name, self.known.join(", "))
    }
}

impl std::error::Error for UnknownName {}

impl Level {
    /// All levels, strongest first.
    pub const ALL: [Level; 3] = [Level::Namespaces, Level::Landlock, Level::None];

    /// The name that options and records use.
    pub fn name(self) -> &'static str {
        match self {
            Level::Namespaces => "namespaces",
            Level::Landlock => "landlock",
            Level::None => "none",
        }
    }
}

impl Layer {
    /// All layers, in the order in which they are laid.
    pub const ALL: [Layer; 10] = [
        Layer::User,
        Layer::Mount,
        Layer::Pid,
        Layer::Network,
        Layer::Ipc,
        Layer::Uts,
        Layer::Cgroup,
        Layer::Proc,
        Layer::Landlock,
        Layer::Seccomp,
    ];

    /// The name that options and records use.
    pub fn name(self) -> &'static str {
        match self {
            Layer::User => "user",
            Layer::Mount => "mount",
            Layer::Pid => "pid",
            Layer::Network => "network",
            Layer::Ipc => "ipc",
            Layer::Uts => "uts",
            Layer::Cgroup => "cgroup",
            Layer::Proc => "proc",
            Layer::Landlock => "landlock",
            Layer::Seccomp => "seccomp",
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

impl fmt::Display for Layer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

impl FromStr for Level {
    type Err = UnknownName;

    fn from_str(name: &str) -> Result<Self, UnknownName> {
        let unknown = || UnknownName { name: name.to_owned(), known: Level::ALL.map(Level::name).to_vec() };
        Level::ALL.into_iter().find(|level| level.name() == name).ok_or_else(unknown)
    }
}

impl FromStr for Layer {
    type Err = UnknownName;

    fn from_str(name: &str) -> Result<Self, UnknownName> {
        let unknown = || UnknownName { name: name.to_owned(), known: Layer::ALL.map(Layer::name).to_vec() };
        Layer::ALL.into_iter().find(|layer| layer.name() == name).ok_or_else(unknown)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_read_back() {
        for layer in Layer::ALL {
            assert_eq!(layer.name().parse(), Ok(layer));
        }
        for level in Level::ALL {
            assert_eq!(level.name().parse(), Ok(level));
        }
        let unknown = "ns".parse::<Level>().unwrap_err();
        assert_eq!(unknown.to_string(), "`ns` is none of namespaces, landlock, none");
    }
}
