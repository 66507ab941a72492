//! Names refused accesses exactly: each call that names a file or an address is shown to the launcher before it
//! happens, by seccomp's user notification, and then goes on.
//!
//! The launcher only says what was asked for. Whether that was refused, the host knows: it has the policy, and as root
//! it can see what the build user cannot.

use std::collections::HashSet;
use std::io;
use std::os::fd::{AsFd, OwnedFd};

use rustix::fs::{CWD, Mode, OFlags, openat};
use rustix::net::RecvFlags;
use rustix::process::{Pid, PidfdFlags, pidfd_open};
use spack_wasm_sandbox_protocol::{Step, TracedAccess, pair, receive, send, send_value};

use crate::sys::{self, Notification};
use crate::walls::{Fail, Outcome};

mod calls;
mod memory;

/// Accesses that are remembered as sent. Of a command that names more the host is told some again.
const REMEMBERED: usize = 100_000;

/// Prepares a trace into the host's socket. The executor's end carries the filter's listener to the launcher.
pub(crate) fn prepare(host: Option<OwnedFd>) -> Outcome<(Option<Tracer>, Option<OwnedFd>)> {
    let Some(host) = host else { return Ok((None, None)) };
    let (launcher, executor) = pair().fail(Step::Seccomp)?;
    // The executor changes the root folder, which is the launcher's too; behind it processes have other numbers.
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let processes = openat(CWD, "/proc", flags, Mode::empty()).fail(Step::Seccomp)?;
    let tracer = Tracer { executor: launcher, host, processes, sent: HashSet::new() };
    Ok((Some(tracer), Some(executor)))
}

/// Loads the filter for this process and all its children. This process must name no file afterwards, unless the
/// launcher listens.
pub(crate) fn load(launcher: &OwnedFd) -> io::Result<()> {
    let listener = sys::load_with_listener(&calls::program())?;
    send(launcher, b"listener", &[listener.as_fd()])
}

/// The launcher's side.
pub(crate) struct Tracer {
    executor: OwnedFd,
    host: OwnedFd,
    processes: OwnedFd,
    sent: HashSet<TracedAccess>,
}

impl Tracer {
    /// Serves until the executor has ended.
    pub(crate) fn serve(mut self, executor: Pid) {
        let Ok(Some(message)) = receive(&self.executor) else { return };
        let Ok(ended) = pidfd_open(executor, PidfdFlags::empty()) else { return };
        let Some(listener) = message.fds.first() else { return };
        while let Ok((asked, over)) = sys::wait_readable(listener.as_fd(), ended.as_fd()) {
            if over {
                return;
            }
            if asked && let Ok(notification) = sys::next_notification(listener) {
                self.note(listener, &notification);
                sys::let_go_on(listener, &notification);
            }
        }
    }

    fn note(&mut self, listener: &OwnedFd, notification: &Notification) {
        let Some(access) = calls::describe(&self.processes, notification) else { return };
        self.begin_anew();
        // Else the process is another one by now, and what was read is its.
        if !sys::is_current(listener, notification) || self.sent.contains(&access) {
            return;
        }
        // A host that is gone ends the build anyway.
        drop(send_value(&self.host, &access, &[]));
        if self.sent.len() >= REMEMBERED {
            self.sent.clear();
        }
        self.sent.insert(access);
    }

    /// The host says when a command begins, and wants to be told of what it names, whatever others named before.
    fn begin_anew(&mut self) {
        let mut said = [0; 16];
        while rustix::net::recv(&self.host, &mut said, RecvFlags::DONTWAIT).is_ok_and(|(read, _)| read > 0) {
            self.sent.clear();
        }
    }
}
