use std::path::Path;

use serde::Serialize;
use spack_wasm_build::{Cancelled, Failure, Installed, Plan, Report};
use spack_wasm_monitor::{CancelCause, PlanAction, PlanStep};
use spack_wasm_spec::{Dag, DagHash, Node};

/// How the builds ended: `install`.
#[derive(Serialize)]
pub(crate) struct Outcome<'a> {
    /// Built now.
    installed: Vec<InstalledPackage<'a>>,
    /// In the store already.
    present: Vec<InstalledPackage<'a>>,
    failed: Vec<FailedPackage<'a>>,
    /// Not built through no fault of their own.
    cancelled: Vec<CancelledPackage<'a>>,
}

#[derive(Serialize)]
struct Name<'a> {
    name: &'a str,
    version: &'a str,
    hash: &'a DagHash,
}

#[derive(Serialize)]
struct InstalledPackage<'a> {
    #[serde(flatten)]
    package: Name<'a>,
    prefix: &'a Path,
}

#[derive(Serialize)]
struct FailedPackage<'a> {
    #[serde(flatten)]
    package: Name<'a>,
    message: &'a str,
    phase: Option<&'a str>,
    refusals: &'a [String],
    hints: &'a [String],
    log: Option<&'a Path>,
    stage: Option<&'a Path>,
}

#[derive(Serialize)]
struct CancelledPackage<'a> {
    #[serde(flatten)]
    package: Name<'a>,
    #[serde(flatten)]
    cause: &'a CancelCause,
}

/// What would be done with a package: `install --dry-run`.
#[derive(Serialize)]
pub(crate) struct PlannedPackage<'a> {
    #[serde(flatten)]
    package: Name<'a>,
    action: PlanAction,
}

/// A plan, dependencies first.
pub(crate) fn planned<'a>(plan: &Plan, dag: &'a Dag) -> Vec<PlannedPackage<'a>> {
    let package = |step: &PlanStep| {
        let node = dag.get(&step.hash)?;
        Some(PlannedPackage { package: Name::from(node.as_ref()), action: step.action })
    };
    plan.steps.iter().filter_map(package).collect()
}

impl<'a> From<&'a Report> for Outcome<'a> {
    fn from(report: &'a Report) -> Self {
        Self {
            installed: report.installed.iter().map(InstalledPackage::from).collect(),
            present: report.present.iter().map(InstalledPackage::from).collect(),
            failed: report.failed.iter().map(FailedPackage::from).collect(),
            cancelled: report.cancelled.iter().map(CancelledPackage::from).collect(),
        }
    }
}

impl<'a> From<&'a Node> for Name<'a> {
    fn from(node: &'a Node) -> Self {
        Self { name: node.name(), version: node.facts.version.as_str(), hash: &node.hash }
    }
}

impl<'a> From<&'a Installed> for InstalledPackage<'a> {
    fn from(package: &'a Installed) -> Self {
        Self { package: Name::from(package.node.as_ref()), prefix: &package.prefix }
    }
}

impl<'a> From<&'a Failure> for FailedPackage<'a> {
    fn from(failure: &'a Failure) -> Self {
        Self {
            package: Name::from(failure.node.as_ref()),
            message: &failure.message,
            phase: failure.phase.as_deref(),
            refusals: &failure.refusals,
            hints: &failure.hints,
            log: failure.log.as_deref(),
            stage: failure.stage.as_deref(),
        }
    }
}

impl<'a> From<&'a Cancelled> for CancelledPackage<'a> {
    fn from(cancelled: &'a Cancelled) -> Self {
        Self { package: Name::from(cancelled.node.as_ref()), cause: &cancelled.cause }
    }
}
