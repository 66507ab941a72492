//! One run of `install`, from the first event to the last.

use std::sync::Arc;
use std::sync::mpsc::Receiver;
use std::time::Duration;

use spack_wasm_build::{Cancellation, Installer, Plan, PlanError, Report};
use spack_wasm_machine::Machine;
use spack_wasm_monitor::{CancelCause, Emitter, EventKind, Fanout, RunId, Sink};
use spack_wasm_recipe_host::Catalog;
use spack_wasm_source::Fetcher;
use spack_wasm_spec::{AbstractSpec, Dag};
use tokio::runtime::Runtime;

use super::interrupt::{self, Interruption};
use super::{options, outcome, sinks};
use crate::args::{self, Format, InstallArgs};
use crate::commands::solving::concretize;
use crate::error::{CommandError, ErrorKind};
use crate::failed_logs;
use crate::json::{Outcome, planned};
use crate::monitoring::{self, Reports, Target};
use crate::selection::by_hash;
use crate::session::{PROGRAM, Session};
use crate::terminal::announced;
use crate::text::Text;

/// How long a question waits for the plan to be shown.
const PATIENCE: Duration = Duration::from_secs(2);

/// A run whose first event is out; [`Run::finish`] sends the last.
pub(super) struct Run<'a> {
    session: &'a Session,
    args: &'a InstallArgs,
    runtime: &'a Runtime,
    machine: Machine,
    fanout: Fanout,
    emitter: Emitter,
    reports: Option<Reports>,
    cancellation: Cancellation,
    interruption: Interruption,
    /// Told once the user can read the plan.
    plan_shown: Receiver<()>,
    /// What is printed when the sink for the user has ended.
    last_words: Text,
}

/// What was decided before anything is built.
struct Prepared {
    catalog: Catalog,
    dag: Arc<Dag>,
}

impl<'a> Run<'a> {
    /// Starts the sinks, and sends the first event.
    ///
    /// # Errors
    /// A sink can't be started.
    pub(super) fn start(
        session: &'a Session,
        args: &'a InstallArgs,
        target: Target,
        runtime: &'a Runtime,
    ) -> Result<Self, CommandError> {
        let machine = session.machine();
        let no_thread = |error| CommandError::caused("the program can't start its threads", &error);
        let monitor = monitoring::sink(session, &args.monitor, target, &machine, runtime.handle())?;
        let (sink, reports) = monitor.map(|monitor| (monitor.sink, monitor.reports)).unzip();
        let (user, plan_shown) = announced(sinks::of_user(session).map_err(no_thread)?);
        let user: Box<dyn Sink> = Box::new(user);
        let sinks = std::iter::once(user).chain(sink).collect();
        let fanout = Fanout::start(RunId::random(), sinks).map_err(no_thread)?;
        let emitter = fanout.emitter();
        emitter.emit(started(&machine));
        let cancellation = Cancellation::new();
        let interruption = interrupt::watch(runtime, &cancellation, &emitter)
            .map_err(|error| CommandError::caused("signals can't be caught", &error))?;
        let last_words = Text::new();
        Ok(Self {
            session,
            args,
            runtime,
            machine,
            fanout,
            emitter,
            reports,
            cancellation,
            interruption,
            plan_shown,
            last_words,
        })
    }

    /// Does what the user asked for. Whatever ends it is an event.
    ///
    /// # Errors
    /// There is no solution, or a build failed.
    pub(super) fn attempt(&mut self) -> Result<(), CommandError> {
        let Prepared { catalog, dag } = self.prepare()?;
        let options = options::build(self.session, self.args, &dag, self.machine.cpu_count);
        if self.args.dry_run {
            // Nothing is made, not even a store.
            let plan = Plan::new(self.session.store_for_reading()?.as_ref(), &dag, &options);
            let plan = plan.map_err(|error| no_plan(&error))?;
            self.show(&plan);
            self.interruption.error().map_or(Ok(()), Err)?;
            let is_json = self.session.format == Format::Json;
            return if is_json { self.session.ui.print_json(&planned(&plan, &dag)) } else { Ok(()) };
        }
        let fetcher = Fetcher::new(options::fetching(self.session, self.args)?)
            .map_err(|error| CommandError::caused("sources can't be fetched", &error))?;
        let installer = Installer {
            catalog: Arc::new(catalog),
            store: self.session.store()?,
            fetcher: Arc::new(fetcher),
            emitter: self.emitter.clone(),
            machine: self.machine.clone(),
            version: PROGRAM.to_owned(),
            runtime: self.runtime.handle().clone(),
        };
        let plan = installer.plan(&dag, &options).map_err(|error| no_plan(&error))?;
        self.show(&plan);
        self.ask(&plan, &dag)?;
        // Also after a signal that came meanwhile: each planned build gets its end.
        let work = {
            let (dag, plan, cancellation) = (Arc::clone(&dag), plan.clone(), self.cancellation.clone());
            move || installer.install(&dag, &plan, &options, &cancellation)
        };
        let ended = self.drive(work)?;
        let report = ended
            .map_err(|error| self.interruption.error().unwrap_or_else(|| outcome::of_install(&error)))?;
        self.conclude(&report, &dag, &plan)
    }

    /// Tells what will be done.
    fn show(&self, plan: &Plan) {
        self.emitter.emit(EventKind::Plan { steps: plan.steps.clone() });
    }

    /// Concretizes what the user asked for.
    fn prepare(&self) -> Result<Prepared, CommandError> {
        let mut roots = Vec::new();
        let prepared = (|| {
            let mut specs = args::specs(&self.args.specs)?;
            let (catalog, names) = self.session.catalog(&self.args.recipe)?;
            if specs.is_empty() {
                specs.extend(names.into_iter().map(AbstractSpec::named));
            }
            roots = specs.iter().filter_map(|spec| spec.name.clone()).collect();
            let written = specs.iter().map(ToString::to_string).collect();
            self.emitter.emit(EventKind::SolveStarted { specs: written });
            let dag = Arc::new(self.dag(&specs, &catalog)?);
            Ok(Prepared { catalog, dag })
        })();
        let prepared = self.interruption.error().map_or(prepared, Err);
        match &prepared {
            Ok(prepared) => self.emitter.concretized(Arc::clone(&prepared.dag)),
            Err(error) => self.solve_failed(error, roots),
        }
        prepared
    }

    fn dag(&self, specs: &[AbstractSpec], catalog: &Catalog) -> Result<Dag, CommandError> {
        match by_hash(self.session, specs)? {
            Some(_) if self.args.overwrite => {
                let message =
                    "--overwrite builds by today's recipes, and a hash stands for those of its time";
                Err(CommandError::usage(message).hinted("ask by name, version and variants".to_owned()))
            }
            Some(dag) => Ok(dag),
            None => {
                let facts = self.session.facts(&self.machine)?;
                let interrupted = || self.interruption.came();
                Ok(concretize(self.session, specs, catalog, &facts, &interrupted)?.dag)
            }
        }
    }

    fn solve_failed(&self, error: &CommandError, roots: Vec<String>) {
        self.emitter.emit(EventKind::SolveFailed { message: error.message.clone(), roots });
    }

    /// Asks before something is built again that is installed.
    fn ask(&mut self, plan: &Plan, dag: &Dag) -> Result<(), CommandError> {
        let again =
            dag.roots().filter(|root| self.args.overwrite && plan.to_build().any(|hash| *hash == root.hash));
        let again: Vec<String> = again.map(|root| root.name_version()).collect();
        if again.is_empty() || self.args.yes_to_all || self.session.format != Format::Text {
            return Ok(());
        }
        match self.answer(format!("Replace what is installed of {}?", again.join(", "))) {
            Some(false) => Err(CommandError::failure("nothing was installed")),
            Some(true) | None => Ok(()),
        }
    }

    /// The answer to a question, for which nobody waits once a signal came.
    fn answer(&mut self, question: String) -> Option<bool> {
        // Behind the plan; a terminal that hangs is no reason not to ask.
        let _ = self.plan_shown.recv_timeout(PATIENCE);
        let (sender, answer) = tokio::sync::oneshot::channel();
        let ui = self.session.ui;
        // A thread of its own: one that waits for a terminal can't be ended. Where there is none, nobody answers.
        drop(std::thread::Builder::new().spawn(move || sender.send(ui.confirm(&question))));
        self.runtime.block_on(async {
            tokio::select! {
                answer = answer => answer.unwrap_or_default(),
                () = self.interruption.wait() => None,
            }
        })
    }

    /// Waits for the builds, and cancels them when the monitor fails for good.
    fn drive<T: Send + 'static>(
        &mut self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, CommandError> {
        let emitter = self.emitter.clone();
        let (reports, cancellation) = (&mut self.reports, &self.cancellation);
        let ended = self.runtime.block_on(async {
            let mut work = tokio::task::spawn_blocking(work);
            let Some(Reports::Sent(handle)) = reports else { return work.await };
            tokio::select! {
                ended = &mut work => return ended,
                failure = handle.failed() => {
                    let consequence =
                        if failure.ends_run { "the builds are ended" } else { "nothing more is reported" };
                    let message = format!("the monitor failed: {}; {consequence}", failure.reason);
                    emitter.emit(EventKind::Warning { message });
                    if failure.ends_run {
                        cancellation.cancel(CancelCause::Monitor);
                    }
                }
            }
            work.await
        });
        ended.map_err(|error| {
            CommandError::caused("the installation ended unexpectedly (this is a bug)", &error)
        })
    }

    fn conclude(&mut self, report: &Report, dag: &Dag, plan: &Plan) -> Result<(), CommandError> {
        outcome::mark_asked_for(self.session, dag);
        let folder = self.session.paths.failed_logs();
        for failure in &report.failed {
            failed_logs::remember(&folder, dag, failure);
        }
        for installed in &report.installed {
            failed_logs::forget(&folder, &installed.node.hash);
        }
        match self.session.format {
            Format::Json => self.session.ui.print_json(&Outcome::from(report))?,
            Format::Text => self.last_words = outcome::present(report, plan),
            Format::Ndjson => {}
        }
        match self.interruption.error() {
            Some(error) => Err(error),
            None => outcome::of_report(report, &self.cancellation, self.args.show_log_on_error),
        }
    }

    /// Waits for all sinks, sends the last event, and says what became of the reports.
    ///
    /// # Errors
    /// `result` itself, or something was not delivered.
    pub(super) fn finish(mut self, result: Result<(), CommandError>) -> Result<(), CommandError> {
        let last_words = if result.is_ok() { self.last_words } else { Text::new() };
        // What the monitor has to say decides the exit status, which the last event tells the user's sink.
        let saves = matches!(self.reports, Some(Reports::Saved(_)));
        let mut problems = self.fanout.finish_others();
        let unsaved = saves && !problems.is_empty() && !self.args.monitor.keep_going;
        let conclusion = self.reports.map(|reports| self.runtime.block_on(reports.conclude()));
        let conclusion = conclusion.unwrap_or_default();
        let result = match with_delivery(result, conclusion.error.map_or(Ok(()), Err)) {
            Ok(()) if unsaved => Err(not_saved()),
            result => result,
        };
        let exit_status = result.as_ref().err().map_or(0, |error| error.kind.exit_status());
        self.emitter.emit(EventKind::RunEnded { exit_status });
        problems.extend(self.fanout.finish());
        for problem in problems {
            self.session.ui.warn(&problem.to_string());
        }
        self.session.ui.print(&last_words);
        if let Some(status) = &conclusion.status {
            self.session.ui.status(status);
        }
        if let Some(warning) = &conclusion.warning {
            self.session.ui.warn(warning);
        }
        result
    }
}

/// How the run ended, when it is known what became of its reports.
fn with_delivery(
    result: Result<(), CommandError>,
    delivered: Result<(), CommandError>,
) -> Result<(), CommandError> {
    match (result, delivered) {
        (Ok(()), delivered) => delivered,
        (Err(error), Ok(())) => Err(error),
        // The monitor's failure is why the builds were cancelled: it says more.
        (Err(error), Err(monitor)) if error.kind == ErrorKind::Monitor => Err(monitor),
        (Err(mut error), Err(monitor)) => {
            error.details.append(Text::plain("\n").append(&monitor.text()));
            Err(error)
        }
    }
}

/// What was built is there, and the reports of it are not.
fn not_saved() -> CommandError {
    CommandError::new(
        ErrorKind::Monitor,
        "the packages are installed, and not everything was saved for the monitor",
    )
    .hinted(
        "config:monitor_dir names another folder, --monitor-keep-going says that this does not matter"
            .to_owned(),
    )
}

fn no_plan(error: &PlanError) -> CommandError {
    CommandError::caused("there is no plan", error)
}

/// The first event of a run.
pub(super) fn started(machine: &Machine) -> EventKind {
    EventKind::RunStarted {
        command: std::env::args_os().map(|argument| without_password(&argument.to_string_lossy())).collect(),
        version: PROGRAM.to_owned(),
        host: monitoring::host_facts(machine),
    }
}

/// An argument without the password of an address in it.
fn without_password(argument: &str) -> String {
    let Some((before, rest)) = argument.split_once("://") else { return argument.to_owned() };
    let authority = rest.find('/').unwrap_or(rest.len());
    match rest[..authority].rfind('@') {
        Some(at) => format!("{before}://***{}", &rest[at..]),
        None => argument.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::without_password;

    #[test]
    fn passwords_are_not_recorded() {
        assert_eq!(without_password("mirrors:m:https://me:pw@h/x@y"), "mirrors:m:https://***@h/x@y");
        assert_eq!(without_password("https://h/x@y"), "https://h/x@y");
        assert_eq!(without_password("hdf5@1.10"), "hdf5@1.10");
    }
}
