//! Which build runs when: nodes whose dependencies are there run in parallel, each with a token of the job budget.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use spack_wasm_jobserver::Lease;
use spack_wasm_monitor::{BuildEnd, CancelCause, EventKind, PlanAction};
use spack_wasm_spec::{DagHash, Node};
use spack_wasm_store::Installation;

use crate::Plan;
use crate::error::{BuildError, chain};
use crate::job::{Built, Job, Shared};
use crate::journal::Journal;
use crate::log_search::{last_lines, search};
use crate::report::{Cancelled, Failure, Installed, Report};

/// How often the scheduler looks whether it was cancelled, or whether a token came free.
const LOOK: Duration = Duration::from_millis(50);
/// How often it looks for tokens that nobody uses.
const RECLAIM: Duration = Duration::from_secs(1);

/// The builds of a run.
pub(crate) struct Scheduler {
    shared: Arc<Shared>,
    /// What each node that can't start yet waits for.
    waiting: BTreeMap<DagHash, BTreeSet<DagHash>>,
    ready: VecDeque<DagHash>,
    running: usize,
    reclaimed: Instant,
    report: Report,
    /// Locks that keep what was built, or found, from being removed before the run ends.
    kept: Vec<Installation>,
    sender: Sender<Ended>,
    receiver: Receiver<Ended>,
}

/// A build has ended.
struct Ended {
    node: Arc<Node>,
    result: Result<Built, BuildError>,
    journal: Journal,
    stage: Option<PathBuf>,
}

impl Scheduler {
    pub(crate) fn new(shared: Arc<Shared>, plan: &Plan) -> Self {
        let (sender, receiver) = channel();
        let to_build: BTreeSet<&DagHash> = plan.to_build().collect();
        let (mut waiting, mut ready) = (BTreeMap::new(), VecDeque::new());
        for hash in plan.to_build() {
            let edges = shared.dag.get(hash).map_or(&[][..], |node| &node.dependencies);
            let missing: BTreeSet<DagHash> =
                edges.iter().map(|edge| &edge.hash).filter(|hash| to_build.contains(hash)).cloned().collect();
            if missing.is_empty() {
                ready.push_back(hash.clone());
            } else {
                waiting.insert(hash.clone(), missing);
            }
        }
        let mut scheduler = Self {
            shared,
            waiting,
            ready,
            running: 0,
            reclaimed: Instant::now(),
            report: Report::default(),
            kept: Vec::new(),
            sender,
            receiver,
        };
        scheduler.note_present(plan);
        scheduler
    }

    fn note_present(&mut self, plan: &Plan) {
        let present = plan.steps.iter().filter(|step| step.action == PlanAction::Installed);
        for step in present {
            if let Some(node) = self.shared.dag.get(&step.hash) {
                let prefix = self.shared.installer.store.prefix_of(node);
                self.report.present.push(Installed { node: Arc::clone(node), prefix });
            }
        }
    }

    /// Runs all builds to their ends. Each node of the plan gets one.
    pub(crate) fn run(mut self) -> Report {
        loop {
            if self.shared.cancellation.cause().is_none() {
                self.start_ready();
            }
            let stopped = self.shared.cancellation.cause().is_some();
            if self.running == 0 && (stopped || self.ready.is_empty()) {
                break;
            }
            self.reclaim();
            match self.receiver.recv_timeout(LOOK) {
                Ok(ended) => self.settle(ended),
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {}
            }
        }
        self.cancel_rest();
        self.report
    }

    /// A build that keeps tokens for nothing slows only itself: they are the others'.
    fn reclaim(&mut self) {
        let shared = self.running > 1 || !self.ready.is_empty();
        if shared && self.reclaimed.elapsed() >= RECLAIM {
            self.reclaimed = Instant::now();
            self.shared.hoards.reclaim();
        }
    }

    /// Starts the builds for which there is a token each.
    fn start_ready(&mut self) {
        while let Some(hash) = self.ready.front().cloned() {
            let Some(node) = self.shared.dag.get(&hash).cloned() else {
                self.ready.pop_front();
                continue;
            };
            match self.shared.budget.try_acquire(1) {
                Ok(token) if token.count() == 0 => break,
                Ok(token) => {
                    self.ready.pop_front();
                    self.start(node, token);
                }
                Err(error) => {
                    self.ready.pop_front();
                    self.not_started(&node, &error.into());
                }
            }
        }
    }

    fn start(&mut self, node: Arc<Node>, token: Lease) {
        let journal = self.journal(&node);
        let job = Job { shared: Arc::clone(&self.shared), node: Arc::clone(&node), journal: journal.clone() };
        let sender = self.sender.clone();
        let (of_thread, journal_of_thread) = (Arc::clone(&node), journal.clone());
        let work = move || {
            let run = catch_unwind(AssertUnwindSafe(|| job.run(token)));
            let (result, stage) = run.unwrap_or((Err(BuildError::Bug), None));
            // The scheduler lives as long as a build runs.
            drop(sender.send(Ended { node: of_thread, result, journal: journal_of_thread, stage }));
        };
        match thread::Builder::new().name("build".into()).spawn(work) {
            Ok(_) => self.running += 1,
            Err(error) => self.failed(&node, &BuildError::Thread(error), &journal, None),
        }
    }

    fn journal(&self, node: &Node) -> Journal {
        Journal::new(self.shared.installer.emitter.build(&node.hash), self.shared.options.log)
    }

    fn not_started(&mut self, node: &Arc<Node>, error: &BuildError) {
        let journal = self.journal(node);
        self.failed(node, error, &journal, None);
    }

    fn settle(&mut self, ended: Ended) {
        self.running -= 1;
        let Ended { node, result, journal, stage } = ended;
        self.report.warnings.extend(journal.conclusion().2);
        match result {
            Ok(built) => self.succeeded(&node, built, &journal),
            Err(BuildError::Cancelled(cause)) => {
                journal.end(BuildEnd::Cancelled(cause.clone()));
                self.report.cancelled.push(Cancelled { node: Arc::clone(&node), cause: cause.clone() });
                self.cancel_dependents(&node.hash, &cause);
            }
            Err(error) => self.failed(&node, &error, &journal, stage),
        }
    }

    fn succeeded(&mut self, node: &Arc<Node>, built: Built, journal: &Journal) {
        let (end, installation) = match built {
            Built::New(installation) => {
                let prefix = installation.installed.prefix.clone();
                self.report.installed.push(Installed { node: Arc::clone(node), prefix: prefix.clone() });
                (BuildEnd::Installed { prefix }, installation)
            }
            Built::Found(installation) => {
                let prefix = installation.installed.prefix.clone();
                self.report.present.push(Installed { node: Arc::clone(node), prefix: prefix.clone() });
                (BuildEnd::AlreadyInstalled { prefix }, installation)
            }
        };
        journal.end(end);
        self.kept.push(installation);
        let mut free = Vec::new();
        for (hash, missing) in &mut self.waiting {
            missing.remove(&node.hash);
            if missing.is_empty() {
                free.push(hash.clone());
            }
        }
        for hash in free {
            self.waiting.remove(&hash);
            self.ready.push_back(hash);
        }
    }

    fn failed(&mut self, node: &Arc<Node>, error: &BuildError, journal: &Journal, stage: Option<PathBuf>) {
        let message = chain(error);
        let (phase, refusals, _) = journal.conclusion();
        journal.complete_log();
        let log = journal.log_path().filter(|path| path.is_file());
        let finding = log.as_deref().and_then(search);
        let failed_phase = phase.as_ref().filter(|_| finding.is_none()).zip(log.as_ref());
        let last_lines =
            failed_phase.map(|(phase, log)| last_lines(log, node.name(), phase)).unwrap_or_default();
        if phase.is_none() {
            // A phase tells in the log how it failed; what comes before and behind the phases does not.
            journal.note(&format!("Error: {message}"));
        }
        journal.end(BuildEnd::Failed { message: message.clone() });
        self.report.failed.push(Failure {
            node: Arc::clone(node),
            message,
            phase,
            finding,
            last_lines,
            refusals: refusals.iter().map(ToString::to_string).collect(),
            hints: error.hints(),
            log,
            stage,
        });
        self.cancel_dependents(&node.hash, &CancelCause::DependencyFailed { dependency: node.hash.clone() });
        if self.shared.options.fail_fast {
            self.shared.cancellation.cancel(CancelCause::FailFast { failed: node.hash.clone() });
        }
    }

    /// Everything that needs `hash`, directly or through others, will not be built.
    fn cancel_dependents(&mut self, hash: &DagHash, cause: &CancelCause) {
        let mut gone = vec![hash.clone()];
        while let Some(hash) = gone.pop() {
            let dependents: Vec<DagHash> = self
                .waiting
                .iter()
                .filter(|(_, missing)| missing.contains(&hash))
                .map(|(hash, _)| hash.clone())
                .collect();
            for dependent in dependents {
                self.waiting.remove(&dependent);
                self.never_started(&dependent, cause);
                gone.push(dependent);
            }
        }
    }

    fn never_started(&mut self, hash: &DagHash, cause: &CancelCause) {
        let ended = EventKind::BuildEnded(BuildEnd::Cancelled(cause.clone()));
        self.shared.installer.emitter.emit_for(hash, ended);
        if let Some(node) = self.shared.dag.get(hash) {
            self.report.cancelled.push(Cancelled { node: Arc::clone(node), cause: cause.clone() });
        }
    }

    /// What is left when the run was cancelled.
    fn cancel_rest(&mut self) {
        let Some(cause) = self.shared.cancellation.cause() else { return };
        let waiting = std::mem::take(&mut self.waiting).into_keys();
        for hash in std::mem::take(&mut self.ready).into_iter().chain(waiting).collect::<Vec<_>>() {
            self.never_started(&hash, &cause);
        }
    }
}
