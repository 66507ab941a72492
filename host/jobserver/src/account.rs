//! What one channel owes: the tokens that were lent to it, and those that it should not have.

use crate::error::JobserverError;
use crate::pipe::TokenPipe;

/// How a channel was found when its build had ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Settlement {
    /// Tokens that the build took and never gave back, as a make that was killed does.
    pub missing: usize,
    /// Tokens that the build held without using them and that were written off while it ran.
    pub written_off: usize,
    /// Tokens that the build made up.
    pub forged: usize,
}

/// One channel's pipe and its counts.
#[derive(Debug)]
pub(crate) struct Account {
    pipe: TokenPipe,
    /// Tokens that the channel has or its build uses.
    lent: usize,
    /// Tokens that are no longer lent although the build still holds them.
    written_off: usize,
    forged: usize,
}

impl Account {
    pub(crate) fn new(pipe: TokenPipe) -> Account {
        Account { pipe, lent: 0, written_off: 0, forged: 0 }
    }

    pub(crate) fn lent(&self) -> usize {
        self.lent
    }

    /// Whether the channel may get tokens: one in which forged ones were found may not.
    pub(crate) fn is_trusted(&self) -> bool {
        self.forged == 0
    }

    /// Tokens that wait in the channel; genuine ones after [`Account::audit`].
    pub(crate) fn unread(&self) -> Result<usize, JobserverError> {
        self.pipe.unread()
    }

    /// Tokens that the build has taken.
    pub(crate) fn in_use(&self) -> Result<usize, JobserverError> {
        Ok(self.lent.saturating_sub(self.unread()?))
    }

    /// Drains what was not lent, and everything once something was forged; returns how many genuine tokens that
    /// brought back.
    pub(crate) fn audit(&mut self) -> Result<usize, JobserverError> {
        let surplus = self.unread()?.saturating_sub(self.lent);
        let drained = self.pipe.take(surplus)?;
        let late = drained.min(self.written_off);
        self.written_off -= late;
        self.forged += drained - late;
        if self.is_trusted() { Ok(0) } else { self.withdraw(usize::MAX) }
    }

    /// Takes up to `count` unread tokens back.
    pub(crate) fn withdraw(&mut self, count: usize) -> Result<usize, JobserverError> {
        let taken = self.pipe.take(count.min(self.lent))?;
        self.lent -= taken;
        Ok(taken)
    }

    /// Lends up to `count` tokens; returns how many the channel took.
    pub(crate) fn lend(&mut self, count: usize) -> Result<usize, JobserverError> {
        let put = self.pipe.put(count)?;
        self.lent += put;
        Ok(put)
    }

    /// Writes off tokens in use beyond `live` processes: each used token stands for at least one process.
    pub(crate) fn write_off_beyond(&mut self, live: usize) -> Result<usize, JobserverError> {
        let excess = self.in_use()?.saturating_sub(live);
        self.lent -= excess;
        self.written_off += excess;
        Ok(excess)
    }

    /// Ends the account; returns how it was found, and how many tokens are free again.
    pub(crate) fn settle(mut self) -> Result<(Settlement, usize), JobserverError> {
        let recovered = self.audit()?;
        let missing = self.in_use()?;
        let settlement = Settlement { missing, written_off: self.written_off, forged: self.forged };
        Ok((settlement, recovered + self.lent))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipe::ClientEnds;

    fn lent(count: usize) -> (Account, ClientEnds) {
        let (pipe, ends) = TokenPipe::pair().unwrap();
        let mut account = Account::new(pipe);
        assert_eq!(account.lend(count).unwrap(), count);
        (account, ends)
    }

    fn read(ends: &ClientEnds, count: usize) {
        assert_eq!(rustix::io::read(&ends.read, &mut vec![0; count]).unwrap(), count);
    }

    fn write(ends: &ClientEnds, count: usize) {
        assert_eq!(rustix::io::write(&ends.write, &vec![b'+'; count]).unwrap(), count);
    }

    #[test]
    fn honest_use_leaves_nothing_to_say() {
        let (mut account, ends) = lent(3);
        read(&ends, 2);
        assert_eq!((account.in_use().unwrap(), account.unread().unwrap()), (2, 1));
        write(&ends, 2);
        assert_eq!(account.audit().unwrap(), 0);
        assert_eq!(account.settle().unwrap(), (Settlement::default(), 3));
    }

    #[test]
    fn forged_tokens_are_drained_and_end_the_trust() {
        let (mut account, ends) = lent(2);
        write(&ends, 5);
        assert_eq!(account.audit().unwrap(), 2);
        assert_eq!((account.unread().unwrap(), account.lent(), account.is_trusted()), (0, 0, false));
        write(&ends, 1);
        let forged = Settlement { forged: 6, ..Settlement::default() };
        assert_eq!(account.settle().unwrap(), (forged, 0));
    }

    #[test]
    fn tokens_of_a_killed_make_are_the_budgets() {
        let (account, ends) = lent(3);
        read(&ends, 2);
        let missing = Settlement { missing: 2, ..Settlement::default() };
        assert_eq!(account.settle().unwrap(), (missing, 3));
    }

    #[test]
    fn hoarded_tokens_are_written_off_and_may_come_late() {
        let (mut account, ends) = lent(4);
        read(&ends, 4);
        assert_eq!(account.write_off_beyond(1).unwrap(), 3);
        assert_eq!(account.in_use().unwrap(), 1);
        write(&ends, 3);
        account.audit().unwrap();
        assert!(account.is_trusted());
        let settlement = Settlement { missing: 0, written_off: 1, forged: 0 };
        assert_eq!(account.settle().unwrap(), (settlement, 1));
    }
}
