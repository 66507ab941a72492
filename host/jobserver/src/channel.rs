//! A build's own jobserver channel.

use std::os::fd::{AsFd, BorrowedFd};
use std::path::PathBuf;

use rustix::fs::{AtFlags, CWD, FileType, Gid, Mode, Uid};
use rustix::io::Errno;

use crate::account::Settlement;
use crate::budget::{Budget, Lease};
use crate::error::JobserverError;
use crate::makeflags::{MakeVersion, for_fifo, for_pipe};
use crate::pipe::{ClientEnds, TokenPipe};

/// How a build reaches its channel.
#[derive(Debug, Clone)]
pub enum Style {
    /// By two inherited descriptors; every make knows this form, ninja does not.
    Pipe,
    /// By a FIFO's path; known to make 4.4, ninja 1.13 and later.
    Fifo(FifoStyle),
}

/// A FIFO that carries a channel.
#[derive(Debug, Clone)]
pub struct FifoStyle {
    /// Where the host makes it; its folder must exist and be out of reach of others until the build starts.
    pub path: PathBuf,
    /// Where the build sees it.
    pub inside: PathBuf,
    /// User and group that build, where they are not the host's own.
    pub owner: Option<(u32, u32)>,
}

/// The numbers that a pipe's descriptors have inside the sandbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InsideDescriptors {
    /// Number of the end that is read.
    pub read: i32,
    /// Number of the end that is written.
    pub write: i32,
}

/// A build's channel, with the build's implicit token; dropped when the build has ended.
#[derive(Debug)]
pub struct Channel {
    budget: Budget,
    id: u64,
    place: Place,
    _implicit: Lease,
}

#[derive(Debug)]
enum Place {
    Pipe(ClientEnds),
    Fifo(FifoStyle),
}

impl Channel {
    /// Opens a channel for one more build and lends to it what is free.
    ///
    /// # Errors
    ///
    /// [`JobserverError::NoToken`] while every token is in use; system errors.
    pub fn open(budget: &Budget, style: Style) -> Result<Channel, JobserverError> {
        let implicit = budget.try_acquire(1)?;
        if implicit.count() == 0 {
            return Err(JobserverError::NoToken);
        }
        let (pipe, place) = match style {
            Style::Pipe => {
                let (pipe, ends) = TokenPipe::pair()?;
                (pipe, Place::Pipe(ends))
            }
            Style::Fifo(style) => (make_fifo(&style)?, Place::Fifo(style)),
        };
        let id = budget.register(pipe)?;
        Ok(Channel { budget: budget.clone(), id, place, _implicit: implicit })
    }

    /// The ends that the build's processes inherit, to read and to write; none for a FIFO.
    pub fn descriptors(&self) -> Option<(BorrowedFd<'_>, BorrowedFd<'_>)> {
        match &self.place {
            Place::Pipe(ends) => Some((ends.read.as_fd(), ends.write.as_fd())),
            Place::Fifo(_) => None,
        }
    }

    /// `MAKEFLAGS` by which a make of this version finds the channel.
    ///
    /// # Errors
    ///
    /// A FIFO for a make that reads none; a pipe without `inside`.
    pub fn makeflags(
        &self,
        make: MakeVersion,
        inside: Option<InsideDescriptors>,
    ) -> Result<String, JobserverError> {
        let jobs = self.budget.jobs();
        match (&self.place, inside) {
            (Place::Fifo(_), _) if !make.reads_fifo() => Err(JobserverError::FifoUnknown(make)),
            (Place::Fifo(style), _) => Ok(for_fifo(jobs, &style.inside)),
            (Place::Pipe(_), Some(inside)) => Ok(for_pipe(make, jobs, inside.read, inside.write)),
            (Place::Pipe(_), None) => Err(JobserverError::NoDescriptors),
        }
    }

    /// Tokens that the build uses beside its implicit one.
    ///
    /// # Errors
    ///
    /// System errors on the pipe.
    pub fn in_use(&self) -> Result<usize, JobserverError> {
        self.budget.in_use(self.id)
    }

    /// Frees the tokens that the build holds beyond its `live` processes, and returns how many those were.
    ///
    /// A make starts a process for each token at once, so tokens without one are kept from others. When they come
    /// back later they are drained.
    ///
    /// # Errors
    ///
    /// System errors on a pipe.
    pub fn write_off_beyond(&self, live: usize) -> Result<usize, JobserverError> {
        self.budget.write_off_beyond(self.id, live)
    }

    /// Ends the channel when no process of the build is left; all its tokens are free again.
    ///
    /// # Errors
    ///
    /// System errors on a pipe.
    pub fn close(self) -> Result<Settlement, JobserverError> {
        Ok(self.budget.settle(self.id)?.unwrap_or_default())
    }
}

impl Drop for Channel {
    fn drop(&mut self) {
        // A broken pipe shows at the next rebalance; the FIFO is the build's to remove, too.
        let _ = self.budget.settle(self.id);
        if let Place::Fifo(style) = &self.place {
            let _ = rustix::fs::unlink(&style.path);
        }
    }
}

fn make_fifo(style: &FifoStyle) -> Result<TokenPipe, JobserverError> {
    let failed = |what| {
        let path = style.path.clone();
        move |errno: Errno| JobserverError::Fifo { path, what, source: errno.into() }
    };
    let mode = Mode::RUSR | Mode::WUSR;
    rustix::fs::mknodat(CWD, &style.path, FileType::Fifo, mode, 0).map_err(failed("created"))?;
    let pipe = TokenPipe::open(&style.path).map_err(failed("opened"))?;
    if let Some((user, group)) = style.owner {
        let (user, group) = (Uid::from_raw(user), Gid::from_raw(group));
        rustix::fs::chownat(CWD, &style.path, Some(user), Some(group), AtFlags::SYMLINK_NOFOLLOW)
            .map_err(failed("given to the building user"))?;
    }
    Ok(pipe)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(text: &str) -> MakeVersion {
        MakeVersion::parse(text).unwrap()
    }

    #[test]
    fn a_pipe_channel_says_where_it_is() {
        let channel = Channel::open(&Budget::new(4), Style::Pipe).unwrap();
        let inside = Some(InsideDescriptors { read: 3, write: 4 });
        assert_eq!(channel.makeflags(version("4.3"), inside).unwrap(), "-j4 --jobserver-auth=3,4");
        assert!(matches!(channel.makeflags(version("4.3"), None), Err(JobserverError::NoDescriptors)));
        assert!(channel.descriptors().is_some());
    }

    #[test]
    fn a_fifo_channel_lives_as_long_as_its_build() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("jobs");
        let style = FifoStyle { path: path.clone(), inside: "/tmp/jobs".into(), owner: None };
        let channel = Channel::open(&Budget::new(3), Style::Fifo(style)).unwrap();
        assert_eq!(channel.makeflags(version("4.4.1"), None).unwrap(), "-j3 --jobserver-auth=fifo:/tmp/jobs");
        assert!(matches!(channel.makeflags(version("4.3"), None), Err(JobserverError::FifoUnknown(_))));
        let client = TokenPipe::open(&path).unwrap();
        assert_eq!(client.take(9).unwrap(), 2);
        assert_eq!(channel.in_use().unwrap(), 2);
        assert_eq!(channel.close().unwrap(), Settlement { missing: 2, ..Settlement::default() });
        assert!(!path.exists());
    }

    #[test]
    fn a_fifo_that_cannot_be_made_names_its_path() {
        let style = FifoStyle { path: "/nonexistent/jobs".into(), inside: "/j".into(), owner: None };
        let error = Channel::open(&Budget::new(1), Style::Fifo(style)).unwrap_err();
        assert_eq!(error.to_string(), "the jobserver's FIFO `/nonexistent/jobs` cannot be created");
    }
}
