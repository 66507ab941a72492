//! Lines for what is no terminal.

use std::io::Write;
use std::sync::Arc;
use std::time::Instant;

use spack_wasm_monitor::{Event, Sink, SinkError};
use spack_wasm_spec::Dag;

use super::Progress;

/// Prints a line for everything that a person wants to know later.
#[derive(Debug)]
pub(crate) struct PlainSink<W> {
    progress: Progress,
    writer: W,
}

impl<W: Write + Send> PlainSink<W> {
    /// Prints to `writer`.
    pub(crate) fn new(writer: W) -> Self {
        Self { progress: Progress::default(), writer }
    }
}

impl<W: Write + Send> Sink for PlainSink<W> {
    fn accept(&mut self, event: &Event) {
        for line in self.progress.accept(event, Instant::now()) {
            // A reader that has gone wants no more, and the builds go on without it.
            let _ = self.writer.write_all(line.text.as_str().as_bytes()).and_then(|()| self.writer.flush());
        }
    }

    fn concretized(&mut self, dag: &Arc<Dag>) {
        self.progress.concretized(dag);
    }

    fn finish(self: Box<Self>) -> Result<(), SinkError> {
        Ok(())
    }
}
