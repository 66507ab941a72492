use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use spack_wasm_monitor::CancelCause;
use spack_wasm_sandbox::Canceller;

/// Ends a run from another thread: no further build starts, and those that run are ended with all their processes.
#[derive(Clone, Debug, Default)]
pub struct Cancellation {
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    cause: Option<CancelCause>,
    running: Vec<(u64, Canceller)>,
    next: u64,
}

impl Cancellation {
    /// A run that nobody has cancelled.
    pub fn new() -> Self {
        Self::default()
    }

    /// Ends the run. The first cause counts.
    pub fn cancel(&self, cause: CancelCause) {
        let mut state = self.lock();
        state.cause.get_or_insert(cause);
        for (_, canceller) in &state.running {
            canceller.cancel();
        }
    }

    /// Why the run was cancelled, if it was.
    pub fn cause(&self) -> Option<CancelCause> {
        self.lock().cause.clone()
    }

    /// A sandbox that ends with the run, as long as the guard lives.
    pub(crate) fn watch(&self, canceller: Canceller) -> Watched {
        let mut state = self.lock();
        if state.cause.is_some() {
            canceller.cancel();
        }
        let id = state.next;
        state.next += 1;
        state.running.push((id, canceller));
        Watched { cancellation: self.clone(), id }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
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
        self.cancellation.lock().running.retain(|(id, _)| *id != self.id);
    }
}
