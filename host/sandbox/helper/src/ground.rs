//! Where mounts are attached: a root of our own, in which places are made as they are needed.
//!
//! A place may lie beneath another mount, as a store beneath `/usr` does. What is mounted there is the machine's, where nothing
//! may be made. So the innermost folder that lacks an entry is covered by a file system of our own, with the same
//! entries, and there the new one is made. Everything in it but the new places is what it was.

use std::ffi::OsStr;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path};

use rustix::fs::{Dir, FileType, Mode, OFlags, fstat, mkdirat, openat, readlinkat, symlinkat};
use rustix::io::Errno;
use rustix::mount::{
    FsMountFlags, FsOpenFlags, MountAttrFlags, MoveMountFlags, OpenTreeFlags, fsconfig_create,
    fsconfig_set_string, fsmount, fsopen, move_mount, open_tree,
};
use spack_wasm_sandbox_protocol::Step;

use crate::mounts::Detached;
use crate::namespaces::OwnMounts;
use crate::sys::{self, MountAttributes};
use crate::walls::{Fail, Outcome};

/// The most entries of a folder that is covered; each is a mount.
const MOST_ENTRIES: usize = 10_000;

/// A root folder of our own.
pub(crate) struct Ground<'a> {
    root: OwnedFd,
    /// File systems that are our own, by their devices: there, places can be made.
    own: Vec<u64>,
    covers: Vec<OwnedFd>,
    mounts: &'a OwnMounts,
}

/// An entry of a folder that is covered.
enum Kept {
    Mount { tree: OwnedFd, is_folder: bool },
    Link(Vec<u8>),
}

impl<'a> Ground<'a> {
    pub(crate) fn new(root: OwnedFd, mounts: &'a OwnMounts) -> Outcome<Self> {
        let own = vec![device(&root).fail(Step::NewRoot)?];
        Ok(Self { root, own, covers: Vec::new(), mounts })
    }

    /// Places can be made in this folder, too: a file system of our own is mounted there.
    pub(crate) fn adopt(&mut self, folder: &Path) -> Outcome<()> {
        let folder_fd = self.place(folder, true)?;
        self.own.push(device(&folder_fd).fail_at(Step::Private, folder)?);
        Ok(())
    }

    pub(crate) fn attach(&mut self, mount: &Detached) -> Outcome<()> {
        let place = self.place(&mount.target, mount.is_folder)?;
        attach_at(&mount.tree, &place, self.mounts).fail_at(Step::Attach, &mount.target)
    }

    /// Opens the place of a mount, creating it and what is above it. Never follows a link, so that a stage cannot
    /// redirect a mount that lies beneath it.
    pub(crate) fn place(&mut self, target: &Path, is_folder: bool) -> Outcome<OwnedFd> {
        let names: Vec<_> = target
            .components()
            .filter_map(|part| if let Component::Normal(name) = part { Some(name) } else { None })
            .collect();
        let mut here = rustix::io::dup(&self.root).fail_at(Step::Target, target)?;
        for (index, name) in names.iter().enumerate() {
            let folder = is_folder || index + 1 < names.len();
            here = self.step(here, name, folder).fail_at(Step::Target, target)?;
        }
        Ok(here)
    }

    fn step(&mut self, here: OwnedFd, name: &OsStr, folder: bool) -> Result<OwnedFd, Errno> {
        match open(&here, name, folder) {
            Err(Errno::NOENT) => {}
            found => return found,
        }
        let ours = if self.own.contains(&device(&here)?) { here } else { self.cover(&here)? };
        make(&ours, name, folder)?;
        open(&ours, name, folder)
    }

    /// Lays a file system of our own over a folder, with the same entries.
    fn cover(&mut self, folder: &OwnedFd) -> Result<OwnedFd, Errno> {
        let entries = entries(folder)?;
        let cover = new_tmpfs()?;
        attach_at(&cover, folder, self.mounts)?;
        for (name, entry) in &entries {
            let name = OsStr::from_bytes(name);
            match entry {
                Kept::Link(target) => symlinkat(OsStr::from_bytes(target), &cover, name)?,
                Kept::Mount { tree, is_folder } => {
                    make(&cover, name, *is_folder)?;
                    attach_at(tree, &open(&cover, name, *is_folder)?, self.mounts)?;
                }
            }
        }
        self.own.push(device(&cover)?);
        self.covers.push(rustix::io::dup(&cover)?);
        Ok(cover)
    }

    /// Nothing more is made here.
    pub(crate) fn close(self) -> Outcome<()> {
        let read_only = MountAttributes { read_only: true, no_devices: false };
        let mut own = self.covers.iter().chain([&self.root]);
        own.try_for_each(|tree| sys::restrict_mount(tree, read_only, false).fail(Step::Restrict))
    }
}

fn attach_at(tree: &OwnedFd, place: &OwnedFd, _: &OwnMounts) -> Result<(), Errno> {
    let flags = MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH | MoveMountFlags::MOVE_MOUNT_T_EMPTY_PATH;
    move_mount(tree, c"", place, c"", flags)
}

fn device(folder: &OwnedFd) -> Result<u64, Errno> {
    Ok(fstat(folder)?.st_dev)
}

fn open(parent: &OwnedFd, name: &OsStr, folder: bool) -> Result<OwnedFd, Errno> {
    let kind = if folder { OFlags::DIRECTORY } else { OFlags::empty() };
    openat(parent, name, OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC | kind, Mode::empty())
}

fn make(parent: &OwnedFd, name: &OsStr, folder: bool) -> Result<(), Errno> {
    if folder {
        return mkdirat(parent, name, Mode::from_raw_mode(0o755));
    }
    let flags = OFlags::CREATE | OFlags::EXCL | OFlags::WRONLY | OFlags::CLOEXEC;
    openat(parent, name, flags, Mode::from_raw_mode(0o444)).map(drop)
}

/// What is in a folder, each entry taken hold of with all that is mounted on it.
fn entries(folder: &OwnedFd) -> Result<Vec<(Vec<u8>, Kept)>, Errno> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let listed = Dir::new(openat(folder, ".", flags, Mode::empty())?)?;
    let mut entries = Vec::new();
    for entry in listed {
        let name = entry?.file_name().to_bytes().to_vec();
        if name == b"." || name == b".." {
            continue;
        }
        if entries.len() == MOST_ENTRIES {
            return Err(Errno::TOOBIG);
        }
        match keep(folder, OsStr::from_bytes(&name)) {
            Ok(kept) => entries.push((name, kept)),
            // It is gone by now.
            Err(Errno::NOENT) => {}
            Err(errno) => return Err(errno),
        }
    }
    Ok(entries)
}

fn keep(folder: &OwnedFd, name: &OsStr) -> Result<Kept, Errno> {
    let entry = open(folder, name, false)?;
    let kind = FileType::from_raw_mode(fstat(&entry)?.st_mode);
    if kind == FileType::Symlink {
        return Ok(Kept::Link(readlinkat(&entry, c"", Vec::new())?.into_bytes()));
    }
    let flags = OpenTreeFlags::OPEN_TREE_CLONE
        | OpenTreeFlags::OPEN_TREE_CLOEXEC
        | OpenTreeFlags::AT_RECURSIVE
        | OpenTreeFlags::AT_EMPTY_PATH;
    Ok(Kept::Mount { tree: open_tree(&entry, c"", flags)?, is_folder: kind.is_dir() })
}

fn new_tmpfs() -> Result<OwnedFd, Errno> {
    let context = fsopen(c"tmpfs", FsOpenFlags::FSOPEN_CLOEXEC)?;
    fsconfig_set_string(&context, c"mode", c"0755")?;
    fsconfig_set_string(&context, c"size", c"16m")?;
    fsconfig_create(&context)?;
    let attributes = MountAttrFlags::MOUNT_ATTR_NOSUID | MountAttrFlags::MOUNT_ATTR_NODEV;
    fsmount(&context, FsMountFlags::FSMOUNT_CLOEXEC, attributes)
}
