use std::collections::BTreeSet;

use spack_wasm_monitor::{PlanAction, PlanStep};
use spack_wasm_spec::{Dag, DagHash, DependencyType, Node};
use spack_wasm_store::{DatabaseError, Store};

use crate::{InstallOptions, Installer};

/// What will be done with each node that is needed, dependencies first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// One step a node.
    pub steps: Vec<PlanStep>,
}

/// There is no plan.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// The store can't be asked.
    #[error(transparent)]
    Database(#[from] DatabaseError),
}

impl Plan {
    /// What will be done with each node that is needed, dependencies first. Without a store nothing is installed.
    ///
    /// Of a node that is installed, only what it is linked with or runs is needed.
    ///
    /// # Errors
    /// The store can't be asked.
    pub fn new(store: Option<&Store>, dag: &Dag, options: &InstallOptions) -> Result<Self, PlanError> {
        let mut needed: BTreeSet<DagHash> = dag.roots().map(|root| root.hash.clone()).collect();
        let mut steps = Vec::new();
        // From the roots down, so that a node is known to be needed before its dependencies are looked at.
        for node in dag.topological().into_iter().rev() {
            if !needed.contains(&node.hash) {
                continue;
            }
            let action = action(store, &node, options)?;
            let edges = node.dependencies.iter().filter(|edge| {
                action == PlanAction::Build
                    || edge.types.contains(DependencyType::Link)
                    || edge.types.contains(DependencyType::Run)
            });
            needed.extend(edges.map(|edge| edge.hash.clone()));
            steps.push(PlanStep { hash: node.hash.clone(), action });
        }
        steps.reverse();
        Ok(Self { steps })
    }

    /// The nodes that are built, dependencies first.
    pub fn to_build(&self) -> impl Iterator<Item = &DagHash> {
        self.steps.iter().filter(|step| step.action == PlanAction::Build).map(|step| &step.hash)
    }
}

impl Installer {
    /// What will be done with each node that is needed, dependencies first.
    ///
    /// # Errors
    /// The store can't be asked.
    pub fn plan(&self, dag: &Dag, options: &InstallOptions) -> Result<Plan, PlanError> {
        Plan::new(Some(&self.store), dag, options)
    }
}

fn action(store: Option<&Store>, node: &Node, options: &InstallOptions) -> Result<PlanAction, PlanError> {
    if node.is_external() {
        return Ok(PlanAction::External);
    }
    let installed = store.map_or(Ok(false), |store| store.installed(&node.hash))?;
    let stays = installed && !options.overwrite.contains(&node.hash);
    Ok(if stays { PlanAction::Installed } else { PlanAction::Build })
}
