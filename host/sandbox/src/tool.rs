//! Programs that travel inside the host's binary.

use std::io::{Read, Write};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use data_encoding::HEXLOWER;
use fs_err::File;
use fs_err::os::unix::fs::OpenOptionsExt as _;
use sha2::{Digest, Sha256};

use crate::error::ToolError;

/// Readable and executable for everybody, writable for nobody.
const MODE: u32 = 0o555;

/// The sandbox's own helper program.
pub const HELPER: EmbeddedTool = EmbeddedTool {
    name: "spack-wasm-sandbox-helper",
    bytes: include_bytes!(env!("SPACK_WASM_SANDBOX_HELPER")),
};

/// A program that is embedded in the host.
#[derive(Clone, Copy)]
pub struct EmbeddedTool {
    /// First part of the file name that it gets.
    pub name: &'static str,
    /// The whole executable.
    pub bytes: &'static [u8],
}

/// A program on disk that was checked through the descriptor that is held here.
#[derive(Debug)]
pub struct InstalledTool {
    path: PathBuf,
    file: OwnedFd,
    sha256: String,
}

impl EmbeddedTool {
    /// Puts the program into a folder that belongs to us alone, unless it is there already, and checks it.
    ///
    /// The file is named by its hash, so that several versions of the host share the folder. It appears whole or not
    /// at all. The folder is created, and closed to others.
    ///
    /// # Errors
    ///
    /// The folder cannot be written or belongs to somebody else.
    pub fn install(&self, cache_dir: &Path) -> Result<InstalledTool, ToolError> {
        self.prepare_cache(cache_dir)?;
        let sha256 = HEXLOWER.encode(&Sha256::digest(self.bytes));
        let path = cache_dir.join(format!("{}-{sha256}", self.name));
        if let Some(Ok(file)) = self.check(&path) {
            return Ok(InstalledTool { path, file, sha256 });
        }
        self.write(cache_dir, &path).map_err(|source| self.error(source))?;
        match self.check(&path) {
            Some(Ok(file)) => Ok(InstalledTool { path, file, sha256 }),
            Some(Err(what)) => Err(ToolError::Changed { path, what }),
            None => Err(ToolError::Changed { path, what: "cannot be opened" }),
        }
    }

    fn prepare_cache(&self, cache_dir: &Path) -> Result<(), ToolError> {
        fs_err::create_dir_all(cache_dir).map_err(|source| self.error(source))?;
        let metadata = fs_err::metadata(cache_dir).map_err(|source| self.error(source))?;
        let user = rustix::process::geteuid().as_raw();
        if metadata.uid() != user {
            return Err(ToolError::Owner { path: cache_dir.to_path_buf(), owner: metadata.uid(), user });
        }
        if metadata.mode() & 0o7777 != 0o700 {
            let closed = std::fs::Permissions::from_mode(0o700);
            fs_err::set_permissions(cache_dir, closed).map_err(|source| self.error(source))?;
        }
        Ok(())
    }

    fn write(&self, cache_dir: &Path, path: &Path) -> std::io::Result<()> {
        let mut file = tempfile::Builder::new().prefix(".new-").tempfile_in(cache_dir)?;
        file.write_all(self.bytes)?;
        file.as_file().set_permissions(std::fs::Permissions::from_mode(MODE))?;
        file.persist(path)?;
        Ok(())
    }

    /// `None` when there is no such file; an error when it is not what we would have written.
    fn check(&self, path: &Path) -> Option<Result<OwnedFd, &'static str>> {
        let mut options = fs_err::OpenOptions::new();
        options.read(true).custom_flags(libc::O_NOFOLLOW | libc::O_CLOEXEC);
        let file = options.open(path).ok()?;
        Some(self.check_open(file))
    }

    fn check_open(&self, mut file: File) -> Result<OwnedFd, &'static str> {
        let metadata = file.metadata().map_err(|_| "cannot be read")?;
        if !metadata.is_file() || metadata.uid() != rustix::process::geteuid().as_raw() {
            return Err("is no file of ours");
        }
        if metadata.mode() & 0o7777 != MODE {
            return Err("has another mode");
        }
        if metadata.len() != self.bytes.len() as u64 {
            return Err("has another size");
        }
        let mut content = Vec::with_capacity(self.bytes.len());
        file.read_to_end(&mut content).map_err(|_| "cannot be read")?;
        if content != self.bytes {
            return Err("has another content");
        }
        Ok(file.into_file().into())
    }

    fn error(&self, source: std::io::Error) -> ToolError {
        ToolError::Cache { name: self.name, source }
    }
}

impl std::fmt::Debug for EmbeddedTool {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "EmbeddedTool({}, {} bytes)", self.name, self.bytes.len())
    }
}

impl InstalledTool {
    /// Where it is, for binding it into a sandbox.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The program's sha256 in lower case hexadecimal.
    pub fn sha256(&self) -> &str {
        &self.sha256
    }

    /// A path to the very file that was checked, valid while this value lives, in this process and in one that it is
    /// just becoming.
    pub fn executable(&self) -> PathBuf {
        PathBuf::from(format!("/proc/self/fd/{}", self.file.as_raw_fd()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOOL: EmbeddedTool = EmbeddedTool { name: "tool", bytes: b"#!/bin/sh\nexit 7\n" };

    fn mode(path: &Path) -> u32 {
        fs_err::metadata(path).unwrap().mode() & 0o7777
    }

    #[test]
    fn installed_once_and_closed_to_others() {
        let folder = tempfile::tempdir().unwrap();
        let cache = folder.path().join("a/tools");
        let tool = TOOL.install(&cache).unwrap();
        let inode = fs_err::metadata(tool.path()).unwrap().ino();
        assert_eq!((mode(&cache), mode(tool.path())), (0o700, MODE));
        let again = TOOL.install(&cache).unwrap();
        assert_eq!(fs_err::metadata(again.path()).unwrap().ino(), inode);
        assert_eq!(fs_err::read_dir(&cache).unwrap().count(), 1);
    }

    #[test]
    fn a_file_that_was_tampered_with_is_replaced() {
        let cache = tempfile::tempdir().unwrap();
        let path = TOOL.install(cache.path()).unwrap().path().to_path_buf();
        fs_err::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        fs_err::write(&path, b"#!/bin/sh\nexit 8\n").unwrap();
        fs_err::set_permissions(&path, std::fs::Permissions::from_mode(MODE)).unwrap();
        TOOL.install(cache.path()).unwrap();
        assert_eq!(fs_err::read(&path).unwrap(), TOOL.bytes);
    }

    #[test]
    fn a_link_in_place_of_the_program_is_replaced() {
        let cache = tempfile::tempdir().unwrap();
        let path = TOOL.install(cache.path()).unwrap().path().to_path_buf();
        fs_err::remove_file(&path).unwrap();
        fs_err::os::unix::fs::symlink("/bin/true", &path).unwrap();
        TOOL.install(cache.path()).unwrap();
        assert!(fs_err::symlink_metadata(&path).unwrap().is_file());
    }

    #[test]
    fn a_folder_of_somebody_else_is_refused() {
        let folder = if rustix::process::geteuid().is_root() {
            let folder = tempfile::tempdir().unwrap();
            fs_err::os::unix::fs::chown(folder.path(), Some(4711), None).unwrap();
            Some(folder)
        } else {
            None
        };
        let path = folder.as_ref().map_or(Path::new("/"), |folder| folder.path());
        assert!(matches!(TOOL.install(path), Err(ToolError::Owner { .. })));
    }
}
