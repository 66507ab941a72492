//! A thread that keeps a budget balanced.

use std::io;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::budget::Budget;
use crate::error::JobserverError;

/// Rebalances a budget until it is dropped.
#[derive(Debug)]
pub struct Balancer {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<Result<(), JobserverError>>>,
}

impl Balancer {
    /// Starts to rebalance `budget` every `interval`; 50 ms keep a make busy and cost nothing that can be measured.
    ///
    /// # Errors
    ///
    /// No thread can be started.
    pub fn start(budget: &Budget, interval: Duration) -> io::Result<Balancer> {
        let (stop, stopped) = mpsc::channel();
        let budget = budget.clone();
        let balance = move || {
            while stopped.recv_timeout(interval) == Err(RecvTimeoutError::Timeout) {
                budget.rebalance()?;
            }
            Ok(())
        };
        let thread = thread::Builder::new().name("jobserver".to_owned()).spawn(balance)?;
        Ok(Balancer { stop: Some(stop), thread: Some(thread) })
    }

    /// Stops, and says what ended the rebalancing before, if anything did.
    ///
    /// # Errors
    ///
    /// System errors on a pipe, by which the thread had ended.
    pub fn stop(mut self) -> Result<(), JobserverError> {
        self.end()
    }

    fn end(&mut self) -> Result<(), JobserverError> {
        drop(self.stop.take());
        // The thread does not panic: it only calls `rebalance`.
        self.thread.take().and_then(|thread| thread.join().ok()).unwrap_or(Ok(()))
    }
}

impl Drop for Balancer {
    fn drop(&mut self) {
        // Who wants to know calls `stop`.
        let _ = self.end();
    }
}
