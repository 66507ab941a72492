//! Where tokens come from: the run's own number of jobs, or an outer make.

use crate::error::JobserverError;
use crate::outer::Outer;

/// Tokens that are not lent to anybody.
#[derive(Debug)]
pub(crate) enum Source {
    /// Our own: this many are free.
    Own { free: usize },
    /// An outer make's, besides the one that our own process holds by being there.
    Outer { outer: Outer, implicit_free: bool },
}

impl Source {
    /// Takes up to `count` tokens; returns how many were free.
    pub(crate) fn take(&mut self, count: usize) -> Result<usize, JobserverError> {
        match self {
            Source::Own { free } => {
                let taken = count.min(*free);
                *free -= taken;
                Ok(taken)
            }
            Source::Outer { .. } if count == 0 => Ok(0),
            Source::Outer { outer, implicit_free } => {
                let implicit = usize::from(std::mem::take(implicit_free));
                Ok(implicit + outer.take(count - implicit)?)
            }
        }
    }

    /// Takes `count` tokens back; an outer make gets its own first.
    pub(crate) fn give_back(&mut self, count: usize) -> Result<(), JobserverError> {
        match self {
            Source::Own { free } => *free += count,
            Source::Outer { outer, implicit_free } => {
                *implicit_free |= count > outer.held();
                outer.give_back(count)?;
            }
        }
        Ok(())
    }

    /// How many tokens may lie unread in a channel: our own lie nowhere better, an outer make's are wanted elsewhere.
    pub(crate) fn spare_per_channel(&self) -> usize {
        match self {
            Source::Own { .. } => usize::MAX,
            Source::Outer { .. } => 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::fd::AsRawFd;

    use super::*;

    #[test]
    fn own_tokens_are_finite() {
        let mut source = Source::Own { free: 3 };
        assert_eq!(source.take(2).unwrap(), 2);
        assert_eq!(source.take(2).unwrap(), 1);
        source.give_back(3).unwrap();
        assert_eq!(source.take(9).unwrap(), 3);
    }

    #[test]
    fn the_implicit_token_is_taken_first_and_given_back_last() {
        let (read, write) = rustix::pipe::pipe().unwrap();
        rustix::io::write(&write, b"++").unwrap();
        let flags = format!("--jobserver-auth={},{}", read.as_raw_fd(), write.as_raw_fd());
        let outer = Outer::connect(&flags).unwrap().unwrap();
        let mut source = Source::Outer { outer, implicit_free: true };
        let waiting = || rustix::io::ioctl_fionread(&read).unwrap();
        assert_eq!((source.take(1).unwrap(), waiting()), (1, 2));
        assert_eq!((source.take(5).unwrap(), waiting()), (2, 0));
        source.give_back(2).unwrap();
        assert_eq!(waiting(), 2);
        source.give_back(1).unwrap();
        assert_eq!((source.take(1).unwrap(), waiting()), (1, 2));
    }
}
