use std::path::{Path, PathBuf};

use fs_err as fs;

use crate::{Build, Failure, Result};

impl Build {
    /// Creates a folder and those above it.
    ///
    /// # Errors
    /// The file system refuses.
    pub fn mkdirp(&self, folder: impl AsRef<Path>) -> Result {
        Ok(fs::create_dir_all(folder.as_ref())?)
    }

    /// Copies a file with its mode. Into a folder: under its own name.
    ///
    /// # Errors
    /// There is no such file, or the destination can't be written.
    pub fn install(&self, file: impl AsRef<Path>, destination: impl AsRef<Path>) -> Result {
        let file = file.as_ref();
        let target = target(file, destination.as_ref())?;
        fs::copy(file, &target)?;
        self.set_mode(target, self.mode(file)? & 0o755)
    }

    /// Copies all that is in a folder, with modes and links, into another one, which is created.
    ///
    /// # Errors
    /// There is no such folder, or the destination can't be written.
    pub fn install_tree(&self, folder: impl AsRef<Path>, destination: impl AsRef<Path>) -> Result {
        let (folder, destination) = (folder.as_ref(), destination.as_ref());
        self.mkdirp(destination)?;
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let kind = entry.file_type()?;
            let target = destination.join(entry.file_name());
            if kind.is_symlink() {
                self.symlink(self.read_link(entry.path())?, target)?;
            } else if kind.is_dir() {
                self.install_tree(entry.path(), target)?;
            } else {
                self.install(entry.path(), target)?;
            }
        }
        Ok(())
    }
}

fn target(file: &Path, destination: &Path) -> Result<PathBuf> {
    if !destination.is_dir() {
        return Ok(destination.to_owned());
    }
    let name = file.file_name().ok_or_else(|| Failure::new(format!("{} names no file", file.display())))?;
    Ok(destination.join(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_goes_into_a_folder_under_its_own_name() {
        let folder = std::env::temp_dir();
        assert_eq!(target(Path::new("/src/tool"), &folder).unwrap(), folder.join("tool"));
        let missing = folder.join("spack-wasm-sdk-no-such-file");
        assert_eq!(target(Path::new("/src/tool"), &missing).unwrap(), missing);
        assert!(target(Path::new("/"), &folder).is_err());
    }
}
