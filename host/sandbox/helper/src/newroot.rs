//! The root folder of the build: what is not put here does not exist.

use std::ffi::CStr;
use std::path::Path;

use rustix::fs::{CWD, Mode, OFlags, openat, symlinkat};
use rustix::io::Errno;
use rustix::mount::{
    MountFlags, MoveMountFlags, OpenTreeFlags, UnmountFlags, mount, move_mount, open_tree, unmount,
};
use spack_wasm_sandbox_protocol::{Layer, OwnFile, Setup, Step};

use crate::ground::Ground;
use crate::mounts::{Detached, mount_tmpfs, open_folder, open_source};
use crate::namespaces::OwnMounts;
use crate::walls::{Fail, Outcome, Walls};

/// Where the new root is laid until it is entered. Any folder would do: the mount is seen by this process only, and
/// all sources are opened before it hides what was there. It must not hide `/proc`.
const BASES: [&str; 4] = ["/tmp", "/mnt", "/var", "/usr"];

/// Folders of the root that are no mounts of the policy.
const FOLDERS: [&str; 7] = ["/proc", "/dev", "/dev/pts", "/dev/shm", "/etc", "/tmp", "/var/tmp"];

/// Those in which the build has a file system for itself.
const PRIVATE: [&str; 3] = ["/tmp", "/var/tmp", "/dev/shm"];

const DEVICE_LINKS: [(&str, &str); 5] = [
    ("/dev/fd", "/proc/self/fd"),
    ("/dev/stdin", "/proc/self/fd/0"),
    ("/dev/stdout", "/proc/self/fd/1"),
    ("/dev/stderr", "/proc/self/fd/2"),
    ("/dev/ptmx", "pts/ptmx"),
];

fn base() -> &'static str {
    BASES.into_iter().find(|folder| Path::new(folder).is_dir()).unwrap_or("/")
}

/// Lays everything but `/proc` and the terminals, which need the build's own namespaces.
pub(crate) fn build(setup: &Setup, mounts: &OwnMounts) -> Outcome<()> {
    let detached = open_sources(setup)?;
    let base = base();
    mount_tmpfs(Path::new(base), c"mode=0755,size=16m", mounts)?;
    let mut ground = Ground::new(open_folder(Path::new(base))?, mounts)?;
    for folder in FOLDERS {
        ground.place(Path::new(folder), true)?;
    }
    for folder in PRIVATE {
        mount_private(&format!("{base}{folder}"), setup.tmp_bytes, mounts)?;
        ground.adopt(Path::new(folder))?;
    }
    for mount in &detached {
        ground.attach(mount)?;
    }
    for file in &setup.files {
        write_own(&mut ground, file)?;
    }
    let links = setup.links.iter().map(|link| (link.path.as_path(), link.target.as_path()));
    let device_links = DEVICE_LINKS.iter().map(|(path, target)| (Path::new(path), Path::new(target)));
    for (path, target) in links.chain(device_links) {
        link(&mut ground, path, target)?;
    }
    ground.close()
}

fn open_sources(setup: &Setup) -> Outcome<Vec<Detached>> {
    let mut mounts: Vec<_> = setup.mounts.iter().collect();
    mounts.sort_by_key(|mount| mount.target.as_path().components().count());
    let devices = setup.devices.iter().map(|device| open_source(device.as_path(), device.as_path(), None));
    let mounts = mounts
        .iter()
        .map(|mount| open_source(mount.source.as_path(), mount.target.as_path(), Some(mount.access)));
    devices.chain(mounts).collect()
}

fn write_own(ground: &mut Ground<'_>, file: &OwnFile) -> Outcome<()> {
    let path = file.path.as_path();
    let folder = ground.place(path.parent().unwrap_or(path), true)?;
    let name = path.file_name().ok_or(Errno::INVAL).fail_at(Step::NewRoot, path)?;
    let flags = OFlags::CREATE | OFlags::EXCL | OFlags::WRONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let opened = openat(&folder, name, flags, Mode::from_raw_mode(0o444)).fail_at(Step::NewRoot, path)?;
    let mut rest = file.content.as_slice();
    while !rest.is_empty() {
        let written = rustix::io::write(&opened, rest).fail_at(Step::NewRoot, path)?;
        rest = &rest[written..];
    }
    Ok(())
}

fn link(ground: &mut Ground<'_>, path: &Path, target: &Path) -> Outcome<()> {
    let folder = ground.place(path.parent().unwrap_or(path), true)?;
    let name = path.file_name().ok_or(Errno::INVAL).fail_at(Step::NewRoot, path)?;
    symlinkat(target, &folder, name).fail_at(Step::NewRoot, path)
}

fn mount_private(path: &str, bytes: u64, mounts: &OwnMounts) -> Outcome<()> {
    let options = match bytes {
        0 => "mode=1777\0".to_owned(),
        bytes => format!("mode=1777,size={bytes}\0"),
    };
    let options = CStr::from_bytes_with_nul(options.as_bytes()).map_err(|_| Errno::INVAL);
    let path = Path::new(path);
    mount_tmpfs(path, options.fail_at(Step::Private, path)?, mounts)
}

/// Makes the laid root the root of this process, in the build's own namespaces.
pub(crate) fn enter(walls: &mut Walls, _: &OwnMounts) -> Outcome<()> {
    let base = base();
    if walls.laid_outside {
        unlock(base)?;
    }
    let proc = mount_proc(base, walls.stands(Layer::Pid));
    let outer_proc = proc.is_err();
    walls.tolerate(proc)?;
    if outer_proc {
        bind_outer_proc(base)?;
    }
    mount_terminals(base)?;
    pivot(base).fail(Step::PivotRoot)
}

/// A mount that came from a stronger namespace is locked to its place and cannot become the root; a copy can.
fn unlock(base: &str) -> Outcome<()> {
    let flags =
        OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC | OpenTreeFlags::AT_RECURSIVE;
    let tree = open_tree(CWD, base, flags).fail(Step::NewRoot)?;
    move_mount(&tree, c"", CWD, base, MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH).fail(Step::NewRoot)
}

/// Refused by the kernel where parts of the outer `/proc` are covered, as in most containers.
fn mount_proc(base: &str, own_processes: bool) -> Outcome<()> {
    if !own_processes {
        return Err(Errno::PERM).fail_layer(Step::Proc, Layer::Proc);
    }
    let flags = MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOEXEC;
    mount("proc", format!("{base}/proc"), "proc", flags, None).fail_layer(Step::Proc, Layer::Proc)
}

fn bind_outer_proc(base: &str) -> Outcome<()> {
    let flags =
        OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC | OpenTreeFlags::AT_RECURSIVE;
    let tree = open_tree(CWD, "/proc", flags).fail(Step::Proc)?;
    move_mount(&tree, c"", CWD, format!("{base}/proc"), MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH)
        .fail(Step::Proc)
}

/// Terminals of its own: test suites that drive programs through `expect` need some, and must not get ours.
fn mount_terminals(base: &str) -> Outcome<()> {
    let flags = MountFlags::NOSUID | MountFlags::NOEXEC;
    mount("devpts", format!("{base}/dev/pts"), "devpts", flags, c"newinstance,ptmxmode=0666,mode=0620")
        .fail_at(Step::Private, Path::new("/dev/pts"))
}

fn pivot(base: &str) -> Result<(), Errno> {
    rustix::process::chdir(base)?;
    rustix::process::pivot_root(".", ".")?;
    unmount(".", UnmountFlags::DETACH)?;
    rustix::process::chdir("/")
}
