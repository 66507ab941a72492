//! The sandbox's executor: lays the walls, then runs what it is sent.
//!
//! Started by the sandbox library with the channel as its standard input and an empty environment. It is a program
//! of its own, small and single-threaded, because forking the host would copy its page tables on every call and run
//! code between fork and exec in a process with threads.
//!
//! Two processes: the *launcher* (this one), which stays outside the build's process namespace and waits, and the
//! *executor*, the first process inside. When the launcher ends, the executor is killed, and with it, by the kernel,
//! everything in its namespace.

mod attempt;
mod child;
mod executor;
mod ground;
mod identity;
mod inner;
mod leftovers;
mod limits;
mod mounts;
mod namespaces;
mod newroot;
mod real_paths;
mod ruleset;
mod seccomp;
mod sys;
mod trace;
mod walls;

use std::os::fd::OwnedFd;
use std::process::ExitCode;

use rustix::process::{DumpableBehavior, Pid, set_child_subreaper, set_dumpable_behavior};
use spack_wasm_sandbox_protocol::{Setup, Started, Step, receive, send_value, unseal};

use crate::walls::{Fail, Outcome, Walls};

fn main() -> ExitCode {
    let Ok(channel) = sys::take_channel() else { return ExitCode::FAILURE };
    match launch(&channel) {
        Ok(executor) => {
            drop(channel);
            executor.wait();
            ExitCode::SUCCESS
        }
        Err(failure) => {
            // A host that is gone needs no answer.
            drop(send_value(&channel, &Started::Failed(failure), &[]));
            ExitCode::FAILURE
        }
    }
}

/// What the launcher waits for.
struct Executor {
    pid: Pid,
    tracer: Option<trace::Tracer>,
}

impl Executor {
    fn wait(self) {
        if let Some(tracer) = self.tracer {
            tracer.serve(self.pid);
        }
        sys::wait_for(self.pid);
        leftovers::kill_all();
    }
}

fn launch(channel: &OwnedFd) -> Outcome<Executor> {
    let (setup, trace_socket) = receive_setup(channel).fail(Step::Receive)?;
    // The terminal's signals go to the host, which decides what ends.
    let _ = rustix::process::setsid();
    rustix::process::chdir("/").fail(Step::Receive)?;
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o022));
    // What outlives its parent comes to us, and is ended by us.
    set_child_subreaper(Some(rustix::process::getpid())).fail(Step::Privileges)?;
    let mut walls = Walls::new(&setup);
    let mounts = namespaces::enter(&setup, &mut walls)?;
    let (tracer, executor_end) = trace::prepare(trace_socket)?;
    match sys::fork().fail(Step::Fork)? {
        sys::Fork::Child => {
            drop(tracer);
            executor::main(channel, &setup, walls, executor::Given { mounts, tracer: executor_end })
        }
        sys::Fork::Parent(pid) => {
            drop(executor_end);
            set_dumpable_behavior(DumpableBehavior::NotDumpable).fail(Step::Privileges)?;
            Ok(Executor { pid, tracer })
        }
    }
}

fn receive_setup(channel: &OwnedFd) -> std::io::Result<(Setup, Option<OwnedFd>)> {
    let message = receive(channel)?.ok_or(std::io::ErrorKind::UnexpectedEof)?;
    let mut fds = message.fds.into_iter();
    let body = fds.next().ok_or(std::io::ErrorKind::InvalidData)?;
    Ok((unseal(&body)?, fds.next()))
}
