//! Mounts that are copied from the host, and file systems of our own.

use std::ffi::CStr;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, Mode, OFlags, openat};
use rustix::mount::{MountFlags, OpenTreeFlags, mount, open_tree};
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

pub(crate) fn mount_tmpfs(path: &Path, options: &CStr, _: &OwnMounts) -> Outcome<()> {
    let flags = MountFlags::NOSUID | MountFlags::NODEV;
    mount("tmpfs", path, "tmpfs", flags, options).fail_at(Step::Private, path)
}

pub(crate) fn open_folder(path: &Path) -> Outcome<OwnedFd> {
    openat(CWD, path, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())
        .fail_at(Step::NewRoot, path)
}
