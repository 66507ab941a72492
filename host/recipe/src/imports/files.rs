use std::ffi::OsString;
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

    /// Its target may lie in stage, own prefix or a dependency's prefix: where the link would lead, not what its text looks like.
    fn try_create_link(&self, target: &str, link: &str) -> Result<(), FileError> {
        let (folder, below) = self.locate_writable(link)?;
        let parent = self.walk(Path::new("/"), Path::new(link).parent().unwrap_or(Path::new("/")))?;
        let refused = |reason: String| {
            FileError::Refused(format!("a link from {link} to {target} is not allowed: {reason}"))
        };
        let goal = self.walk(&parent, Path::new(target)).map_err(|error| match error {
            FileError::Refused(reason) => refused(reason),
            other => other,
        })?;
        self.folders.locate(&goal.display().to_string()).map_err(refused)?;
        if self.subject.recipe_folder.as_ref().is_some_and(|own| goal.starts_with(own)) {
            return Err(refused("the recipe's own files are gone after the build".to_owned()));
        }
        folder.handle.symlink_contents(target, &below).map_err(|error| wrap(link, &error))
    }

    fn try_resolve(&self, path: &str) -> Result<String, FileError> {
        let text = self.walk(Path::new("/"), Path::new(path))?.display().to_string();
        let (folder, below) = self.locate(&text)?;
        folder.handle.symlink_metadata(&below).map_err(|error| wrap(path, &error))?;
        Ok(text)
    }

    /// Where `path` leads from `start`, a folder without links in its path: a name at a time, as the kernel goes. What does not
    /// exist has no links. Out of the recipe's folders, whose links can't be seen, there is no way back.
    fn walk(&self, start: &Path, path: &Path) -> Result<PathBuf, FileError> {
        let (mut at, mut links) = (start.to_owned(), 0);
        let mut steps = backwards(path);
        while let Some(step) = steps.pop() {
            match step {
                Step::Root => at = PathBuf::from("/"),
                Step::Up if self.folders.locate(&at.display().to_string()).is_err() => {
                    return Err(FileError::Refused(format!(
                        "{} is in none of the recipe's folders",
                        at.display()
                    )));
                }
                Step::Up => drop(at.pop()),
                Step::Down(name) => match self.link_at(&at.join(&name))? {
                    None => at.push(name),
                    Some(_) if links == MOST_LINKS => {
                        let reason = format!("{} has more than {MOST_LINKS} links in it", path.display());
                        return Err(FileError::Refused(reason));
                    }
                    Some(target) => {
                        links += 1;
                        steps.extend(backwards(&target));
                    }
                },
            }
        }
        Ok(at)
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
            // Not a link, or nothing at all.
            Err(error) if is_no_link(&error) => Ok(None),
            Err(error) => Err(wrap(&text, &error)),
        }
    }
}

/// A part of a path.
enum Step {
    Root,
    Up,
    Down(OsString),
}

/// The steps of a path, the last one first, so that the next one is popped.
fn backwards(path: &Path) -> Vec<Step> {
    let steps = path.components().filter_map(|component| match component {
        Component::RootDir => Some(Step::Root),
        Component::ParentDir => Some(Step::Up),
        Component::Normal(name) => Some(Step::Down(name.to_owned())),
        Component::CurDir | Component::Prefix(_) => None,
    });
    let mut steps: Vec<_> = steps.collect();
    steps.reverse();
    steps
}

fn is_no_link(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::InvalidInput | io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
    )
}

fn wrap(path: &str, error: &io::Error) -> FileError {
    match error.kind() {
        io::ErrorKind::NotFound => FileError::NotFound(path.to_owned()),
        _ => FileError::Other(format!("{path}: {error}")),
    }
}
