use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// How much output waits for one sink at most before builds wait for it, in bytes.
const MOST: usize = 8 << 20;

/// How much output waits in one sink's queue.
#[derive(Debug, Default)]
pub(crate) struct Load {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    bytes: usize,
    /// Nobody reads the queue any more.
    closed: bool,
}

/// While it lives, the queue is read.
pub(crate) struct Open<'a>(&'a Load);

impl Load {
    /// Adds a piece of output, when there is room for it; at most one piece of each thread is too much.
    pub(crate) fn add(&self, bytes: usize) {
        let full = |state: &mut State| state.bytes >= MOST && !state.closed;
        let state = self.changed.wait_while(self.lock(), full);
        state.unwrap_or_else(PoisonError::into_inner).bytes += bytes;
    }

    /// A piece of output has been read.
    pub(crate) fn remove(&self, bytes: usize) {
        if bytes > 0 {
            let mut state = self.lock();
            state.bytes = state.bytes.saturating_sub(bytes);
            self.changed.notify_all();
        }
    }

    /// Says that the queue is read until the guard is dropped, even by a panic.
    pub(crate) fn open(&self) -> Open<'_> {
        Open(self)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing panics while it holds the lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        self.0.lock().closed = true;
        self.0.changed.notify_all();
    }
}
