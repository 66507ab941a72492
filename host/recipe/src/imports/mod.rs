//! The host side of the contract: one module for each imported interface.

mod build_systems;
mod context;
mod files;
mod machine;
mod report;
pub(crate) mod specs;
mod tools;
mod types;

use wasmtime::component::{HasSelf, Linker};

use crate::state::State;

/// Puts the virtual clock in place of WASI's.
pub(crate) fn add_clock(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    use wasmtime_wasi::p2::bindings::clocks::monotonic_clock::add_to_linker;
    add_to_linker::<State, HasSelf<State>>(linker, |state| state)
}
