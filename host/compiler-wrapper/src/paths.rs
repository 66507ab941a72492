//! Search paths in Spack's order: managed ones first, system ones last.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// Where a search path belongs in the order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Class {
    /// Beneath the stage or the store, or relative: what this build made or depends on.
    Managed,
    /// Any other folder.
    Other,
    /// A folder that every compiler searches anyway; in front of others it would hide them.
    System,
}

/// The classes in the order in which they are given to the compiler.
pub(crate) const ORDER: [Class; 3] = [Class::Managed, Class::Other, Class::System];

const SYSTEM_ROOTS: [&str; 3] = ["/", "/usr", "/usr/local"];
const SYSTEM_FOLDERS: [&str; 5] = ["include", "lib", "lib64", "bin", "bin64"];

/// Classes `path`; `managed` are the folders whose contents come first.
pub(crate) fn classify(path: &OsStr, managed: &[PathBuf]) -> Class {
    let path = Path::new(path);
    if !path.is_absolute() || managed.iter().any(|root| path.starts_with(root)) {
        Class::Managed
    } else if is_system(path) {
        Class::System
    } else {
        Class::Other
    }
}

/// Whether `path` is one of the folders that compilers search by themselves, Debian's multiarch ones included.
fn is_system(path: &Path) -> bool {
    if SYSTEM_ROOTS.iter().any(|root| Path::new(root) == path) {
        return true;
    }
    let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
        return false;
    };
    let direct = SYSTEM_FOLDERS.iter().any(|folder| *folder == name)
        && SYSTEM_ROOTS.iter().any(|root| Path::new(root) == parent);
    direct || (is_multiarch_name(name) && is_system(parent))
}

fn is_multiarch_name(name: &OsStr) -> bool {
    name.as_bytes().windows(b"-linux-".len()).any(|part| part == b"-linux-")
}

/// Search paths of one kind, by class and in the order of their coming; one that is repeated counts once.
#[derive(Debug, Default)]
pub(crate) struct SearchPaths {
    entries: Vec<(Class, OsString)>,
}

impl SearchPaths {
    pub(crate) fn push(&mut self, path: &OsStr, managed: &[PathBuf]) {
        if !path.is_empty() && !self.entries.iter().any(|(_, known)| known == path) {
            self.entries.push((classify(path, managed), path.to_owned()));
        }
    }

    pub(crate) fn extend(&mut self, paths: &[PathBuf], managed: &[PathBuf]) {
        for path in paths {
            self.push(path.as_os_str(), managed);
        }
    }

    pub(crate) fn of_class(&self, class: Class) -> impl Iterator<Item = &OsStr> {
        self.entries.iter().filter(move |(own, _)| *own == class).map(|(_, path)| path.as_os_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes() {
        let managed = [PathBuf::from("/build"), PathBuf::from("/home/u/store")];
        let class = |path: &str| classify(OsStr::new(path), &managed);
        assert_eq!(class("../include"), Class::Managed);
        assert_eq!(class("$ORIGIN/../lib"), Class::Managed);
        assert_eq!(class("/build/src"), Class::Managed);
        assert_eq!(class("/home/u/store/zlib-1.2.13/lib"), Class::Managed);
        assert_eq!(class("/home/u/store2/lib"), Class::Other);
        assert_eq!(class("/opt/mpi/lib"), Class::Other);
        for system in
            ["/usr/include", "/usr/include/", "/lib64", "/usr", "/usr/lib/x86_64-linux-gnu", "/usr/local/lib"]
        {
            assert_eq!(class(system), Class::System, "{system}");
        }
        assert_eq!(class("/usr/lib/llvm-15"), Class::Other);
    }

    #[test]
    fn a_repeated_path_counts_once() {
        let mut paths = SearchPaths::default();
        paths.extend(&["/a".into(), "/b".into(), "/a".into(), "".into()], &[]);
        assert_eq!(paths.of_class(Class::Other).collect::<Vec<_>>(), ["/a", "/b"]);
    }
}
