//! What goes over the wire and into saved files: the shapes of the Spackmon protocol, with the fields in the order
//! in which Spack's client of December 2021 sends them.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::HostFacts;
use crate::spec_json::SpecJson;

/// Body of `POST specs/new/`: a concrete spec with everything below it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SpecRequest {
    /// The DAG, its root first.
    pub spec: SpecJson,
    /// `spack-wasm-<version>`. Part of a spec's identity on the server, so the same as in [`BuildRequest`].
    pub spack_version: String,
}

/// Body of `POST builds/new/`, and content of `build-metadata-<id>.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BuildRequest {
    /// The distribution and its release, for example `debian12`.
    pub host_os: String,
    /// The kernel's family, for example `linux`.
    pub platform: String,
    /// The microarchitecture, for example `x86_64_v4`.
    pub host_target: String,
    /// The machine's name.
    pub hostname: String,
    /// As in [`SpecRequest`].
    pub spack_version: String,
    /// The *version* field of `uname`.
    pub kernel_version: String,
    /// The hash of the spec that is built.
    pub full_hash: String,
    /// Tags, separated by commas, as the user gave them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tags: Option<String>,
}

impl BuildRequest {
    /// The request for the build of one spec.
    pub fn new(host: &HostFacts, spack_version: &str, full_hash: &str, tags: Option<&str>) -> Self {
        Self {
            host_os: host.host_os.clone(),
            platform: host.platform.clone(),
            host_target: host.host_target.clone(),
            hostname: host.hostname.clone(),
            spack_version: spack_version.to_owned(),
            kernel_version: host.kernel_version.clone(),
            full_hash: full_hash.to_owned(),
            tags: tags.map(str::to_owned),
        }
    }

    /// The fields that the server requires to be there and not empty, with their names.
    pub(crate) fn required(&self) -> [(&'static str, &str); 7] {
        [
            ("host_os", &self.host_os),
            ("platform", &self.platform),
            ("host_target", &self.host_target),
            ("hostname", &self.hostname),
            ("spack_version", &self.spack_version),
            ("kernel_version", &self.kernel_version),
            ("full_hash", &self.full_hash),
        ]
    }
}

/// What names a build: an integer from the real server, any text from another, an MD5 in saved files.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum BuildId {
    /// The real server's.
    Number(u64),
    /// Any other.
    Text(String),
}

impl fmt::Display for BuildId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => number.fmt(f),
            Self::Text(text) => text.fmt(f),
        }
    }
}

/// How a phase ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum PhaseStatus {
    /// It succeeded.
    Success,
    /// It failed.
    Error,
}

/// Body of `POST builds/phases/update/`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PhaseRequest {
    /// Which build.
    pub build_id: BuildId,
    /// How the phase ended.
    pub status: PhaseStatus,
    /// The phase's log.
    pub output: Option<String>,
    /// The phase's name in the recipe.
    pub phase_name: String,
}

/// The state of a build. A build that the server has just heard of is `NOTRUN`, which no client sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum BuildStatus {
    /// It is installed.
    Success,
    /// It failed.
    Failed,
    /// It was stopped, or not started because something else failed.
    Cancelled,
    /// It has not run.
    NotRun,
}

/// Body of `POST builds/update/`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatusRequest {
    /// Which build.
    pub build_id: BuildId,
    /// Its state.
    pub status: BuildStatus,
}

/// The part of the service info that tells a Spackmon server from something else.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct ServiceInfo {
    /// `spackmon`.
    pub id: String,
    /// The server's version.
    pub version: String,
    /// `running`.
    pub status: String,
}

/// The part of the answer to `builds/new/` that is needed.
#[derive(Debug, Deserialize)]
pub(crate) struct BuildAnswer {
    pub(crate) data: BuildAnswerData,
}

#[derive(Debug, Deserialize)]
pub(crate) struct BuildAnswerData {
    pub(crate) build: BuildAnswerBuild,
}

#[derive(Debug, Deserialize)]
pub(crate) struct BuildAnswerBuild {
    pub(crate) build_id: BuildId,
}
