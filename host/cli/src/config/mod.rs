//! Configuration: built-in defaults, the user's files, `-c` on the command line; what comes later counts more.
//!
//! Files and keys are Spack's. A key that Spack knows and this program does not use is passed over; any other unknown
//! key is an error that names the file, the line and the nearest key.

mod command_line;
mod error;
mod packages;
mod read;
mod sections;
mod settings;
mod sources;
mod variables;

pub(crate) use error::ConfigError;
pub(crate) use sections::Repositories;
pub(crate) use settings::Settings;
pub(crate) use variables::Variables;

use sections::Scope;

use crate::paths::Paths;

/// Reads all scopes and puts them together.
///
/// # Errors
/// A file can't be read, or something in it or in `-c` is wrong.
pub(crate) fn load(paths: &Paths, command_line: &[String]) -> Result<Settings, ConfigError> {
    let mut scope = read::user_scope(&paths.config)?;
    for setting in command_line {
        scope = command_line::parse(setting)?.over(scope);
    }
    settings::resolve(scope, paths)
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
