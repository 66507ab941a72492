use std::collections::BTreeMap;
use std::mem;
use std::path::PathBuf;
use std::sync::Arc;

use spack_wasm_spec::{Dag, DagHash};

use crate::phase_log::{PhaseLog, PhaseText};
use crate::spool::Spool;
use crate::wire::{BuildRequest, BuildStatus, PhaseStatus, SpecRequest};
use crate::{BuildEnd, CancelCause, Event, EventKind, HostFacts, PhaseExit, PlanAction, SpecJson};

/// What a Spackmon server files a run's builds under.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MonitorIdentity {
    /// The machine.
    pub host: HostFacts,
    /// `spack-wasm-<version>`.
    pub spack_version: String,
    /// The value of `--monitor-tags`.
    pub tags: Option<String>,
}

impl MonitorIdentity {
    /// The request for the build of one node.
    pub(crate) fn build(&self, node: &DagHash) -> BuildRequest {
        BuildRequest::new(&self.host, &self.spack_version, node.as_str(), self.tags.as_deref())
    }
}

/// One thing to tell a Spackmon server, free of the ids that only the server gives.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Report {
    /// A spec that was asked for.
    Spec(Arc<SpecRequest>),
    /// There is a build of this node.
    Build { node: DagHash },
    /// A phase ended.
    Phase { node: DagHash, phase: String, status: PhaseStatus, output: PhaseText },
    /// The state of a build.
    Status { node: DagHash, status: BuildStatus },
}

/// Derives what a Spackmon server is told from the events of one run, in the order of Spack's own client.
#[derive(Debug)]
pub(crate) struct Reporter {
    identity: Arc<MonitorIdentity>,
    spool: Arc<Spool>,
    dag: Option<Arc<Dag>>,
    /// For each root, what is below it.
    roots: Vec<Root>,
    builds: BTreeMap<DagHash, Build>,
    /// Numbers the status updates.
    updates: u64,
    reports: Vec<Report>,
}

#[derive(Debug)]
struct Root {
    hash: DagHash,
    spec: Arc<SpecRequest>,
}

#[derive(Debug, Default)]
struct Build {
    /// The server was told of it.
    announced: bool,
    /// It really started.
    started: bool,
    /// There was nothing to build.
    installed: bool,
    /// The log of the running phase.
    log: Option<PhaseLog>,
    /// The phase that ended last, while none has failed.
    last: Option<(String, PhaseText)>,
    /// Its last status, and which update of the run that was.
    status: Option<(BuildStatus, u64)>,
}

impl Reporter {
    /// Long logs wait in a file without a name in the folder `spool` until they are sent.
    pub(crate) fn new(identity: Arc<MonitorIdentity>, spool: PathBuf) -> Self {
        Self {
            identity,
            spool: Arc::new(Spool::new(spool)),
            dag: None,
            roots: Vec::new(),
            builds: BTreeMap::new(),
            updates: 0,
            reports: Vec::new(),
        }
    }

    /// Each root is reported with everything below it, before any build.
    pub(crate) fn concretized(&mut self, dag: &Arc<Dag>) -> Vec<Report> {
        self.dag = Some(Arc::clone(dag));
        for root in dag.roots() {
            let Some(spec) = SpecJson::new(dag, &root.hash) else { continue };
            let spec = self.spec(spec);
            self.roots.push(Root { hash: root.hash.clone(), spec: Arc::clone(&spec) });
            self.reports.push(Report::Spec(spec));
        }
        mem::take(&mut self.reports)
    }

    /// What the event means for the server; usually nothing.
    pub(crate) fn accept(&mut self, event: &Event) -> Vec<Report> {
        match (&event.kind, &event.node) {
            (EventKind::SolveFailed { roots, .. }, _) => self.failed_concretization(roots),
            (EventKind::Plan { steps }, _) => {
                let installed = steps.iter().filter(|step| step.action == PlanAction::Installed);
                self.installed(&installed.map(|step| &step.hash).collect::<Vec<_>>());
            }
            (EventKind::BuildStarted, Some(node)) => self.started(node),
            (EventKind::PhaseStarted { .. }, Some(node)) => self.begin_phase(node),
            (EventKind::Output(chunk), Some(node)) if chunk.phase.is_some() => {
                if let Some(log) = &mut self.build(node).log {
                    log.push(chunk);
                }
            }
            (EventKind::PhaseEnded { phase, exit, .. }, Some(node)) => self.phase(node, phase, exit),
            (EventKind::BuildEnded(end), Some(node)) => self.ended(node, end),
            (EventKind::RunFailed { .. }, _) => self.fail_roots(),
            (EventKind::RunEnded { .. }, _) => self.settle(),
            _ => {}
        }
        mem::take(&mut self.reports)
    }

    /// What is left to say when no event follows.
    pub(crate) fn finish(&mut self) -> Vec<Report> {
        self.settle();
        mem::take(&mut self.reports)
    }

    fn spec(&self, spec: SpecJson) -> Arc<SpecRequest> {
        Arc::new(SpecRequest { spec, spack_version: self.identity.spack_version.clone() })
    }

    fn build(&mut self, node: &DagHash) -> &mut Build {
        self.builds.entry(node.clone()).or_default()
    }

    fn failed_concretization(&mut self, roots: &[String]) {
        for name in roots {
            let spec = self.spec(SpecJson::failed_concretization(name));
            self.reports.push(Report::Spec(spec));
        }
    }

    /// What the user asked for has failed, where the server has no build of it yet; there is no phase to say why in.
    fn fail_roots(&mut self) {
        let roots: Vec<_> = self.roots.iter().map(|root| root.hash.clone()).collect();
        for root in roots {
            if !self.build(&root).announced {
                self.announce(&root);
                self.update(&root, BuildStatus::Failed);
            }
        }
    }

    /// A root that is there already has a build all the same, as with Spack's client.
    fn installed(&mut self, installed: &[&DagHash]) {
        let roots: Vec<_> = self
            .roots
            .iter()
            .map(|root| root.hash.clone())
            .filter(|root| installed.contains(&root))
            .collect();
        for root in roots {
            self.build(&root).installed = true;
            self.announce(&root);
        }
    }

    fn started(&mut self, node: &DagHash) {
        self.announce_with_roots(node);
        let build = self.build(node);
        build.started = true;
        build.status = None;
    }

    /// Spack's client asks for the root's build when it takes up the first package below it.
    fn announce_with_roots(&mut self, node: &DagHash) {
        let above = self.roots.iter().filter(|root| root.spec.spec.contains(node));
        for root in above.map(|root| root.hash.clone()).collect::<Vec<_>>() {
            self.announce(&root);
        }
        self.announce(node);
    }

    fn announce(&mut self, node: &DagHash) {
        if !mem::replace(&mut self.build(node).announced, true) {
            self.reports.push(Report::Build { node: node.clone() });
        }
    }

    fn begin_phase(&mut self, node: &DagHash) {
        let log = PhaseLog::new(Arc::clone(&self.spool));
        self.build(node).log = Some(log);
    }

    fn phase(&mut self, node: &DagHash, phase: &str, exit: &PhaseExit) {
        let log = self.build(node).log.take();
        let log = log.unwrap_or_else(|| PhaseLog::new(Arc::clone(&self.spool)));
        let output = log.end(self.name(node), phase);
        let status = match exit {
            PhaseExit::Success => PhaseStatus::Success,
            PhaseExit::Error { .. } => PhaseStatus::Error,
        };
        let succeeded = status == PhaseStatus::Success;
        self.build(node).last = succeeded.then(|| (phase.to_owned(), output.clone()));
        self.reports.push(Report::Phase { node: node.clone(), phase: phase.to_owned(), status, output });
    }

    fn ended(&mut self, node: &DagHash, end: &BuildEnd) {
        let status = match end {
            BuildEnd::Installed { .. } => BuildStatus::Success,
            // Nothing was built, so there is no build to report, unless one was announced before.
            BuildEnd::AlreadyInstalled { .. } if !self.build(node).started => {
                self.build(node).installed = true;
                return;
            }
            BuildEnd::AlreadyInstalled { .. } => BuildStatus::Success,
            BuildEnd::Failed { .. } => BuildStatus::Failed,
            // What the user asked for has failed, as with Spack's client; what lies between has not run.
            BuildEnd::Cancelled(CancelCause::DependencyFailed { .. }) if self.is_root(node) => {
                BuildStatus::Failed
            }
            BuildEnd::Cancelled(_) => BuildStatus::Cancelled,
        };
        self.announce_with_roots(node);
        if let BuildEnd::Failed { message } = end {
            self.fail_last_phase(node, message);
        }
        self.update(node, status);
    }

    /// A build may fail when all its phases have succeeded, and only a phase has a text to say why.
    fn fail_last_phase(&mut self, node: &DagHash, message: &str) {
        let Some((phase, output)) = self.build(node).last.take() else { return };
        let output = output.with(&format!("==> Error: {message}\n"));
        self.reports.push(Report::Phase { node: node.clone(), phase, status: PhaseStatus::Error, output });
    }

    fn update(&mut self, node: &DagHash, status: BuildStatus) {
        self.updates += 1;
        let number = self.updates;
        self.build(node).status = Some((status, number));
        self.reports.push(Report::Status { node: node.clone(), status });
    }

    /// Makes the rows on the server what they should be at the end of the run.
    ///
    /// Each status update of a package turns the unfinished builds of its direct dependencies into CANCELLED on the
    /// real server. A FAILED is therefore sent again when a dependent was updated later, dependents first, so that
    /// the last update of every row is its own. What was installed already has no status of its own, as with Spack's
    /// client, unless a dependent has cancelled it: then it is told as the success that it is.
    fn settle(&mut self) {
        let unfinished = |(node, build): (&DagHash, &Build)| {
            (build.started && build.status.is_none()).then(|| node.clone())
        };
        for node in self.builds.iter().filter_map(unfinished).collect::<Vec<_>>() {
            self.update(&node, BuildStatus::Cancelled);
        }
        let Some(dag) = self.dag.clone() else { return };
        for node in dag.topological().into_iter().rev() {
            let (status, own) = match self.builds.get(&node.hash) {
                Some(Build { status: Some((BuildStatus::Failed, own)), .. }) => (BuildStatus::Failed, *own),
                Some(Build { status: None, announced: true, installed: true, .. }) => {
                    (BuildStatus::Success, 0)
                }
                _ => continue,
            };
            let overwritten = dag
                .dependents(&node.hash)
                .any(|above| self.status(&above.hash).is_some_and(|(_, at)| at > own));
            if overwritten {
                self.update(&node.hash, status);
            }
        }
    }

    fn status(&self, node: &DagHash) -> Option<(BuildStatus, u64)> {
        self.builds.get(node)?.status
    }

    fn is_root(&self, node: &DagHash) -> bool {
        self.roots.iter().any(|root| &root.hash == node)
    }

    fn name<'a>(&'a self, node: &'a DagHash) -> &'a str {
        let known = self.dag.as_ref().and_then(|dag| dag.get(node));
        known.map_or(node.as_str(), |node| node.name())
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use spack_wasm_spec::{Architecture, DagBuilder, DependencyTypes, NodeFacts, Version};

    use super::*;
    use crate::{PlanStep, RunId, SCHEMA};

    const PACKAGES: usize = 4;

    fn facts(name: String) -> NodeFacts {
        NodeFacts {
            name,
            version: Version::new("1.0"),
            architecture: Architecture {
                platform: "linux".into(),
                os: "debian12".into(),
                target: "x86_64".into(),
            },
            namespace: "demo".into(),
            variants: BTreeMap::new(),
            flags: BTreeMap::new(),
            patches: Vec::new(),
            package_hash: String::new(),
            external: None,
        }
    }

    /// Packages 0 to 3, where each bit of `edges` makes a later one depend on an earlier one and each bit of `roots`
    /// makes one a root; the last always is.
    fn dag(edges: u32, roots: u32) -> Arc<Dag> {
        let mut builder = DagBuilder::new();
        let mut known: Vec<spack_wasm_spec::DraftIndex> = Vec::new();
        let mut bit = 0;
        for index in 0..PACKAGES {
            let mut below = Vec::new();
            for dependency in &known {
                if edges & (1 << bit) != 0 {
                    below.push((*dependency, DependencyTypes::DEFAULT, Vec::new()));
                }
                bit += 1;
            }
            known.push(builder.add(facts(format!("p{index}")), below));
        }
        let is_root = |index: &usize| index + 1 == PACKAGES || roots & (1 << index) != 0;
        Arc::new(builder.finish((0..PACKAGES).filter(is_root).map(|index| known[index])))
    }

    fn reporter() -> Reporter {
        let text = str::to_owned;
        let host = HostFacts {
            host_os: text("debian12"),
            platform: text("linux"),
            host_target: text("x86_64"),
            hostname: text("vm"),
            kernel_version: text("#1"),
        };
        let identity = MonitorIdentity { host, spack_version: text("spack-wasm-0.1.0"), tags: None };
        Reporter::new(Arc::new(identity), "/nonexistent".into())
    }

    fn event(node: Option<&DagHash>, kind: EventKind) -> Event {
        let (run, time, node) = (RunId::random(), Timestamp::UNIX_EPOCH, node.cloned());
        Event { schema: SCHEMA, run, sequence: 0, time, node, kind }
    }

    fn is_in(packages: u32, node: &spack_wasm_spec::Node) -> bool {
        let index: u32 = node.name()[1..].parse().unwrap();
        packages & (1 << index) != 0
    }

    fn plan(dag: &Dag, installed: u32) -> EventKind {
        let step = |node: Arc<spack_wasm_spec::Node>| PlanStep {
            hash: node.hash.clone(),
            action: if is_in(installed, &node) { PlanAction::Installed } else { PlanAction::Build },
        };
        EventKind::Plan { steps: dag.topological().into_iter().map(step).collect() }
    }

    /// The run of a scheduler in which the packages of `failing` fail and those of `installed` are there; dependents of
    /// failed ones are cancelled at once, as they are found. Gives what each build ended as.
    fn run(dag: &Dag, failing: u32, installed: u32) -> (Vec<Event>, BTreeMap<DagHash, BuildEnd>) {
        let mut ends: BTreeMap<DagHash, BuildEnd> = BTreeMap::new();
        let mut events = vec![event(None, plan(dag, installed))];
        for node in dag.topological() {
            if is_in(installed, &node) {
                ends.insert(node.hash.clone(), BuildEnd::AlreadyInstalled { prefix: "/p".into() });
                continue;
            }
            let bad = |end: &BuildEnd| {
                !matches!(end, BuildEnd::Installed { .. } | BuildEnd::AlreadyInstalled { .. })
            };
            let failed = node.dependencies.iter().find(|edge| ends.get(&edge.hash).is_some_and(bad));
            let end = if let Some(edge) = failed {
                BuildEnd::Cancelled(CancelCause::DependencyFailed { dependency: edge.hash.clone() })
            } else {
                events.push(event(Some(&node.hash), EventKind::BuildStarted));
                match is_in(failing, &node) {
                    false => BuildEnd::Installed { prefix: "/p".into() },
                    true => BuildEnd::Failed { message: "no".into() },
                }
            };
            events.push(event(Some(&node.hash), EventKind::BuildEnded(end.clone())));
            ends.insert(node.hash.clone(), end);
        }
        events.push(event(None, EventKind::RunEnded { exit_status: 1 }));
        (events, ends)
    }

    /// The rows that the real server would keep, with its way of cancelling the dependencies of what is updated.
    fn rows(dag: &Dag, reports: &[Report]) -> BTreeMap<DagHash, Option<BuildStatus>> {
        let mut rows = BTreeMap::new();
        for report in reports {
            match report {
                Report::Build { node } => drop(rows.entry(node.clone()).or_insert(None)),
                Report::Status { node, status } => {
                    *rows.get_mut(node).expect("a status follows its build") = Some(*status);
                    for edge in &dag.get(node).unwrap().dependencies {
                        if let Some(row) =
                            rows.get_mut(&edge.hash).filter(|row| **row != Some(BuildStatus::Success))
                        {
                            *row = Some(BuildStatus::Cancelled);
                        }
                    }
                }
                Report::Spec(_) | Report::Phase { .. } => {}
            }
        }
        rows
    }

    fn check(edges: u32, roots: u32, failing: u32, installed: u32) {
        let dag = dag(edges, roots);
        let mut reporter = reporter();
        let mut reports = reporter.concretized(&dag);
        let (events, ends) = run(&dag, failing, installed);
        reports.extend(events.iter().flat_map(|event| reporter.accept(event)));
        assert_eq!(reporter.finish(), [], "everything is settled with the run");
        let rows = rows(&dag, &reports);
        for (node, end) in ends {
            let is_root = dag.roots().any(|root| root.hash == node);
            let expected = match end {
                BuildEnd::Installed { .. } => BuildStatus::Success,
                BuildEnd::AlreadyInstalled { .. } => {
                    let reported = dag.dependents(&node).any(|above| !is_in(installed, above));
                    // Without a status of its own it is NOTRUN, as with Spack's client.
                    let row = rows[&node];
                    assert!(
                        row == Some(BuildStatus::Success) || (row.is_none() && !reported),
                        "{reports:#?}"
                    );
                    continue;
                }
                BuildEnd::Failed { .. } => BuildStatus::Failed,
                _ if is_root => BuildStatus::Failed,
                _ => BuildStatus::Cancelled,
            };
            assert_eq!(rows[&node], Some(expected), "{edges:b} {roots:b} {failing:b} {reports:#?}");
        }
    }

    /// All DAGs of four packages, all choices of roots, all sets of failing packages, all sets of installed roots.
    #[test]
    fn rows_are_right_after_every_way_of_failing() {
        for edges in 0..1 << 6 {
            for roots in 0..1 << 3 {
                for failing in 0..1 << PACKAGES {
                    let present = (0..1 << PACKAGES).filter(|installed| {
                        let allowed = (roots | 1 << (PACKAGES - 1)) & !failing;
                        installed & !allowed == 0
                    });
                    present.for_each(|installed| check(edges, roots, failing, installed));
                }
            }
        }
    }

    #[test]
    fn a_build_without_an_end_is_cancelled() {
        let dag = dag(0, 0);
        let mut reporter = reporter();
        reporter.concretized(&dag);
        let node = dag.roots().next().unwrap().hash.clone();
        let started = reporter.accept(&event(Some(&node), EventKind::BuildStarted));
        assert_eq!(started, [Report::Build { node: node.clone() }]);
        assert_eq!(reporter.finish(), [Report::Status { node, status: BuildStatus::Cancelled }]);
    }
}
