//! Reads what a stopped process points to.

use std::ffi::OsString;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;

use rustix::fs::{Mode, OFlags, openat, readlinkat};

/// Longer paths are refused by the kernel.
const PATH_MAX: usize = 4096;

/// The memory of a process that waits for us.
pub(super) struct Memory<'a> {
    /// The outer `/proc`.
    processes: &'a OwnedFd,
    process: u32,
    file: OwnedFd,
}

impl<'a> Memory<'a> {
    pub(super) fn open(processes: &'a OwnedFd, process: u32) -> Option<Self> {
        let flags = OFlags::RDONLY | OFlags::CLOEXEC;
        let file = openat(processes, format!("{process}/mem"), flags, Mode::empty()).ok()?;
        Some(Memory { processes, process, file })
    }

    pub(super) fn bytes(&self, address: u64, length: usize) -> Option<Vec<u8>> {
        let mut bytes = vec![0; length];
        // Short where the mapping ends, which is beyond what we look for.
        let read = rustix::io::pread(&self.file, &mut bytes, address).ok()?;
        bytes.truncate(read);
        Some(bytes)
    }

    /// The absolute path of a name relative to a descriptor (`AT_FDCWD` for the working directory).
    pub(super) fn path(&self, folder: i32, address: u64) -> Option<PathBuf> {
        let mut bytes = self.bytes(address, PATH_MAX)?;
        bytes.truncate(bytes.iter().position(|byte| *byte == 0)?);
        // The descriptor itself, which is open already.
        if bytes.is_empty() {
            return None;
        }
        let name = PathBuf::from(OsString::from_vec(bytes));
        if name.is_absolute() {
            return Some(name);
        }
        let folder = match folder {
            libc::AT_FDCWD => "cwd".to_owned(),
            number => format!("fd/{number}"),
        };
        let link = readlinkat(self.processes, format!("{}/{folder}", self.process), Vec::new()).ok()?;
        Some(PathBuf::from(OsString::from_vec(link.into_bytes())).join(name))
    }
}
