//! What a line of a tool's output complains of, and which paths it names.

use std::path::{Component, Path, PathBuf};

/// Why something failed, as the line says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reason {
    /// `ENOENT`, and what tools say of a file that they can't find.
    Absent,
    /// `EACCES`, `EROFS`.
    Denied,
    /// `EPERM`.
    NotPermitted,
}

/// A line that complains of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Complaint {
    pub(super) reason: Reason,
    /// Something was to be written, made or removed.
    pub(super) writes: bool,
    /// A file was to be opened, and the line does not say what for.
    pub(super) opens: bool,
    /// A mode was to be set.
    pub(super) mode: bool,
}

const READ_ONLY: &str = "read-only file system";

/// In lower case; the first that is found counts.
const REASONS: &[(&str, Reason)] = &[
    ("operation not permitted", Reason::NotPermitted),
    ("permission denied", Reason::Denied),
    (READ_ONLY, Reason::Denied),
    ("no such file", Reason::Absent),
    // What dash says where a file's folder is missing.
    ("nonexistent", Reason::Absent),
    ("not found", Reason::Absent),
    ("no rule to make target", Reason::Absent),
    ("does not exist", Reason::Absent),
    ("doesn't exist", Reason::Absent),
    ("cannot find", Reason::Absent),
    ("can't find", Reason::Absent),
    ("could not find", Reason::Absent),
    ("cannot open", Reason::Absent),
    ("can't open", Reason::Absent),
    ("could not open", Reason::Absent),
    ("unable to open", Reason::Absent),
];

/// Parts of words for changes, in lower case.
const WRITES: &[&str] = &[
    "creat",
    "writ",
    "touch",
    "mkdir",
    "remov",
    "unlink",
    "delet",
    "renam",
    "cannot move",
    "replac",
    "truncat",
    "overwr",
    "append",
    "modif",
    "output file",
    "permissions of",
    "ownership of",
    "owner of",
    "group of",
    "mode of",
    "times of",
    "chmod",
    "chown",
    "utime",
];

const MODE: &[&str] = &["permissions of", "mode of", "chmod"];

/// Exceptions that Python raises for a failed `open`.
const OPENS: &[&str] = &["[errno 13]", "[errno 1]", "for writing"];

impl Complaint {
    pub(super) fn of(line: &str) -> Option<Self> {
        let line = line.to_lowercase();
        let says = |words: &[&str]| words.iter().any(|word| line.contains(word));
        let (_, reason) = REASONS.iter().find(|(words, _)| line.contains(words))?;
        Some(Complaint {
            reason: *reason,
            writes: says(WRITES) || line.contains(READ_ONLY),
            opens: says(OPENS),
            mode: says(MODE),
        })
    }
}

/// Where a tool is while it writes its lines.
pub(super) struct Surroundings {
    directories: Vec<PathBuf>,
}

impl Surroundings {
    pub(super) fn new(directory: &Path) -> Self {
        Surroundings { directories: vec![directory.to_path_buf()] }
    }

    /// Goes where make says that it goes.
    pub(super) fn follow(&mut self, line: &str) {
        if line.contains(": Entering directory ") {
            let entered = quoted(line).into_iter().find(|path| path.starts_with('/'));
            self.directories.extend(entered.map(PathBuf::from));
        } else if line.contains(": Leaving directory ") && self.directories.len() > 1 {
            self.directories.pop();
        }
    }

    /// The absolute path, by the names alone.
    pub(super) fn resolve(&self, path: &Path) -> PathBuf {
        let directory = self.directories.last().map_or(Path::new("/"), PathBuf::as_path);
        let mut resolved = PathBuf::new();
        for component in directory.join(path).components() {
            match component {
                Component::ParentDir => drop(resolved.pop()),
                Component::CurDir => {}
                other => resolved.push(other),
            }
        }
        resolved
    }
}

/// The paths that a line names: what stands in quotes or between colons, and every word that is one by its looks. Not the
/// program that complains, which stands before the first colon.
pub(super) fn paths(line: &str) -> Vec<PathBuf> {
    let behind = line.split_once(": ").map(|(_, behind)| named(behind)).unwrap_or_default();
    if behind.is_empty() { named(line) } else { behind }
}

fn named(text: &str) -> Vec<PathBuf> {
    let mut found: Vec<&str> = quoted(text);
    let mut parts: Vec<_> = text.split(": ").collect();
    // The reason.
    parts.pop();
    found.extend(parts.into_iter().map(str::trim).filter(|part| is_one_word(part)));
    found.extend(text.split(is_end).map(|word| word.trim_end_matches('.')).filter_map(path));
    let mut paths: Vec<_> = found.into_iter().filter(|path| !path.is_empty()).map(PathBuf::from).collect();
    paths.sort();
    paths.dedup();
    paths
}

fn is_one_word(part: &str) -> bool {
    !part.contains(|character: char| character.is_whitespace() || is_quote(character))
}

fn is_quote(character: char) -> bool {
    "'\"`‘’“”".contains(character)
}

fn is_end(character: char) -> bool {
    character.is_whitespace() || is_quote(character) || ":;,()[]<>|=".contains(character)
}

/// A word that is an absolute path or leads upwards; also one behind a flag, as in `-I/opt/include`.
fn path(word: &str) -> Option<&str> {
    let path = ["-I", "-L", "-B"].into_iter().find_map(|flag| word.strip_prefix(flag)).unwrap_or(word);
    let is_absolute = path.len() > 1 && path.starts_with('/') && !path.starts_with("//");
    (is_absolute || path.starts_with("../")).then_some(path)
}

/// What stands in quotes. An apostrophe within a word begins nothing.
fn quoted(line: &str) -> Vec<&str> {
    let mut texts = Vec::new();
    let mut before = None;
    let mut rest = line;
    while let Some(character) = rest.chars().next() {
        let behind = &rest[character.len_utf8()..];
        let opens = is_quote(character) && before.is_none_or(|before: char| !before.is_alphanumeric());
        match behind.find(is_quote).filter(|_| opens) {
            Some(end) => {
                texts.push(&behind[..end]);
                let closing = behind[end..].chars().next();
                rest = &behind[end + closing.map_or(0, char::len_utf8)..];
                before = closing;
            }
            None => {
                rest = behind;
                before = Some(character);
            }
        }
    }
    texts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(line: &str) -> Vec<String> {
        paths(line).iter().map(|path| path.display().to_string()).collect()
    }

    #[test]
    fn paths_are_found_in_quotes_between_colons_and_behind_flags() {
        assert_eq!(names("cc -I/opt/x/include -L/opt/lib foo.c"), ["/opt/lib", "/opt/x/include"]);
        assert_eq!(names("can't open '/opt/my dir/x': Permission denied"), ["/opt/my", "/opt/my dir/x"]);
        assert_eq!(names("rm: cannot remove ‘a b’: Permission denied"), ["a b"]);
        assert_eq!(names("cat: ../x: No such file or directory"), ["../x"]);
        assert_eq!(names("/usr/bin/ld: cannot find /opt/x: No such file"), ["/opt/x"]);
        assert_eq!(names("/opt/x: No such file or directory"), ["/opt/x"]);
        assert_eq!(names("see http://example.org/x."), [""; 0]);
    }

    #[test]
    fn relative_paths_are_read_where_make_is() {
        let mut surroundings = Surroundings::new(Path::new("/build"));
        let x = |surroundings: &Surroundings| surroundings.resolve(Path::new("./a/../x"));
        assert_eq!(x(&surroundings), Path::new("/build/x"));
        surroundings.follow("make[1]: Entering directory '/build/sub'");
        assert_eq!(x(&surroundings), Path::new("/build/sub/x"));
        surroundings.follow("make[1]: Leaving directory '/build/sub'");
        surroundings.follow("make: Leaving directory '/build'");
        assert_eq!(x(&surroundings), Path::new("/build/x"));
    }
}
