//! `install`: builds packages and installs them.

mod interrupt;
mod options;
mod outcome;
mod run;
mod sinks;

use spack_wasm_machine::{Inputs, Machine};
use spack_wasm_monitor::{EventKind, Fanout, RunId};

use super::MonitorCredentials;
use crate::args::{Format, InstallArgs, MonitorArgs};
use crate::error::CommandError;
use crate::monitoring;
use crate::runtime;
use crate::session::Session;

use run::Run;

pub(super) fn run(
    session: &Session,
    args: &InstallArgs,
    credentials: MonitorCredentials,
) -> Result<(), CommandError> {
    session.expect_format(&[Format::Text, Format::Json, Format::Ndjson])?;
    warn(session, args);
    let runtime = runtime::new()?;
    // A plan that is only shown is not reported.
    let monitor = if args.dry_run { MonitorArgs::default() } else { args.monitor.clone() };
    let target = runtime.block_on(monitoring::target(session, &monitor, credentials));
    let run = target.and_then(|target| Run::start(session, args, target, &runtime));
    let mut run = run.inspect_err(|error| not_started(session.format, error))?;
    let result = run.attempt();
    let result = run.finish(result);
    // A look-up of a name that hangs is not waited for.
    runtime.shutdown_background();
    result
}

/// Also a run that can't start is reported to whoever reads events.
pub(super) fn not_started(format: Format, error: &CommandError) {
    if format == Format::Ndjson {
        // Where there is not even a thread to be had, the error on the terminal has to do.
        if let Ok(fanout) = Fanout::start(RunId::random(), vec![sinks::ndjson()]) {
            let emitter = fanout.emitter();
            emitter.emit(run::started(&Machine::detect(&Inputs::default())));
            emitter.emit(EventKind::RunFailed { message: error.message.clone() });
            emitter.emit(EventKind::RunEnded { exit_status: error.kind.exit_status() });
            fanout.finish();
        }
    }
}

/// Says what options do that lower a wall, or nothing.
fn warn(session: &Session, args: &InstallArgs) {
    if args.monitor.is_without_effect() {
        session.ui.warn("the options of the monitor mean nothing without --monitor");
    }
    for warning in options::lowered_walls(&options::sandbox(session, &args.sandbox)) {
        session.ui.warn(&warning);
    }
}
