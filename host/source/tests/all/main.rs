//! Tests of the room from outside, in one program.

#![expect(clippy::unwrap_used, clippy::print_stderr, reason = "tests, helpers included, fail by panicking")]

mod apt;
mod archives;
mod fetch_faults;
mod fetch_order;
mod fetching;
mod patch;
mod server;
mod stage;
mod unpack_attacks;
mod unpack_good;
