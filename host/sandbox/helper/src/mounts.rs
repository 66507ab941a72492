//! Mounts that are copied from the host and attached elsewhere.

use std::ffi::CStr;
use std::os::fd::OwnedFd;
use std::path::{Component, Path, PathBuf};

use rustix::fs::{CWD, Mode, OFlags, mkdirat, openat};
use rustix::io::Errno;
use rustix::mount::{MountFlags, MoveMountFlags, OpenTreeFlags, mount, move_mount, open_tree};
use spack_wasm_sandbox_protocol::{Access, Step};

use crate::namespaces::OwnMounts;
use crate::sys::{self, MountAttributes};
use crate::walls::{Fail, Outcome};

/// A mount that is not attached yet, and where it goes.
pub(crate) struct Detached {
    pub(crate) tree: OwnedFd,
    /// Absolute, or beneath the folder that it is attached to.
    pub(crate) target: PathBuf,
    pub(crate) is_folder: bool,
}

/// Copies a path with all that is mounted beneath it; restricted where it is said what the build may do with it.
pub(crate) fn open_source(source: &Path, target: &Path, access: Option<Access>) -> Outcome<Detached> {
    let flags =
        OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC | OpenTreeFlags::AT_RECURSIVE;
    let tree = open_tree(CWD, source, flags).fail_at(Step::OpenSource, source)?;
    if let Some(access) = access {
        let attributes = MountAttributes { read_only: access == Access::ReadOnly, no_devices: true };
        sys::restrict_mount(&tree, attributes, true).fail_at(Step::Restrict, source)?;
    }
    let status = rustix::fs::fstat(&tree).fail_at(Step::OpenSource, source)?;
    let is_folder = rustix::fs::FileType::from_raw_mode(status.st_mode).is_dir();
    Ok(Detached { tree, target: target.to_path_buf(), is_folder })
}

pub(crate) fn attach(root: &OwnedFd, mount: &Detached, _: &OwnMounts) -> Outcome<()> {
    let place = place(root, &mount.target, mount.is_folder)?;
    let flags = MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH | MoveMountFlags::MOVE_MOUNT_T_EMPTY_PATH;
    move_mount(&mount.tree, c"", &place, c"", flags).fail_at(Step::Attach, &mount.target)
}

/// Opens the place of a mount, creating it and what is above it. Never follows a link, so that a stage cannot
/// redirect a mount that lies beneath it.
pub(crate) fn place(root: &OwnedFd, target: &Path, is_folder: bool) -> Outcome<OwnedFd> {
    let names: Vec<_> = target
        .components()
        .filter_map(|part| if let Component::Normal(name) = part { Some(name) } else { None })
        .collect();
    let mut here = rustix::io::dup(root).fail_at(Step::Target, target)?;
    for (index, name) in names.iter().enumerate() {
        let folder = is_folder || index + 1 < names.len();
        make(&here, name, folder).fail_at(Step::Target, target)?;
        let kind = if folder { OFlags::DIRECTORY } else { OFlags::empty() };
        let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC | kind;
        here = openat(&here, *name, flags, Mode::empty()).fail_at(Step::Target, target)?;
    }
    Ok(here)
}

fn make(parent: &OwnedFd, name: &std::ffi::OsStr, folder: bool) -> Result<(), Errno> {
    let made = if folder {
        mkdirat(parent, name, Mode::from_raw_mode(0o755))
    } else {
        let flags = OFlags::CREATE | OFlags::EXCL | OFlags::WRONLY | OFlags::CLOEXEC;
        openat(parent, name, flags, Mode::from_raw_mode(0o444)).map(drop)
    };
    match made {
        // Beneath a mount that exists already the place may be there and the mount read-only.
        Err(Errno::EXIST | Errno::ROFS | Errno::ACCESS | Errno::PERM) => Ok(()),
        other => other,
    }
}

pub(crate) fn mount_tmpfs(path: &Path, options: &CStr, _: &OwnMounts) -> Outcome<()> {
    let flags = MountFlags::NOSUID | MountFlags::NODEV;
    mount("tmpfs", path, "tmpfs", flags, options).fail_at(Step::Private, path)
}

pub(crate) fn open_folder(path: &Path) -> Outcome<OwnedFd> {
    openat(CWD, path, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())
        .fail_at(Step::NewRoot, path)
}
