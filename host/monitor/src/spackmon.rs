use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use jiff::ZonedDateTime;
use spack_wasm_spec::Dag;
use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::courier::{Courier, Deadline};
use crate::report::{Report, Reporter};
use crate::{Client, Event, MonitorIdentity, OfflineError, Sink, SinkError};

/// How events get to a Spackmon server.
#[derive(Clone, Debug)]
pub struct SpackmonSettings {
    /// What the builds are filed under.
    pub identity: MonitorIdentity,
    /// Whether the run goes on when a request has failed for good.
    pub keep_going: bool,
    /// How long the end of the run waits for what is still unsent.
    pub drain: Duration,
    /// A folder for a file without a name, in which long logs wait until they are sent.
    pub spool: PathBuf,
    /// The folder under which a folder of undelivered builds is made, when there are any.
    pub save_under: PathBuf,
    /// When the run started, in the user's time zone; gives that folder its name.
    pub now: ZonedDateTime,
}

/// A request failed for good, and nothing more is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MonitorFailure {
    /// Why, as a person reads it.
    pub reason: String,
    /// Whether the run must end: running builds are cancelled. Else it is worth a warning.
    pub ends_run: bool,
}

/// What became of the reports of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Delivery {
    /// The first request that failed for good.
    pub failure: Option<MonitorFailure>,
    /// How many builds have something that was not delivered.
    pub undelivered: usize,
    /// Where those builds are saved whole, ready for `monitor upload`.
    pub saved: Option<PathBuf>,
}

/// Sends what the events mean to a Spackmon server, beside the build.
#[derive(Debug)]
pub struct SpackmonSink {
    reporter: Reporter,
    reports: mpsc::UnboundedSender<Report>,
    waiting: Drain,
    drain: Duration,
    runtime: Handle,
    courier: JoinHandle<Result<(), OfflineError>>,
}

/// The program's side of a [`SpackmonSink`].
#[derive(Debug)]
pub struct SpackmonHandle {
    failure: watch::Receiver<Option<MonitorFailure>>,
    delivery: oneshot::Receiver<Delivery>,
    waiting: Drain,
}

/// What is still unsent at the end of a run, for whoever waits for it.
#[derive(Clone, Debug)]
pub struct Drain {
    unsent: Arc<AtomicUsize>,
    deadline: watch::Sender<Option<Deadline>>,
}

impl Drain {
    /// How many reports still wait for the server.
    pub fn unsent(&self) -> usize {
        self.unsent.load(Ordering::Relaxed)
    }

    /// Nobody waits any longer: what is unsent is saved.
    pub fn end(&self) {
        self.end_by(Deadline { at: Instant::now(), hurried: true });
    }

    fn end_by(&self, deadline: Deadline) {
        self.deadline.send_if_modified(|known| {
            let earlier = known.as_ref().is_none_or(|known| deadline.at < known.at);
            if earlier {
                *known = Some(deadline);
            }
            earlier
        });
    }
}

impl SpackmonSink {
    /// Starts the task that sends. The caller has asked [`Client::check`] before.
    pub fn start(client: Client, settings: SpackmonSettings, runtime: Handle) -> (Self, SpackmonHandle) {
        let (reports, queue) = mpsc::unbounded_channel();
        let (deadline, end) = watch::channel(None);
        let waiting = Drain { unsent: Arc::default(), deadline };
        let (failed, failure) = watch::channel(None);
        let (delivered, delivery) = oneshot::channel();
        let identity = Arc::new(settings.identity.clone());
        let (drain, spool) = (settings.drain, settings.spool.clone());
        let courier =
            Courier::new(client, Arc::clone(&identity), settings, failed, Arc::clone(&waiting.unsent));
        let courier = runtime.spawn(courier.run(queue, end, delivered));
        let reporter = Reporter::new(identity, spool);
        let sink = Self { reporter, reports, waiting: waiting.clone(), drain, runtime, courier };
        (sink, SpackmonHandle { failure, delivery, waiting })
    }

    fn send(&self, reports: Vec<Report>) {
        for report in reports {
            self.waiting.unsent.fetch_add(1, Ordering::Relaxed);
            // The other end is gone only when it panicked, which `finish` reports.
            drop(self.reports.send(report));
        }
    }
}

impl Sink for SpackmonSink {
    fn accept(&mut self, event: &Event) {
        let reports = self.reporter.accept(event);
        self.send(reports);
    }

    fn concretized(&mut self, dag: &Arc<Dag>) {
        let reports = self.reporter.concretized(dag);
        self.send(reports);
    }

    fn finish(mut self: Box<Self>) -> Result<(), SinkError> {
        let reports = self.reporter.finish();
        self.send(reports);
        self.waiting.end_by(Deadline { at: Instant::now() + self.drain, hurried: false });
        drop(self.reports);
        self.runtime.block_on(self.courier).map_err(|_| SinkError::Panicked)??;
        Ok(())
    }
}

impl SpackmonHandle {
    /// Waits until a request has failed for good; forever when none does.
    pub async fn failed(&mut self) -> MonitorFailure {
        match self.failure.wait_for(Option::is_some).await.map(|failure| failure.clone()) {
            Ok(Some(failure)) => failure,
            _ => std::future::pending().await,
        }
    }

    /// What is still unsent.
    pub fn drain(&self) -> Drain {
        self.waiting.clone()
    }

    /// What became of the reports, once the sink has finished.
    pub async fn delivery(self) -> Delivery {
        self.delivery.await.unwrap_or_default()
    }
}
