use std::future::pending;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use spack_wasm_monitor::CancelCause;
use spack_wasm_sandbox::Canceller;
use tokio::sync::watch;

/// Ends a run from another thread: no further build starts, and those that run are ended with all their processes and downloads.
#[derive(Clone, Debug, Default)]
pub struct Cancellation {
    cause: Arc<watch::Sender<Option<CancelCause>>>,
    running: Arc<Mutex<Running>>,
}

#[derive(Debug, Default)]
struct Running {
    sandboxes: Vec<(u64, Canceller)>,
    next: u64,
}

impl Cancellation {
    /// A run that nobody has cancelled.
    pub fn new() -> Self {
        Self::default()
    }

    /// Ends the run. The first cause counts.
    pub fn cancel(&self, cause: CancelCause) {
        // Before the sandboxes: one that is added meanwhile sees it.
        self.cause.send_if_modified(|known| known.is_none() && known.replace(cause).is_none());
        for (_, canceller) in &self.lock().sandboxes {
            canceller.cancel();
        }
    }

    /// Why the run was cancelled, if it was.
    pub fn cause(&self) -> Option<CancelCause> {
        self.cause.borrow().clone()
    }

    /// Waits until the run is cancelled, and says why.
    pub async fn cancelled(&self) -> CancelCause {
        let mut cause = self.cause.subscribe();
        match cause.wait_for(Option::is_some).await.map(|cause| cause.clone()) {
            Ok(Some(cause)) => cause,
            // The sender lives as long as `self`: this is not reached.
            _ => pending().await,
        }
    }

    /// The result of `work`, which is dropped when the run is cancelled.
    ///
    /// # Errors
    /// The run was cancelled, for this cause.
    pub(crate) async fn unless_cancelled<T>(&self, work: impl Future<Output = T>) -> Result<T, CancelCause> {
        tokio::select! {
            biased;
            cause = self.cancelled() => Err(cause),
            done = work => Ok(done),
        }
    }

    /// A sandbox that ends with the run, as long as the guard lives.
    pub(crate) fn watch(&self, canceller: Canceller) -> Watched {
        let mut running = self.lock();
        if self.cause.borrow().is_some() {
            canceller.cancel();
        }
        let id = running.next;
        running.next += 1;
        running.sandboxes.push((id, canceller));
        Watched { cancellation: self.clone(), id }
    }

    fn lock(&self) -> MutexGuard<'_, Running> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// While it lives, a sandbox ends with the run.
#[derive(Debug)]
pub(crate) struct Watched {
    cancellation: Cancellation,
    id: u64,
}

impl Drop for Watched {
    fn drop(&mut self) {
        self.cancellation.lock().sandboxes.retain(|(id, _)| *id != self.id);
    }
}
