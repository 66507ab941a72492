//! The host's end of a channel: it never blocks, whatever a build does with its own ends.

use std::os::fd::{AsRawFd, OwnedFd};
use std::path::Path;

use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use rustix::pipe::PipeFlags;

use crate::error::JobserverError;

/// The byte that GNU make itself uses for a token.
const TOKEN: u8 = b'+';

/// Host's end of a pipe or FIFO that carries one byte for each token.
#[derive(Debug)]
pub(crate) struct TokenPipe {
    end: OwnedFd,
}

/// The two ends of a pipe or FIFO that a build inherits; they block, as make below 4.3 needs.
#[derive(Debug)]
pub(crate) struct ClientEnds {
    pub(crate) read: OwnedFd,
    pub(crate) write: OwnedFd,
}

impl ClientEnds {
    /// The ends of a FIFO whose other end the host has open already, so that nothing waits.
    pub(crate) fn open(path: &Path) -> Result<ClientEnds, Errno> {
        let open = |access| rustix::fs::open(path, access | OFlags::CLOEXEC | OFlags::NOCTTY, Mode::empty());
        Ok(ClientEnds { read: open(OFlags::RDONLY)?, write: open(OFlags::WRONLY)? })
    }
}

impl TokenPipe {
    /// A new pipe: the host's end and the client's.
    ///
    /// Blocking belongs to an open file and not to a descriptor, so the host opens the same pipe a second time.
    pub(crate) fn pair() -> Result<(TokenPipe, ClientEnds), JobserverError> {
        let (read, write) =
            rustix::pipe::pipe_with(PipeFlags::CLOEXEC).map_err(JobserverError::pipe("created"))?;
        let again = format!("/proc/self/fd/{}", read.as_raw_fd());
        let pipe = TokenPipe::open(Path::new(&again)).map_err(JobserverError::pipe("opened again"))?;
        Ok((pipe, ClientEnds { read, write }))
    }

    /// Opens an existing FIFO for both directions.
    pub(crate) fn open(path: &Path) -> Result<TokenPipe, Errno> {
        let flags = OFlags::RDWR | OFlags::NONBLOCK | OFlags::CLOEXEC | OFlags::NOCTTY;
        Ok(TokenPipe { end: rustix::fs::open(path, flags, Mode::empty())? })
    }

    /// Number of tokens that nobody has read.
    pub(crate) fn unread(&self) -> Result<usize, JobserverError> {
        let bytes = rustix::io::ioctl_fionread(&self.end).map_err(JobserverError::pipe("measured"))?;
        Ok(usize::try_from(bytes).unwrap_or(usize::MAX))
    }

    /// Adds up to `count` tokens; returns how many the pipe took.
    pub(crate) fn put(&self, count: usize) -> Result<usize, JobserverError> {
        if count == 0 {
            return Ok(0);
        }
        match rustix::io::write(&self.end, &vec![TOKEN; count]) {
            Err(Errno::AGAIN) => Ok(0),
            written => written.map_err(JobserverError::pipe("written")),
        }
    }

    /// Takes up to `count` unread tokens; returns how many there were.
    pub(crate) fn take(&self, count: usize) -> Result<usize, JobserverError> {
        let mut taken = 0;
        let mut buffer = [0; 512];
        while taken < count {
            let wanted = buffer.len().min(count - taken);
            match rustix::io::read(&self.end, &mut buffer[..wanted]) {
                Ok(0) | Err(Errno::AGAIN) => break,
                Err(Errno::INTR) => {}
                Ok(read) => taken += read,
                Err(errno) => return Err(JobserverError::pipe("read")(errno)),
            }
        }
        Ok(taken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_counted_and_never_waited_for() {
        let (pipe, client) = TokenPipe::pair().unwrap();
        assert_eq!(pipe.take(1).unwrap(), 0);
        assert_eq!(pipe.put(3).unwrap(), 3);
        assert_eq!(pipe.unread().unwrap(), 3);
        assert_eq!(rustix::io::read(&client.read, &mut [0; 1]).unwrap(), 1);
        assert_eq!(pipe.take(10).unwrap(), 2);
    }

    #[test]
    fn the_clients_ends_block() {
        let (_pipe, client) = TokenPipe::pair().unwrap();
        for end in [&client.read, &client.write] {
            assert!(!rustix::fs::fcntl_getfl(end).unwrap().contains(OFlags::NONBLOCK));
        }
    }

    #[test]
    fn a_full_pipe_takes_no_more() {
        let (pipe, _client) = TokenPipe::pair().unwrap();
        let taken = pipe.put(1 << 20).unwrap();
        assert!(taken > 0);
        assert_eq!(pipe.put(1 << 20).unwrap(), 0);
        assert_eq!(pipe.unread().unwrap(), taken);
    }
}
