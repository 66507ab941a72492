//! Where everything that a build says goes: the log file, the phase's event span, and the sum of what its tools used.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use fs_err::File;
use spack_wasm_monitor::{
    Access, BuildEnd, BuildSpan, Certainty, EventKind, PhaseExit, PhaseSpan, Stream, Usage,
};
use spack_wasm_sandbox::Outcome;
use spack_wasm_sandbox::refusal::Refusal;
use spack_wasm_store::PhaseTime;

/// The journal of one build, shared by its thread and by what its recipe calls.
#[derive(Clone)]
pub(crate) struct Journal(Arc<Mutex<Inner>>);

struct Inner {
    build: Option<BuildSpan>,
    phase: Option<Phase>,
    /// The phase that runs, or that failed.
    name: Option<String>,
    log: Option<(File, PathBuf)>,
    times: Vec<PhaseTime>,
    refusals: Vec<Refusal>,
    warnings: Vec<String>,
}

struct Phase {
    span: PhaseSpan,
    started: Instant,
    usage: Usage,
}

impl Journal {
    pub(crate) fn new(build: BuildSpan) -> Self {
        Self(Arc::new(Mutex::new(Inner {
            build: Some(build),
            phase: None,
            name: None,
            log: None,
            times: Vec::new(),
            refusals: Vec::new(),
            warnings: Vec::new(),
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
        let inner = &mut *self.lock();
        if let Some((file, _)) = &mut inner.log {
            // A full disk must not end a build that would succeed; the events have the text.
            drop(file.write_all(bytes));
        }
        match (&mut inner.phase, &mut inner.build) {
            (Some(phase), _) => phase.span.output(stream, bytes),
            (None, Some(build)) => build.output(stream, bytes),
            (None, None) => {}
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

    pub(crate) fn warn(&self, message: String) {
        self.emit(EventKind::Warning { message: message.clone() });
        self.lock().warnings.push(message);
    }

    pub(crate) fn begin_phase(&self, package: &str, name: &str) {
        let mut inner = self.lock();
        let span = inner.build.as_ref().map(|build| build.phase(name));
        inner.phase = span.map(|span| Phase { span, started: Instant::now(), usage: Usage::default() });
        inner.name = Some(name.to_owned());
        drop(inner);
        self.say(&format!("{package}: Executing phase: '{name}'"));
    }

    pub(crate) fn end_phase(&self, exit: PhaseExit) {
        let mut inner = self.lock();
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
        (inner.name.clone(), inner.refusals.clone(), inner.warnings.clone())
    }

    /// The build has ended.
    pub(crate) fn end(&self, end: BuildEnd) {
        let mut inner = self.lock();
        inner.phase = None;
        if let Some((file, _)) = &mut inner.log {
            drop(file.flush());
        }
        if let Some(build) = inner.build.take() {
            build.end(end);
        }
    }
}
