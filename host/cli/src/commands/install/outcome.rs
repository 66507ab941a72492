//! How an installation ended.

use spack_wasm_build::{Cancellation, InstallError, Plan, Report, chain};
use spack_wasm_monitor::{CancelCause, PlanAction};
use spack_wasm_spec::{Dag, DagHash};

use crate::error::{CommandError, ErrorKind};
use crate::render::failure;
use crate::session::Session;
use crate::text::{GOOD, HINT, Text};

/// Nothing was built at all.
pub(super) fn of_install(error: &InstallError) -> CommandError {
    let kind = match error {
        InstallError::Walls(_) => ErrorKind::Walls,
        _ => ErrorKind::Failure,
    };
    CommandError::new(kind, chain(error)).hinted(error.hint().map(str::to_owned))
}

/// What was asked for and was there before: a line each, as for what was built.
pub(super) fn present(report: &Report, plan: &Plan, dag: &Dag) -> Text {
    let found = |hash: &DagHash| {
        plan.steps.iter().any(|step| step.hash == *hash && step.action == PlanAction::Installed)
    };
    let is_root = |hash: &DagHash| dag.roots().any(|root| root.hash == *hash);
    let present = report.present.iter().map(|package| (package, &package.node.hash));
    let asked = present.filter(|(_, hash)| is_root(hash) && found(hash)).map(|(package, _)| package);
    let mut text = Text::new();
    for package in asked {
        text.styled(GOOD, "[+]").push(" ").styled(HINT, &package.prefix.display().to_string()).push("\n");
    }
    text
}

/// Marks what the user asked for and what was there before, perhaps only because something else needs it. Where that
/// can't be written, nothing is lost but the mark.
pub(super) fn mark_asked_for(session: &Session, dag: &Dag) {
    let mark = || {
        let store = session.store()?;
        for root in dag.roots() {
            if store.get(&root.hash)?.is_some_and(|installed| !installed.explicit) {
                store.mark_explicit(&root.hash, true)?;
            }
        }
        Ok::<_, CommandError>(())
    };
    if let Err(error) = mark() {
        session.ui.warn(&format!("what you asked for is not marked so: {}", error.message));
    }
}

/// The builds have ended, one way or another.
///
/// # Errors
/// A build failed or was cancelled.
pub(super) fn of_report(
    report: &Report,
    cancellation: &Cancellation,
    with_logs: bool,
) -> Result<(), CommandError> {
    if let Some(error) = failure::error(report, with_logs) {
        return Err(error);
    }
    if report.cancelled.is_empty() {
        return Ok(());
    }
    Err(match cancellation.cause() {
        Some(CancelCause::Monitor) => CommandError::new(ErrorKind::Monitor, "the monitor failed"),
        _ => CommandError::failure("the installation was cancelled"),
    })
}
