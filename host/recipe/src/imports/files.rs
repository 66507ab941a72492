use std::io;
use std::path::{Component, Path, PathBuf};

use cap_std::fs::{Permissions, PermissionsExt};

use crate::bindings::files::{FileError, Host};
use crate::folders::{Access, Granted};
use crate::state::State;

type Answer<T> = wasmtime::Result<Result<T, FileError>>;

/// Set-uid, set-gid and world-writable.
const REFUSED_BITS: u32 = 0o6002;

/// How many links a path may have in it, as in Linux.
const MOST_LINKS: u32 = 40;

impl Host for State {
    fn mode(&mut self, path: String) -> Answer<u32> {
        Ok(self.locate(&path).and_then(|(folder, below)| {
            let metadata = folder.handle.metadata(&below).map_err(|error| wrap(&path, &error))?;
            Ok(metadata.permissions().mode() & 0o7777)
        }))
    }

    fn set_mode(&mut self, path: String, mode: u32) -> Answer<()> {
        Ok(self.try_set_mode(&path, mode))
    }

    fn create_link(&mut self, target: String, link: String) -> Answer<()> {
        Ok(self.try_create_link(&target, &link))
    }

    fn read_link(&mut self, path: String) -> Answer<String> {
        Ok(self.locate(&path).and_then(|(folder, below)| {
            let target = folder.handle.read_link_contents(&below).map_err(|error| wrap(&path, &error))?;
            Ok(target.display().to_string())
        }))
    }

    fn resolve(&mut self, path: String) -> Answer<String> {
        Ok(self.try_resolve(&path))
    }
}

impl State {
    fn locate(&self, path: &str) -> Result<(&Granted, PathBuf), FileError> {
        self.folders.locate(path).map_err(FileError::Refused)
    }

    fn locate_writable(&self, path: &str) -> Result<(&Granted, PathBuf), FileError> {
        let (folder, below) = self.locate(path)?;
        match folder.access {
            Access::Write => Ok((folder, below)),
            Access::Read => Err(FileError::Refused(format!("{path} is read-only for this recipe"))),
        }
    }

    fn try_set_mode(&self, path: &str, mode: u32) -> Result<(), FileError> {
        let (folder, below) = self.locate_writable(path)?;
        if mode & REFUSED_BITS != 0 || mode > 0o7777 {
            let reason =
                format!("{path}: mode {mode:o} is set-uid, set-gid or world-writable, or no mode at all");
            return Err(FileError::Refused(reason));
        }
        folder
            .handle
            .set_permissions(&below, Permissions::from_mode(mode))
            .map_err(|error| wrap(path, &error))
    }

    fn try_create_link(&self, target: &str, link: &str) -> Result<(), FileError> {
        let (folder, below) = self.locate_writable(link)?;
        let goal = join(Path::new(link).parent().unwrap_or(Path::new("/")), Path::new(target));
        self.folders.locate(&goal.display().to_string()).map_err(|reason| {
            FileError::Refused(format!("a link from {link} to {target} is not allowed: {reason}"))
        })?;
        folder.handle.symlink_contents(target, &below).map_err(|error| wrap(link, &error))
    }

    /// Follows links one at a time, each beneath a folder of the recipe's.
    fn try_resolve(&self, path: &str) -> Result<String, FileError> {
        let (mut resolved, mut links) = (PathBuf::from("/"), 0);
        let mut rest: Vec<_> = components(Path::new(path));
        while let Some(name) = rest.pop() {
            let next = resolved.join(&name);
            match self.link_at(&next)? {
                None => resolved = next,
                Some(target) => {
                    links += 1;
                    if links > MOST_LINKS {
                        return Err(FileError::Refused(format!(
                            "{path} has more than {MOST_LINKS} links in it"
                        )));
                    }
                    let goal = join(&resolved, &target);
                    self.locate(&goal.display().to_string())?;
                    resolved = PathBuf::from("/");
                    rest.extend(components(&goal));
                }
            }
        }
        let text = resolved.display().to_string();
        let (folder, below) = self.locate(&text)?;
        folder.handle.symlink_metadata(&below).map_err(|error| wrap(path, &error))?;
        Ok(text)
    }

    /// The target of the link at `path`; none where there is no link, or where `path` lies above the recipe's folders.
    fn link_at(&self, path: &Path) -> Result<Option<PathBuf>, FileError> {
        let text = path.display().to_string();
        let Ok((folder, below)) = self.folders.locate(&text) else { return Ok(None) };
        if below == Path::new(".") {
            return Ok(None);
        }
        match folder.handle.read_link_contents(&below) {
            Ok(target) => Ok(Some(target)),
            // Not a link.
            Err(error) if error.kind() == io::ErrorKind::InvalidInput => Ok(None),
            Err(error) => Err(wrap(&text, &error)),
        }
    }
}

/// The names of a path, the last one first, so that the next one is popped.
fn components(path: &Path) -> Vec<std::ffi::OsString> {
    let names = path.components().filter_map(|component| match component {
        Component::Normal(name) => Some(name.to_owned()),
        Component::RootDir | Component::CurDir | Component::ParentDir | Component::Prefix(_) => None,
    });
    let mut names: Vec<_> = names.collect();
    names.reverse();
    names
}

/// Where `target` leads from `folder`, by the names alone: a relative target of a link stands in a folder without links.
fn join(folder: &Path, target: &Path) -> PathBuf {
    let mut joined = PathBuf::new();
    for component in folder.join(target).components() {
        match component {
            Component::ParentDir => {
                joined.pop();
            }
            other => joined.push(other),
        }
    }
    joined
}

fn wrap(path: &str, error: &io::Error) -> FileError {
    match error.kind() {
        io::ErrorKind::NotFound => FileError::NotFound(path.to_owned()),
        _ => FileError::Other(format!("{path}: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn relative_targets_are_followed_by_name() {
        assert_eq!(join(Path::new("/p/lib"), Path::new("../share/x")), Path::new("/p/share/x"));
        assert_eq!(join(Path::new("/p/lib"), Path::new("../../../etc")), Path::new("/etc"));
        assert_eq!(join(Path::new("/p/lib"), Path::new("/etc/passwd")), Path::new("/etc/passwd"));
    }
}
