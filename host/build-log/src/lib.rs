//! Build logs: the first real error and its context.
//!
//! [`first_error`] finds the line by which a person would explain a failed build, and [`lossy_utf8_lines`] and
//! [`strip_escapes`] make text of what tools wrote. Pure functions of the log; nothing is read or run.

mod exceptions;
mod finding;
mod rules;
mod search;
mod text;

pub use finding::{Finding, Kind};
pub use search::first_error;
pub use text::{LOST_LINE, lossy_utf8_lines, strip_escapes};
