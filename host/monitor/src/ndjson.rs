use std::io::{self, Write};

use crate::{Event, Sink, SinkError};

/// Writes each event as one line of JSON, and flushes it, so that a reader can follow.
#[derive(Debug)]
pub struct NdjsonSink<W> {
    target: String,
    writer: W,
    failure: Option<io::Error>,
}

impl<W: Write + Send> NdjsonSink<W> {
    /// Writes to `writer`, which error messages call `target`.
    pub fn new(target: impl Into<String>, writer: W) -> Self {
        Self { target: target.into(), writer, failure: None }
    }

    fn write(&mut self, event: &Event) -> io::Result<()> {
        let mut line = serde_json::to_vec(event)?;
        line.push(b'\n');
        self.writer.write_all(&line)?;
        self.writer.flush()
    }
}

impl<W: Write + Send> Sink for NdjsonSink<W> {
    fn accept(&mut self, event: &Event) {
        if self.failure.is_none() {
            self.failure = self.write(event).err();
        }
    }

    fn finish(self: Box<Self>) -> Result<(), SinkError> {
        match self.failure {
            None => Ok(()),
            Some(source) => Err(SinkError::Write { target: self.target, source }),
        }
    }
}
