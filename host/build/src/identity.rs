//! As whom files are touched.

use rustix::process::geteuid;
use spack_wasm_store::BuildIdentity;

/// While it lives, this thread touches files as the build's user, and not as root. Other threads are not affected.
///
/// It is Linux's file system uid (`setfsuid(2)`), which belongs to a thread; a recipe's own writes then are the build user's.
#[derive(Debug)]
pub(crate) struct FileIdentity {
    taken: bool,
    /// Not to be sent to another thread, which has its own.
    _thread: std::marker::PhantomData<*const ()>,
}

impl FileIdentity {
    /// Takes the identity of a build, where it has one.
    pub(crate) fn take(identity: Option<BuildIdentity>) -> Self {
        if let Some(BuildIdentity { uid, gid }) = identity {
            set(uid, gid);
        }
        Self { taken: identity.is_some(), _thread: std::marker::PhantomData }
    }
}

impl Drop for FileIdentity {
    fn drop(&mut self) {
        if self.taken {
            set(geteuid().as_raw(), rustix::process::getegid().as_raw());
        }
    }
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
            set(geteuid().as_raw(), rustix::process::getegid().as_raw());
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
