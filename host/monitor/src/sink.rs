use std::sync::Arc;

use spack_wasm_spec::Dag;

use crate::Event;

/// Where events go: a terminal, a file, a server.
///
/// Each sink runs in a thread of its own behind a queue of its own, so a slow one delays neither the build nor
/// another sink, until some megabytes of output wait for it: then builds wait before they print more. Events arrive complete and in order of their sequence number.
pub trait Sink: Send {
    /// Takes the next event. A sink that cannot keep it remembers why and says so in [`Sink::finish`].
    fn accept(&mut self, event: &Event);

    /// Takes the DAG whose hashes the following events use.
    fn concretized(&mut self, _dag: &Arc<Dag>) {}

    /// Ends the sink after the last event.
    ///
    /// # Errors
    /// Something that the sink was given did not get where it should.
    fn finish(self: Box<Self>) -> Result<(), SinkError>;
}

/// Why a sink could not do its work.
#[derive(Debug, thiserror::Error)]
pub enum SinkError {
    /// Events could not be written.
    #[error("events could not be written to {target}: {source}")]
    Write {
        /// What was written: a file's path, or `the standard output`.
        target: String,
        /// Why.
        source: std::io::Error,
    },
    /// The monitor's files could not be written.
    #[error(transparent)]
    Offline(#[from] crate::OfflineError),
    /// The sink's thread panicked: a bug.
    #[error("an event sink stopped unexpectedly; its part of the record is incomplete (this is a bug)")]
    Panicked,
}
