use std::fmt;
use std::path::PathBuf;
use std::time::SystemTime;

use spack_wasm_spec::{Architecture, DagHash, Version};

use crate::layout::METADATA;
use crate::lock::PrefixLock;

/// An installed package, as the index knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Installed {
    /// Its identity.
    pub hash: DagHash,
    /// The package's name.
    pub name: String,
    /// Its version.
    pub version: Version,
    /// The repository that its recipe came from.
    pub namespace: String,
    /// Where it runs.
    pub architecture: Architecture,
    /// Its variants, as a spec writes them.
    pub variants: String,
    /// Where it is.
    pub prefix: PathBuf,
    /// Whether the user asked for it.
    pub explicit: bool,
    /// When it was installed, in whole seconds.
    pub installed_at: SystemTime,
}

impl Installed {
    /// The folder that says what the prefix is.
    pub fn metadata_path(&self) -> PathBuf {
        self.prefix.join(METADATA)
    }

    /// Its concrete spec with everything below it.
    pub fn spec_path(&self) -> PathBuf {
        self.metadata_path().join("spec.json")
    }

    /// The output of its build.
    pub fn log_path(&self) -> PathBuf {
        self.metadata_path().join("spack-build-out.txt")
    }
}

/// `name@version/hash` with the first seven characters of the hash.
impl fmt::Display for Installed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}/{}", self.name, self.version, self.hash.short())
    }
}

/// An installed package that can't be removed while this value lives.
#[derive(Debug)]
pub struct Installation {
    /// What is installed.
    pub installed: Installed,
    /// The shared lock that keeps it.
    pub lock: PrefixLock,
}
