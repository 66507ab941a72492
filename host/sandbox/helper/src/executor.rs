//! The first process of the build: takes orders until the channel ends.

use std::collections::BTreeMap;
use std::io;
use std::os::fd::{AsFd, OwnedFd};

use spack_wasm_sandbox_protocol::{
    Ended, ExecFailure, ExecStep, Message, Order, Reply, Setup, Started, Step, fd, receive, send_value,
    unseal,
};

use crate::child::Confinement;
use crate::namespaces::OwnMounts;
use crate::walls::{Fail, Outcome, Walls};
use crate::{attempt, child, inner, sys, trace};

/// What the launcher hands over.
pub(crate) struct Given {
    /// At the level `namespaces`.
    pub(crate) mounts: Option<OwnMounts>,
    /// Where the tracer waits for the filter's notifications.
    pub(crate) tracer: Option<OwnedFd>,
}

/// Runs until the host closes the channel, then ends, and with it the whole process namespace.
pub(crate) fn main(channel: &OwnedFd, setup: &Setup, mut walls: Walls, given: Given) -> ! {
    let status = match start(setup, &mut walls, given) {
        Ok(mut executor) => {
            let ready = Started::Ready { missing: walls.into_missing() };
            let served = send_value(channel, &ready, &[]).and_then(|()| executor.serve(channel));
            i32::from(served.is_err())
        }
        Err(failure) => {
            drop(send_value(channel, &Started::Failed(failure), &[]));
            1
        }
    };
    sys::exit_now(status)
}

fn start(setup: &Setup, walls: &mut Walls, given: Given) -> Outcome<Executor> {
    let _ = rustix::process::setsid();
    let rules = inner::enter(setup, walls, given.mounts.as_ref())?;
    let events = sys::child_events().fail(Step::Fork)?;
    // Last, since from here on this process must open nothing.
    if let Some(socket) = given.tracer {
        trace::load(&socket).fail(Step::Seccomp)?;
    }
    Ok(Executor {
        events,
        confinement: Confinement { rules, limits: setup.limits },
        running: BTreeMap::new(),
    })
}

struct Executor {
    events: OwnedFd,
    confinement: Confinement,
    /// Where to say how a process ended. Orphans of a command are reaped and not asked about.
    running: BTreeMap<i32, OwnedFd>,
}

impl Executor {
    fn serve(&mut self, channel: &OwnedFd) -> io::Result<()> {
        loop {
            let (order, ended) = sys::wait_readable(channel.as_fd(), self.events.as_fd())?;
            if ended {
                self.reap();
            }
            if order {
                match receive(channel)? {
                    Some(message) => self.take(message),
                    None => return Ok(()),
                }
            }
        }
    }

    /// An order that cannot be read concerns its sender only.
    fn take(&mut self, message: Message) {
        if message.fds.len() < fd::FIRST_OPTIONAL {
            return;
        }
        let order = unseal::<Order>(&message.fds[fd::BODY]);
        let mut fds = message.fds;
        let reply = fds.remove(fd::REPLY);
        let started = match order {
            Ok(Order::Run(request)) => child::start(&request, &fds[fd::REPLY..], &reply, &self.confinement),
            Ok(Order::Find(request)) => {
                child::find(&request, &reply, &self.confinement);
                return;
            }
            Ok(Order::Attempt(attempts)) => {
                attempt::answer(&attempts, &reply);
                return;
            }
            Err(error) => Err((ExecStep::Receive, error)),
        };
        match started {
            Ok(pid) => drop(self.running.insert(pid, reply)),
            Err((step, error)) => not_started(&reply, step, &error),
        }
    }

    fn reap(&mut self) {
        let mut drained = [0; 1024];
        while rustix::io::read(&self.events, &mut drained).is_ok_and(|bytes| bytes == drained.len()) {}
        while let Some(reaped) = sys::reap_ended() {
            if let Some(reply) = self.running.remove(&reaped.pid) {
                // A host that no longer listens has been told to stop, or stops us.
                drop(send_value(&reply, &ended(&reaped), &[]));
            }
        }
    }
}

fn not_started(reply: &OwnedFd, step: ExecStep, error: &io::Error) {
    let failure = ExecFailure { step, path: None, errno: error.raw_os_error().unwrap_or(0) };
    drop(send_value(reply, &Reply::NotStarted(failure), &[]));
}

fn ended(reaped: &sys::Reaped) -> Reply {
    let status = if libc::WIFSIGNALED(reaped.status) {
        Ended::Signaled(libc::WTERMSIG(reaped.status))
    } else {
        Ended::Exited(libc::WEXITSTATUS(reaped.status))
    };
    Reply::Ended {
        status,
        user_micros: micros(reaped.usage.ru_utime),
        system_micros: micros(reaped.usage.ru_stime),
        max_rss_kib: u64::try_from(reaped.usage.ru_maxrss).unwrap_or(0),
    }
}

fn micros(time: libc::timeval) -> u64 {
    let micros = time.tv_sec.saturating_mul(1_000_000).saturating_add(time.tv_usec);
    u64::try_from(micros).unwrap_or(0)
}
