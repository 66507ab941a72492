//! What the sandbox of one build shows.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use spack_wasm_recipe_host::RECIPE_FOLDER;
use spack_wasm_sandbox::{Access, Policy};
use spack_wasm_spec::{Dag, DependencyType, Node};
use spack_wasm_store::Store;

use crate::SandboxOptions;
use crate::error::BuildError;
use crate::stage::{STAGE, Workspace};
use crate::wrapper::FOLDER;

/// Where things are as tools and recipe see them.
#[derive(Clone, Debug)]
pub(crate) struct Inside {
    /// The stage.
    pub(crate) stage: PathBuf,
    /// The compiler wrapper's folder.
    pub(crate) wrapper: PathBuf,
    /// The job server's FIFO.
    pub(crate) jobserver: PathBuf,
    /// The recipe's own files; none where it has none.
    pub(crate) recipe: Option<PathBuf>,
}

/// Where tools see the job server's FIFO, where paths can be chosen.
const JOBSERVER: &str = "/spack-wasm/jobserver";

/// Fixed paths where the sandbox can choose them, else the real ones.
pub(crate) fn inside(policy: &Policy, workspace: &Workspace) -> Inside {
    let recipe = workspace.recipe.clone();
    if policy.remaps() {
        let recipe = recipe.map(|_| RECIPE_FOLDER.into());
        Inside { stage: STAGE.into(), wrapper: FOLDER.into(), jobserver: JOBSERVER.into(), recipe }
    } else {
        Inside {
            stage: workspace.build.clone(),
            wrapper: workspace.wrapper.clone(),
            jobserver: workspace.jobserver.clone(),
            recipe,
        }
    }
}

/// A policy with what every build may see.
pub(crate) fn policy(options: &SandboxOptions) -> Policy {
    let mut policy = Policy::new(options.level);
    policy.allow_missing.clone_from(&options.allow_missing);
    policy.required = options.required;
    policy.build_uid = options.build_uid;
    policy.trace = options.trace;
    for path in &options.read {
        policy.mount(path, path, Access::ReadOnly);
    }
    for path in &options.write {
        policy.mount(path, path, Access::ReadWrite);
    }
    policy
}

/// Adds what this build sees: its stage and prefix to write; its dependencies, the compiler wrapper and the recipe's own files
/// to read.
pub(crate) fn grant(
    policy: &mut Policy,
    inside: &Inside,
    workspace: &Workspace,
    prefix: (&Path, &Path),
    dependencies: &[PathBuf],
) {
    policy.mount(&workspace.build, &inside.stage, Access::ReadWrite);
    policy.mount(&workspace.wrapper, &inside.wrapper, Access::ReadOnly);
    if let (Some(path), Some(inside)) = (&workspace.recipe, &inside.recipe) {
        policy.mount(path, inside, Access::ReadOnly);
    }
    policy.mount(prefix.0, prefix.1, Access::ReadWrite);
    for path in dependencies {
        // An external of the toolchain is shown already; a folder that the user lets builds change is no reason to let
        // them change a dependency in it.
        if policy.outside(path) != Some((path.clone(), Access::ReadOnly)) {
            policy.mount(path, path, Access::ReadOnly);
        }
    }
}

/// The prefixes that a build sees; everything that it needs is there.
///
/// # Errors
/// A dependency is not there, or one that a dependency is linked with or runs.
pub(crate) fn needed_prefixes(store: &Store, dag: &Dag, node: &Node) -> Result<Vec<PathBuf>, BuildError> {
    let kept = [DependencyType::Link, DependencyType::Run].into_iter().collect();
    let direct = node.dependencies.iter().filter_map(|edge| dag.get(&edge.hash));
    let needed = direct.flat_map(|node| std::iter::once(Arc::clone(node)).chain(dag.closure(node, kept)));
    for node in needed.filter(|node| !node.is_external()) {
        let prefix = store.prefix_of(&node);
        if !prefix.is_dir() {
            return Err(BuildError::DependencyGone { package: node.name_version(), prefix });
        }
    }
    Ok(dependency_prefixes(store, dag, node))
}

/// The prefixes of everything that a node reaches: what it is built with and what that needs. What a dependency was built
/// with may be gone by now, and an external need not have a folder.
pub(crate) fn dependency_prefixes(store: &Store, dag: &Dag, node: &Node) -> Vec<PathBuf> {
    let every = DependencyType::ALL.into_iter().collect();
    let prefixes = dag.closure(node, every).into_iter().map(|node| store.prefix_of(&node));
    prefixes.filter(|prefix| prefix.is_dir()).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use spack_wasm_spec::{Architecture, DagBuilder, DependencyTypes, External, NodeFacts, Version};
    use spack_wasm_store::StoreOptions;

    use super::*;

    fn facts(name: &str, external: Option<External>) -> NodeFacts {
        NodeFacts {
            name: name.into(),
            version: Version::new("1.0"),
            architecture: Architecture { platform: "linux".into(), os: "any".into(), target: "any".into() },
            namespace: "builtin".into(),
            variants: BTreeMap::new(),
            flags: BTreeMap::new(),
            patches: Vec::new(),
            package_hash: if external.is_some() { String::new() } else { "p".repeat(52) },
            external,
        }
    }

    /// top -> lib -> base, and a tool that built lib and is gone; the compiler is an external without a folder.
    #[test]
    fn a_dependency_that_is_gone_is_named_and_what_built_one_may_be_gone() {
        let mut builder = DagBuilder::new();
        let gone = External { path: "/nonexistent/gcc".into(), executables: BTreeMap::new() };
        let gcc = builder.add(facts("gcc", Some(gone)), []);
        let build = || DependencyTypes::from(DependencyType::Build);
        let tool = builder.add(facts("tool", None), []);
        let base = builder.add(facts("base", None), []);
        let edges = [(base, DependencyTypes::DEFAULT, vec![]), (tool, build(), vec![])];
        let lib = builder.add(facts("lib", None), edges);
        let top = builder
            .add(facts("top", None), [(lib, DependencyTypes::DEFAULT, vec![]), (gcc, build(), vec![])]);
        let dag = builder.finish([top]);
        let node = |name: &str| dag.nodes().find(|node| node.name() == name).unwrap();
        let root = tempfile::tempdir().unwrap();
        let store = Store::open(root.path(), StoreOptions::default()).unwrap();
        let needed = || needed_prefixes(&store, &dag, node("top"));
        for name in ["lib", "base"] {
            fs_err::create_dir_all(store.prefix_of(node(name))).unwrap();
        }
        assert_eq!(needed().unwrap().len(), 2);
        fs_err::remove_dir(store.prefix_of(node("base"))).unwrap();
        let prefix = store.prefix_of(node("base"));
        let expected = format!("base@1.0, which it depends on, is not in its prefix {}", prefix.display());
        assert_eq!(needed().unwrap_err().to_string(), expected);
    }
}
