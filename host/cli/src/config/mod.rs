//! Configuration: built-in defaults, the user's files, `-c` on the command line; what comes later counts more.
//!
//! Files and keys are Spack's. A key that Spack knows and this program does not use is passed over; any other unknown
//! key is an error that names the file, the line and the nearest key.

mod command_line;
mod error;
mod packages;
mod read;
mod requirements;
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
    let mut files = read::FILES.iter();
    let mut scope = files.try_fold(Scope::default(), |scope, file| {
        Ok::<_, ConfigError>(read::file(&paths.config.join(file))?.over(scope))
    })?;
    for setting in command_line {
        scope = command_line::parse(setting)?.over(scope);
    }
    settings::resolve(scope, paths).map_err(|error| blame(error, paths, command_line))
}

/// The error with the option or the file that has the value, in the order in which they count.
fn blame(error: ConfigError, paths: &Paths, command_line: &[String]) -> ConfigError {
    let ConfigError::Value { key, reason } = error else { return error };
    let has_it = |scope: Result<Scope, ConfigError>| match scope.map(|scope| settings::resolve(scope, paths))
    {
        Ok(Err(ConfigError::Value { key: other_key, reason: other })) => other_key == key && other == reason,
        _ => false,
    };
    let option = command_line.iter().rev().find(|setting| has_it(command_line::parse(setting)));
    let file =
        || read::FILES.iter().map(|file| paths.config.join(file)).find(|path| has_it(read::file(path)));
    let place = option
        .map(|setting| format!("-c {setting}"))
        .or_else(|| file().map(|path| format!("{}: {key}", path.display())));
    match place {
        Some(place) => ConfigError::Malformed { place, reason },
        None => ConfigError::Value { key, reason },
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
