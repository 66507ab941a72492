//! Ctrl-C and SIGTERM.

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
    let (mut interrupts, mut terminations) =
        (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    let (seen, interruption) = watch::channel(None);
    let (cancellation, emitter) = (cancellation.clone(), emitter.clone());
    runtime.spawn(async move {
        seen.send_replace(Some(next(&mut interrupts, &mut terminations).await));
        let message = "interrupted: what runs is ended; once more ends the program at once".to_owned();
        emitter.emit(EventKind::Warning { message });
        cancellation.cancel(CancelCause::Interrupted);
        end_at_once(next(&mut interrupts, &mut terminations).await.exit_status());
    });
    Ok(Interruption(interruption))
}

/// What the next signal is.
async fn next(interrupts: &mut Signal, terminations: &mut Signal) -> ErrorKind {
    tokio::select! {
        _ = interrupts.recv() => ErrorKind::Interrupted,
        _ = terminations.recv() => ErrorKind::Terminated,
    }
}

#[expect(clippy::exit, reason = "the user wants the program to end now, whatever it is doing")]
fn end_at_once(status: u8) -> ! {
    std::process::exit(status.into())
}
