use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

use jiff::Timestamp;
use spack_wasm_spec::{Dag, DagHash};

use crate::event::SCHEMA;
use crate::load::Load;
use crate::{BuildSpan, Event, EventKind, RunId, Sink, SinkError};

/// Gives events to all sinks. Cheap to clone, and every part of the program may hold one.
///
/// To emit waits for nobody, with one exception: a build's output waits for a sink that is behind by some megabytes of it.
/// What is emitted after [`EventKind::RunEnded`] is dropped.
#[derive(Clone, Debug)]
pub struct Emitter {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    run: RunId,
    /// Of each queue, while its sink runs.
    loads: Vec<Arc<Load>>,
    state: Mutex<State>,
}

/// Under one lock, so that the order in the queues is the order of the sequence numbers.
#[derive(Debug)]
struct State {
    next: u64,
    /// The last event of the run is out.
    ended: bool,
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
        let (mut queues, mut loads, mut threads) = (Vec::new(), Vec::new(), Vec::new());
        for sink in sinks {
            let (sender, receiver) = mpsc::channel();
            let load = Arc::new(Load::default());
            queues.push(sender);
            loads.push(Arc::clone(&load));
            let work = move || drive(sink, receiver, &load);
            threads.push(thread::Builder::new().name("events".into()).spawn(work)?);
        }
        let state = Mutex::new(State { next: 0, ended: false, queues });
        Ok(Self { emitter: Emitter { inner: Arc::new(Inner { run, loads, state }) }, threads })
    }

    /// What the rest of the program emits with.
    pub fn emitter(&self) -> Emitter {
        self.emitter.clone()
    }

    /// Ends all sinks but the first when they have taken every event, and gives what went wrong. The first one can still be
    /// told what became of it.
    ///
    /// Blocks, as [`Fanout::finish`].
    pub fn finish_others(&mut self) -> Vec<SinkError> {
        self.emitter.lock().queues.truncate(1);
        join(self.threads.drain(self.threads.len().min(1)..))
    }

    /// Waits until every sink has taken every event, ends the sinks, and gives what went wrong.
    ///
    /// Blocks: inside a tokio runtime call it by `spawn_blocking`. What is emitted later has nowhere to go.
    pub fn finish(self) -> Vec<SinkError> {
        self.emitter.lock().queues.clear();
        join(self.threads)
    }
}

fn join(threads: impl IntoIterator<Item = JoinHandle<Result<(), SinkError>>>) -> Vec<SinkError> {
    let ended = threads.into_iter().map(|thread| thread.join().unwrap_or(Err(SinkError::Panicked)));
    ended.filter_map(Result::err).collect()
}

fn drive(mut sink: Box<dyn Sink>, queue: Receiver<Message>, load: &Load) -> Result<(), SinkError> {
    let _open = load.open();
    for message in queue {
        match message {
            Message::Event(event) => {
                sink.accept(&event);
                load.remove(weight(&event.kind));
            }
            Message::Concretized(dag) => sink.concretized(&dag),
        }
    }
    sink.finish()
}

/// How much of a queue's memory an event takes: only output can be much.
fn weight(kind: &EventKind) -> usize {
    if let EventKind::Output(chunk) = kind { chunk.weight() } else { 0 }
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
        // Before the lock, so that output that waits for its reader holds up nothing else.
        let weight = weight(&kind);
        if weight > 0 {
            self.inner.loads.iter().for_each(|load| load.add(weight));
        }
        let mut state = self.lock();
        if state.ended {
            return;
        }
        state.ended = matches!(kind, EventKind::RunEnded { .. });
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
