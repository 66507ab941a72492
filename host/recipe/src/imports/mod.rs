//! The host side of the contract: one module for each imported interface.

mod build_systems;
mod context;
mod files;
mod machine;
mod report;
pub(crate) mod specs;
mod tools;
mod types;
mod wasi_files;

pub use tools::is_variable_name;
use wasmtime::component::{HasSelf, Linker};

use crate::state::State;

/// Takes the place of what WASI's own clock and files do.
pub(crate) fn shadow(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    use wasmtime_wasi::p2::bindings::clocks::monotonic_clock::add_to_linker;
    linker.allow_shadowing(true);
    add_to_linker::<State, HasSelf<State>>(linker, |state| state)?;
    wasi_files::add_to_linker(linker)?;
    linker.allow_shadowing(false);
    Ok(())
}
