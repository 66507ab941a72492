use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

use jiff::Timestamp;
use spack_wasm_spec::{Dag, DagHash};

use crate::event::SCHEMA;
use crate::{BuildSpan, Event, EventKind, RunId, Sink, SinkError};

/// Gives events to all sinks. Cheap to clone, and every part of the program may hold one.
#[derive(Clone, Debug)]
pub struct Emitter {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    run: RunId,
    state: Mutex<State>,
}

/// Under one lock, so that the order in the queues is the order of the sequence numbers.
#[derive(Debug)]
struct State {
    next: u64,
    queues: Vec<Sender<Message>>,
}

#[derive(Debug)]
enum Message {
    Event(Arc<Event>),
    Concretized(Arc<Dag>),
}

/// The running sinks of an [`Emitter`].
#[derive(Debug)]
pub struct Fanout {
    emitter: Emitter,
    threads: Vec<JoinHandle<Result<(), SinkError>>>,
}

impl Fanout {
    /// Starts one thread a sink.
    ///
    /// # Errors
    /// The system gives no thread.
    pub fn start(run: RunId, sinks: Vec<Box<dyn Sink>>) -> std::io::Result<Self> {
        let (mut queues, mut threads) = (Vec::new(), Vec::new());
        for sink in sinks {
            let (sender, receiver) = mpsc::channel();
            queues.push(sender);
            threads.push(thread::Builder::new().name("events".into()).spawn(|| drive(sink, receiver))?);
        }
        let state = Mutex::new(State { next: 0, queues });
        Ok(Self { emitter: Emitter { inner: Arc::new(Inner { run, state }) }, threads })
    }

    /// What the rest of the program emits with.
    pub fn emitter(&self) -> Emitter {
        self.emitter.clone()
    }

    /// Waits until every sink has taken every event, ends the sinks, and gives what went wrong.
    ///
    /// Blocks: inside a tokio runtime call it by `spawn_blocking`. What is emitted later has nowhere to go.
    pub fn finish(self) -> Vec<SinkError> {
        self.emitter.lock().queues.clear();
        let ended = self.threads.into_iter().map(|thread| thread.join().unwrap_or(Err(SinkError::Panicked)));
        ended.filter_map(Result::err).collect()
    }
}

fn drive(mut sink: Box<dyn Sink>, queue: Receiver<Message>) -> Result<(), SinkError> {
    for message in queue {
        match message {
            Message::Event(event) => sink.accept(&event),
            Message::Concretized(dag) => sink.concretized(&dag),
        }
    }
    sink.finish()
}

impl Emitter {
    /// The run that the events belong to.
    pub fn run(&self) -> RunId {
        self.inner.run
    }

    /// Emits an event about the whole run.
    pub fn emit(&self, kind: EventKind) {
        self.send(None, kind);
    }

    /// Emits an event about one node.
    pub fn emit_for(&self, node: &DagHash, kind: EventKind) {
        self.send(Some(node.clone()), kind);
    }

    /// Emits what the concretizer found: each node, then [`EventKind::SolveFinished`].
    pub fn concretized(&self, dag: Arc<Dag>) {
        for node in dag.topological() {
            let facts = EventKind::Package {
                name: node.facts.name.clone(),
                version: node.facts.version.clone(),
                namespace: node.facts.namespace.clone(),
                dependencies: node.dependencies.iter().map(|edge| edge.hash.clone()).collect(),
            };
            self.emit_for(&node.hash, facts);
        }
        let roots = dag.roots().map(|root| root.hash.clone()).collect();
        let packages = dag.len() as u64;
        self.lock().deliver(&Message::Concretized(dag));
        self.emit(EventKind::SolveFinished { roots, packages });
    }

    /// Emits that a build started; the span sees to it that its end is emitted, too.
    pub fn build(&self, node: &DagHash) -> BuildSpan {
        BuildSpan::start(self.clone(), node.clone())
    }

    fn send(&self, node: Option<DagHash>, kind: EventKind) {
        let mut state = self.lock();
        let sequence = state.next;
        state.next += 1;
        let time = Timestamp::now();
        let event = Event { schema: SCHEMA, run: self.inner.run, sequence, time, node, kind };
        state.deliver(&Message::Event(Arc::new(event)));
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // A thread that panicked while it held the lock left a whole state: there is nothing to repair.
        self.inner.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// A sink that is gone has panicked, which [`Fanout::finish`] reports: nothing more can be done here.
    fn deliver(&self, message: &Message) {
        for queue in &self.queues {
            drop(queue.send(message.share()));
        }
    }
}

impl Message {
    fn share(&self) -> Self {
        match self {
            Self::Event(event) => Self::Event(Arc::clone(event)),
            Self::Concretized(dag) => Self::Concretized(Arc::clone(dag)),
        }
    }
}

/// Whether a span ends because its thread panics, for the message of its end.
pub(crate) fn ended_unexpectedly(what: &str) -> String {
    if thread::panicking() {
        format!("{what} ended by a panic of the host (this is a bug)")
    } else {
        format!("{what} ended without a result")
    }
}
