//! The end of a run in which builds failed.

use std::io;
use std::path::Path;

use spack_wasm_build::{Failure, Report};
use spack_wasm_build_log::{lossy_utf8_lines, strip_escapes};

use crate::error::CommandError;
use crate::text::{BOLD, HINT, Text, counted, listed};

/// The error that a run with failed builds ends with: for each of them what, where, why and what next.
pub(crate) fn error(report: &Report, with_logs: bool) -> Option<CommandError> {
    let mut error = match report.failed.as_slice() {
        [] => return None,
        [only] => of_one(only, with_logs),
        several => {
            let mut error = CommandError::failure(counted(several.len(), "build") + " failed");
            for failure in several {
                error.details.push("\n").append(&of_one(failure, with_logs).text());
            }
            error
        }
    };
    cancelled(&mut error.details, report);
    Some(error)
}

fn of_one(failure: &Failure, with_log: bool) -> CommandError {
    let mut error = CommandError::failure(title(failure));
    error.details = details(failure, with_log);
    error.hints.clone_from(&failure.hints);
    if failure.log.is_some() && !with_log {
        error.hints.push(format!("`spack-wasm logs /{}` shows the whole log", failure.node.hash.short()));
    }
    error
}

fn title(failure: &Failure) -> String {
    let phase = failure.phase.as_ref().map(|phase| format!(" in phase '{phase}'")).unwrap_or_default();
    format!(
        "{}/{} failed{phase}: {}",
        failure.node.name_version(),
        failure.node.hash.short(),
        failure.message
    )
}

fn details(failure: &Failure, with_log: bool) -> Text {
    let mut text = Text::new();
    if let Some(finding) = &failure.finding {
        text.push("\n").styled(BOLD, "The first error in the log:").push("\n").push(&finding.to_string());
        if let Some(more) = finding.further_reading() {
            text.push(&format!("  More may be in {more} in the build folder.\n"));
        }
    }
    if !failure.last_lines.is_empty() {
        text.push("\n").styled(BOLD, "The last lines of the phase:").push("\n");
        for line in &failure.last_lines {
            text.push(&format!("     {line}\n"));
        }
    }
    for refusal in &failure.refusals {
        text.push("\n").styled(BOLD, "Sandbox:").push(&format!(" {refusal}\n"));
    }
    if let Some(log) = failure.log.as_deref().filter(|_| with_log) {
        whole_log(&mut text, log);
    }
    if failure.log.is_some() || failure.stage.is_some() {
        text.push("\n");
    }
    for (what, path) in [("Log:  ", &failure.log), ("Stage:", &failure.stage)] {
        if let Some(path) = path {
            text.styled(BOLD, what).push(" ").styled(HINT, &path.display().to_string()).push("\n");
        }
    }
    text
}

fn whole_log(text: &mut Text, log: &Path) {
    text.push("\n").styled(BOLD, "The log:").push("\n");
    match read_log(log) {
        Ok(log) => text.append(&log),
        Err(error) => text.push(&format!("  it can't be read: {error}\n")),
    };
}

/// A build's log as text for a terminal.
///
/// # Errors
/// The file can't be read.
pub(crate) fn read_log(path: &Path) -> io::Result<Text> {
    let bytes = fs_err::read(path)?;
    let log = lossy_utf8_lines(&bytes);
    let mut text = Text::new();
    for line in log.split_inclusive('\n') {
        text.push(&strip_escapes(line)).push(if line.ends_with('\n') { "\n" } else { "" });
    }
    Ok(text)
}

fn cancelled(text: &mut Text, report: &Report) {
    if report.cancelled.is_empty() {
        return;
    }
    let names: Vec<String> = report.cancelled.iter().map(|cancelled| cancelled.node.name_version()).collect();
    let count = counted(names.len(), "package");
    let were = if names.len() == 1 { "was" } else { "were" };
    text.push(&format!("\n{count} {were} not built: {}\n", listed(&names)));
}
