//! Lets the build user in where paths are real.
//!
//! Root's home has mode 0700, and store and stage are in it. Started by root, in mounts of our own, an empty file system
//! that everybody may enter is laid over such a folder, and in it stand the granted paths, each where it was. What else is in
//! the folder stays out of the build user's sight, which it was before.

use std::collections::BTreeSet;
use std::path::Path;

use rustix::fs::{Access, AtFlags, CWD, accessat};
use rustix::io::Errno;
use spack_wasm_sandbox_protocol::{Failure, Setup, Step, WireString};

use crate::ground::Ground;
use crate::identity;
use crate::mounts::{Detached, mount_tmpfs, open_folder, open_source};
use crate::namespaces::OwnMounts;
use crate::sys;
use crate::walls::{Fail, Outcome};

/// Opens every folder on the way to a granted path. Changes nothing where none is closed.
pub(crate) fn open_up(setup: &Setup) -> Outcome<()> {
    let closed: BTreeSet<_> = closed_folders(setup).collect();
    let Some(first) = closed.first() else { return Ok(()) };
    let mounts = OwnMounts::new().map_err(|failure| blamed_on(first, &failure))?;
    for folder in &closed {
        cover(folder, setup, &mounts).map_err(|failure| blamed_on(folder, &failure))?;
    }
    // One that is reached by way of a link is still where it was.
    match closed_folders(setup).next() {
        Some(folder) => Err(Errno::ACCESS).fail_at(Step::OpenFolder, folder),
        None => Ok(()),
    }
}

fn blamed_on(folder: &Path, failure: &Failure) -> Failure {
    let path = Some(WireString::from(folder));
    Failure { step: Step::OpenFolder, path, layer: None, errno: failure.errno }
}

/// The outermost folder above each granted path that the build user can't enter.
fn closed_folders(setup: &Setup) -> impl Iterator<Item = &Path> {
    setup.mounts.iter().filter_map(|mount| {
        let mut above: Vec<_> = mount.source.as_path().ancestors().skip(1).collect();
        let nearest = above.first()?;
        if !is_closed(nearest, setup) {
            return None;
        }
        above.reverse();
        above.into_iter().find(|folder| is_closed(folder, setup))
    })
}

/// Asked of the kernel, which knows access lists, too.
fn is_closed(folder: &Path, setup: &Setup) -> bool {
    sys::in_throwaway_process(|| {
        identity::drop_root(setup).is_ok()
            && accessat(CWD, folder, Access::EXEC_OK, AtFlags::empty()) == Err(Errno::ACCESS)
    })
}

fn cover(folder: &Path, setup: &Setup, mounts: &OwnMounts) -> Outcome<()> {
    let granted = granted_beneath(folder, setup)?;
    mount_tmpfs(folder, c"mode=0755,size=1m", mounts)?;
    let mut ground = Ground::new(open_folder(folder)?, mounts)?;
    for mount in &granted {
        ground.attach(mount)?;
    }
    ground.close()
}

/// What was granted in a folder, parents before children, taken hold of before the folder is covered.
fn granted_beneath(folder: &Path, setup: &Setup) -> Outcome<Vec<Detached>> {
    let sources = setup.mounts.iter().map(|mount| mount.source.as_path());
    let mut granted: Vec<_> = sources
        .filter_map(|source| Some((source, source.strip_prefix(folder).ok()?)))
        .filter(|(_, beneath)| !beneath.as_os_str().is_empty())
        .collect();
    granted.sort_by_key(|(_, beneath)| beneath.components().count());
    // What may be done with them is Landlock's matter at these levels.
    granted.into_iter().map(|(source, beneath)| open_source(source, beneath, None)).collect()
}
