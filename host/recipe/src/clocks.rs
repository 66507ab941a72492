//! Time as a recipe sees it: a wall clock that stands at the source date, and a monotonic clock that moves only when it is
//! looked at or waited for, so that two runs see the same.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use wasmtime::component::Resource;
use wasmtime_wasi::p2::bindings::clocks::monotonic_clock::{Duration as Nanoseconds, Host, Instant};
use wasmtime_wasi::p2::{DynPollable, Pollable, subscribe};
use wasmtime_wasi::{HostMonotonicClock, HostWallClock, async_trait};

use crate::state::State;

/// A wall clock that stands still.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pinned(pub(crate) Duration);

impl HostWallClock for Pinned {
    fn resolution(&self) -> Duration {
        Duration::from_secs(1)
    }

    fn now(&self) -> Duration {
        self.0
    }
}

/// How far the clock moves at each look: a loop that waits for a later time must come to an end.
const STEP: u64 = 1_000;

/// A monotonic clock that counts looks; waiting moves it to the deadline at once.
#[derive(Clone, Debug)]
pub(crate) struct Virtual(Arc<AtomicU64>);

impl Virtual {
    /// Some guests take zero for a broken clock.
    pub(crate) fn new() -> Self {
        Self(Arc::new(AtomicU64::new(1_000_000_000)))
    }

    fn look(&self) -> u64 {
        self.0.fetch_add(STEP, Ordering::Relaxed) + STEP
    }

    fn move_to(&self, when: u64) {
        self.0.fetch_max(when, Ordering::Relaxed);
    }
}

impl HostMonotonicClock for Virtual {
    fn resolution(&self) -> u64 {
        STEP
    }

    fn now(&self) -> u64 {
        self.look()
    }
}

/// A wait: when somebody polls for it, the clock stands at its end.
struct Wait {
    clock: Virtual,
    until: u64,
}

#[async_trait]
impl Pollable for Wait {
    async fn ready(&mut self) {
        self.clock.move_to(self.until);
    }
}

impl Host for State {
    fn now(&mut self) -> wasmtime::Result<Instant> {
        Ok(self.clock.look())
    }

    fn resolution(&mut self) -> wasmtime::Result<Instant> {
        Ok(STEP)
    }

    fn subscribe_instant(&mut self, until: Instant) -> wasmtime::Result<Resource<DynPollable>> {
        let wait = Wait { clock: self.clock.clone(), until };
        let wait = self.table.push(wait)?;
        subscribe(&mut self.table, wait)
    }

    fn subscribe_duration(&mut self, time: Nanoseconds) -> wasmtime::Result<Resource<DynPollable>> {
        let until = self.clock.look().saturating_add(time);
        self.subscribe_instant(until)
    }
}
