use std::time::Duration;

use wasmtime::ResourceLimiter;

/// What one instance of a recipe may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Linear memory, in bytes, summed over the instance's memories.
    pub memory: usize,
    /// Elements, summed over the instance's tables.
    pub table_elements: usize,
    /// Time in the guest for one call, without the time that tools and other recipes take.
    pub time: Duration,
    /// Bytes that one call may hand to the host as lists and strings.
    pub transfer: usize,
    /// Handles that are open at a time.
    pub handles: usize,
    /// Bytes of the guest's standard error that are kept for error messages.
    pub error_tail: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            memory: 512 << 20,
            table_elements: 200_000,
            time: Duration::from_secs(60),
            transfer: 32 << 20,
            handles: 10_000,
            error_tail: 4 << 10,
        }
    }
}

/// Sums up what an instance uses and says no beyond the limits.
#[derive(Debug)]
pub(crate) struct Meter {
    memory: Share,
    table: Share,
}

#[derive(Debug)]
struct Share {
    used: usize,
    limit: usize,
    refused: bool,
}

impl Share {
    fn new(limit: usize) -> Self {
        Self { used: 0, limit, refused: false }
    }

    fn grow(&mut self, current: usize, desired: usize) -> bool {
        let more = desired.saturating_sub(current);
        let fits = self.used.checked_add(more).is_some_and(|used| used <= self.limit);
        if fits {
            self.used += more;
        } else {
            self.refused = true;
        }
        fits
    }
}

impl Meter {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self { memory: Share::new(limits.memory), table: Share::new(limits.table_elements) }
    }

    /// What was refused, in words: a guest that runs out of memory ends in a trap that doesn't say so.
    pub(crate) fn refused(&self) -> Option<String> {
        if self.memory.refused {
            return Some(format!("it needs more than {} MiB of memory", self.memory.limit >> 20));
        }
        self.table.refused.then(|| format!("it needs more than {} table elements", self.table.limit))
    }
}

impl ResourceLimiter for Meter {
    fn memory_growing(&mut self, current: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        Ok(self.memory.grow(current, desired))
    }

    fn table_growing(&mut self, current: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        Ok(self.table.grow(current, desired))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memories_count_together() {
        let mut meter = Meter::new(&Limits { memory: 2 << 20, ..Limits::default() });
        assert!(meter.memory_growing(0, 1 << 20, None).unwrap());
        assert!(!meter.memory_growing(0, (1 << 20) + 1, None).unwrap());
        assert_eq!(meter.refused().unwrap(), "it needs more than 2 MiB of memory");
    }
}
