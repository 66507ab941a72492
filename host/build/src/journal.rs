//! Where everything that a build says goes: the log file, the phase's event span, and the sum of what its tools used.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use fs_err::File;
use spack_wasm_monitor::{
    Access, BuildEnd, BuildSpan, Certainty, EventKind, Excerpt, PhaseExit, PhaseSpan, Stream, Usage,
};
use spack_wasm_sandbox::Outcome;
use spack_wasm_sandbox::refusal::Refusal;
use spack_wasm_store::PhaseTime;

use crate::LogLimits;
use crate::warnings::Warnings;

/// How often a build says how far it is, at most: more than anybody follows.
const MOST_PROGRESS: usize = 10_000;

/// The journal of one build, shared by its thread and by what its recipe calls.
#[derive(Clone)]
pub(crate) struct Journal(Arc<Mutex<Inner>>);

struct Inner {
    build: Option<BuildSpan>,
    phase: Option<Phase>,
    /// The phase that runs, or that failed.
    name: Option<String>,
    log: Option<(File, PathBuf)>,
    limits: LogLimits,
    /// How much of the beginning of the log may still come.
    room: usize,
    /// Of the running phase, or of what is between two.
    excerpt: Excerpt,
    times: Vec<PhaseTime>,
    refusals: Vec<Refusal>,
    warnings: Warnings,
    progress: usize,
}

struct Phase {
    span: PhaseSpan,
    started: Instant,
    usage: Usage,
}

impl Journal {
    pub(crate) fn new(build: BuildSpan, limits: LogLimits) -> Self {
        Self(Arc::new(Mutex::new(Inner {
            limits,
            room: limits.head,
            excerpt: Excerpt::new(limits.head.max(limits.tail), limits.tail),
            build: Some(build),
            phase: None,
            name: None,
            log: None,
            times: Vec::new(),
            refusals: Vec::new(),
            warnings: Warnings::default(),
            progress: 0,
        })))
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on everything is written to this file, too.
    pub(crate) fn log_to(&self, path: &Path) -> std::io::Result<()> {
        self.lock().log = Some((File::create(path)?, path.to_owned()));
        Ok(())
    }

    pub(crate) fn log_path(&self) -> Option<PathBuf> {
        self.lock().log.as_ref().map(|(_, path)| path.clone())
    }

    /// Bytes of a tool's output, or of our own.
    pub(crate) fn output(&self, stream: Stream, bytes: &[u8]) {
        self.lock().output(stream, bytes);
    }

    /// Brings what is held of the log's end into the log.
    pub(crate) fn complete_log(&self) {
        self.lock().complete_log();
    }

    /// A line for the log alone: whoever follows the events knows it from them.
    pub(crate) fn note(&self, line: &str) {
        if let Some((file, _)) = &mut self.lock().log {
            // As for output.
            drop(writeln!(file, "==> {line}"));
        }
    }

    /// A line of ours, as Spack writes them.
    pub(crate) fn say(&self, line: &str) {
        self.output(Stream::Host, format!("==> {line}\n").as_bytes());
    }

    pub(crate) fn emit(&self, kind: EventKind) {
        if let Some(build) = &self.lock().build {
            build.emit(kind);
        }
    }

    /// A warning that is repeated at the end, and one of the events; of a flood the log has more.
    pub(crate) fn warn(&self, message: String) {
        let is_told = self.lock().warnings.push(&message);
        if is_told {
            self.emit(EventKind::Warning { message });
        }
    }

    /// How far a phase is.
    pub(crate) fn progress(&self, done: u64, total: Option<u64>, text: String) {
        let mut inner = self.lock();
        inner.progress += 1;
        if inner.progress <= MOST_PROGRESS
            && let Some(build) = &inner.build
        {
            build.emit(EventKind::Progress { done, total, text });
        }
    }

    pub(crate) fn begin_phase(&self, package: &str, name: &str) {
        let mut inner = self.lock();
        inner.complete_log();
        let span = inner.build.as_ref().map(|build| build.phase(name));
        inner.phase = span.map(|span| Phase { span, started: Instant::now(), usage: Usage::default() });
        inner.name = Some(name.to_owned());
        drop(inner);
        self.say(&format!("{package}: Executing phase: '{name}'"));
    }

    pub(crate) fn end_phase(&self, exit: PhaseExit) {
        let mut inner = self.lock();
        inner.complete_log();
        let Some(phase) = inner.phase.take() else { return };
        if exit == PhaseExit::Success {
            inner.name = None;
        }
        let name = phase.span.name().to_owned();
        let seconds = phase.started.elapsed().as_secs_f64();
        inner.times.push(PhaseTime { path: name.clone(), name, seconds, count: 1 });
        phase.span.end(exit, phase.usage);
    }

    /// A tool of the phase has ended.
    pub(crate) fn used(&self, outcome: &Outcome) {
        let mut inner = self.lock();
        if let Some(phase) = &mut inner.phase {
            let milliseconds =
                |time: std::time::Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
            phase.usage.user_ms += milliseconds(outcome.user_cpu);
            phase.usage.system_ms += milliseconds(outcome.system_cpu);
            phase.usage.peak_memory_kib = phase.usage.peak_memory_kib.max(outcome.max_rss_kib);
        }
    }

    pub(crate) fn refused(&self, refusals: Vec<Refusal>) {
        for refusal in &refusals {
            let access = match refusal.access {
                spack_wasm_sandbox::Access::ReadOnly => Access::Read,
                spack_wasm_sandbox::Access::ReadWrite => Access::Write,
            };
            self.emit(EventKind::Refusal {
                path: refusal.path.clone(),
                access,
                certainty: if refusal.certain { Certainty::Certain } else { Certainty::Probable },
                setting: refusal.setting().unwrap_or_default(),
            });
        }
        self.lock().refusals.extend(refusals);
    }

    pub(crate) fn times(&self) -> Vec<PhaseTime> {
        self.lock().times.clone()
    }

    /// The phase that failed, what the sandbox refused, and what the recipe wants the user to know.
    pub(crate) fn conclusion(&self) -> (Option<String>, Vec<Refusal>, Vec<String>) {
        let inner = self.lock();
        (inner.name.clone(), inner.refusals.clone(), inner.warnings.told())
    }

    /// The build has ended.
    pub(crate) fn end(&self, end: BuildEnd) {
        let mut inner = self.lock();
        inner.complete_log();
        inner.phase = None;
        if let Some((file, _)) = &mut inner.log {
            drop(file.flush());
        }
        if let (Some(build), Some(message)) = (&inner.build, inner.warnings.untold()) {
            build.emit(EventKind::Warning { message });
        }
        if let Some(build) = inner.build.take() {
            build.end(end);
        }
    }
}

impl Inner {
    fn output(&mut self, stream: Stream, bytes: &[u8]) {
        let now = self.excerpt.push(stream, bytes);
        self.room = self.room.saturating_sub(now.len());
        self.write(stream, now);
    }

    fn write(&mut self, stream: Stream, bytes: &[u8]) {
        if let Some((file, _)) = &mut self.log {
            // A full disk must not end a build that would succeed; the events have the text.
            drop(file.write_all(bytes));
        }
        match (&mut self.phase, &mut self.build) {
            (Some(phase), _) => phase.span.output(stream, bytes),
            (None, Some(build)) => build.output(stream, bytes),
            (None, None) => {}
        }
    }

    /// However much has been left out, what comes next has a beginning of its own again.
    fn complete_log(&mut self) {
        for (stream, bytes) in self.excerpt.finish() {
            self.write(stream, &bytes);
        }
        self.excerpt = Excerpt::new(self.room.max(self.limits.tail), self.limits.tail);
    }
}

#[cfg(test)]
mod tests {
    use spack_wasm_monitor::{Event, Fanout, NdjsonSink, RunId};

    use super::*;

    #[derive(Clone, Default)]
    struct Shared(Arc<Mutex<Vec<u8>>>);

    impl Write for Shared {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    /// The log on disk and the events of a build.
    fn journaled(limits: LogLimits, work: impl FnOnce(&Journal)) -> (String, Vec<Event>) {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("log");
        let written = Shared::default();
        let sink = NdjsonSink::new("a test", written.clone());
        let fanout = Fanout::start(RunId::random(), vec![Box::new(sink)]).unwrap();
        let node = "utyylwxagaiood5q275hodzxdu5ug7z7".parse().unwrap();
        let journal = Journal::new(fanout.emitter().build(&node), limits);
        journal.log_to(&log).unwrap();
        work(&journal);
        journal.end(BuildEnd::Installed { prefix: "/p".into() });
        assert!(fanout.finish().is_empty());
        let events = String::from_utf8(written.0.lock().unwrap().clone()).unwrap();
        let events = events.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        (fs_err::read_to_string(&log).unwrap(), events)
    }

    fn flood(journal: &Journal) {
        for line in 0..10_000 {
            journal.output(Stream::Stdout, format!("line {line}\n").as_bytes());
        }
    }

    #[test]
    fn a_phase_behind_a_flood_has_a_log_all_the_same() {
        let (log, events) = journaled(LogLimits { head: 1000, tail: 100 }, |journal| {
            journal.begin_phase("zlib", "build");
            flood(journal);
            journal.end_phase(PhaseExit::Success);
            journal.begin_phase("zlib", "install");
            journal.output(Stream::Stdout, b"a short one\n");
            journal.end_phase(PhaseExit::Success);
        });
        assert!(log.len() < 1500, "{log}");
        assert!(log.starts_with("==> zlib: Executing phase: 'build'\nline 0\n"), "{log}");
        assert!(log.ends_with("line 9999\n==> zlib: Executing phase: 'install'\na short one\n"), "{log}");
        assert_eq!(log.matches(" bytes of output were left out here\n").count(), 1, "{log}");
        let told = events.into_iter().filter_map(|event| match event.kind {
            EventKind::Output(chunk) => Some(chunk.text),
            _ => None,
        });
        assert_eq!(told.collect::<String>(), log, "the events have what the file has");
    }

    #[test]
    fn what_a_failed_phase_printed_last_is_in_the_log() {
        let (log, _) = journaled(LogLimits { head: 0, tail: 100 }, |journal| {
            journal.begin_phase("zlib", "build");
            flood(journal);
            journal.say("the end");
            journal.end_phase(PhaseExit::Error { message: "no".to_owned() });
        });
        assert!(log.ends_with("line 9999\n==> the end\n"), "{log}");
    }
}
