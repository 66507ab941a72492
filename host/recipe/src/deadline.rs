use std::time::{Duration, Instant};

/// How much time a call has used: the wall clock, stopped while the host works for the guest in ways that may take long.
#[derive(Debug)]
pub(crate) struct Deadline {
    budget: Duration,
    started: Instant,
    waited: Duration,
}

impl Deadline {
    pub(crate) fn new(budget: Duration) -> Self {
        Self { budget, started: Instant::now(), waited: Duration::ZERO }
    }

    /// A new call begins.
    pub(crate) fn restart(&mut self) {
        self.started = Instant::now();
        self.waited = Duration::ZERO;
    }

    /// The host worked for this long.
    pub(crate) fn waited(&mut self, time: Duration) {
        self.waited += time;
    }

    pub(crate) fn is_over(&self) -> bool {
        self.started.elapsed().saturating_sub(self.waited) > self.budget
    }

    pub(crate) fn budget(&self) -> Duration {
        self.budget
    }
}

/// The call took longer than it may.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("it ran for more than {} s without an end", .0.as_secs_f32())]
pub(crate) struct TimeIsUp(pub(crate) Duration);

/// Nobody wants the result any more.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the run was cancelled")]
pub(crate) struct RunCancelled;
