//! Looking through a finished prefix for what may not be installed.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use cap_std::fs::Dir;
use rustix::fs::{FileType, Mode};
use rustix::io::Errno;

use crate::error::{At, FileError};
use crate::layout::{METADATA, TEST_SOURCES};
use crate::links::{BadLink, LinkChecker};
use crate::problem::{Problem, ProblemKind, has_control_characters};
use crate::trace::{Contents, Scanner, Trace};
use crate::tree::{self, Entry};

/// What a prefix is checked against.
#[derive(Clone, Debug, Default)]
pub struct CheckOptions {
    /// Prefixes into which links may lead, besides the own one.
    pub dependencies: Vec<PathBuf>,
    /// Byte strings that nothing in the prefix may hold; the folder in which it was built is added.
    pub traces: Vec<Trace>,
}

/// How many problems are listed; a hostile prefix may have any number.
const MOST_PROBLEMS: usize = 100;

/// The largest file, in bytes; reading it takes about an hour.
const LARGEST: u64 = 1 << 40;
/// How many bytes of a file may be holes, which cost a build nothing and whoever reads them all the time that it takes.
const MOST_HOLES: u64 = 64 << 30;

/// What a walk through a prefix found.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    pub(crate) problems: Vec<Problem>,
    /// SHA-1 of each regular file, as the manifest has it.
    pub(crate) hashes: BTreeMap<PathBuf, String>,
}

/// Where a prefix is and what it will be.
pub(crate) struct Subject<'a> {
    pub(crate) dir: &'a Dir,
    /// Where it is now, for messages.
    pub(crate) shown: &'a Path,
    /// Where it will be.
    pub(crate) final_path: &'a Path,
}

/// Walks through a prefix without following a link, until `is_unwanted` says that nobody waits for it any more.
pub(crate) fn check(
    subject: &Subject<'_>,
    options: &CheckOptions,
    is_unwanted: &dyn Fn() -> bool,
) -> Result<Findings, FileError> {
    let links = LinkChecker::new(subject.final_path, subject.dir, &options.dependencies);
    let scanner = Scanner::new(&options.traces).unless(is_unwanted);
    let mut check =
        Check { subject, options, links, scanner, findings: Findings::default(), linked: BTreeMap::new() };
    tree::walk(subject.dir, subject.shown, &mut |entry| check.visit(entry))?;
    check.hard_links();
    let Findings { mut problems, hashes } = check.findings;
    problems.truncate(MOST_PROBLEMS);
    Ok(Findings { problems, hashes })
}

/// The folder of the record is the store's own; a build may make it for one thing, the sources of stand-alone tests.
fn is_reserved(entry: &Entry<'_>) -> bool {
    let Ok(below) = entry.path.strip_prefix(METADATA) else { return false };
    let may_be = below.as_os_str().is_empty() || below.starts_with(TEST_SOURCES);
    let is_way_there = below.components().count() <= 1;
    !may_be || (is_way_there && entry.kind() != FileType::Directory)
}

struct Check<'a> {
    subject: &'a Subject<'a>,
    options: &'a CheckOptions,
    links: LinkChecker<'a>,
    scanner: Scanner<'a>,
    findings: Findings,
    /// Files with several names, by device and inode: one of the names, how many were seen, how many there are.
    linked: BTreeMap<(u64, u64), (PathBuf, u64, u64)>,
}

impl Check<'_> {
    fn visit(&mut self, entry: &Entry<'_>) -> Result<(), FileError> {
        self.name(entry);
        match entry.kind() {
            FileType::Symlink => self.link(entry),
            FileType::RegularFile => {
                self.mode(entry);
                self.file(entry)
            }
            FileType::Directory => {
                self.mode(entry);
                Ok(())
            }
            FileType::Fifo => self.special(entry, "a fifo"),
            FileType::Socket => self.special(entry, "a socket"),
            FileType::CharacterDevice | FileType::BlockDevice | FileType::Unknown => {
                self.special(entry, "a device")
            }
        }
    }

    fn name(&mut self, entry: &Entry<'_>) {
        if has_control_characters(entry.name) {
            self.found(entry.path, ProblemKind::ControlCharacters);
        }
        if is_reserved(entry) {
            self.found(entry.path, ProblemKind::Reserved);
        }
        self.traces(entry.path, &self.scanner.scan_bytes(entry.name.as_encoded_bytes()));
    }

    fn mode(&mut self, entry: &Entry<'_>) {
        let mode = Mode::from_raw_mode(entry.stat.st_mode);
        if mode.intersects(Mode::SUID | Mode::SGID) {
            self.found(entry.path, ProblemKind::SetId);
        }
        if mode.contains(Mode::WOTH) {
            self.found(entry.path, ProblemKind::WorldWritable);
        }
    }

    fn special(&mut self, entry: &Entry<'_>, what: &'static str) -> Result<(), FileError> {
        self.found(entry.path, ProblemKind::Special(what));
        Ok(())
    }

    fn link(&mut self, entry: &Entry<'_>) -> Result<(), FileError> {
        let full = self.subject.shown.join(entry.path);
        let target = entry.read_link().at("read the link", &full)?;
        self.traces(entry.path, &self.scanner.scan_bytes(target.as_os_str().as_encoded_bytes()));
        match self.links.check(entry.path, &target).at("follow the link", &full)? {
            Some(BadLink::Outside(leads_to)) => {
                self.found(entry.path, ProblemKind::LinkOutside { target, leads_to });
            }
            Some(BadLink::Loop) => self.found(entry.path, ProblemKind::LinkLoop { target }),
            None => {}
        }
        Ok(())
    }

    fn file(&mut self, entry: &Entry<'_>) -> Result<(), FileError> {
        #[expect(clippy::unnecessary_cast, reason = "the field is narrower on some architectures")]
        let names = entry.stat.st_nlink as u64;
        if names > 1 {
            let key = (entry.stat.st_dev, entry.stat.st_ino);
            self.linked.entry(key).or_insert_with(|| (entry.path.to_owned(), 0, names)).1 += 1;
        }
        let full = self.subject.shown.join(entry.path);
        if let Some(kind) = too_large(entry) {
            self.found(entry.path, kind);
            return Ok(());
        }
        let mut file = entry.open().at("read", &full)?;
        if has_capabilities(&file).at("read the attributes of", &full)? {
            self.found(entry.path, ProblemKind::Capabilities);
        }
        let Contents { sha1, traces } = self.scanner.scan_file(&mut file).at("read", &full)?;
        self.findings.hashes.insert(entry.path.to_owned(), sha1);
        self.traces(entry.path, &traces);
        Ok(())
    }

    fn traces(&mut self, path: &Path, found: &[usize]) {
        for trace in found.iter().map(|index| &self.options.traces[*index]) {
            let bytes = String::from_utf8_lossy(&trace.bytes).into_owned();
            self.found(path, ProblemKind::Trace { what: trace.what.clone(), bytes });
        }
    }

    fn hard_links(&mut self) {
        for (path, seen, names) in std::mem::take(&mut self.linked).into_values() {
            if names > seen {
                self.found(&path, ProblemKind::HardLinkOutside { names: names - seen });
            }
        }
    }

    fn found(&mut self, path: &Path, kind: ProblemKind) {
        // One more than is kept, so that memory stays bounded while the walk goes on.
        if self.findings.problems.len() <= MOST_PROBLEMS {
            self.findings.problems.push(Problem { path: path.to_owned(), kind });
        }
    }
}

/// A file that could not be read to its end in reasonable time.
fn too_large(entry: &Entry<'_>) -> Option<ProblemKind> {
    let size = u64::try_from(entry.stat.st_size).unwrap_or(0);
    let allocated = u64::try_from(entry.stat.st_blocks).unwrap_or(0).saturating_mul(512);
    let holes = size.saturating_sub(allocated);
    (size > LARGEST || holes > MOST_HOLES).then_some(ProblemKind::TooLarge { size, holes })
}

/// Whether a file carries capabilities; false where the file system has no attributes.
fn has_capabilities(file: &std::fs::File) -> Result<bool, Errno> {
    match rustix::fs::fgetxattr_query(file, "security.capability") {
        Ok(_) => Ok(true),
        Err(Errno::NODATA | Errno::NOTSUP | Errno::NOSYS) => Ok(false),
        Err(errno) => Err(errno),
    }
}
