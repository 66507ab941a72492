use std::path::{Component, Path, PathBuf};

use cap_std::ambient_authority;
use cap_std::fs::Dir;

/// What a recipe may do in a folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Look.
    Read,
    /// Look and change.
    Write,
}

/// A folder that a recipe sees.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Folder {
    /// Where it is.
    pub host: PathBuf,
    /// The absolute path under which recipe and tools see it.
    pub guest: String,
    /// What the recipe may do in it.
    pub access: Access,
}

/// The folders of a session, with a handle each, for what WASI's files lack.
#[derive(Debug, Default)]
pub(crate) struct Folders(Vec<Granted>);

#[derive(Debug)]
pub(crate) struct Granted {
    pub(crate) guest: PathBuf,
    pub(crate) access: Access,
    pub(crate) handle: Dir,
}

impl Folders {
    pub(crate) fn open(folders: &[Folder]) -> std::io::Result<Self> {
        let granted = folders.iter().map(|folder| {
            let handle = Dir::open_ambient_dir(&folder.host, ambient_authority())?;
            Ok(Granted { guest: PathBuf::from(&folder.guest), access: folder.access, handle })
        });
        Ok(Self(granted.collect::<std::io::Result<_>>()?))
    }

    /// The folder that holds `path`, and the path below it. The innermost folder wins.
    pub(crate) fn locate(&self, path: &str) -> Result<(&Granted, PathBuf), String> {
        let path = normal(path)?;
        let holders = self.0.iter().filter(|granted| path.starts_with(&granted.guest));
        let granted = holders.max_by_key(|granted| granted.guest.as_os_str().len());
        let granted =
            granted.ok_or_else(|| format!("{} is in none of the recipe's folders", path.display()))?;
        let below = path.strip_prefix(&granted.guest).unwrap_or(&path);
        let below = if below.as_os_str().is_empty() { Path::new(".") } else { below };
        Ok((granted, below.to_owned()))
    }
}

/// An absolute path without `.`, `..` and NUL, as a guest has to name it.
fn normal(path: &str) -> Result<PathBuf, String> {
    let shown = path.escape_debug();
    if path.contains('\0') {
        return Err(format!("'{shown}' has a NUL character in it"));
    }
    if !path.starts_with('/') {
        return Err(format!("'{shown}' is not an absolute path"));
    }
    let mut clean = PathBuf::from("/");
    for component in Path::new(path).components() {
        match component {
            Component::Normal(name) => clean.push(name),
            Component::ParentDir => return Err(format!("'{shown}' has '..' in it")),
            Component::RootDir | Component::CurDir | Component::Prefix(_) => {}
        }
    }
    Ok(clean)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_that_play_tricks_are_refused() {
        assert_eq!(normal("/build/../etc").unwrap_err(), "'/build/../etc' has '..' in it");
        assert_eq!(normal("build").unwrap_err(), "'build' is not an absolute path");
        assert_eq!(normal("/a\0b").unwrap_err(), "'/a\\0b' has a NUL character in it");
        assert_eq!(normal("/build/./x//y").unwrap(), Path::new("/build/x/y"));
    }
}
