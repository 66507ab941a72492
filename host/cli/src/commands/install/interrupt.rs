//! Ctrl-C and SIGTERM.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use spack_wasm_build::Cancellation;
use spack_wasm_monitor::{CancelCause, Emitter, EventKind};
use tokio::runtime::Runtime;
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::error::{CommandError, ErrorKind};

/// Which signal came.
#[derive(Clone, Debug, Default)]
pub(super) struct Interruption(Arc<AtomicU8>);

impl Interruption {
    /// The error that the command ends with, where a signal came.
    pub(super) fn error(&self) -> Option<CommandError> {
        let kind = match self.0.load(Ordering::Relaxed) {
            0 => return None,
            status if status == ErrorKind::Terminated.exit_status() => ErrorKind::Terminated,
            _ => ErrorKind::Interrupted,
        };
        Some(CommandError::new(kind, "the installation was interrupted"))
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
    let (interrupts, terminations) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    let interruption = Interruption::default();
    let (seen, cancellation, emitter) = (interruption.clone(), cancellation.clone(), emitter.clone());
    runtime.spawn(async move {
        let (mut interrupts, mut terminations) = (interrupts, terminations);
        let status = next(&mut interrupts, &mut terminations).await;
        seen.0.store(status, Ordering::Relaxed);
        let message = "interrupted: the builds are ended; once more ends the program at once".to_owned();
        emitter.emit(EventKind::Warning { message });
        cancellation.cancel(CancelCause::Interrupted);
        let status = next(&mut interrupts, &mut terminations).await;
        end_at_once(status);
    });
    Ok(interruption)
}

/// The exit status for the next signal.
async fn next(interrupts: &mut Signal, terminations: &mut Signal) -> u8 {
    tokio::select! {
        _ = interrupts.recv() => ErrorKind::Interrupted.exit_status(),
        _ = terminations.recv() => ErrorKind::Terminated.exit_status(),
    }
}

#[expect(clippy::exit, reason = "the user wants the program to end now, whatever it is doing")]
fn end_at_once(status: u8) -> ! {
    std::process::exit(status.into())
}
