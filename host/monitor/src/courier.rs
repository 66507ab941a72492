use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use spack_wasm_spec::DagHash;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{Instant, sleep_until};

use crate::offline::OfflineDirectory;
use crate::report::Report;
use crate::spackmon::{Delivery, MonitorFailure, SpackmonSettings};
use crate::wire::{BuildId, BuildStatus, PhaseRequest, SpecRequest, StatusRequest};
use crate::{Client, MonitorIdentity, OfflineError, RequestError, RetryPolicy};

/// Sends reports in order, and keeps what could not be sent.
pub(crate) struct Courier {
    client: Client,
    identity: Arc<MonitorIdentity>,
    settings: SpackmonSettings,
    failed: watch::Sender<Option<MonitorFailure>>,
    mode: Mode,
    /// How many reports wait, the one that is being sent included.
    unsent: Arc<AtomicUsize>,
    ids: BTreeMap<DagHash, BuildId>,
    specs: Vec<(Arc<SpecRequest>, bool)>,
    builds: BTreeMap<DagHash, Vec<(Report, bool)>>,
}

/// When the end of a run no longer waits for the server.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deadline {
    pub(crate) at: Instant,
    /// Whoever waited does not want to.
    pub(crate) hurried: bool,
}

/// How far the server is still to be trusted.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// Nothing has failed.
    Sending,
    /// The server refused something. The run ends; what it still has to say is tried once.
    LastWords,
    /// Nothing more is sent.
    Recording,
}

/// Why a report was not sent.
enum Unsent {
    /// The request failed.
    Failed(Box<RequestError>),
    /// Its build has no id, because asking for one failed before.
    NoBuild,
    /// The time of the drain is over.
    Late,
}

impl Courier {
    pub(crate) fn new(
        client: Client,
        identity: Arc<MonitorIdentity>,
        settings: SpackmonSettings,
        failed: watch::Sender<Option<MonitorFailure>>,
        unsent: Arc<AtomicUsize>,
    ) -> Self {
        let (mode, ids, specs, builds) = (Mode::Sending, BTreeMap::new(), Vec::new(), BTreeMap::new());
        Self { client, identity, settings, failed, mode, unsent, ids, specs, builds }
    }

    /// Works until the queue is closed, then saves what was not delivered.
    pub(crate) async fn run(
        mut self,
        mut queue: mpsc::UnboundedReceiver<Report>,
        mut end: watch::Receiver<Option<Deadline>>,
        delivered: oneshot::Sender<Delivery>,
    ) -> Result<(), OfflineError> {
        while let Some(report) = queue.recv().await {
            let sent = self.mode != Mode::Recording && self.deliver(&report, &mut end).await;
            self.record(report, sent);
            self.unsent.fetch_sub(1, Ordering::Relaxed);
        }
        let undelivered = self.undelivered();
        let saved = self.save(&undelivered);
        let failure = self.failed.borrow().clone();
        let path = saved.as_ref().ok().and_then(|saved| saved.as_ref());
        let path = path.map(|directory| directory.path().to_owned());
        // The program may have no interest in it.
        drop(delivered.send(Delivery { failure, undelivered: undelivered.len(), saved: path }));
        saved.map(drop)
    }

    /// Sends one report, and says whether the server has it.
    async fn deliver(&mut self, report: &Report, end: &mut watch::Receiver<Option<Deadline>>) -> bool {
        let result = tokio::select! {
            // What is answered is answered, even when the time is over in the same moment.
            biased;
            result = self.send(report) => result,
            () = time_over(end) => Err(Unsent::Late),
        };
        match result {
            Ok(Some((node, id))) => drop(self.ids.insert(node, id)),
            Ok(None) => {}
            Err(Unsent::NoBuild) => return false,
            Err(Unsent::Failed(error)) => {
                let ends_run = !self.settings.keep_going;
                self.mode = if ends_run && error.is_answer() { Mode::LastWords } else { Mode::Recording };
                self.fail(error.to_string(), ends_run);
                return false;
            }
            Err(Unsent::Late) => {
                let hurried = end.borrow().is_some_and(|deadline| deadline.hurried);
                let drain = self.settings.drain;
                let within =
                    if hurried { "before the wait was ended".into() } else { format!("within {drain:?}") };
                self.fail(format!("the server did not take everything {within}"), false);
                return false;
            }
        }
        true
    }

    /// Makes the request; the answer to a new build is its id.
    async fn send(&self, report: &Report) -> Result<Option<(DagHash, BuildId)>, Unsent> {
        let client = match self.mode {
            Mode::LastWords => &self.client.with_retry(RetryPolicy::ONCE),
            Mode::Sending | Mode::Recording => &self.client,
        };
        match report {
            Report::Spec(spec) => client.new_spec(spec).await?,
            Report::Build { node } => {
                let id = client.new_build(&self.identity.build(node)).await?;
                return Ok(Some((node.clone(), id)));
            }
            Report::Phase { node, phase, status, output } => {
                let (output, phase_name) = (Some(output.text()), phase.clone());
                let build_id = self.id(node)?;
                client.update_phase(&PhaseRequest { build_id, status: *status, output, phase_name }).await?;
            }
            Report::Status { node, status } => {
                client.update_build(&StatusRequest { build_id: self.id(node)?, status: *status }).await?;
            }
        }
        Ok(None)
    }

    fn id(&self, node: &DagHash) -> Result<BuildId, Unsent> {
        self.ids.get(node).cloned().ok_or(Unsent::NoBuild)
    }

    /// The first failure is the one that is told.
    fn fail(&self, reason: String, ends_run: bool) {
        let failure = MonitorFailure { reason, ends_run };
        self.failed.send_if_modified(|known| known.is_none() && known.replace(failure).is_none());
    }

    fn record(&mut self, report: Report, sent: bool) {
        let node = match &report {
            Report::Spec(spec) => return self.specs.push((Arc::clone(spec), sent)),
            Report::Build { node } | Report::Phase { node, .. } | Report::Status { node, .. } => node.clone(),
        };
        let done = matches!(&report, Report::Status { status: BuildStatus::Success, .. });
        let kept = self.builds.entry(node).or_default();
        kept.push((report, sent));
        // A build that the server has whole is forgotten. A failed one may be reported again.
        if done && kept.iter().all(|(_, sent)| *sent) {
            kept.clear();
        }
    }

    /// The builds of which the server lacks something.
    fn undelivered(&self) -> Vec<DagHash> {
        let lacking = self.builds.iter().filter(|(_, kept)| kept.iter().any(|(_, sent)| !sent));
        lacking.map(|(node, _)| node.clone()).collect()
    }

    /// Saves these builds whole, each with the specs that it is part of, and any spec that was not sent.
    fn save(&self, builds: &[DagHash]) -> Result<Option<OfflineDirectory>, OfflineError> {
        let needed = |spec: &SpecRequest| builds.iter().any(|node| spec.spec.contains(node));
        let specs = self.specs.iter().filter(|(spec, sent)| !sent || needed(spec));
        let specs = specs.map(|(spec, _)| Report::Spec(Arc::clone(spec)));
        let kept = builds.iter().filter_map(|node| self.builds.get(node)).flatten();
        let mut reports = specs.chain(kept.map(|(report, _)| report.clone())).peekable();
        if reports.peek().is_none() {
            return Ok(None);
        }
        let SpackmonSettings { save_under, now, .. } = &self.settings;
        let mut directory = OfflineDirectory::create(save_under, now, Arc::clone(&self.identity))?;
        reports.try_for_each(|report| directory.save(&report))?;
        Ok(Some(directory))
    }
}

impl From<RequestError> for Unsent {
    fn from(error: RequestError) -> Self {
        Self::Failed(Box::new(error))
    }
}

/// Waits for the end of the drain, which begins with the end of the run, and may be brought forward.
async fn time_over(end: &mut watch::Receiver<Option<Deadline>>) {
    loop {
        let Ok(Some(deadline)) = end.wait_for(Option::is_some).await.map(|deadline| *deadline) else {
            // The sink is gone without an end: it panicked. What is queued is still sent.
            return std::future::pending().await;
        };
        tokio::select! {
            () = sleep_until(deadline.at) => return,
            Ok(()) = end.changed() => {}
        }
    }
}
