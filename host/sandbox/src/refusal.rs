//! Tells a user when the sandbox is the likely reason for a failure, and what allows the access.

use std::collections::BTreeSet;
use std::fmt;
use std::path::{Path, PathBuf};

use spack_wasm_sandbox_protocol::TracedAccess;

use crate::{Access, Policy};

/// The setting that makes a path readable in all builds.
const READ_SETTING: &str = "config:sandbox:read";
/// The setting that makes a path writable in all builds.
const WRITE_SETTING: &str = "config:sandbox:write";

/// An access that the sandbox refused, or probably did.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Refusal {
    /// The path as the build named it; `address:port` for a connection.
    pub path: PathBuf,
    /// What was wanted.
    pub access: Access,
    /// Seen as it happened, or concluded from the output.
    pub certain: bool,
    /// The setting that allows it; `None` where nothing does.
    pub setting: Option<&'static str>,
}

impl Refusal {
    fn probable(path: &Path, access: Access) -> Self {
        Refusal { path: path.to_path_buf(), access, certain: false, setting: Some(setting(access)) }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let probably = if self.certain { "" } else { "probably " };
        let path = self.path.display();
        match self.setting {
            None => write!(
                formatter,
                "{probably}refused by the sandbox: connection to {path}; builds have no network"
            ),
            Some(setting) => {
                let wanted = if self.access == Access::ReadWrite { "write" } else { "read" };
                write!(
                    formatter,
                    "{probably}refused by the sandbox: {path} ({wanted}); allow with `{setting}: [{path}]`"
                )
            }
        }
    }
}

fn setting(access: Access) -> &'static str {
    match access {
        Access::ReadOnly => READ_SETTING,
        Access::ReadWrite => WRITE_SETTING,
    }
}

/// Looks in failing lines of a tool's output for paths that exist outside and were hidden or read-only inside.
///
/// The paths are the build's own words: nothing is opened, only looked up.
pub fn probable_refusals(lines: &str, policy: &Policy) -> Vec<Refusal> {
    let mut refusals = BTreeSet::new();
    for line in lines.lines() {
        let complaint = Complaint::of(line);
        let paths = absolute_paths(line).into_iter().filter_map(|path| judge(&path, &complaint, policy));
        refusals.extend(paths);
    }
    refusals.into_iter().collect()
}

/// Judges an access that was seen as it happened.
pub(crate) fn seen(seen: TracedAccess, policy: &Policy) -> Option<Refusal> {
    let (path, access) = (PathBuf::from(seen.path), seen.access);
    if seen.network {
        return Some(Refusal { path, access, certain: true, setting: None });
    }
    let writing = access == Access::ReadWrite;
    judge(&path, &Complaint { writing, read_only: writing }, policy)
        .map(|refusal| Refusal { certain: true, ..refusal })
}

/// What a line complains of.
struct Complaint {
    writing: bool,
    read_only: bool,
}

impl Complaint {
    fn of(line: &str) -> Self {
        let line = line.to_ascii_lowercase();
        let says = |words: &[&str]| words.iter().any(|word| line.contains(word));
        Complaint {
            writing: says(&[
                "create",
                "creating",
                "write",
                "writing",
                "touch",
                "mkdir",
                "remove",
                "rename",
                "read-only",
            ]),
            read_only: says(&["read-only file system", "permission denied", "operation not permitted"]),
        }
    }
}

fn judge(path: &Path, complaint: &Complaint, policy: &Policy) -> Option<Refusal> {
    if own_to_the_sandbox(path, policy) {
        return None;
    }
    if let Some((_, granted)) = policy.outside(path) {
        let refused = granted == Access::ReadOnly && complaint.writing && complaint.read_only;
        return refused.then(|| Refusal::probable(path, Access::ReadWrite));
    }
    if is_above_a_mount(path, policy) && !complaint.writing {
        return None;
    }
    let exists = fs_err::symlink_metadata(path).is_ok();
    let could_be_created = complaint.writing && path.parent().is_some_and(|parent| parent.is_dir());
    let access = if complaint.writing { Access::ReadWrite } else { Access::ReadOnly };
    (exists || could_be_created).then(|| Refusal::probable(path, access))
}

fn own_to_the_sandbox(path: &Path, policy: &Policy) -> bool {
    let kernel = path.starts_with("/proc") || path.starts_with("/dev/pts") || path.starts_with("/dev/fd");
    let private = ["/tmp", "/var/tmp", "/dev/shm"].into_iter().any(|folder| path == Path::new(folder));
    let link = policy.links.iter().any(|(link, _)| path.starts_with(link));
    let device = policy.devices.iter().any(|device| device == path);
    let file = policy.remaps() && policy.files.iter().any(|(file, _)| file == path);
    kernel || private || link || device || file
}

/// Folders such as `/etc` exist in the sandbox with the mounts beneath them.
fn is_above_a_mount(path: &Path, policy: &Policy) -> bool {
    policy.mounts.iter().any(|mount| mount.target.starts_with(path))
}

fn absolute_paths(line: &str) -> Vec<PathBuf> {
    let is_end = |character: char| character.is_whitespace() || "'\"`:;,()[]<>|‘’“”=".contains(character);
    let mut paths = Vec::new();
    for word in line.split(is_end) {
        let word = word.trim_end_matches('.');
        if word.len() > 1 && word.starts_with('/') && !word.starts_with("//") {
            paths.push(PathBuf::from(word));
        } else if let Some(start) = glued_path(word) {
            paths.push(PathBuf::from(start));
        }
    }
    paths
}

/// The path in `-I/opt/include` and `-L/opt/lib`.
fn glued_path(word: &str) -> Option<&str> {
    let (flag, rest) = (word.get(..2)?, word.get(2..)?);
    (["-I", "-L", "-B"].contains(&flag) && rest.starts_with('/')).then_some(rest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Level;

    fn said(line: &str) -> Vec<String> {
        let mut policy = Policy::new(Level::Namespaces);
        policy.mount("/scratch/stage", "/build", Access::ReadWrite);
        probable_refusals(line, &policy).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_hidden_file_that_exists_outside_is_named() {
        insta::assert_debug_snapshot!(said("cat: /etc/shadow: No such file or directory"), @r#"
        [
            "probably refused by the sandbox: /etc/shadow (read); allow with `config:sandbox:read: [/etc/shadow]`",
        ]
        "#);
    }

    #[test]
    fn a_write_into_the_toolchain_is_named() {
        let line = "touch: cannot touch '/usr/lib/x': Read-only file system";
        insta::assert_debug_snapshot!(said(line), @r#"
        [
            "probably refused by the sandbox: /usr/lib/x (write); allow with `config:sandbox:write: [/usr/lib/x]`",
        ]
        "#);
    }

    #[test]
    fn what_is_absent_outside_or_granted_is_not_the_sandboxs_doing() {
        assert!(said("cc: error: /no/such/file.c: No such file or directory").is_empty());
        assert!(said("/usr/include/stdio.h:12: error: expected ';'").is_empty());
        assert!(said("/build/src/main.c:1: fatal error: zlib.h: No such file").is_empty());
        assert!(said("http://example.org/etc/passwd failed").is_empty());
    }

    #[test]
    fn search_flags_are_read() {
        assert_eq!(
            absolute_paths("cc -I/opt/x/include -L/opt/lib foo.c"),
            [PathBuf::from("/opt/x/include"), PathBuf::from("/opt/lib")]
        );
    }
}
