//! One run of `install`, from the first event to the last.

use std::sync::Arc;

use spack_wasm_build::{Cancellation, Installer, Plan, Report};
use spack_wasm_machine::Machine;
use spack_wasm_monitor::{CancelCause, Emitter, EventKind, Fanout, RunId};
use spack_wasm_recipe_host::Catalog;
use spack_wasm_source::Fetcher;
use spack_wasm_spec::{AbstractSpec, Dag};
use tokio::runtime::Runtime;

use super::interrupt::{self, Interruption};
use super::{options, outcome, sinks};
use crate::args::{Format, InstallArgs};
use crate::commands::solving::concretize;
use crate::error::{CommandError, ErrorKind};
use crate::failed_logs;
use crate::json::Outcome;
use crate::monitoring::{self, Reports, Target};
use crate::session::{PROGRAM, Session};
use crate::text::Text;

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
        let sinks = [Some(sinks::of_user(session).map_err(no_thread)?), sink].into_iter().flatten().collect();
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
        let plan = installer
            .plan(&dag, &options)
            .map_err(|error| CommandError::caused("there is no plan", &error))?;
        self.emitter.emit(EventKind::Plan { steps: plan.steps.clone() });
        if self.args.dry_run {
            return Ok(());
        }
        self.ask(&plan, &dag)?;
        // Also after a signal that came while the concretizer ran: each planned build gets its end.
        let work = {
            let (dag, plan, cancellation) = (Arc::clone(&dag), plan.clone(), self.cancellation.clone());
            move || installer.install(&dag, &plan, &options, &cancellation)
        };
        let ended = self.drive(work)?;
        let report = ended
            .map_err(|error| self.interruption.error().unwrap_or_else(|| outcome::of_install(&error)))?;
        self.conclude(&report, &dag, &plan)
    }

    /// Concretizes what the user asked for.
    fn prepare(&self) -> Result<Prepared, CommandError> {
        let text = self.args.specs.join(" ");
        let mut roots = Vec::new();
        let prepared = (|| {
            let mut specs = AbstractSpec::parse_all(&text)?;
            let (catalog, names) = self.session.catalog(&self.args.recipe)?;
            if specs.is_empty() {
                specs.extend(names.into_iter().map(AbstractSpec::named));
            }
            roots = specs.iter().filter_map(|spec| spec.name.clone()).collect();
            let written = specs.iter().map(ToString::to_string).collect();
            self.emitter.emit(EventKind::SolveStarted { specs: written });
            let facts = self.session.facts(&self.machine)?;
            let solution = concretize(self.session, &specs, &catalog, &facts)?;
            Ok(Prepared { catalog, dag: Arc::new(solution.dag) })
        })();
        match &prepared {
            Ok(prepared) => self.emitter.concretized(Arc::clone(&prepared.dag)),
            Err(error) => self.solve_failed(error, roots),
        }
        prepared
    }

    fn solve_failed(&self, error: &CommandError, roots: Vec<String>) {
        self.emitter.emit(EventKind::SolveFailed { message: error.message.clone(), roots });
    }

    /// Asks before something is built again that is installed.
    fn ask(&self, plan: &Plan, dag: &Dag) -> Result<(), CommandError> {
        let again =
            dag.roots().filter(|root| self.args.overwrite && plan.to_build().any(|hash| *hash == root.hash));
        let again: Vec<String> = again.map(|root| root.name_version()).collect();
        if again.is_empty() || self.args.yes_to_all || self.session.format != Format::Text {
            return Ok(());
        }
        match self.session.ui.confirm(&format!("Replace what is installed of {}?", again.join(", "))) {
            Some(false) => Err(CommandError::failure("nothing was installed")),
            Some(true) | None => Ok(()),
        }
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
        let mut problems = self.fanout.finish_others();
        let conclusion = self.reports.map(|reports| self.runtime.block_on(reports.conclude()));
        let conclusion = conclusion.unwrap_or_default();
        let result = with_delivery(result, conclusion.error.map_or(Ok(()), Err));
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
