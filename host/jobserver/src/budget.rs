//! The budget: all tokens of a run, and the rule by which they go round.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::account::{Account, Settlement};
use crate::error::JobserverError;
use crate::outer::Outer;
use crate::pipe::TokenPipe;
use crate::source::Source;

/// All job tokens of a run; clones share them.
#[derive(Debug, Clone)]
pub struct Budget {
    jobs: usize,
    state: Arc<Mutex<State>>,
}

#[derive(Debug)]
struct State {
    source: Source,
    accounts: BTreeMap<u64, Account>,
    next_account: u64,
}

impl Budget {
    /// A budget of `jobs` tokens (at least one), the implicit ones of builds included.
    pub fn new(jobs: usize) -> Budget {
        let jobs = jobs.max(1);
        Budget::from_source(jobs, Source::Own { free: jobs })
    }

    /// Joins the jobserver that an outer make offers in `makeflags`; nothing when it offers none.
    ///
    /// `jobs` is only what builds are told: the tokens are the outer make's.
    ///
    /// # Errors
    ///
    /// A jobserver is offered but cannot be used, as when the outer rule's line lacks its `+`.
    pub fn join(makeflags: &str, jobs: usize) -> Result<Option<Budget>, JobserverError> {
        let outer = Outer::connect(makeflags)?;
        let source = outer.map(|outer| Source::Outer { outer, implicit_free: true });
        Ok(source.map(|source| Budget::from_source(jobs.max(1), source)))
    }

    fn from_source(jobs: usize, source: Source) -> Budget {
        let state = State { source, accounts: BTreeMap::new(), next_account: 0 };
        Budget { jobs, state: Arc::new(Mutex::new(state)) }
    }

    /// The number of jobs that builds are told.
    pub fn jobs(&self) -> usize {
        self.jobs
    }

    /// Takes up to `count` tokens, those that other channels leave unread included, without waiting.
    ///
    /// # Errors
    ///
    /// System errors on a pipe.
    pub fn try_acquire(&self, count: usize) -> Result<Lease, JobserverError> {
        let count = self.lock().acquire(count)?;
        Ok(Lease { budget: self.clone(), count })
    }

    /// Takes tokens for a tool of one build that cannot read a jobserver, without waiting: with the build's implicit
    /// token it may run `1 + lease.count()` jobs.
    ///
    /// Such a tool keeps what it gets until it ends. So it gets at most the share that would be its build's if the jobs
    /// were divided evenly among the builds that run, rounded up.
    ///
    /// # Errors
    ///
    /// System errors on a pipe.
    pub fn try_acquire_share(&self) -> Result<Lease, JobserverError> {
        let mut state = self.lock();
        let share = self.jobs.div_ceil(state.accounts.len().max(1));
        let count = state.acquire(share - 1)?;
        Ok(Lease { budget: self.clone(), count })
    }

    /// Moves tokens to where they are wanted; to be called some ten times a second while builds run.
    ///
    /// A channel without unread tokens wants some. Free tokens are dealt out in turn, to those first that have none
    /// and then to those that have fewest; while somebody has none, unread ones elsewhere are dealt anew.
    ///
    /// # Errors
    ///
    /// System errors on a pipe.
    pub fn rebalance(&self) -> Result<(), JobserverError> {
        self.lock().rebalance()
    }

    pub(crate) fn register(&self, pipe: TokenPipe) -> Result<u64, JobserverError> {
        let mut state = self.lock();
        let id = state.next_account;
        state.next_account += 1;
        state.accounts.insert(id, Account::new(pipe));
        state.rebalance()?;
        Ok(id)
    }

    /// Ends an account and lends its tokens elsewhere; nothing when it has ended before.
    pub(crate) fn settle(&self, id: u64) -> Result<Option<Settlement>, JobserverError> {
        let mut state = self.lock();
        let Some(account) = state.accounts.remove(&id) else {
            return Ok(None);
        };
        let (settlement, tokens) = account.settle()?;
        state.source.give_back(tokens)?;
        state.rebalance()?;
        Ok(Some(settlement))
    }

    pub(crate) fn in_use(&self, id: u64) -> Result<usize, JobserverError> {
        self.lock().accounts.get(&id).map_or(Ok(0), Account::in_use)
    }

    pub(crate) fn write_off_beyond(&self, id: u64, live: usize) -> Result<usize, JobserverError> {
        let mut state = self.lock();
        let Some(account) = state.accounts.get_mut(&id) else {
            return Ok(0);
        };
        let tokens = account.write_off_beyond(live)?;
        state.source.give_back(tokens)?;
        state.rebalance()?;
        Ok(tokens)
    }

    fn give_back(&self, count: usize) -> Result<(), JobserverError> {
        let mut state = self.lock();
        state.source.give_back(count)?;
        state.rebalance()
    }

    /// Every change of the state is complete or an error, so a panic elsewhere leaves nothing half done.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn acquire(&mut self, count: usize) -> Result<usize, JobserverError> {
        self.audit()?;
        let mut taken = self.source.take(count)?;
        while taken < count {
            let Some(richest) = self.richest()? else { break };
            taken += richest.withdraw(1)?;
        }
        Ok(taken)
    }

    /// The account with most unread tokens, where there are any.
    fn richest(&mut self) -> Result<Option<&mut Account>, JobserverError> {
        let mut best = (0, None);
        for account in self.accounts.values_mut() {
            let unread = account.unread()?.min(account.lent());
            if unread > best.0 {
                best = (unread, Some(account));
            }
        }
        Ok(best.1)
    }

    fn audit(&mut self) -> Result<(), JobserverError> {
        for account in self.accounts.values_mut() {
            let recovered = account.audit()?;
            self.source.give_back(recovered)?;
        }
        Ok(())
    }

    fn rebalance(&mut self) -> Result<(), JobserverError> {
        self.audit()?;
        let spare = self.source.spare_per_channel();
        let mut trusted = Vec::new();
        for account in self.accounts.values_mut().filter(|account| account.is_trusted()) {
            let unread = account.unread()?;
            trusted.push((unread, account));
        }
        let hungry = trusted.iter().filter(|(unread, _)| *unread == 0).count();
        let kept = if hungry > 0 { 0 } else { spare };
        let mut pool = 0;
        for (unread, account) in &mut trusted {
            pool += account.withdraw(unread.saturating_sub(kept))?;
        }
        let wanted = if spare == usize::MAX { usize::MAX } else { hungry.saturating_sub(pool) };
        if !trusted.is_empty() {
            pool += self.source.take(wanted)?;
        }
        trusted.sort_by_key(|(unread, account)| (*unread > 0, account.lent()));
        let left = deal(pool, spare, &mut trusted)?;
        self.source.give_back(left)
    }
}

/// Deals `pool` tokens out in turn, at most `spare` unread ones to each; returns how many were left.
fn deal(
    mut pool: usize,
    spare: usize,
    accounts: &mut [(usize, &mut Account)],
) -> Result<usize, JobserverError> {
    loop {
        let mut dealt = 0;
        for (_, account) in accounts.iter_mut() {
            if dealt < pool && account.unread()? < spare {
                dealt += account.lend(1)?;
            }
        }
        pool -= dealt;
        if dealt == 0 || pool == 0 {
            return Ok(pool);
        }
    }
}

/// Tokens taken from a budget; they go back when it is dropped.
#[derive(Debug)]
pub struct Lease {
    budget: Budget,
    count: usize,
}

impl Lease {
    /// Where the tokens come from.
    pub(crate) fn budget(&self) -> &Budget {
        &self.budget
    }

    /// Number of tokens; may be fewer than were asked for, or none.
    pub fn count(&self) -> usize {
        self.count
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        // A broken pipe shows at the next rebalance, where somebody can hear of it.
        let _ = self.budget.give_back(self.count);
    }
}

#[cfg(test)]
#[path = "budget_tests.rs"]
mod tests;
