//! What recipes do with files. Reading, writing and removing go through the standard library; modes and absolute links, which WASI
//! lacks, through the host.

mod copy;
mod edit;
mod search;

use std::path::{Path, PathBuf};

use crate::bindings::spack_wasm::recipe::files::{self, FileError};
use crate::{Build, Failure, Result};

pub use search::{find, find_libraries};

impl Build {
    /// The permission bits of a file.
    ///
    /// # Errors
    /// The path is not below the stage or the prefix, or there is nothing.
    pub fn mode(&self, path: impl AsRef<Path>) -> Result<u32> {
        files::mode(&text(path)).map_err(failure)
    }

    /// Sets the permission bits of a file, for example to `0o644`.
    ///
    /// # Errors
    /// The path is not below the stage or the prefix, there is nothing, or the mode is one that nothing in a prefix may have: set-uid,
    /// set-gid, world-writable.
    pub fn set_mode(&self, path: impl AsRef<Path>, mode: u32) -> Result {
        files::set_mode(&text(path), mode).map_err(failure)
    }

    /// Makes a file executable for everybody.
    ///
    /// # Errors
    /// The path is not below the stage or the prefix, or there is nothing.
    pub fn set_executable(&self, path: impl AsRef<Path>) -> Result {
        self.set_mode(path, 0o755)
    }

    /// Creates a symbolic link.
    ///
    /// # Errors
    /// The target is not in the stage, the prefix or the prefix of a dependency.
    pub fn symlink(&self, target: impl AsRef<Path>, link: impl AsRef<Path>) -> Result {
        files::create_link(&text(target), &text(link)).map_err(failure)
    }

    /// The text of a symbolic link.
    ///
    /// # Errors
    /// The path is not below the stage or the prefix, or is no link.
    pub fn read_link(&self, link: impl AsRef<Path>) -> Result<PathBuf> {
        files::read_link(&text(link)).map(PathBuf::from).map_err(failure)
    }

    /// The path without any link in it.
    ///
    /// # Errors
    /// The path is not below the stage or the prefix, or there is nothing.
    pub fn resolve(&self, path: impl AsRef<Path>) -> Result<PathBuf> {
        files::resolve(&text(path)).map(PathBuf::from).map_err(failure)
    }
}

fn failure(error: FileError) -> Failure {
    match error {
        FileError::NotFound(path) => Failure::new(format!("{path}: there is nothing")),
        FileError::Refused(reason) | FileError::Other(reason) => Failure::new(reason),
    }
}

fn text(path: impl AsRef<Path>) -> String {
    path.as_ref().display().to_string()
}
