//! A running sandbox and the commands in it.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rustix::io::Errno;
use rustix::pipe::{PipeFlags, pipe_with};
use rustix::process::Uid;
use spack_wasm_sandbox_protocol as protocol;
use spack_wasm_sandbox_protocol::{Ended, ExecFailure, ExecStep, Level, Missing, Order, Reply, Started};

use crate::census;
use crate::command::{Command, Outcome, Status, Stream};
use crate::error::{RunError, StartError};
use crate::explain::explain;
use crate::policy::Policy;
use crate::pump::Pump;
use crate::refusal::Refusal;
use crate::tool::InstalledTool;
use crate::trace::Trace;

/// The walls around one build, with the executor behind them. Dropping it ends everything in it and waits for that.
///
/// Commands can be run from several threads at once.
#[derive(Debug)]
pub struct Sandbox {
    control: Arc<Control>,
    helper: Child,
    level: Level,
    missing: Vec<Missing>,
    trace: Option<Trace>,
    /// Who the build is outside.
    owner: Uid,
}

/// Ends a build from another thread.
#[derive(Debug, Clone)]
pub struct Canceller(Arc<Control>);

#[derive(Debug)]
struct Control {
    channel: OwnedFd,
    cancelled: AtomicBool,
}

impl Control {
    /// The executor takes the end of the channel as the order to end.
    fn close(&self) {
        // A channel whose other end is gone already needs no closing.
        let _ = rustix::net::shutdown(&self.channel, rustix::net::Shutdown::Both);
    }
}

impl Canceller {
    /// Kills all processes of the build. Running commands return [`RunError::Cancelled`], and so do later ones.
    pub fn cancel(&self) {
        self.0.cancelled.store(true, Ordering::SeqCst);
        self.0.close();
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        self.control.close();
        // Fails only when it was reaped by somebody else.
        let _ = self.helper.wait();
    }
}

impl Sandbox {
    /// Lays the walls and starts the executor.
    ///
    /// # Errors
    ///
    /// [`StartError::MissingLayer`] when this machine does not give a wall that the policy asks for, with the option
    /// that continues without it; a path of the policy that does not exist; a helper that cannot be started.
    pub fn start(policy: &Policy, helper: &InstalledTool) -> Result<Sandbox, StartError> {
        let setup = protocol::seal(&policy.setup()?).map_err(StartError::Helper)?;
        let (channel, helper_end) = protocol::pair().map_err(StartError::Helper)?;
        let (trace, trace_end) = Trace::new(policy).map_err(StartError::Helper)?.unzip();
        let child = spawn(helper, &helper_end).map_err(StartError::Helper)?;
        drop(helper_end);
        let control = Arc::new(Control { channel, cancelled: AtomicBool::new(false) });
        // From here on the helper is reaped by the drop.
        let owner = Uid::from_raw(policy.owner());
        let mut sandbox =
            Sandbox { control, helper: child, level: policy.level, missing: Vec::new(), trace, owner };
        let descriptors: Vec<_> =
            [Some(&setup), trace_end.as_ref()].into_iter().flatten().map(AsFd::as_fd).collect();
        // A helper that could not even read this says so by its end, which is looked at next.
        let _ = protocol::send(&sandbox.control.channel, b"setup", &descriptors);
        drop(trace_end);
        match protocol::receive_value(&sandbox.control.channel).map_err(StartError::Helper)? {
            Some(Started::Ready { missing }) => sandbox.missing = missing,
            Some(Started::Failed(failure)) => return Err(explain(policy, failure)),
            None => return Err(StartError::HelperEnded { status: sandbox.helper_status() }),
        }
        Ok(sandbox)
    }

    /// The level that was asked for, and is in force.
    pub fn level(&self) -> Level {
        self.level
    }

    /// Walls that do not stand because the policy allowed it; for the provenance.
    pub fn missing(&self) -> &[Missing] {
        &self.missing
    }

    /// Something that ends this build from another thread.
    pub fn canceller(&self) -> Canceller {
        Canceller(Arc::clone(&self.control))
    }

    /// How many threads the build's processes have at this moment, all of its commands together; `None` where the machine
    /// does not tell.
    pub fn threads(&self) -> Option<usize> {
        census::threads_below(self.helper.id())
    }

    /// Runs one command and hands its output to `sink` as it comes.
    ///
    /// Returns when the command has ended and its output is read. A process that it left behind goes on until the
    /// sandbox ends; what such a process writes later is not read.
    ///
    /// # Errors
    ///
    /// The program was not started, or the sandbox ended first. An exit status other than 0 is no error.
    pub fn run(&self, command: &Command, sink: &mut dyn FnMut(Stream, &[u8])) -> Result<Outcome, RunError> {
        let order = protocol::seal(&Order::Run(command.request()?)).map_err(RunError::Channel)?;
        let stdin =
            command.stdin.as_deref().map(protocol::seal_bytes).transpose().map_err(RunError::Channel)?;
        let (stdout, stdout_end) = self.output_pipe()?;
        let (stderr, stderr_end) = self.output_pipe()?;
        let (reply, reply_end) = protocol::pair().map_err(RunError::Channel)?;
        if let Some(trace) = &self.trace {
            // A helper that is gone is noticed with the order.
            let _ = trace.begin_command();
        }
        let began = Instant::now();
        // In the order of `protocol::fd`.
        let fixed = [&order, &reply_end, &stdout_end, &stderr_end];
        let extra = command.extra_fds.iter().map(|(_, fd)| fd);
        let fds: Vec<_> = fixed.into_iter().chain(stdin.as_ref()).chain(extra).map(AsFd::as_fd).collect();
        self.send(&fds).map_err(|error| self.lost_or(command, error))?;
        drop((reply_end, stdout_end, stderr_end));
        let answer =
            Pump::new(stdout, stderr, &reply, self.trace.as_ref()).run(sink).map_err(RunError::Channel)?;
        match answer {
            Some((Reply::Ended { status, user_micros, system_micros, max_rss_kib }, ended)) => Ok(Outcome {
                status: status.into(),
                wall: ended.duration_since(began),
                user_cpu: Duration::from_micros(user_micros),
                system_cpu: Duration::from_micros(system_micros),
                max_rss_kib,
                refusals: self.refusals().map_err(RunError::Channel)?,
            }),
            Some((Reply::NotStarted(failure), _)) => Err(not_started(command, failure)),
            None => Err(self.lost(command)),
        }
    }

    /// The file that [`run`](Self::run) would start for a command; none where there is no such program.
    ///
    /// # Errors
    ///
    /// The command is none, or the sandbox ended first.
    pub fn find(&self, command: &Command) -> Result<Option<PathBuf>, RunError> {
        let order = Order::Find(command.request()?);
        let reply = self.ask(&order).map_err(|error| self.lost_or(command, error))?;
        let found = protocol::receive_value::<protocol::Found>(&reply).map_err(RunError::Channel)?;
        if let Some(trace) = &self.trace {
            trace.drain().map_err(RunError::Channel)?;
        }
        Ok(found.ok_or_else(|| self.lost(command))?.path.map(PathBuf::from))
    }

    /// Tries what the walls must refuse; see [`crate::probe`].
    pub(crate) fn attempt(&self, attempts: protocol::Attempts) -> io::Result<protocol::Attempted> {
        let reply = self.ask(&Order::Attempt(attempts))?;
        protocol::receive_value(&reply)?.ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
    }

    /// Gives an order that needs no descriptors; its answer comes from the socket.
    fn ask(&self, order: &Order) -> io::Result<OwnedFd> {
        let order = protocol::seal(order)?;
        let (reply, reply_end) = protocol::pair()?;
        self.send(&[order.as_fd(), reply_end.as_fd(), reply_end.as_fd(), reply_end.as_fd()])?;
        Ok(reply)
    }

    /// Owned by the build user, so that it can be opened again as `/dev/stdout`.
    fn output_pipe(&self) -> Result<(OwnedFd, OwnedFd), RunError> {
        let (reader, writer) =
            pipe_with(PipeFlags::CLOEXEC).map_err(|error| RunError::Channel(error.into()))?;
        if rustix::process::geteuid() != self.owner {
            let owned = rustix::fs::fchown(&writer, Some(self.owner), None);
            owned.map_err(|error| RunError::Channel(error.into()))?;
        }
        Ok((reader, writer))
    }

    fn send(&self, fds: &[std::os::fd::BorrowedFd<'_>]) -> io::Result<()> {
        protocol::send(&self.control.channel, b"order", fds)
    }

    fn lost_or(&self, command: &Command, error: io::Error) -> RunError {
        match error.kind() {
            io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset => self.lost(command),
            _ => RunError::Channel(error),
        }
    }

    fn lost(&self, command: &Command) -> RunError {
        match self.control.cancelled.load(Ordering::SeqCst) {
            true => RunError::Cancelled,
            false => RunError::Lost { program: command.program() },
        }
    }

    fn refusals(&self) -> io::Result<Vec<Refusal>> {
        self.trace.as_ref().map_or_else(|| Ok(Vec::new()), Trace::take)
    }

    fn helper_status(&mut self) -> String {
        self.control.close();
        self.helper.wait().map_or_else(|error| error.to_string(), |status| status.to_string())
    }
}

/// A plain spawn, never a fork of this process. The channel is the helper's standard input.
fn spawn(helper: &InstalledTool, channel: &OwnedFd) -> io::Result<Child> {
    let mut command = std::process::Command::new(helper.executable());
    command.arg0("spack-wasm-sandbox").env_clear().stdout(Stdio::null()).stderr(Stdio::null());
    let mut attempts = 0..50;
    loop {
        match command.stdin(Stdio::from(channel.try_clone()?)).spawn() {
            // Another thread wrote a program and started something meanwhile, which holds the descriptor that it was
            // written through until it executes.
            Err(error) if error.raw_os_error() == Some(libc::ETXTBSY) && attempts.next().is_some() => {
                std::thread::sleep(Duration::from_millis(2));
            }
            result => return result,
        }
    }
}

fn not_started(command: &Command, failure: ExecFailure) -> RunError {
    let source = io::Error::from_raw_os_error(failure.errno);
    let path = || failure.path.as_ref().map(|path| path.as_path().to_path_buf()).unwrap_or_default();
    match failure.step {
        ExecStep::Search => RunError::NotFound { program: command.program(), path: command.search_path() },
        ExecStep::Interpreter => RunError::NoInterpreter { path: path() },
        ExecStep::WorkingDirectory => RunError::WorkingDirectory { path: path(), source },
        ExecStep::Execute if failure.errno == Errno::ACCESS.raw_os_error() => {
            RunError::NotPermitted { path: path() }
        }
        ExecStep::Receive
        | ExecStep::Fork
        | ExecStep::Descriptors
        | ExecStep::Confine
        | ExecStep::Execute => RunError::NotStarted { program: command.program(), source },
    }
}

impl From<Ended> for Status {
    fn from(ended: Ended) -> Self {
        match ended {
            Ended::Exited(status) => Status::Exited(status),
            Ended::Signaled(signal) => Status::Signaled(signal),
        }
    }
}
