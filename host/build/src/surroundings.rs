//! The environment in which one build's tools run.

use std::path::PathBuf;

use spack_wasm_recipe_host::types::EnvironmentChange;
use spack_wasm_recipe_host::{NoServices, is_variable_name};
use spack_wasm_spec::{DependencyType, DependencyTypes};

use crate::ask::Asker;
use crate::environment::Environment;
use crate::error::BuildError;
use crate::job::{Ground, Job};

/// What every build's environment has, so that results do not depend on the user's.
const BASE: &[(&str, &str)] = &[
    ("HOME", "/tmp"),
    ("LANG", "C"),
    ("LC_ALL", "C"),
    ("SHELL", "/bin/sh"),
    ("TERM", "dumb"),
    ("TZ", "UTC"),
    ("USER", "spack"),
];

impl Job {
    /// Paths, compilers and dates, then what recipes change.
    pub(crate) fn environment(
        &self,
        ground: &Ground,
        asker: &Asker,
        source_date: u64,
    ) -> Result<Environment, BuildError> {
        let mut environment = Environment::default();
        for (name, value) in BASE {
            environment.set(name, *value);
        }
        environment.set("SOURCE_DATE_EPOCH", source_date.to_string());
        environment.set(
            "TMPDIR",
            if ground.policy.remaps() { "/tmp".into() } else { ground.inside.stage.display().to_string() },
        );
        environment.set_paths("PATH", self.search_path(ground));
        environment.set_paths(
            "PKG_CONFIG_PATH",
            self.folders(&["lib/pkgconfig", "lib64/pkgconfig", "share/pkgconfig"]),
        );
        environment.set_paths("ACLOCAL_PATH", self.folders(&["share/aclocal"]));
        let prefixes = self.own_prefixes();
        environment
            .set_paths("CMAKE_PREFIX_PATH", prefixes.iter().map(|prefix| prefix.display().to_string()));
        for (name, value) in ground.wrapper.variables() {
            environment.set(name, value);
        }
        for wanted in ground.entry.package.permissions.iter().filter(|wanted| wanted.kind == "environment") {
            if let Some(value) = self.shared.options.user_variables.get(&wanted.value) {
                environment.set(&wanted.value, value);
            }
        }
        Ok(environment.with(&self.environment_changes(ground, asker)?))
    }

    /// What the recipe itself and those of its dependencies change.
    fn environment_changes(
        &self,
        ground: &Ground,
        asker: &Asker,
    ) -> Result<Vec<EnvironmentChange>, BuildError> {
        let mut changes = Vec::new();
        for edge in &self.node.dependencies {
            if let Some(node) = self.shared.dag.dependency(edge) {
                changes.extend(asker.for_dependent(node, &self.node)?);
            }
        }
        let subject =
            self.shared.installer.asked(&ground.entry, &self.shared.dag, &self.node, &asker.prefixes);
        let services = Box::new(NoServices);
        changes.extend(ground.entry.recipe.session(subject, services)?.build_environment()?);
        match changes.iter().find(|change| !is_variable_name(&change.name)) {
            Some(change) => Err(BuildError::VariableName(change.name.escape_debug().to_string())),
            None => Ok(changes),
        }
    }

    fn search_path(&self, ground: &Ground) -> Vec<String> {
        let needed =
            DependencyTypes::from_iter([DependencyType::Build, DependencyType::Run, DependencyType::Test]);
        let nodes = self.shared.dag.closure(&self.node, needed);
        let folders = nodes.iter().rev().map(|node| self.store().prefix_of(node).join("bin"));
        let usual = ["/usr/local/bin", "/usr/bin", "/bin"].map(PathBuf::from);
        let mut path: Vec<String> = vec![ground.inside.wrapper.display().to_string()];
        for folder in folders.filter(|folder| folder.is_dir()).chain(usual) {
            let folder = folder.display().to_string();
            if !path.contains(&folder) {
                path.push(folder);
            }
        }
        path
    }

    /// The prefixes of the direct dependencies that we built; the system's own are searched anyway.
    fn own_prefixes(&self) -> Vec<PathBuf> {
        let nodes = self.node.dependencies.iter().filter_map(|edge| self.shared.dag.dependency(edge));
        nodes.filter(|node| !node.is_external()).map(|node| self.store().prefix_of(node)).collect()
    }

    /// Folders below those prefixes that are there.
    fn folders(&self, below: &[&str]) -> Vec<String> {
        let prefixes = self.own_prefixes();
        let all = prefixes.iter().flat_map(|prefix| below.iter().map(move |folder| prefix.join(folder)));
        all.filter(|folder| folder.is_dir()).map(|folder| folder.display().to_string()).collect()
    }
}
