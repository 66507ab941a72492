//! The terminal as a sink of events.
//!
//! [`Progress`] turns events into lines that stay and rows that change; [`PlainSink`] prints the lines, [`LiveSink`] keeps
//! the rows below them.

mod announced;
mod live;
mod plain;
mod progress;
mod row;
mod screen;

pub(crate) use announced::announced;
pub(crate) use live::LiveSink;
pub(crate) use plain::PlainSink;
pub(crate) use progress::Progress;

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
