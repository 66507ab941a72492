//! Ctrl-C, SIGTERM and a terminal that is closed.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use spack_wasm_build::Cancellation;
use spack_wasm_monitor::{CancelCause, Drain, Emitter, EventKind};
use tokio::runtime::Runtime;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;

use crate::error::{CommandError, ErrorKind};

/// Whether a signal came, and which.
#[derive(Clone, Debug)]
pub(super) struct Interruption {
    seen: watch::Receiver<Option<ErrorKind>>,
    drain: AtTheEnd,
}

/// The wait for the monitor, while the run has nothing else to do.
type AtTheEnd = Arc<Mutex<Option<Drain>>>;

impl Interruption {
    /// Whether a signal came.
    pub(super) fn came(&self) -> bool {
        self.seen.borrow().is_some()
    }

    /// The error that the command ends with, where a signal came.
    pub(super) fn error(&self) -> Option<CommandError> {
        let kind = *self.seen.borrow();
        kind.map(|kind| CommandError::new(kind, "the installation was interrupted"))
    }

    /// From now on a signal ends this wait, even a second one; the next one ends the program at once.
    pub(super) fn ends(&self, drain: Drain) {
        *lock(&self.drain) = Some(drain);
    }

    /// Waits for a signal.
    pub(super) async fn wait(&mut self) {
        if self.seen.wait_for(Option::is_some).await.is_err() {
            // The watch has ended without a signal: none will come.
            std::future::pending::<()>().await;
        }
    }
}

/// From now on the first signal cancels the builds, and the second one ends the program at once, unless the run has come to
/// its end and only waits for the monitor.
///
/// # Errors
/// The system does not let signals be caught.
pub(super) fn watch(
    runtime: &Runtime,
    cancellation: &Cancellation,
    emitter: &Emitter,
) -> std::io::Result<Interruption> {
    let _inside = runtime.enter();
    let mut signals = Signals::catch()?;
    let (told, seen) = watch::channel(None);
    let (cancellation, emitter) = (cancellation.clone(), emitter.clone());
    let drain = AtTheEnd::default();
    let interruption = Interruption { seen, drain: Arc::clone(&drain) };
    runtime.spawn(async move {
        loop {
            let (kind, waiting) = (signals.next().await, lock(&drain).take());
            let is_first = told.borrow().is_none();
            if !is_first && waiting.is_none() {
                end_at_once(kind.exit_status());
            }
            told.send_if_modified(|known| known.is_none() && known.replace(kind).is_none());
            let what = if waiting.is_some() {
                "nobody waits for the monitor any longer"
            } else {
                "what runs is ended"
            };
            let message = format!("interrupted: {what}; once more ends the program at once");
            emitter.emit(EventKind::Warning { message });
            if let Some(waiting) = waiting {
                waiting.end();
            }
            cancellation.cancel(CancelCause::Interrupted);
        }
    });
    Ok(interruption)
}

fn lock(drain: &AtTheEnd) -> MutexGuard<'_, Option<Drain>> {
    drain.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The signals that end a run.
struct Signals {
    interrupts: Signal,
    terminations: Signal,
    /// None where whoever started the program wants it to outlive its terminal, as `nohup` does.
    hangups: Option<Signal>,
}

impl Signals {
    fn catch() -> std::io::Result<Self> {
        let hangups = (!hangup_is_ignored()).then(|| signal(SignalKind::hangup())).transpose()?;
        let (interrupts, terminations) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
        Ok(Self { interrupts, terminations, hangups })
    }

    /// What the next signal is.
    async fn next(&mut self) -> ErrorKind {
        let hangup = async {
            match &mut self.hangups {
                Some(hangups) => hangups.recv().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = self.interrupts.recv() => ErrorKind::Interrupted,
            _ = self.terminations.recv() => ErrorKind::Terminated,
            _ = hangup => ErrorKind::HungUp,
        }
    }
}

/// Whether the program was started with SIGHUP ignored. Where the system does not say, it was not.
fn hangup_is_ignored() -> bool {
    let status = fs_err::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let ignored = ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    // Signals are numbered from 1.
    ignored.is_some_and(|mask| mask & 1 << (SignalKind::hangup().as_raw_value() - 1) != 0)
}

#[expect(clippy::exit, reason = "the user wants the program to end now, whatever it is doing")]
fn end_at_once(status: u8) -> ! {
    std::process::exit(status.into())
}
