//! Finds the files of a search path that bear a known program's name.

use std::collections::{BTreeSet, HashMap};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use crate::tools::{Program, TOOLS, Tool};

/// Programs that pose as compilers to sit in front of them.
const LAUNCHERS: [&str; 4] = ["ccache", "distcc", "icecc", "sccache"];

/// A file that may be a program of a tool.
#[derive(Clone)]
pub(crate) struct Candidate {
    pub(crate) tool: &'static Tool,
    pub(crate) role: &'static str,
    /// Path by which it was found; its folder has no links in it.
    pub(crate) path: PathBuf,
    pub(crate) file: FileState,
}

/// A program's file with all links followed, and what changes when it is replaced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FileState {
    pub(crate) real_path: PathBuf,
    /// Modification time in nanoseconds since 1970.
    pub(crate) modified: i64,
    pub(crate) size: u64,
}

/// All candidates, in the order of the search path and of the table. Relative entries are passed over.
pub(crate) fn candidates(path: &[PathBuf]) -> Vec<Candidate> {
    let names = Names::new();
    folders(path).iter().flat_map(|folder| in_folder(folder, &names)).collect()
}

/// The folders themselves, without links and each once.
///
/// A folder of another name than `bin` has no prefix above it; it mostly holds stand-ins (`shims`), which run only
/// together with files elsewhere.
fn folders(path: &[PathBuf]) -> Vec<PathBuf> {
    let mut seen = BTreeSet::new();
    path.iter()
        .filter(|folder| folder.is_absolute())
        .filter_map(|folder| fs_err::canonicalize(folder).ok())
        .filter(|folder| folder.ends_with("bin") || folder.ends_with("sbin"))
        .filter(|folder| seen.insert(folder.clone()))
        .collect()
}

fn in_folder(folder: &Path, names: &Names) -> Vec<Candidate> {
    let entries = fs_err::read_dir(folder).into_iter().flatten().flatten();
    let mut found: Vec<Candidate> = entries
        .flat_map(|entry| {
            let name = entry.file_name();
            let matches = name.to_str().map(|name| names.matches(name)).unwrap_or_default();
            let path = entry.path();
            matches.into_iter().filter_map(move |(tool, role)| candidate(tool, role, &path))
        })
        .collect();
    // Folders are read in no order; shorter names are the more general ones.
    found.sort_by(|left, right| {
        let key = |found: &Candidate| (found.path.as_os_str().len(), found.path.clone());
        key(left).cmp(&key(right))
    });
    found
}

fn candidate(tool: &'static Tool, role: &'static str, path: &Path) -> Option<Candidate> {
    let file = executable(path)?;
    let is_launcher = LAUNCHERS.iter().any(|launcher| file.real_path.ends_with(launcher));
    (!is_launcher).then(|| Candidate { tool, role, path: path.to_owned(), file })
}

/// The state of a file that can be executed; nothing for any other.
pub(crate) fn executable(path: &Path) -> Option<FileState> {
    let metadata = fs_err::metadata(path).ok()?;
    if !metadata.is_file() || metadata.permissions().mode() & 0o111 == 0 {
        return None;
    }
    Some(FileState {
        real_path: fs_err::canonicalize(path).ok()?,
        modified: metadata.mtime().saturating_mul(1_000_000_000).saturating_add(metadata.mtime_nsec()),
        size: metadata.len(),
    })
}

/// The table by file name.
struct Names {
    rows: HashMap<&'static str, Vec<(&'static Tool, &'static Program)>>,
}

impl Names {
    fn new() -> Names {
        let mut rows: HashMap<_, Vec<_>> = HashMap::new();
        for tool in TOOLS {
            for program in tool.programs {
                rows.entry(program.name).or_default().push((tool, program));
            }
        }
        Names { rows }
    }

    /// The tools and roles that a file name may mean.
    fn matches(&self, name: &str) -> Vec<(&'static Tool, &'static str)> {
        let general = without_version(name);
        let rows = self.rows.get(general).map(Vec::as_slice).unwrap_or_default();
        rows.iter()
            .filter(|(tool, _)| name == general || tool.versioned_names)
            .map(|(tool, program)| (*tool, program.role))
            .collect()
    }
}

/// `gcc-12` and `python3.11` without their versions; names like `m4` are left alone by the caller's comparison.
fn without_version(name: &str) -> &str {
    let general = name.trim_end_matches(|char: char| char.is_ascii_digit() || char == '.');
    let is_known_as_is = TOOLS.iter().any(|tool| tool.programs.iter().any(|program| program.name == name));
    if is_known_as_is { name } else { general.strip_suffix('-').unwrap_or(general) }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn packages(name: &str) -> Vec<(&'static str, &'static str)> {
        Names::new().matches(name).into_iter().map(|(tool, role)| (tool.package, role)).collect()
    }

    #[test]
    fn names_mean_packages() {
        assert_eq!(packages("gcc"), [("gcc", "c")]);
        assert_eq!(packages("g++-12"), [("gcc", "cxx")]);
        assert_eq!(packages("python3.11"), [("python", "python")]);
        assert_eq!(packages("m4"), [("m4", "m4")]);
        assert_eq!(packages("pkg-config"), [("pkgconf", "pkg-config"), ("pkg-config", "pkg-config")]);
        for other in ["gcc-ar-12", "cmake3", "python3-config", "x86_64-linux-gnu-gcc", "12", ""] {
            assert_eq!(packages(other), [], "{other}");
        }
    }

    #[test]
    fn only_executables_of_absolute_folders_count() {
        let root = tempfile::tempdir().unwrap();
        let bin = root.path().join("bin");
        fs_err::create_dir(&bin).unwrap();
        symlink(&bin, root.path().join("link")).unwrap();
        for (name, mode) in [("gcc-12", 0o755), ("make", 0o644), ("ccache", 0o755)] {
            fs_err::write(bin.join(name), "").unwrap();
            fs_err::set_permissions(bin.join(name), PermissionsExt::from_mode(mode)).unwrap();
        }
        symlink("gcc-12", bin.join("gcc")).unwrap();
        symlink("ccache", bin.join("g++")).unwrap();
        symlink("nowhere", bin.join("perl")).unwrap();
        let shims = root.path().join("shims");
        fs_err::create_dir(&shims).unwrap();
        fs_err::copy(bin.join("gcc-12"), shims.join("python")).unwrap();
        let path = ["bin".into(), root.path().join("link"), bin.clone(), "/nonexistent".into(), shims];
        let found = candidates(&path);
        let real_bin = fs_err::canonicalize(&bin).unwrap();
        let paths: Vec<_> = found.iter().map(|found| found.path.clone()).collect();
        assert_eq!(paths, [real_bin.join("gcc"), real_bin.join("gcc-12")]);
        assert!(found.iter().all(|found| found.file.real_path == real_bin.join("gcc-12")));
    }
}
