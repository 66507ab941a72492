//! What a build does for its recipe.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use spack_wasm_jobserver::Lease;
use spack_wasm_monitor::Stream;
use spack_wasm_recipe_host::types::{Command as Planned, ToolError, ToolFailure, ToolOutcome};
use spack_wasm_recipe_host::{Answer, AskError, Question, Services, ToolRequest};
use spack_wasm_sandbox::refusal::probable_refusals;
use spack_wasm_sandbox::{self as sandbox, Command, Outcome, Policy, RunError, Sandbox, Status};
use spack_wasm_spec::Node;
use spack_wasm_store::BuildIdentity;

use crate::Cancellation;
use crate::ask::Asker;
use crate::environment::{Environment, quote};
use crate::identity::OwnIdentity;
use crate::jobs::Jobs;
use crate::journal::Journal;

/// The most of a tool's output that is handed back to the recipe, in bytes.
const MOST_CAPTURED: usize = 16 << 20;

/// How much of the output is looked through for refusals when a tool fails, in bytes.
const TAIL: usize = 16 << 10;

/// The arguments of the configuring step, kept for `spack-configure-args.txt`.
pub(crate) type ConfigureArgs = Arc<Mutex<Option<Vec<String>>>>;

/// The services of one build.
pub(crate) struct BuildServices {
    pub(crate) sandbox: Arc<Sandbox>,
    pub(crate) policy: Arc<Policy>,
    pub(crate) journal: Journal,
    pub(crate) environment: Environment,
    /// Where a tool runs that asks for nothing else.
    pub(crate) source: PathBuf,
    pub(crate) jobs: Jobs,
    pub(crate) compilers: Vec<(String, String)>,
    pub(crate) configure_args: ConfigureArgs,
    pub(crate) asker: Asker,
    pub(crate) cancellation: Cancellation,
    /// Whom the recipe's thread has become; what is done here is done as the host.
    pub(crate) identity: Option<BuildIdentity>,
}

/// What a tool wrote, as far as somebody wants it.
struct Captured {
    output: Option<Vec<u8>>,
    error: Option<Vec<u8>>,
    /// It was more than a recipe is handed.
    cut: bool,
    tail: Vec<u8>,
}

impl Captured {
    fn push(&mut self, stream: sandbox::Stream, bytes: &[u8]) {
        let kept = match stream {
            sandbox::Stream::Stdout => &mut self.output,
            sandbox::Stream::Stderr => &mut self.error,
        };
        if let Some(kept) = kept {
            let room = MOST_CAPTURED.saturating_sub(kept.len());
            kept.extend_from_slice(&bytes[..bytes.len().min(room)]);
            self.cut |= bytes.len() > room;
        }
        self.tail.extend_from_slice(bytes);
        let excess = self.tail.len().saturating_sub(TAIL);
        self.tail.drain(..excess);
    }
}

impl Services for BuildServices {
    fn run(&mut self, request: ToolRequest) -> Result<ToolOutcome, ToolError> {
        let _own = OwnIdentity::resume(self.identity);
        // Tokens that were taken for the tool go back when it has ended, however it ends.
        let (command, _lease) = self.command(&request.command, request.input).map_err(ToolError::Invalid)?;
        let line = command_line(&request.command);
        self.note_configure(&request.command);
        self.journal.say(&format!("[{}] {line}", timestamp()));
        let mut captured = Captured {
            output: request.capture_output.then(Vec::new),
            error: request.capture_error.then(Vec::new),
            cut: false,
            tail: Vec::new(),
        };
        let journal = self.journal.clone();
        let ran = self.sandbox.run(&command, &mut |stream, bytes| {
            journal.output(own_stream(stream), bytes);
            captured.push(stream, bytes);
        });
        let outcome = ran.map_err(|error| self.not_run(&request.command.program, &error))?;
        self.journal.used(&outcome);
        if captured.cut {
            let most = MOST_CAPTURED >> 20;
            let program = &request.command.program;
            self.journal
                .warn(format!("{program} printed more than {most} MiB; its recipe gets the beginning"));
        }
        self.settle(&outcome, captured, line, &command.cwd, request.accept_failure)
    }

    fn find(&mut self, program: &str) -> Option<String> {
        let _own = OwnIdentity::resume(self.identity);
        let mut command = Command::new([program], &self.source);
        command.env = self.environment.variables();
        // Whoever ended the sandbox says so when the recipe goes on.
        let found = self.sandbox.find(&command).ok()??;
        found.into_os_string().into_string().ok()
    }

    fn ask(&mut self, node: &Arc<Node>, question: Question) -> Result<Answer, AskError> {
        let _own = OwnIdentity::resume(self.identity);
        self.asker.ask(node, question)
    }

    fn compiler(&mut self, language: &str) -> Option<String> {
        self.compilers.iter().find(|(known, _)| known == language).map(|(_, path)| path.clone())
    }

    fn log(&mut self, warning: bool, message: &str) {
        self.journal.say(message);
        if warning {
            self.journal.warn(message.to_owned());
        }
    }

    fn progress(&mut self, done: u32, total: u32, message: &str) {
        let (done, total) = (u64::from(done), (total > 0).then_some(u64::from(total)));
        self.journal.progress(done, total, message.to_owned());
    }

    fn is_cancelled(&self) -> bool {
        self.cancellation.cause().is_some()
    }
}

impl BuildServices {
    /// The command as the sandbox runs it, and the tokens that it keeps busy.
    fn command(&self, planned: &Planned, input: Option<Vec<u8>>) -> Result<(Command, Option<Lease>), String> {
        let argv = [&planned.program].into_iter().chain(&planned.arguments);
        let directory = planned.directory.as_ref().map_or_else(|| self.source.clone(), PathBuf::from);
        if !directory.is_absolute() {
            return Err(format!("'{}' is not an absolute folder", directory.display()));
        }
        let mut command = Command::new(argv, directory);
        let mut environment = self.environment.with(&planned.environment);
        let lease = self.jobs.equip(planned, &mut command, &mut environment);
        let lease = lease.map_err(|error| error.to_string())?;
        command.env = environment.variables();
        command.stdin = input;
        Ok((command, lease))
    }

    fn note_configure(&self, planned: &Planned) {
        let configures = planned.program.ends_with("/configure") || planned.program == "cmake";
        let mut kept = self.configure_args.lock().unwrap_or_else(PoisonError::into_inner);
        if configures && kept.is_none() {
            *kept = Some(planned.arguments.clone());
        }
    }

    fn settle(
        &self,
        outcome: &Outcome,
        captured: Captured,
        command_line: String,
        directory: &Path,
        accept_failure: bool,
    ) -> Result<ToolOutcome, ToolError> {
        self.journal.refused(outcome.refusals.clone());
        let (exit_code, signal) = match outcome.status {
            Status::Exited(code) => (u32::try_from(code).ok(), None),
            Status::Signaled(signal) => (None, u32::try_from(signal).ok()),
        };
        let result = ToolOutcome {
            exit_code,
            signal,
            output: captured.output.unwrap_or_default(),
            error_output: captured.error.unwrap_or_default(),
        };
        if outcome.status.success() || (accept_failure && signal.is_none()) {
            return Ok(result);
        }
        if outcome.refusals.is_empty() {
            let tail = String::from_utf8_lossy(&captured.tail);
            self.journal.refused(probable_refusals(&tail, directory, &self.policy));
        }
        Err(ToolError::Failed(ToolFailure { command_line, outcome: result }))
    }

    fn not_run(&self, program: &str, error: &RunError) -> ToolError {
        self.journal.say(&error.to_string());
        match error {
            RunError::NotFound { .. } => ToolError::NotFound(program.to_owned()),
            RunError::Invalid { .. } => ToolError::Invalid(error.to_string()),
            _ => ToolError::Refused(error.to_string()),
        }
    }
}

fn own_stream(stream: sandbox::Stream) -> Stream {
    match stream {
        sandbox::Stream::Stdout => Stream::Stdout,
        sandbox::Stream::Stderr => Stream::Stderr,
    }
}

fn command_line(planned: &Planned) -> String {
    let words = [&planned.program].into_iter().chain(&planned.arguments);
    words.map(|word| quote(word)).collect::<Vec<_>>().join(" ")
}

/// The time as Spack's logs have it.
fn timestamp() -> String {
    jiff::ZonedDateTime::now().strftime("%Y-%m-%d-%H:%M:%S.%6f").to_string()
}
