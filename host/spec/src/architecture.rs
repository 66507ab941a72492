use std::fmt;

use serde::{Deserialize, Serialize};

/// Where a package runs: Spack's triple of platform, operating system and microarchitecture.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Architecture {
    /// The kernel's family, for example `linux`.
    pub platform: String,
    /// The distribution and its release, for example `debian12`.
    #[serde(rename = "platform_os")]
    pub os: String,
    /// A microarchitecture of archspec's table, for example `x86_64_v3`.
    pub target: String,
}

impl fmt::Display for Architecture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}-{}", self.platform, self.os, self.target)
    }
}
