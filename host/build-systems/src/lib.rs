//! What autotools, CMake, plain make and compilers are told: plans and flags as pure functions.
//!
//! The host offers these functions to recipes as the interface `build-systems` of the contract, so that the logic exists
//! once for every guest language. Nothing here runs anything: a plan is data that a recipe may edit before it runs it.

mod autotools;
mod cmake;
mod compiler_flag;
mod implied;
mod make;
mod plan;
mod setting;

pub use autotools::Autotools;
pub use cmake::CMake;
pub use compiler_flag::{NoFlag, compiler_flag};
pub use implied::{Implied, ImpliedDependency, ImpliedVariant, implied_by};
pub use make::Makefile;
pub use plan::{PlannedCommand, UnknownPhase};
pub use setting::Setting;
