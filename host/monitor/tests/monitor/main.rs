//! The monitor from its events to the wire and the disk.
#![expect(clippy::unwrap_used, reason = "a test ends at what it did not expect")]

mod faults;
mod install;
mod offline;
mod packages;
mod replay;
mod run;
mod server;
mod sinks;
mod spec;
mod upload;
