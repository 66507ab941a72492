//! Tells a user when the sandbox is the likely reason for a failure, and what allows the access.

use std::collections::BTreeSet;
use std::fmt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use spack_wasm_sandbox_protocol::TracedAccess;

use crate::{Access, Level, Policy};

mod complaint;

use complaint::{Complaint, Reason, Surroundings};

/// An access that the sandbox refused, or probably did.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Refusal {
    /// The path as the build sees it; `address:port` for a connection.
    pub path: PathBuf,
    /// What was wanted.
    pub access: Access,
    /// Seen as it happened, or concluded from the output.
    pub certain: bool,
    /// What can be done about it.
    pub remedy: Remedy,
}

/// What can be done about a refusal.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Remedy {
    /// A setting of all builds gives access to this path, or to the folder that it would be made in.
    Grant(PathBuf),
    /// Nothing: builds have no network.
    NoNetwork,
    /// Nothing: no file of a build is set-uid or set-gid.
    NoSetId,
}

impl Refusal {
    /// The setting that allows the access, as the option `-c` takes it; none where nothing does.
    pub fn setting(&self) -> Option<String> {
        let Remedy::Grant(path) = &self.remedy else { return None };
        let name = match self.access {
            Access::ReadOnly => "read",
            Access::ReadWrite => "write",
        };
        Some(format!("config:sandbox:{name}:[{}]", path.display()))
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let probably = if self.certain { "" } else { "probably " };
        let path = self.path.display();
        write!(formatter, "{probably}refused by the sandbox: ")?;
        match (&self.remedy, self.setting()) {
            (Remedy::NoSetId, _) => {
                write!(formatter, "set-uid or set-gid bit of {path}; builds set neither")
            }
            (_, None) => write!(formatter, "connection to {path}; builds have no network"),
            (_, Some(setting)) => {
                let wanted = if self.access == Access::ReadWrite { "write" } else { "read" };
                write!(formatter, "{path} ({wanted}); allow with `-c {setting}`")
            }
        }
    }
}

/// Looks in the lines of a failed tool's output that complain of a file: at which paths that exist outside was it that were
/// hidden or read-only inside? Relative paths are read against `directory`, the tool's, or the one that make says it is in.
///
/// The paths are the build's own words: nothing is opened, only looked up.
pub fn probable_refusals(lines: &str, directory: &Path, policy: &Policy) -> Vec<Refusal> {
    let mut surroundings = Surroundings::new(directory);
    let mut refusals = BTreeSet::new();
    for line in lines.lines() {
        surroundings.follow(line);
        let Some(complaint) = Complaint::of(line) else { continue };
        let paths = complaint::paths(line).into_iter().map(|path| surroundings.resolve(&path));
        refusals.extend(paths.filter_map(|path| judge(&path, &complaint, policy)));
    }
    refusals.into_iter().collect()
}

/// Judges an access that was seen as it happened.
pub(crate) fn seen(seen: TracedAccess, policy: &Policy) -> Option<Refusal> {
    let (path, access) = (PathBuf::from(seen.path), seen.access);
    if seen.network {
        return Some(Refusal { path, access, certain: true, remedy: Remedy::NoNetwork });
    }
    // Landlock refuses no look.
    if seen.looks && policy.level != Level::Namespaces {
        return None;
    }
    let reason = if access == Access::ReadWrite { Reason::Denied } else { Reason::Absent };
    let complaint = Complaint { reason, writes: access == Access::ReadWrite, opens: false, mode: false };
    judge(&path, &complaint, policy).map(|refusal| Refusal { certain: true, ..refusal })
}

fn judge(path: &Path, complaint: &Complaint, policy: &Policy) -> Option<Refusal> {
    let path = through_links(path, policy);
    if own_to_the_sandbox(&path, policy) {
        return None;
    }
    let refused = |access, remedy| Some(Refusal { path: path.clone(), access, certain: false, remedy });
    let grant = |access| refused(access, Remedy::Grant(nearest(&path, policy)));
    match policy.outside(&path) {
        Some((_, Access::ReadWrite)) if complaint.mode && complaint.reason == Reason::NotPermitted => {
            refused(Access::ReadWrite, Remedy::NoSetId)
        }
        Some((_, Access::ReadOnly)) if complaint.reason != Reason::Absent => {
            // Whoever may open it for reading was refused writing.
            let wrote = complaint.writes || (complaint.opens && everybody_reads(&path));
            wrote.then(|| grant(Access::ReadWrite)).flatten()
        }
        Some(_) => None,
        None if complaint.writes => {
            let possible = exists(&path) || path.parent().is_some_and(Path::is_dir);
            possible.then(|| grant(Access::ReadWrite)).flatten()
        }
        None if is_above_a_mount(&path, policy) => None,
        None => exists(&path).then(|| grant(Access::ReadOnly)).flatten(),
    }
}

fn exists(path: &Path) -> bool {
    fs_err::symlink_metadata(path).is_ok()
}

fn everybody_reads(path: &Path) -> bool {
    fs_err::metadata(path).map_or(true, |metadata| metadata.permissions().mode() & 0o004 != 0)
}

/// The path, or the folder that it would be made in: a setting can name only what exists.
fn nearest(path: &Path, policy: &Policy) -> PathBuf {
    let outside = |path: &Path| policy.outside(path).map_or_else(|| path.to_path_buf(), |(path, _)| path);
    path.ancestors().find(|path| exists(&outside(path))).unwrap_or(path).to_path_buf()
}

/// The path behind the links of the root folder, such as `/lib`.
fn through_links(path: &Path, policy: &Policy) -> PathBuf {
    let behind = policy.links.iter().find_map(|(link, target)| {
        let rest = path.strip_prefix(link).ok().filter(|rest| !rest.as_os_str().is_empty())?;
        Some(link.parent()?.join(target).join(rest))
    });
    behind.unwrap_or_else(|| path.to_path_buf())
}

fn own_to_the_sandbox(path: &Path, policy: &Policy) -> bool {
    let kernel = path.starts_with("/proc") || path.starts_with("/dev/pts") || path.starts_with("/dev/fd");
    let private = ["/tmp", "/var/tmp", "/dev/shm"].into_iter().any(|folder| path == Path::new(folder));
    let link = policy.links.iter().any(|(link, _)| path == link);
    let device = policy.devices.iter().any(|device| device == path);
    let file = policy.remaps() && policy.files.iter().any(|(file, _)| file == path);
    kernel || private || link || device || file
}

/// Folders such as `/etc` exist in the sandbox with the mounts beneath them.
fn is_above_a_mount(path: &Path, policy: &Policy) -> bool {
    policy.mounts.iter().any(|mount| mount.target.starts_with(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(lines: &str) -> Vec<String> {
        let mut policy = Policy::new(Level::Namespaces);
        policy.mount("/scratch/stage", "/build", Access::ReadWrite);
        let refusals = probable_refusals(lines, Path::new("/build/spack-src"), &policy);
        refusals.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_hidden_file_that_exists_outside_is_named() {
        let expected = "probably refused by the sandbox: /etc/shadow (read); allow with `-c config:sandbox:read:[/etc/shadow]`";
        for line in [
            "cat: /etc/shadow: No such file or directory",
            "cat: ../../etc/shadow: No such file or directory",
            "/bin/sh: 1: cannot open /etc/shadow: No such file",
            "FileNotFoundError: [Errno 2] No such file or directory: '/etc/shadow'",
            "Can't open '/etc/shadow': No such file or directory at x.pl line 3.",
            "cc1: fatal error: /etc/shadow: No such file or directory",
            "/usr/bin/ld: cannot find /etc/shadow: No such file or directory",
            "make: *** No rule to make target '/etc/shadow', needed by 'x'.  Stop.",
            "CMake Error: The source directory \"/etc/shadow\" does not exist.",
        ] {
            assert_eq!(said(line), [expected], "{line}");
        }
    }

    #[test]
    fn a_write_into_the_toolchain_is_named_with_the_folder_that_a_setting_can_open() {
        let expected = "probably refused by the sandbox: /usr/lib/x-new (write); allow with `-c config:sandbox:write:[/usr/lib]`";
        for line in [
            "touch: cannot touch '/usr/lib/x-new': Read-only file system",
            "mkdir: cannot create directory ‘/usr/lib/x-new’: Permission denied",
            "cp: cannot create regular file '/usr/lib/x-new': Read-only file system",
            "mv: cannot move 'a' to '/usr/lib/x-new': Read-only file system",
            "/bin/sh: 1: cannot create /usr/lib/x-new: Read-only file system",
            "/bin/sh: 1: cannot create ../../usr/lib/x-new: Permission denied",
            "bash: line 1: /usr/lib/x-new: Read-only file system",
            "OSError: [Errno 30] Read-only file system: '/usr/lib/x-new'",
            "PermissionError: [Errno 13] Permission denied: '/usr/lib/x-new'",
            "Can't open '/usr/lib/x-new' for writing: Permission denied at x.pl line 3.",
            "/usr/bin/ld: cannot open output file /usr/lib/x-new: Read-only file system",
            "Assembler messages:\nFatal error: can't create /usr/lib/x-new: Read-only file system",
            "ar: /usr/lib/x-new: Read-only file system",
            "  file INSTALL cannot copy file \"/build/x\" to \"/usr/lib/x-new\": Read-only file system.",
        ] {
            assert_eq!(said(line), [expected], "{line}");
        }
    }

    #[test]
    fn a_mode_that_builds_can_not_set_is_explained() {
        let expected = "probably refused by the sandbox: set-uid or set-gid bit of /build/spack-src/sub/run; builds set neither";
        for lines in [
            "chmod: changing permissions of '/build/spack-src/sub/run': Operation not permitted",
            "chmod: changing permissions of 'sub/run': Operation not permitted",
            "make[1]: Entering directory '/build/spack-src/sub'\n\
             chmod: changing permissions of 'run': Operation not permitted",
        ] {
            assert_eq!(said(lines), [expected], "{lines}");
        }
        let of_the_toolchain = "chmod: changing permissions of '/usr/bin/env': Operation not permitted";
        assert_eq!(
            said(of_the_toolchain),
            [
                "probably refused by the sandbox: /usr/bin/env (write); allow with `-c config:sandbox:write:[/usr/bin/env]`"
            ]
        );
    }

    #[test]
    fn what_is_absent_outside_or_granted_is_not_the_sandboxs_doing() {
        for line in [
            "cc: error: /no/such/file.c: No such file or directory",
            "/usr/include/stdio.h:12: error: expected ';'",
            "/build/src/main.c:1: fatal error: zlib.h: No such file or directory",
            "http://example.org/etc/passwd not found",
            // No complaint.
            "gcc -I/etc/ssl -c main.c",
            "checking for /etc/shadow... no",
            // Another complaint.
            "gcc: error: unrecognized option '-x' in /etc/shadow",
            // Executed, not written.
            "make: /usr/include/stdio.h: Permission denied",
            "make: *** No rule to make target 'sub/x.c', needed by 'x.o'.  Stop.",
            "rm: cannot remove 'x': No such file or directory",
        ] {
            assert_eq!(said(line), [""; 0], "{line}");
        }
    }
}
