//! Where the events of an installation go.

use std::io;

use spack_wasm_monitor::{NdjsonSink, Sink};

use crate::args::Format;
use crate::session::Session;
use crate::terminal::{LiveSink, PlainSink};

/// The sink for the user: rows on a terminal, lines elsewhere, or events as they are.
///
/// # Errors
/// The system gives no thread.
pub(super) fn of_user(session: &Session) -> io::Result<Box<dyn Sink>> {
    match session.format {
        Format::Ndjson => Ok(ndjson()),
        Format::Json => Ok(Box::new(PlainSink::new(session.ui.stderr()))),
        Format::Text if session.ui.stdout_is_terminal() && !session.environment.terminal_is_dumb => {
            Ok(Box::new(LiveSink::start(io::stdout(), session.ui.stdout_has_colors())?))
        }
        Format::Text => Ok(Box::new(PlainSink::new(session.ui.stdout()))),
    }
}

/// The events as they are.
pub(super) fn ndjson() -> Box<dyn Sink> {
    Box::new(NdjsonSink::new("the standard output", io::stdout()))
}
