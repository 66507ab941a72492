//! The runtime of what waits for a network.

use tokio::runtime::{Builder, Runtime};

use crate::error::CommandError;

/// A runtime. Builds have threads of their own, so few are enough.
///
/// # Errors
/// The system gives no thread.
pub(crate) fn new() -> Result<Runtime, CommandError> {
    let built = Builder::new_multi_thread().worker_threads(2).thread_name("runtime").enable_all().build();
    built.map_err(|error| CommandError::caused("the program can't start its threads", &error))
}
