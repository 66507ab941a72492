//! A build's own jobserver channel.

use std::os::fd::{AsFd, BorrowedFd};
use std::path::PathBuf;

use rustix::fs::{AtFlags, CWD, FileType, Gid, Mode, Uid};
use rustix::io::Errno;

use crate::account::Settlement;
use crate::budget::{Budget, Lease};
use crate::error::JobserverError;
use crate::makeflags::{Client, for_fifo, for_pipe};
use crate::pipe::{ClientEnds, TokenPipe};

/// How a build reaches its channel.
#[derive(Debug, Clone)]
pub enum Style {
    /// By two inherited descriptors only; every make knows this form, ninja does not.
    Pipe,
    /// By a FIFO's path, for make 4.4, ninja 1.13 and later; and by descriptors of the same FIFO, for those that know
    /// no path.
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

/// The numbers that a channel's descriptors have inside the sandbox.
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
    ends: ClientEnds,
    fifo: Option<FifoFile>,
    _implicit: Lease,
}

impl Channel {
    /// Opens a channel for a build whose implicit token is `implicit`, and lends to it what is free.
    ///
    /// # Errors
    ///
    /// [`JobserverError::NoToken`] when the lease is empty; system errors.
    pub fn open(implicit: Lease, style: Style) -> Result<Channel, JobserverError> {
        if implicit.count() == 0 {
            return Err(JobserverError::NoToken);
        }
        let (pipe, ends, fifo) = match style {
            Style::Pipe => {
                let (pipe, ends) = TokenPipe::pair()?;
                (pipe, ends, None)
            }
            Style::Fifo(style) => {
                let (pipe, ends, file) = make_fifo(style)?;
                (pipe, ends, Some(file))
            }
        };
        let budget = implicit.budget().clone();
        let id = budget.register(pipe)?;
        Ok(Channel { budget, id, ends, fifo, _implicit: implicit })
    }

    /// The ends that the build's processes inherit, to read and to write.
    pub fn descriptors(&self) -> (BorrowedFd<'_>, BorrowedFd<'_>) {
        (self.ends.read.as_fd(), self.ends.write.as_fd())
    }

    /// Whether a client is told of descriptors, which it has to inherit then.
    pub fn needs_descriptors(&self, client: Client) -> bool {
        match client {
            Client::Make { version, .. } => self.fifo.is_none() || !version.reads_fifo(),
            Client::Ninja => false,
        }
    }

    /// `MAKEFLAGS` by which a client finds the channel.
    ///
    /// # Errors
    ///
    /// The client needs a path, and the channel has none.
    pub fn makeflags(&self, client: Client) -> Result<String, JobserverError> {
        let jobs = self.budget.jobs();
        match (client, &self.fifo) {
            (Client::Make { version, inside }, _) if self.needs_descriptors(client) => {
                Ok(for_pipe(version, jobs, inside.read, inside.write))
            }
            (_, Some(fifo)) => Ok(for_fifo(jobs, &fifo.style.inside)),
            (_, None) => Err(JobserverError::NoFifo),
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

    /// Ends the channel when no process of the build is left; all its tokens are free again but the implicit one, which
    /// is free when the channel is dropped. A channel that has ended before has nothing more to say.
    ///
    /// # Errors
    ///
    /// System errors on a pipe.
    pub fn settle(&self) -> Result<Settlement, JobserverError> {
        Ok(self.budget.settle(self.id)?.unwrap_or_default())
    }
}

impl Drop for Channel {
    fn drop(&mut self) {
        // A broken pipe shows at the next rebalance.
        let _ = self.budget.settle(self.id);
    }
}

/// A FIFO in the file system; removed with its channel.
#[derive(Debug)]
struct FifoFile {
    style: FifoStyle,
}

impl Drop for FifoFile {
    fn drop(&mut self) {
        // Where it is gone already, its folder has been removed.
        let _ = rustix::fs::unlink(&self.style.path);
    }
}

fn make_fifo(style: FifoStyle) -> Result<(TokenPipe, ClientEnds, FifoFile), JobserverError> {
    let failed = |what| {
        let path = style.path.clone();
        move |errno: Errno| JobserverError::Fifo { path, what, source: errno.into() }
    };
    let mode = Mode::RUSR | Mode::WUSR;
    rustix::fs::mknodat(CWD, &style.path, FileType::Fifo, mode, 0).map_err(failed("created"))?;
    let pipe = TokenPipe::open(&style.path).map_err(failed("opened"))?;
    let ends = ClientEnds::open(&style.path).map_err(failed("opened"))?;
    // Whatever the umask took away.
    rustix::fs::chmod(&style.path, mode).map_err(failed("opened to the building user"))?;
    if let Some((user, group)) = style.owner {
        let (user, group) = (Uid::from_raw(user), Gid::from_raw(group));
        rustix::fs::chownat(CWD, &style.path, Some(user), Some(group), AtFlags::SYMLINK_NOFOLLOW)
            .map_err(failed("given to the building user"))?;
    }
    Ok((pipe, ends, FifoFile { style }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::MakeVersion;

    fn make(version: &str) -> Client {
        let inside = InsideDescriptors { read: 3, write: 4 };
        Client::Make { version: MakeVersion::parse(version).unwrap(), inside }
    }

    fn open(jobs: usize, style: Style) -> Result<Channel, JobserverError> {
        Channel::open(Budget::new(jobs).try_acquire(1).unwrap(), style)
    }

    fn fifo(path: PathBuf) -> Style {
        Style::Fifo(FifoStyle { path, inside: "/tmp/jobs".into(), owner: None })
    }

    #[test]
    fn a_pipe_channel_says_where_it_is() {
        let channel = open(4, Style::Pipe).unwrap();
        assert_eq!(channel.makeflags(make("4.3")).unwrap(), "-j4 --jobserver-auth=3,4");
        assert_eq!(channel.makeflags(make("4.4")).unwrap(), "-j4 --jobserver-auth=3,4");
        assert!(matches!(channel.makeflags(Client::Ninja), Err(JobserverError::NoFifo)));
    }

    #[test]
    fn a_fifo_channel_is_reached_by_path_and_by_descriptors() {
        let folder = tempfile::tempdir().unwrap();
        let channel = open(3, fifo(folder.path().join("jobs"))).unwrap();
        for client in [make("4.4.1"), Client::Ninja] {
            assert_eq!(channel.makeflags(client).unwrap(), "-j3 --jobserver-auth=fifo:/tmp/jobs");
        }
        assert_eq!(channel.makeflags(make("4.3")).unwrap(), "-j3 --jobserver-auth=3,4");
        let by_path = TokenPipe::open(&folder.path().join("jobs")).unwrap();
        assert_eq!(by_path.take(1).unwrap(), 1);
        let (read, write) = channel.descriptors();
        assert_eq!(rustix::io::read(read, &mut [0; 9]).unwrap(), 1);
        assert_eq!(channel.in_use().unwrap(), 2);
        assert_eq!(rustix::io::write(write, b"+").unwrap(), 1);
        assert_eq!(channel.in_use().unwrap(), 1);
    }

    #[test]
    fn a_fifo_lives_as_long_as_its_channel() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("jobs");
        let channel = open(3, fifo(path.clone())).unwrap();
        let client = TokenPipe::open(&path).unwrap();
        assert_eq!(client.take(9).unwrap(), 2);
        assert_eq!(channel.settle().unwrap(), Settlement { missing: 2, ..Settlement::default() });
        assert_eq!(channel.settle().unwrap(), Settlement::default());
        drop(channel);
        assert!(!path.exists());
    }

    #[test]
    fn a_fifo_that_cannot_be_made_names_its_path() {
        let error = open(1, fifo("/nonexistent/jobs".into())).unwrap_err();
        assert_eq!(error.to_string(), "the jobserver's FIFO `/nonexistent/jobs` cannot be created");
    }
}
