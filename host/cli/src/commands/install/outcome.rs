//! How an installation ended.

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
