//! Packages that the machine already has.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::cache::ExternalCache;
use crate::probe::{Answer, ask};
use crate::scan::{Candidate, candidates, executable};
use crate::tools::TOOLS;
use crate::version;

/// How long a program may take to tell its version.
const LIMIT: Duration = Duration::from_secs(10);

/// How many programs are asked at a time: they mostly wait for the disk.
const AT_A_TIME: usize = 8;

/// Language of a compiler.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    /// C.
    C,
    /// C++.
    Cxx,
    /// Fortran.
    Fortran,
}

impl Language {
    const ALL: [Language; 3] = [Language::C, Language::Cxx, Language::Fortran];

    /// Spack's name: that of the virtual package which compilers of the language provide.
    pub fn name(self) -> &'static str {
        match self {
            Language::C => "c",
            Language::Cxx => "cxx",
            Language::Fortran => "fortran",
        }
    }
}

/// A package found on the machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct External {
    /// Spack's name of the package.
    pub name: String,
    /// Version that its programs told.
    pub version: String,
    /// The folder above the programs' `bin`.
    pub prefix: PathBuf,
    /// Programs by role: `c`, `cxx` and `fortran` of compilers, else the program's general name.
    pub executables: BTreeMap<String, PathBuf>,
}

impl External {
    /// The languages that it compiles; none for what is no compiler.
    pub fn languages(&self) -> Vec<Language> {
        let is_there = |language: &Language| self.executables.contains_key(language.name());
        Language::ALL.into_iter().filter(is_there).collect()
    }
}

/// Finds the packages of the table along `path`, in its order.
///
/// Folders of the path that are not called `bin` (or `sbin`) are passed over, since they have no prefix.
/// A program is asked for its version when `cache` does not know its file in its present state; where it knows all,
/// no process is started. Programs that do not answer, or answer as another program would, are passed over.
pub fn find_externals(path: &[PathBuf], cache: &mut ExternalCache) -> Vec<External> {
    find_within(path, cache, LIMIT)
}

fn find_within(path: &[PathBuf], cache: &mut ExternalCache, limit: Duration) -> Vec<External> {
    let found = candidates(path);
    ask_all(&unknown(&found, cache), cache, limit);
    let mut groups: Vec<Group> = Vec::new();
    for candidate in in_table_order(found) {
        let Some(Some(version)) = cache.get(candidate.tool.package, &candidate.file) else { continue };
        let key = Key::new(&candidate, version);
        match groups.iter_mut().find(|group| group.key == key) {
            Some(group) => group.add(candidate),
            None => groups.push(Group::new(key, candidate)),
        }
    }
    without_copies(groups).into_iter().map(Group::finish).collect()
}

/// Leaves out groups all of whose files another group has: links to it, or the same file under another package.
/// Of two that are equal the first stays.
fn without_copies(groups: Vec<Group>) -> Vec<Group> {
    let mut kept: Vec<Group> = Vec::new();
    for group in groups {
        if kept.iter().any(|other| group.files.is_subset(&other.files)) {
            continue;
        }
        kept.retain(|other| !other.files.is_subset(&group.files));
        kept.push(group);
    }
    kept
}

/// Rows of the table one after the other; within a row the order of the search path stays.
fn in_table_order(mut found: Vec<Candidate>) -> Vec<Candidate> {
    let rank = |found: &Candidate| TOOLS.iter().position(|tool| tool.package == found.tool.package);
    found.sort_by_key(rank);
    found
}

/// The candidates that must be asked: one for each file and package.
fn unknown(found: &[Candidate], cache: &ExternalCache) -> Vec<Candidate> {
    let mut seen = BTreeSet::new();
    found
        .iter()
        .filter(|candidate| cache.get(candidate.tool.package, &candidate.file).is_none())
        .filter(|candidate| seen.insert((candidate.tool.package, &candidate.file.real_path)))
        .cloned()
        .collect()
}

/// Asks several at a time and keeps the answers; who did not answer in time is asked again next time.
fn ask_all(unknown: &[Candidate], cache: &mut ExternalCache, limit: Duration) {
    let next = AtomicUsize::new(0);
    let cache = Mutex::new(cache);
    thread::scope(|scope| {
        for _ in 0..AT_A_TIME.min(unknown.len()) {
            scope.spawn(|| {
                while let Some(candidate) = unknown.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let answer = ask(&candidate.path, candidate.tool.arguments, limit);
                    if let (Some(version), Ok(mut cache)) = (understood(candidate, answer), cache.lock()) {
                        cache.insert(candidate.tool.package, &candidate.file, version);
                    }
                }
            });
        }
    });
}

/// The version in an answer, or that there is none in it; nothing when there was no answer.
fn understood(candidate: &Candidate, answer: Answer) -> Option<Option<String>> {
    match answer {
        Answer::TimedOut => None,
        Answer::Failed => Some(None),
        Answer::Said(text) => {
            Some(candidate.tool.markers.iter().find_map(|marker| version::after(marker, &text)))
        }
    }
}

/// What belongs to one external: a package's programs of one version in one folder.
#[derive(PartialEq, Eq)]
struct Key {
    package: &'static str,
    version: String,
    folder: PathBuf,
}

impl Key {
    fn new(candidate: &Candidate, version: String) -> Key {
        let folder = candidate.path.parent().unwrap_or(Path::new("/")).to_owned();
        Key { package: candidate.tool.package, version, folder }
    }
}

struct Group {
    key: Key,
    companions: &'static [&'static str],
    executables: BTreeMap<String, PathBuf>,
    /// The programs' files, with all links followed.
    files: BTreeSet<PathBuf>,
}

impl Group {
    fn new(key: Key, first: Candidate) -> Group {
        let companions = first.tool.companions;
        let mut group = Group { key, companions, executables: BTreeMap::new(), files: BTreeSet::new() };
        group.add(first);
        group
    }

    /// Candidates come with their general names first, which are preferred.
    fn add(&mut self, candidate: Candidate) {
        self.executables.entry(candidate.role.to_owned()).or_insert(candidate.path);
        self.files.insert(candidate.file.real_path);
    }

    fn finish(mut self) -> External {
        for companion in self.companions {
            let path = self.key.folder.join(companion);
            if executable(&path).is_some() {
                self.executables.insert((*companion).to_owned(), path);
            }
        }
        External {
            name: self.key.package.to_owned(),
            version: self.key.version,
            prefix: self.key.folder.parent().unwrap_or(&self.key.folder).to_owned(),
            executables: self.executables,
        }
    }
}

#[cfg(test)]
#[path = "external_tests.rs"]
mod tests;
