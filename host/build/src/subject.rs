//! What a recipe's instance is told.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use spack_wasm_recipe_host::{Access, Entry, Folder, Subject};
use spack_wasm_spec::{Dag, DagHash, Node};

use crate::Installer;

impl Installer {
    /// Where each node of a DAG is or will be.
    pub(crate) fn prefixes(&self, dag: &Dag) -> Arc<BTreeMap<DagHash, PathBuf>> {
        Arc::new(dag.nodes().map(|node| (node.hash.clone(), self.store.prefix_of(node))).collect())
    }

    /// A recipe that is asked about its installed package: it sees the package's prefix and what that depends on.
    pub(crate) fn asked(
        &self,
        entry: &Entry,
        dag: &Arc<Dag>,
        node: &Arc<Node>,
        prefixes: &Arc<BTreeMap<DagHash, PathBuf>>,
    ) -> Subject {
        let dependencies = crate::walls::dependency_prefixes(&self.store, dag, node);
        let own = self.store.prefix_of(node);
        let seen = dependencies.into_iter().chain(own.is_dir().then_some(own));
        let mut folders: Vec<Folder> = seen.map(|path| read_only(path.clone(), path)).collect();
        let recipe_folder = entry.recipe.own_folder();
        folders.extend(recipe_folder.clone());
        Subject {
            package: entry.package.name.clone(),
            spec: Some((Arc::clone(dag), Arc::clone(node))),
            prefixes: Arc::clone(prefixes),
            machine: Some((node.facts.architecture.clone(), self.machine.target_family.clone())),
            folders,
            recipe_folder: recipe_folder.map(|folder| folder.guest),
            stage: None,
            source: None,
            run_tests: false,
            source_date: 0,
        }
    }
}

/// A folder that a recipe may only look at.
pub(crate) fn read_only(host: PathBuf, guest: PathBuf) -> Folder {
    Folder { host, guest: guest.display().to_string(), access: Access::Read }
}
