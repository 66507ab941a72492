//! How an installation ended.

use serde_json::{Value, json};
use spack_wasm_build::{Cancellation, InstallError, Report};
use spack_wasm_monitor::CancelCause;

use crate::error::{CommandError, ErrorKind};
use crate::render::failure;
use crate::text::chain;

/// Nothing was built at all.
pub(super) fn of_install(error: &InstallError) -> CommandError {
    let kind = match error {
        InstallError::Walls(_) => ErrorKind::Walls,
        _ => ErrorKind::Failure,
    };
    CommandError::new(kind, chain(error))
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

/// What `--format json` prints.
pub(super) fn json(report: &Report) -> Value {
    let installed = |package: &spack_wasm_build::Installed| {
        json!({ "spec": package.node.name_version(), "hash": package.node.hash, "prefix": package.prefix })
    };
    let failed = |failure: &spack_wasm_build::Failure| {
        json!({
            "spec": failure.node.name_version(), "hash": failure.node.hash, "message": failure.message,
            "phase": failure.phase, "refusals": failure.refusals, "hints": failure.hints,
            "log": failure.log, "stage": failure.stage,
        })
    };
    let cancelled = |package: &spack_wasm_build::Cancelled| {
        json!({ "spec": package.node.name_version(), "hash": package.node.hash, "cause": package.cause })
    };
    json!({
        "installed": report.installed.iter().map(installed).collect::<Vec<_>>(),
        "present": report.present.iter().map(installed).collect::<Vec<_>>(),
        "failed": report.failed.iter().map(failed).collect::<Vec<_>>(),
        "cancelled": report.cancelled.iter().map(cancelled).collect::<Vec<_>>(),
    })
}
