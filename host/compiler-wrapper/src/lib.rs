//! What the compiler wrapper knows: its configuration file and how it rewrites a command line.
//!
//! One static program stands in for every compiler of a build. The name under which it is called decides the
//! language ([`Invocation`]), the file `wrapper.conf` in the folder of that name says what to add ([`Config`]), and
//! [`rewrite`] computes the real command. The order of the result follows Spack's wrapper, so that a build finds the
//! same headers and libraries here as there.
//!
//! The crate that prepares a build depends on this library to write the file that the program reads.

mod arguments;
mod config;
mod invocation;
mod paths;
mod rewrite;

pub use config::{Config, ConfigError, Dtags, FlagClass};
pub use invocation::{COMPILER_NAMES, Invocation, Language, Mode, Role, TOOL_NAMES};
pub use rewrite::{RewriteError, path_without, rewrite};

/// Name of the configuration file, looked for in the folder in which the wrapper was called.
pub const CONFIG_FILE: &str = "wrapper.conf";
