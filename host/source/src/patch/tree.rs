//! The files of a patch: read beneath a directory handle, changed in memory, written at the end.

use super::error::{Fault, PatchError};
use super::names::{FileName, show};
use cap_std::fs::{Dir, OpenOptions, OpenOptionsExt, Permissions, PermissionsExt};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Largest file that is patched.
const MAX_BYTES: u64 = 256 << 20;
const SUFFIX: &str = ".spack-wasm-patch";

/// See the module.
pub(super) struct Tree {
    folder: Dir,
    changed: BTreeMap<PathBuf, Change>,
}

struct Change {
    name: FileName,
    /// Content and mode; nothing when the file is removed.
    file: Option<(Vec<u8>, u32)>,
}

impl Tree {
    pub(super) fn new(folder: Dir) -> Self {
        Tree { folder, changed: BTreeMap::new() }
    }

    /// Content and mode of a file as the patch has left it so far.
    pub(super) fn read(&self, name: &FileName) -> Result<Option<(Vec<u8>, u32)>, Fault> {
        let path = name.to_path();
        if let Some(change) = self.changed.get(&path) {
            return Ok(change.file.clone());
        }
        let metadata = match self.folder.symlink_metadata(&path) {
            Ok(metadata) => metadata,
            Err(error) if is_absence(&error) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        if !metadata.is_file() || metadata.len() > MAX_BYTES {
            return Err(Fault::NotAFile);
        }
        Ok(Some((self.folder.read(&path)?, metadata.permissions().mode() & 0o777)))
    }

    pub(super) fn put(&mut self, name: &FileName, content: Vec<u8>, mode: u32) {
        self.change(name, Some((content, mode)));
    }

    pub(super) fn remove(&mut self, name: &FileName) {
        self.change(name, None);
    }

    fn change(&mut self, name: &FileName, file: Option<(Vec<u8>, u32)>) {
        self.changed.insert(name.to_path(), Change { name: name.clone(), file });
    }

    /// Writes everything and returns the paths.
    pub(super) fn write(self) -> Result<Vec<PathBuf>, PatchError> {
        for (path, change) in &self.changed {
            let written = match &change.file {
                Some((content, mode)) => write(&self.folder, path, content, *mode),
                None => self.folder.remove_file(path),
            };
            // A file that the patch made and removed again was never there.
            match written {
                Err(error) if change.file.is_none() && is_absence(&error) => {}
                other => other
                    .map_err(|error| PatchError::File { file: show(&change.name), fault: error.into() })?,
            }
        }
        Ok(self.changed.into_keys().collect())
    }
}

fn is_absence(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

/// Writes beside the file and renames, so that it is whole at any time and other names of it keep their content.
fn write(folder: &Dir, path: &Path, content: &[u8], mode: u32) -> io::Result<()> {
    if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        folder.create_dir_all(parent)?;
    }
    let mut beside = OsString::from(path);
    beside.push(SUFFIX);
    let mut options = OpenOptions::new();
    options.write(true).create_new(true).mode(mode);
    let mut file = folder.open_with(&beside, &options)?;
    file.write_all(content)?;
    file.set_permissions(Permissions::from_mode(mode))?;
    folder.rename(&beside, folder, path)
}
