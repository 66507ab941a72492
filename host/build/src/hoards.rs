//! Tokens that a build keeps without using them: they go to the others.

use std::sync::{Arc, Mutex, PoisonError, Weak};

use spack_wasm_jobserver::Channel;
use spack_wasm_sandbox::Sandbox;

/// Threads that need no token of a channel: one for which the build's implicit token stands, and the one that starts all the
/// others and waits for them, as make does.
const WITHOUT_TOKEN: usize = 2;

/// The builds whose tools run.
#[derive(Debug, Default)]
pub(crate) struct Hoards(Mutex<Vec<(Weak<Channel>, Weak<Sandbox>)>>);

impl Hoards {
    /// Looks after a build from now on, for as long as it runs.
    pub(crate) fn watch(&self, channel: &Arc<Channel>, sandbox: &Arc<Sandbox>) {
        let mut builds = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        builds.retain(|(channel, _)| channel.strong_count() > 0);
        builds.push((Arc::downgrade(channel), Arc::downgrade(sandbox)));
    }

    /// Frees the tokens that builds hold for which they have no thread.
    ///
    /// An honest make that is caught between its read of a token and the start of its job loses a token, which is drained
    /// when it comes back: it may run one job more than it should for as long as that job takes.
    pub(crate) fn reclaim(&self) {
        for (channel, sandbox) in self.running() {
            if channel.in_use().is_ok_and(|used| used > 0)
                && let Some(threads) = sandbox.threads()
            {
                // A broken pipe ends the budget's own thread, which is where it is heard of.
                let _ = channel.write_off_beyond(threads.saturating_sub(WITHOUT_TOKEN));
            }
        }
    }

    fn running(&self) -> Vec<(Arc<Channel>, Arc<Sandbox>)> {
        let builds = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        builds
            .iter()
            .filter_map(|(channel, sandbox)| Some((channel.upgrade()?, sandbox.upgrade()?)))
            .collect()
    }
}
