//! As whom files are touched.

use rustix::fs::Mode;
use rustix::process::{getegid, geteuid, umask};
use rustix::thread::{UnshareFlags, unshare_unsafe};
use spack_wasm_store::BuildIdentity;

/// The file mode creation mask of builds, whatever the user's is: a recipe's files have the modes that tools' files have.
const MASK: u32 = 0o022;

/// While it lives, this thread touches files as the build's user, and not as root, and makes them with the builds' mask. Other
/// threads are not affected.
///
/// It is Linux's file system uid (`setfsuid(2)`), which belongs to a thread; a recipe's own writes then are the build user's.
#[derive(Debug)]
pub(crate) struct FileIdentity {
    taken: bool,
    /// The mask that this thread had, where it has one of its own now.
    mask: Option<Mode>,
    /// Not to be sent to another thread, which has its own.
    _thread: std::marker::PhantomData<*const ()>,
}

impl FileIdentity {
    /// Takes the identity of a build, where it has one.
    pub(crate) fn take(identity: Option<BuildIdentity>) -> Self {
        if let Some(BuildIdentity { uid, gid }) = identity {
            set(uid, gid);
        }
        let mask = own_mask().map(|()| umask(Mode::from_raw_mode(MASK)));
        Self { taken: identity.is_some(), mask, _thread: std::marker::PhantomData }
    }
}

impl Drop for FileIdentity {
    fn drop(&mut self) {
        if let Some(mask) = self.mask {
            umask(mask);
        }
        if self.taken {
            set_own();
        }
    }
}

/// Lets this thread have a mask of its own; the others keep the process's. Where the system refuses, the user's mask stays.
#[expect(unsafe_code, reason = "it parts the thread from the others")]
fn own_mask() -> Option<()> {
    // SAFETY: descriptors stay shared. What is no longer shared are working directory, root folder and mask, and nothing here
    // changes the first two.
    unsafe { unshare_unsafe(UnshareFlags::FS) }.ok()
}

/// While it lives, a thread that has taken an identity touches files as we are: what the host does for a recipe needs ways
/// that are closed to the build's user, such as a home of mode 0700.
#[derive(Debug)]
pub(crate) struct OwnIdentity {
    taken: Option<BuildIdentity>,
    /// As above.
    _thread: std::marker::PhantomData<*const ()>,
}

impl OwnIdentity {
    /// Lays down, for a while, the identity that this thread has taken, if it has one.
    pub(crate) fn resume(taken: Option<BuildIdentity>) -> Self {
        if taken.is_some() {
            set_own();
        }
        Self { taken, _thread: std::marker::PhantomData }
    }
}

impl Drop for OwnIdentity {
    fn drop(&mut self) {
        if let Some(BuildIdentity { uid, gid }) = self.taken {
            set(uid, gid);
        }
    }
}

/// Who the process is.
fn set_own() {
    set(geteuid().as_raw(), getegid().as_raw());
}

#[expect(unsafe_code, reason = "no safe wrapper exists")]
fn set(uid: u32, gid: u32) {
    // SAFETY: the calls take numbers only. The group first: without uid 0 the thread may not change it any more.
    unsafe {
        if uid == 0 {
            libc::setfsuid(uid);
            libc::setfsgid(gid);
        } else {
            libc::setfsgid(gid);
            libc::setfsuid(uid);
        }
    }
}
