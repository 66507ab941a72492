//! Names of entries and targets of links, checked before anything is touched.

use super::budget::UnpackLimits;
use super::refusal::{Refusal, quote};
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

/// A path beneath the folder that is unpacked into: no root, no `.`, no `..`, no control characters. Without any
/// component it names that folder itself.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct EntryPath {
    components: Vec<OsString>,
}

impl EntryPath {
    pub(crate) fn parse(name: &[u8], limits: &UnpackLimits) -> Result<Self, Refusal> {
        if name.is_empty() {
            return Err(Refusal::EmptyName);
        }
        if name.len() > limits.path_length {
            return Err(Refusal::PathTooLong { limit: limits.path_length });
        }
        refuse_control(name, "name")?;
        if name[0] == b'/' {
            return Err(Refusal::AbsolutePath);
        }
        let components = parts(name).map(OsStr::to_owned).collect::<Vec<_>>();
        if components.iter().any(|part| part == "..") {
            return Err(Refusal::ParentDirectory);
        }
        if components.len() > limits.path_depth {
            return Err(Refusal::PathTooDeep { limit: limits.path_depth });
        }
        Ok(EntryPath { components })
    }

    /// Parent components and the last one; none for the folder itself.
    pub(crate) fn split(&self) -> Option<(&[OsString], &OsStr)> {
        self.components.split_last().map(|(last, parents)| (parents, last.as_os_str()))
    }

    pub(crate) fn components(&self) -> &[OsString] {
        &self.components
    }

    pub(crate) fn to_path(&self) -> PathBuf {
        self.components.iter().collect()
    }
}

/// Components without empty ones and `.`.
fn parts(path: &[u8]) -> impl Iterator<Item = &OsStr> {
    path.split(|byte| *byte == b'/').filter(|part| !part.is_empty() && *part != b".").map(OsStr::from_bytes)
}

/// Control characters in names corrupt logs and terminals and have no place in a source archive. Names need not be
/// UTF-8: older archives have Latin-1.
fn refuse_control(name: &[u8], part: &'static str) -> Result<(), Refusal> {
    let bad = match std::str::from_utf8(name) {
        Ok(text) => text.chars().any(char::is_control),
        Err(_) => name.iter().any(u8::is_ascii_control),
    };
    if bad { Err(Refusal::ControlCharacter { part }) } else { Ok(()) }
}

/// Whether the target of a symbolic link stays inside for sure.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum LinkTarget {
    /// `..` stands only in front, and not more often than the link lies deep: it cannot leave, whatever other links
    /// it passes through, since those are checked alike.
    Inside,
    /// `..` behind a name that may be a link itself: to be resolved when everything is unpacked.
    Resolve,
}

/// Judges a link's target as text; `depth` is the number of folders that the link lies in.
pub(crate) fn check_link_target(
    target: &[u8],
    depth: usize,
    limits: &UnpackLimits,
) -> Result<LinkTarget, Refusal> {
    if target.is_empty() {
        return Err(Refusal::EmptyName);
    }
    if target.len() > limits.path_length {
        return Err(Refusal::PathTooLong { limit: limits.path_length });
    }
    refuse_control(target, "link target")?;
    let leaves = || Refusal::LinkLeaves { target: quote(target) };
    if target[0] == b'/' {
        return Err(leaves());
    }
    let (mut level, mut named, mut verdict) = (depth, false, LinkTarget::Inside);
    for part in parts(target) {
        if part != ".." {
            (level, named) = (level + 1, true);
            continue;
        }
        level = level.checked_sub(1).ok_or_else(leaves)?;
        if named {
            verdict = LinkTarget::Resolve;
        }
    }
    Ok(verdict)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parse(name: &[u8]) -> Result<PathBuf, String> {
        EntryPath::parse(name, &UnpackLimits::default()).map(|p| p.to_path()).map_err(|e| e.to_string())
    }

    #[test]
    fn names_beneath_the_folder_are_taken() {
        assert_eq!(parse(b"a/b/c").unwrap(), PathBuf::from("a/b/c"));
        assert_eq!(parse(b"./a//b/./c/").unwrap(), PathBuf::from("a/b/c"));
        assert_eq!(parse(b"./").unwrap(), PathBuf::new());
        assert_eq!(parse(b"a/..b/c..").unwrap(), PathBuf::from("a/..b/c.."));
        assert!(parse(b"caf\xe9.txt").is_ok());
    }

    #[test]
    fn names_that_leave_or_deceive_are_refused() {
        assert_eq!(parse(b"/etc/passwd").unwrap_err(), "has an absolute path");
        assert_eq!(parse(b"a/../b").unwrap_err(), "has `..` in its path");
        assert_eq!(parse(b"").unwrap_err(), "has an empty name");
        for bad in [&b"a\0b"[..], b"a\nb", b"a\x1b[2J", b"a\x7f", "a\u{85}".as_bytes(), b"caf\xe9\x1b"] {
            assert_eq!(parse(bad).unwrap_err(), "has a control character in its name", "{bad:?}");
        }
        assert_eq!(parse(&[b'a'; 5000]).unwrap_err(), "has a path of more than 2048 bytes");
        assert_eq!(parse("a/".repeat(65).as_bytes()).unwrap_err(), "lies more than 64 folders deep");
    }

    #[test]
    fn link_targets() {
        let check =
            |target: &str, depth| check_link_target(target.as_bytes(), depth, &UnpackLimits::default());
        assert_eq!(check("b", 0).unwrap(), LinkTarget::Inside);
        assert_eq!(check("../../b/c", 2).unwrap(), LinkTarget::Inside);
        assert_eq!(check("..", 1).unwrap(), LinkTarget::Inside);
        assert_eq!(check("b/../c", 0).unwrap(), LinkTarget::Resolve);
        for (target, depth) in [("/etc", 3), ("..", 0), ("../../x", 1), ("b/../../c", 0)] {
            assert!(matches!(check(target, depth), Err(Refusal::LinkLeaves { .. })), "{target}");
        }
        assert!(matches!(check("a\nb", 0), Err(Refusal::ControlCharacter { .. })));
        assert!(matches!(check("", 0), Err(Refusal::EmptyName)));
    }

    proptest! {
        #[test]
        fn a_taken_name_is_relative_and_never_climbs(name in proptest::collection::vec(any::<u8>(), 0..80)) {
            if let Ok(path) = EntryPath::parse(&name, &UnpackLimits::default()) {
                for part in path.components() {
                    prop_assert!(part != ".." && part != "." && !part.is_empty());
                    prop_assert!(!part.as_bytes().iter().any(|b| *b == b'/' || *b < 0x20 || *b == 0x7f));
                }
            }
        }
    }
}
