//! Where the links of a prefix lead.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::io;
use std::path::{Component, Path, PathBuf};

use cap_std::fs::Dir;

/// As many links as the kernel follows on the way to one file.
const MOST_LINKS: usize = 40;

/// Why a link is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum BadLink {
    /// It leads to this path.
    Outside(PathBuf),
    /// It leads to itself.
    Loop,
}

/// Follows links as they'll be followed when the prefix stands at its final path, one component at a time.
///
/// Only the own prefix and those of the dependencies may be entered; folders above them are passed on the way, but
/// nothing else in them.
pub(crate) struct LinkChecker<'a> {
    /// Where the prefix will stand.
    final_path: &'a Path,
    /// The prefix, where it is now.
    dir: &'a Dir,
    dependencies: &'a [PathBuf],
}

impl<'a> LinkChecker<'a> {
    pub(crate) fn new(final_path: &'a Path, dir: &'a Dir, dependencies: &'a [PathBuf]) -> Self {
        Self { final_path, dir, dependencies }
    }

    /// Checks the link at `path` beneath the prefix, which points to `target`.
    pub(crate) fn check(&self, path: &Path, target: &Path) -> io::Result<Option<BadLink>> {
        let folder =
            path.parent().map_or_else(|| self.final_path.to_owned(), |parent| self.final_path.join(parent));
        let mut walk = Walk { at: folder, rest: VecDeque::new(), links: 0 };
        walk.follow(target);
        while let Some(part) = walk.rest.pop_front() {
            if let Some(bad) = self.step(&mut walk, part)? {
                return Ok(Some(bad));
            }
            if !self.is_inside(&walk.at) && !self.is_above(&walk.at) {
                return Ok(Some(BadLink::Outside(walk.written())));
            }
        }
        Ok((!self.is_inside(&walk.at)).then_some(BadLink::Outside(walk.at)))
    }

    fn step(&self, walk: &mut Walk, part: Part) -> io::Result<Option<BadLink>> {
        match part {
            Part::Root => walk.at = PathBuf::from("/"),
            Part::Up => drop(walk.at.pop()),
            Part::Down(name) => {
                let next = walk.at.join(name);
                if let Some(target) = self.link_at(&next)? {
                    walk.links += 1;
                    if walk.links > MOST_LINKS {
                        return Ok(Some(BadLink::Loop));
                    }
                    walk.follow(&target);
                } else {
                    walk.at = next;
                }
            }
        }
        Ok(None)
    }

    fn is_inside(&self, path: &Path) -> bool {
        path.starts_with(self.final_path) || self.dependencies.iter().any(|prefix| path.starts_with(prefix))
    }

    fn is_above(&self, path: &Path) -> bool {
        self.final_path.starts_with(path) || self.dependencies.iter().any(|prefix| prefix.starts_with(path))
    }

    /// Where the link at an absolute path points to; none for what is no link, isn't there, or isn't ours to look at.
    fn link_at(&self, path: &Path) -> io::Result<Option<PathBuf>> {
        let target = if let Ok(inside) = path.strip_prefix(self.final_path) {
            if inside.as_os_str().is_empty() {
                return Ok(None);
            }
            self.own_link(inside)
        } else if self.is_inside(path) {
            fs_err::symlink_metadata(path)
                .and_then(|found| found.is_symlink().then(|| fs_err::read_link(path)).transpose())
        } else {
            return Ok(None);
        };
        match target {
            Ok(target) => Ok(target),
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    fn own_link(&self, inside: &Path) -> io::Result<Option<PathBuf>> {
        let found = self.dir.symlink_metadata(inside)?;
        found.is_symlink().then(|| self.dir.read_link_contents(inside)).transpose()
    }
}

/// One step on the way.
enum Part {
    Root,
    Up,
    Down(OsString),
}

struct Walk {
    at: PathBuf,
    rest: VecDeque<Part>,
    links: usize,
}

impl Walk {
    /// Where the walk would end if what is left held no links.
    fn written(self) -> PathBuf {
        self.rest.into_iter().fold(self.at, |mut at, part| {
            match part {
                Part::Root => at = PathBuf::from("/"),
                Part::Up => drop(at.pop()),
                Part::Down(name) => at.push(name),
            }
            at
        })
    }

    /// Puts the parts of a link's target in front of what is left to walk.
    fn follow(&mut self, target: &Path) {
        let parts: Vec<Part> = target.components().filter_map(part).collect();
        for part in parts.into_iter().rev() {
            self.rest.push_front(part);
        }
    }
}

fn part(component: Component<'_>) -> Option<Part> {
    match component {
        Component::RootDir => Some(Part::Root),
        Component::ParentDir => Some(Part::Up),
        Component::Normal(name) => Some(Part::Down(name.to_owned())),
        Component::CurDir | Component::Prefix(_) => None,
    }
}
