//! Which file a diff is about.

use super::error::{Fault, PatchError};
use super::tree::Tree;
use crate::unpack::{EntryPath, UnpackLimits, quote};
use flickzeug::{Diff, FileChangeKind};
use std::cmp::Reverse;
use std::os::unix::ffi::OsStrExt;

/// A path beneath the working directory.
pub(super) type FileName = EntryPath;

/// The names that a diff gives its file before and after, leading components taken off.
pub(super) struct Names {
    old: Option<FileName>,
    new: Option<FileName>,
}

impl Names {
    pub(super) fn of(diff: &Diff<'_, [u8]>, level: u32) -> Result<Self, PatchError> {
        // The headers of a bare rename have no `a/` and `b/` in front.
        let bare = diff.metadata().kind == FileChangeKind::Rename && diff.hunks().is_empty();
        let level = if bare { level.saturating_sub(1) } else { level };
        let file = |name: Option<&[u8]>| name.map(|name| strip(name, level)).transpose();
        let (old, new) = (file(diff.original()), file(diff.modified()));
        // One good name is enough: the other may be `foo.orig` at the root of somebody's disk.
        match (old, new) {
            (Ok(None), Ok(None)) => Err(PatchError::NoName),
            (Err(error), Ok(None) | Err(_)) | (Ok(None), Err(error)) => Err(error),
            (old, new) => Ok(Names { old: old.unwrap_or_default(), new: new.unwrap_or_default() }),
        }
    }

    pub(super) fn before(&self) -> Result<&FileName, PatchError> {
        self.old.as_ref().or(self.new.as_ref()).ok_or(PatchError::NoName)
    }

    pub(super) fn after(&self) -> Result<&FileName, PatchError> {
        self.new.as_ref().or(self.old.as_ref()).ok_or(PatchError::NoName)
    }

    /// The name that is there; of two, the one with fewer components, then the shorter one, as GNU patch chooses.
    pub(super) fn existing(&self, tree: &Tree) -> Result<&FileName, PatchError> {
        let mut there = Vec::new();
        for name in [&self.old, &self.new].into_iter().flatten() {
            match tree.read(name) {
                Ok(Some(_)) => there.push(name),
                Ok(None) => {}
                Err(fault) => return Err(PatchError::File { file: show(name), fault }),
            }
        }
        let best = there
            .into_iter()
            .max_by_key(|name| Reverse((name.components().len(), name.to_path().as_os_str().len())));
        match best {
            Some(name) => Ok(name),
            None => Err(PatchError::File { file: show(self.after()?), fault: Fault::Missing }),
        }
    }
}

/// A file's name for a message.
pub(super) fn show(name: &FileName) -> String {
    quote(name.to_path().as_os_str().as_bytes())
}

/// Takes leading components off; a run of slashes ends one component.
fn strip(name: &[u8], level: u32) -> Result<FileName, PatchError> {
    let wrong = |reason: String| PatchError::Name { name: quote(name), level, reason };
    let mut rest = name;
    for _ in 0..level {
        let slash = rest.iter().position(|byte| *byte == b'/');
        let slash = slash.ok_or_else(|| wrong("has too few path components".to_owned()))?;
        let start = rest[slash..].iter().position(|byte| *byte != b'/').unwrap_or(rest.len() - slash);
        rest = &rest[slash + start..];
    }
    EntryPath::parse(rest, &UnpackLimits::default()).map_err(|refusal| wrong(refusal.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stripped(name: &str, level: u32) -> Result<String, String> {
        strip(name.as_bytes(), level)
            .map(|name| name.to_path().display().to_string())
            .map_err(|error| error.to_string())
    }

    #[test]
    fn components_are_taken_off() {
        assert_eq!(stripped("a/src/x.c", 1).unwrap(), "src/x.c");
        assert_eq!(stripped("a//src/x.c", 1).unwrap(), "src/x.c");
        assert_eq!(stripped("x.c", 0).unwrap(), "x.c");
        assert_eq!(stripped("/home/me/pkg/x.c", 4).unwrap(), "x.c");
        assert_eq!(
            stripped("x.c", 1).unwrap_err(),
            "the patch names the file `x.c`, which with level 1 has too few path components"
        );
        for (name, level) in
            [("/etc/passwd", 0), ("a/../../x", 1), ("../x", 0), ("a//etc/../../x", 1), ("a/", 1)]
        {
            assert!(stripped(name, level).is_err(), "{name}");
        }
    }
}
