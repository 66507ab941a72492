//! A jobserver that was given to us by an outer make.

use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use rustix::fs::{FileType, Mode, OFlags};
use rustix::io::Errno;

use crate::error::JobserverError;
use crate::makeflags::{Auth, offered};

/// An outer jobserver and the tokens that we hold of it.
#[derive(Debug)]
pub(crate) struct Outer {
    read: OwnedFd,
    write: OwnedFd,
    /// Tokens' bytes as they were read: make wants the same ones back.
    held: Vec<u8>,
}

impl Outer {
    /// Connects to the jobserver that `makeflags` offers; nothing when it offers none.
    pub(crate) fn connect(makeflags: &str) -> Result<Option<Outer>, JobserverError> {
        let Some((auth, place)) = offered(makeflags) else {
            return Ok(None);
        };
        let opened = match place {
            Auth::Pipe { read, write } => open_pipe(read, write),
            Auth::Fifo(path) => open_both(&path, &path),
            Auth::Unusable => Err("make marked it as closed, or it has an unknown form".to_owned()),
        };
        let (read, write) =
            opened.map_err(|reason| JobserverError::Outer { auth: auth.to_owned(), reason })?;
        Ok(Some(Outer { read, write, held: Vec::new() }))
    }

    /// Takes up to `count` tokens without waiting.
    pub(crate) fn take(&mut self, count: usize) -> Result<usize, JobserverError> {
        let before = self.held.len();
        let mut buffer = [0; 1];
        while self.held.len() - before < count {
            match rustix::io::read(&self.read, &mut buffer) {
                Ok(0) | Err(Errno::AGAIN) => break,
                Err(Errno::INTR) => {}
                Ok(_) => self.held.push(buffer[0]),
                Err(errno) => return Err(JobserverError::pipe("read")(errno)),
            }
        }
        Ok(self.held.len() - before)
    }

    /// Gives back up to `count` of the tokens held.
    pub(crate) fn give_back(&mut self, count: usize) -> Result<(), JobserverError> {
        let kept = self.held.len().saturating_sub(count);
        while self.held.len() > kept {
            let written = rustix::io::write(&self.write, &self.held[kept..]);
            let written = written.map_err(JobserverError::pipe("given tokens back"))?;
            self.held.truncate(self.held.len() - written);
        }
        Ok(())
    }

    pub(crate) fn held(&self) -> usize {
        self.held.len()
    }
}

impl Drop for Outer {
    fn drop(&mut self) {
        // The outer make waits for its tokens; where even this fails there is nobody left to tell.
        let _ = self.give_back(self.held.len());
    }
}

/// Opens inherited descriptors again: own open files, so that not blocking is ours alone, and no inherited
/// descriptor is kept.
fn open_pipe(read: i32, write: i32) -> Result<(OwnedFd, OwnedFd), String> {
    let place = |number: i32| PathBuf::from(format!("/proc/self/fd/{number}"));
    open_both(&place(read), &place(write))
}

fn open_both(read: &Path, write: &Path) -> Result<(OwnedFd, OwnedFd), String> {
    let (read_identity, write_identity) = (fifo_identity(read)?, fifo_identity(write)?);
    if read_identity != write_identity {
        return Err("its two descriptors do not belong to one pipe".to_owned());
    }
    Ok((open(read, OFlags::RDONLY)?, open(write, OFlags::WRONLY)?))
}

/// Device and inode of a pipe or FIFO, found before it is opened: to open some other file could have an effect.
fn fifo_identity(path: &Path) -> Result<(u64, u64), String> {
    let stat = rustix::fs::stat(path).map_err(|errno| format!("`{}`: {errno}", path.display()))?;
    match FileType::from_raw_mode(stat.st_mode) {
        FileType::Fifo => Ok((stat.st_dev, stat.st_ino)),
        _ => Err(format!("`{}` is neither a pipe nor a FIFO", path.display())),
    }
}

fn open(path: &Path, access: OFlags) -> Result<OwnedFd, String> {
    let flags = access | OFlags::NONBLOCK | OFlags::CLOEXEC | OFlags::NOCTTY;
    rustix::fs::open(path, flags, Mode::empty()).map_err(|errno| format!("`{}`: {errno}", path.display()))
}

#[cfg(test)]
mod tests {
    use std::os::fd::AsRawFd;

    use super::*;

    fn flags(read: i32, write: i32) -> String {
        format!("-j4 --jobserver-auth={read},{write}")
    }

    #[test]
    fn tokens_come_and_go_unchanged() {
        let (read, write) = rustix::pipe::pipe().unwrap();
        rustix::io::write(&write, b"abc").unwrap();
        let mut outer = Outer::connect(&flags(read.as_raw_fd(), write.as_raw_fd())).unwrap().unwrap();
        assert_eq!(outer.take(2).unwrap(), 2);
        outer.give_back(1).unwrap();
        assert_eq!(outer.held(), 1);
        assert_eq!(outer.take(9).unwrap(), 2);
        drop(outer);
        let mut buffer = [0; 8];
        let returned = rustix::io::read(&read, &mut buffer).unwrap();
        buffer[..returned].sort_unstable();
        assert_eq!(&buffer[..returned], b"abc");
    }

    #[test]
    fn a_fifo_is_joined_by_its_path() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("fifo");
        rustix::fs::mknodat(rustix::fs::CWD, &path, FileType::Fifo, Mode::from_raw_mode(0o600), 0).unwrap();
        let keeper = open(&path, OFlags::RDWR).unwrap();
        rustix::io::write(&keeper, b"++").unwrap();
        let flags = format!("-j3 --jobserver-auth=fifo:{}", path.display());
        let mut outer = Outer::connect(&flags).unwrap().unwrap();
        assert_eq!(outer.take(5).unwrap(), 2);
    }

    #[test]
    fn what_is_no_jobserver_is_refused() {
        let (read, write) = rustix::pipe::pipe().unwrap();
        let (other, _other_write) = rustix::pipe::pipe().unwrap();
        let file = fs_err::File::open("/dev/null").unwrap();
        let reason = |flags: &str| Outer::connect(flags).unwrap_err().to_string();
        assert!(reason(&flags(other.as_raw_fd(), write.as_raw_fd())).contains("one pipe"));
        assert!(reason(&flags(file.as_raw_fd(), file.as_raw_fd())).contains("neither a pipe nor a FIFO"));
        assert!(reason(&flags(9_999, write.as_raw_fd())).contains("`+`"));
        assert!(reason("--jobserver-auth=-2,-2").contains("closed"));
        assert!(reason("--jobserver-auth=fifo:/nonexistent/fifo").contains("/nonexistent/fifo"));
        assert!(Outer::connect("-j4").unwrap().is_none());
        drop(read);
    }
}
