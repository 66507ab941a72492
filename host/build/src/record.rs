//! What is recorded of an installation.

use std::path::PathBuf;
use std::time::SystemTime;

use spack_wasm_recipe_host::Entry;
use spack_wasm_sandbox::{Level, Sandbox};
use spack_wasm_spec::{Dag, Node};
use spack_wasm_store::{
    InstallEnvironment, InstallRecord, InstallTimes, PhaseTime, Provenance, RecipeIdentity, RecipeRecord,
    Reproducibility, SandboxRecord, SourceRecord, ToolRecord,
};

use crate::Installer;

/// What a build knows of itself when it is done.
pub(crate) struct Done<'a> {
    pub(crate) installer: &'a Installer,
    pub(crate) dag: &'a Dag,
    pub(crate) node: &'a Node,
    pub(crate) entry: &'a Entry,
    pub(crate) explicit: bool,
    pub(crate) log: PathBuf,
    pub(crate) environment: String,
    pub(crate) configure_args: Option<Vec<String>>,
    pub(crate) seconds: f64,
    pub(crate) phases: Vec<PhaseTime>,
    pub(crate) sandbox: SandboxRecord,
    pub(crate) sources: Vec<SourceRecord>,
}

impl Done<'_> {
    pub(crate) fn record(self) -> InstallRecord {
        let machine = &self.installer.machine;
        InstallRecord {
            explicit: self.explicit,
            installed_at: SystemTime::now(),
            build_log: Some(self.log.clone()),
            environment_changes: self.environment.clone(),
            configure_args: self.configure_args.as_ref().map(|args| args.join("\n") + "\n"),
            environment: InstallEnvironment {
                host_os: machine.os.clone(),
                platform: machine.platform.clone(),
                host_target: machine.target.clone(),
                hostname: machine.hostname.clone(),
                spack_version: self.installer.version.clone(),
                kernel_version: machine.kernel_version.clone(),
            },
            times: InstallTimes { total: self.seconds, phases: self.phases.clone() },
            provenance: self.provenance(),
            recipe: self.recipe(),
        }
    }

    fn recipe(&self) -> RecipeRecord {
        let files = self.entry.recipe.source().files.iter();
        RecipeRecord {
            component: self.entry.component.to_vec(),
            files: files.map(|(path, contents)| (path.to_owned(), contents.to_vec())).collect(),
        }
    }

    fn provenance(&self) -> Provenance {
        Provenance {
            builder: self.installer.version.clone(),
            sandbox: self.sandbox.clone(),
            reproducible: self.reproducible(),
            sources: self.sources.clone(),
            recipe: RecipeIdentity {
                component_sha256: self.entry.recipe.digest().to_owned(),
                package_hash: self.entry.recipe.package_hash().to_owned(),
                origin: self.entry.origin.clone(),
            },
            toolchain: self.toolchain(),
        }
    }

    fn reproducible(&self) -> Reproducibility {
        let mut reasons = Vec::new();
        if self.sandbox.level != Level::Namespaces.to_string() {
            reasons.push(format!(
                "sandbox level `{}`: tools saw the real paths of this machine",
                self.sandbox.level
            ));
        }
        let layers = self.sandbox.missing_layers.iter();
        reasons.extend(layers.map(|layer| format!("the sandbox's layer `{layer}` was missing")));
        if self.sources.iter().any(|source| source.sha256.is_none()) {
            reasons.push("a source had no SHA-256".to_owned());
        }
        if reasons.is_empty() { Reproducibility::Yes } else { Reproducibility::No { reasons } }
    }

    /// The native tools that the recipe was given: externals among the direct dependencies.
    fn toolchain(&self) -> Vec<ToolRecord> {
        let nodes = self.node.dependencies.iter().filter_map(|edge| self.dag.dependency(edge));
        let externals = nodes.filter_map(|node| Some((node, node.facts.external.as_ref()?)));
        externals
            .flat_map(|(node, external)| {
                external.executables.iter().map(|(role, path)| ToolRecord {
                    role: role.clone(),
                    spec: node.name_version(),
                    path: path.clone(),
                })
            })
            .collect()
    }
}

/// The walls that a build had.
pub(crate) fn walls(sandbox: &Sandbox) -> SandboxRecord {
    SandboxRecord {
        level: sandbox.level().to_string(),
        missing_layers: sandbox.missing().iter().map(|missing| missing.layer.to_string()).collect(),
    }
}
