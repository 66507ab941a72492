//! The monitor from its events to the wire and the disk.

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
