use std::collections::BTreeMap;
use std::time::Instant;

use spack_wasm_spec::DagHash;

use crate::emitter::ended_unexpectedly;
use crate::output::ChunkCutter;
use crate::{BuildEnd, Emitter, EventKind, OutputChunk, PhaseExit, Stream, Usage};

/// A build that has started. Dropped without a result, for example by an early return or a panic, it emits that
/// the build failed.
#[derive(Debug)]
#[must_use = "dropping the span ends the build"]
pub struct BuildSpan {
    emitter: Emitter,
    node: DagHash,
    output: Cutters,
    ended: bool,
}

impl BuildSpan {
    pub(crate) fn start(emitter: Emitter, node: DagHash) -> Self {
        emitter.emit_for(&node, EventKind::BuildStarted);
        Self { emitter, node, output: Cutters::default(), ended: false }
    }

    /// The node that is built.
    pub fn node(&self) -> &DagHash {
        &self.node
    }

    /// Emits another event about the build.
    pub fn emit(&self, kind: EventKind) {
        self.emitter.emit_for(&self.node, kind);
    }

    /// Emits log that belongs to no phase.
    pub fn output(&mut self, stream: Stream, bytes: &[u8]) {
        self.output.push(&self.emitter, &self.node, None, stream, bytes);
    }

    /// Emits that a phase started.
    pub fn phase(&self, name: impl Into<String>) -> PhaseSpan {
        PhaseSpan::start(self.emitter.clone(), self.node.clone(), name.into())
    }

    /// Emits how the build ended.
    pub fn end(mut self, end: BuildEnd) {
        self.close(end);
    }

    fn close(&mut self, end: BuildEnd) {
        self.ended = true;
        self.output.finish(&self.emitter, &self.node, None);
        self.emit(EventKind::BuildEnded(end));
    }
}

impl Drop for BuildSpan {
    fn drop(&mut self) {
        if !self.ended {
            self.close(BuildEnd::Failed { message: ended_unexpectedly("the build") });
        }
    }
}

/// A phase that has started. Dropped without a result, it emits that the phase failed.
#[derive(Debug)]
#[must_use = "dropping the span ends the phase"]
pub struct PhaseSpan {
    emitter: Emitter,
    node: DagHash,
    name: String,
    started: Instant,
    output: Cutters,
    ended: bool,
}

impl PhaseSpan {
    fn start(emitter: Emitter, node: DagHash, name: String) -> Self {
        emitter.emit_for(&node, EventKind::PhaseStarted { phase: name.clone() });
        Self { emitter, node, name, started: Instant::now(), output: Cutters::default(), ended: false }
    }

    /// The phase's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Emits another event about the phase's build.
    pub fn emit(&self, kind: EventKind) {
        self.emitter.emit_for(&self.node, kind);
    }

    /// Emits a part of the phase's log. Bytes need not be whole lines or characters.
    pub fn output(&mut self, stream: Stream, bytes: &[u8]) {
        self.output.push(&self.emitter, &self.node, Some(&self.name), stream, bytes);
    }

    /// Emits how the phase ended; its time on the clock is the span's own.
    pub fn end(mut self, exit: PhaseExit, usage: Usage) {
        self.close(exit, usage);
    }

    fn close(&mut self, exit: PhaseExit, usage: Usage) {
        self.ended = true;
        self.output.finish(&self.emitter, &self.node, Some(&self.name));
        let wall_ms = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        let usage = Usage { wall_ms, ..usage };
        self.emit(EventKind::PhaseEnded { phase: self.name.clone(), exit, usage });
    }
}

impl Drop for PhaseSpan {
    fn drop(&mut self) {
        if !self.ended {
            self.close(PhaseExit::Error { message: ended_unexpectedly("the phase") }, Usage::default());
        }
    }
}

/// The unfinished characters of each stream.
#[derive(Debug, Default)]
struct Cutters(BTreeMap<Stream, ChunkCutter>);

impl Cutters {
    fn push(&mut self, emitter: &Emitter, node: &DagHash, phase: Option<&str>, stream: Stream, bytes: &[u8]) {
        let whole = self.0.entry(stream).or_default().push(bytes);
        emit_chunk(emitter, node, phase, stream, &whole);
    }

    fn finish(&mut self, emitter: &Emitter, node: &DagHash, phase: Option<&str>) {
        for (stream, mut cutter) in std::mem::take(&mut self.0) {
            emit_chunk(emitter, node, phase, stream, &cutter.finish());
        }
    }
}

fn emit_chunk(emitter: &Emitter, node: &DagHash, phase: Option<&str>, stream: Stream, bytes: &[u8]) {
    if !bytes.is_empty() {
        let chunk = OutputChunk::new(phase.map(str::to_owned), stream, bytes);
        emitter.emit_for(node, EventKind::Output(chunk));
    }
}
