//! One run of `install`, from the first event to the last.

use std::sync::Arc;
use std::sync::mpsc::Receiver;
use std::time::Duration;

use spack_wasm_build::{Cancellation, InstallOptions, Installer, Plan, PlanError, Report};
use spack_wasm_machine::Machine;
use spack_wasm_monitor::{BuildEnd, CancelCause, DEFAULT_HOST, Emitter, EventKind, Fanout, RunId, Sink};
use spack_wasm_recipe_host::Catalog;
use spack_wasm_solve::Facts;
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

/// What the user asked for, and what it is concretized by.
struct Asked {
    catalog: Catalog,
    specs: Vec<AbstractSpec>,
    facts: Facts,
}

/// What was decided before the store is opened.
struct Prepared {
    catalog: Catalog,
    dag: Arc<Dag>,
    options: InstallOptions,
}

/// All that the builds need.
struct Ready {
    installer: Installer,
    dag: Arc<Dag>,
    options: InstallOptions,
    plan: Plan,
}

impl Ready {
    /// The roots that are installed and will be built again.
    fn again(&self, overwrite: bool) -> Result<Vec<String>, CommandError> {
        let mut again = Vec::new();
        for root in
            self.dag.roots().filter(|root| overwrite && self.plan.to_build().any(|hash| *hash == root.hash))
        {
            if self.installer.store.installed(&root.hash)? {
                again.push(root.name_version());
            }
        }
        Ok(again)
    }
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
    /// There is no solution, nothing can be built, or a build failed.
    pub(super) fn attempt(&mut self) -> Result<(), CommandError> {
        let prepared = self.prepare()?;
        if self.args.dry_run {
            return self.told(self.show_only(&prepared));
        }
        let ready = self.told(self.ready(prepared))?;
        let again = self.told(ready.again(self.args.overwrite))?;
        let declined = BuildEnd::Cancelled(CancelCause::Declined);
        self.ask(&again).inspect_err(|_| ready.installer.end_all(&ready.plan, &declined))?;
        // Also after a signal that came meanwhile: each planned build gets its end.
        let (dag, plan) = (Arc::clone(&ready.dag), ready.plan.clone());
        let report = self.build(ready);
        let report = self.told(report)?;
        self.conclude(&report, &dag, &plan)
    }

    /// Whatever ends a run without an event of its own is one all the same.
    fn told<T>(&self, result: Result<T, CommandError>) -> Result<T, CommandError> {
        result.inspect_err(|error| {
            self.emitter.emit(EventKind::RunFailed { message: error.message.trim_end().to_owned() });
        })
    }

    /// Shows what would be done. Nothing is made, not even a store.
    fn show_only(&self, prepared: &Prepared) -> Result<(), CommandError> {
        let Prepared { dag, options, .. } = prepared;
        let plan = Plan::new(self.session.store_for_reading()?.as_ref(), dag, options);
        let plan = plan.map_err(|error| no_plan(&error))?;
        self.show(&plan);
        self.interruption.error().map_or(Ok(()), Err)?;
        let is_json = self.session.format == Format::Json;
        if is_json { self.session.ui.print_json(&planned(&plan, dag)) } else { Ok(()) }
    }

    /// Opens the store, and plans.
    fn ready(&self, prepared: Prepared) -> Result<Ready, CommandError> {
        let Prepared { catalog, dag, options } = prepared;
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
        Ok(Ready { installer, dag, options, plan })
    }

    /// Tells what will be done.
    fn show(&self, plan: &Plan) {
        self.emitter.emit(EventKind::Plan { steps: plan.steps.clone() });
    }

    /// Concretizes what the user asked for.
    fn prepare(&self) -> Result<Prepared, CommandError> {
        let Asked { catalog, specs, facts } = self.told(self.asked())?;
        let written = specs.iter().map(ToString::to_string).collect();
        self.emitter.emit(EventKind::SolveStarted { specs: written });
        let solved = self.dag(&specs, &catalog, &facts);
        let solved = self.interruption.error().map_or(solved, Err);
        let dag = Arc::new(solved.inspect_err(|error| {
            let roots = specs.iter().filter_map(|spec| spec.name.clone()).collect();
            self.emitter.emit(EventKind::SolveFailed { message: error.message.clone(), roots });
        })?);
        self.emitter.concretized(Arc::clone(&dag));
        let options = options::build(self.session, self.args, &dag, self.machine.cpu_count);
        Ok(Prepared { catalog, dag, options })
    }

    /// Reads what the user asked for, and what the concretizer has to know.
    fn asked(&self) -> Result<Asked, CommandError> {
        let mut specs = args::specs(&self.args.specs)?;
        let (catalog, names) = self.session.catalog(&self.args.recipe)?;
        if specs.is_empty() {
            specs.extend(names.into_iter().map(AbstractSpec::named));
        }
        let facts = self.session.facts(&self.machine)?;
        Ok(Asked { catalog, specs, facts })
    }

    fn dag(&self, specs: &[AbstractSpec], catalog: &Catalog, facts: &Facts) -> Result<Dag, CommandError> {
        match by_hash(self.session, specs)? {
            Some(_) if self.args.overwrite => {
                let message =
                    "--overwrite builds by today's recipes, and a hash stands for those of its time";
                Err(CommandError::usage(message).hinted("ask by name, version and variants".to_owned()))
            }
            Some(dag) => Ok(dag),
            None => {
                let interrupted = || self.interruption.came();
                Ok(concretize(self.session, specs, catalog, facts, &interrupted)?.dag)
            }
        }
    }

    /// Asks before something is built again that is installed.
    fn ask(&mut self, again: &[String]) -> Result<(), CommandError> {
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

    /// Runs the builds to their ends.
    fn build(&mut self, ready: Ready) -> Result<Report, CommandError> {
        let cancellation = self.cancellation.clone();
        let ended = self.drive(move || {
            let Ready { installer, dag, options, plan } = ready;
            installer.install(&dag, &plan, &options, &cancellation)
        })?;
        ended.map_err(|error| self.interruption.error().unwrap_or_else(|| outcome::of_install(&error)))
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
            Format::Text => self.last_words = outcome::present(report, plan, dag),
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
        let waiting = self.reports.as_ref().and_then(Reports::drain).map(|drain| {
            self.interruption.ends(drain.clone());
            let host = self.args.monitor.host.clone().unwrap_or_else(|| DEFAULT_HOST.to_owned());
            self.runtime.spawn(monitoring::tell_of(drain, host, self.emitter.clone()))
        });
        let mut problems = self.fanout.finish_others();
        if let Some(waiting) = waiting {
            waiting.abort();
        }
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
