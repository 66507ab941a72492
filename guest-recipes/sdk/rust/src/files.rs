use std::path::Path;

use crate::bindings::spack_wasm::recipe::files::{self, FileError};
use crate::{Build, Failure, Result};

/// Files that WASI can't handle: modes and absolute links.
impl Build {
    /// Makes a file executable for everybody.
    ///
    /// # Errors
    /// The path is not below the stage or the prefix, or there is nothing.
    pub fn set_executable(&self, path: impl AsRef<Path>) -> Result {
        files::set_mode(&path.as_ref().display().to_string(), 0o755).map_err(failure)
    }

    /// Creates a symbolic link.
    ///
    /// # Errors
    /// The target is not in the stage, the prefix or the prefix of a dependency.
    pub fn symlink(&self, target: impl AsRef<Path>, link: impl AsRef<Path>) -> Result {
        files::create_link(&target.as_ref().display().to_string(), &link.as_ref().display().to_string())
            .map_err(failure)
    }
}

fn failure(error: FileError) -> Failure {
    match error {
        FileError::NotFound(path) => Failure::new(format!("{path}: there is nothing")),
        FileError::Refused(reason) | FileError::Other(reason) => Failure::new(reason),
    }
}
