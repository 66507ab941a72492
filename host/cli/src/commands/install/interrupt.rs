//! Ctrl-C, SIGTERM and a terminal that is closed.

use spack_wasm_build::Cancellation;
use spack_wasm_monitor::{CancelCause, Emitter, EventKind};
use tokio::runtime::Runtime;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;

use crate::error::{CommandError, ErrorKind};

/// Whether a signal came, and which.
#[derive(Clone, Debug)]
pub(super) struct Interruption(watch::Receiver<Option<ErrorKind>>);

impl Interruption {
    /// Whether a signal came.
    pub(super) fn came(&self) -> bool {
        self.0.borrow().is_some()
    }

    /// The error that the command ends with, where a signal came.
    pub(super) fn error(&self) -> Option<CommandError> {
        let kind = *self.0.borrow();
        kind.map(|kind| CommandError::new(kind, "the installation was interrupted"))
    }

    /// Waits for a signal.
    pub(super) async fn wait(&mut self) {
        if self.0.wait_for(Option::is_some).await.is_err() {
            // The watch has ended without a signal: none will come.
            std::future::pending::<()>().await;
        }
    }
}

/// From now on the first signal cancels the builds, and the second one ends the program at once.
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
    let (seen, interruption) = watch::channel(None);
    let (cancellation, emitter) = (cancellation.clone(), emitter.clone());
    runtime.spawn(async move {
        seen.send_replace(Some(signals.next().await));
        let message = "interrupted: what runs is ended; once more ends the program at once".to_owned();
        emitter.emit(EventKind::Warning { message });
        cancellation.cancel(CancelCause::Interrupted);
        end_at_once(signals.next().await.exit_status());
    });
    Ok(Interruption(interruption))
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
