//! `logs`: the log of a build.

use std::path::PathBuf;

use spack_wasm_spec::AbstractSpec;

use crate::args::{Format, LogsArgs, one_spec};
use crate::error::CommandError;
use crate::failed_logs;
use crate::render::failure::read_log;
use crate::selection::{self, ambiguous, matching};
use crate::session::Session;

pub(super) fn run(session: &Session, args: &LogsArgs) -> Result<(), CommandError> {
    session.expect_format(&[Format::Text])?;
    let path = find(session, &one_spec(&args.spec)?)?;
    let unreadable = |error| CommandError::caused("the log can't be read", &error);
    if session.ui.stdout_is_terminal() {
        session.ui.print(&read_log(&path).map_err(unreadable)?);
    } else {
        session.ui.print_bytes(&fs_err::read(&path).map_err(unreadable)?);
    }
    Ok(())
}

/// The log of the newest failed build, or else of the installed package.
fn find(session: &Session, spec: &AbstractSpec) -> Result<PathBuf, CommandError> {
    if let Some(path) = failed_logs::find(&session.paths.failed_logs(), spec) {
        return Ok(path);
    }
    let store = session.store_for_reading()?;
    let found = store.as_ref().map_or(Ok(Vec::new()), |store| matching(store, spec))?;
    match found.as_slice() {
        [only] => Ok(only.installed.log_path()),
        [] => Err(selection::none(spec)),
        several => Err(ambiguous(spec, several)),
    }
}
