//! The launcher's part of the setup: namespaces, and as root the mounts.
//!
//! Started by an ordinary user, the user namespace comes first and gives the right to create the others. Root of a user
//! namespace that has no other user is one.
//!
//! Started by root, a user namespace that maps root would still own root's files, so the build user is another one.
//! But a home folder of mode 0700 is closed to that user, while a mount that was attached before stays readable.
//! Hence: mount namespace, all mounts as root, then the change of user, then the user namespace and the others.
//!
//! When root accepts that the user namespace is missing, the others are created as root and the change of user comes
//! last, in the executor.

use std::io;

use rustix::fs::{CWD, readlinkat};
use rustix::mount::{MountPropagationFlags, mount_change};
use rustix::thread::UnshareFlags;
use spack_wasm_sandbox_protocol::{Failure, Layer, Level, Setup, Step, must_change_user};

use crate::walls::{Fail, Outcome, Walls};
use crate::{identity, newroot, real_paths, sys};

/// The namespaces beside the user's and the mounts'.
const OTHERS: [(Layer, UnshareFlags); 5] = [
    (Layer::Pid, UnshareFlags::NEWPID),
    (Layer::Network, UnshareFlags::NEWNET),
    (Layer::Ipc, UnshareFlags::NEWIPC),
    (Layer::Uts, UnshareFlags::NEWUTS),
    (Layer::Cgroup, UnshareFlags::NEWCGROUP),
];

/// The proof that this process has mounts of its own. Everything that changes mounts asks for it: as root, in the
/// mount namespace of the machine, the same calls would take the root folder away from every process.
#[derive(Debug)]
pub(crate) struct OwnMounts(());

impl OwnMounts {
    /// Leaves the mounts of the machine for a copy that shows nothing outside, nor the other way round. Never
    /// tolerated to be missing.
    pub(crate) fn new() -> Outcome<OwnMounts> {
        Self::leave().fail_layer(Step::Unshare, Layer::Mount)?;
        let flags = MountPropagationFlags::PRIVATE | MountPropagationFlags::REC;
        mount_change("/", flags).fail_layer(Step::NewRoot, Layer::Mount)?;
        Ok(OwnMounts(()))
    }

    /// What the kernel answers is not believed alone: the namespace must be another one afterwards.
    fn leave() -> io::Result<()> {
        let before = Self::current()?;
        sys::unshare(UnshareFlags::NEWNS)?;
        if Self::current()? == before { Err(io::ErrorKind::Unsupported.into()) } else { Ok(()) }
    }

    fn current() -> io::Result<Vec<u8>> {
        Ok(readlinkat(CWD, "/proc/self/ns/mnt", Vec::new())?.to_bytes().to_vec())
    }
}

/// Returns the proof at the level `namespaces`, which is nothing without it.
pub(crate) fn enter(setup: &Setup, walls: &mut Walls) -> Outcome<Option<OwnMounts>> {
    match (setup.level, must_change_user(setup.build_uid)) {
        (Level::Namespaces, true) => enter_as_root(setup, walls).map(Some),
        (Level::Namespaces, false) => {
            identity::enter_user_namespace()?;
            let mounts = OwnMounts::new()?;
            enter_others(walls)?;
            Ok(Some(mounts))
        }
        (Level::Landlock | Level::None, true) => {
            real_paths::open_up(setup)?;
            identity::drop_root(setup)?;
            Ok(None)
        }
        (Level::Landlock | Level::None, false) => Ok(None),
    }
}

fn enter_as_root(setup: &Setup, walls: &mut Walls) -> Outcome<OwnMounts> {
    let mounts = OwnMounts::new()?;
    if walls.may_miss(Layer::User) && !identity::user_namespace_works(setup) {
        walls.tolerate(Err(Failure {
            step: Step::Unshare,
            path: None,
            layer: Some(Layer::User),
            errno: libc::EPERM,
        }))?;
        walls.drop_late = true;
        enter_others(walls)?;
        return Ok(mounts);
    }
    newroot::build(setup, &mounts)?;
    walls.laid_outside = true;
    identity::drop_root(setup)?;
    identity::enter_user_namespace()?;
    // Once more, since only the owner of a mount namespace may mount in it.
    let mounts = OwnMounts::new()?;
    enter_others(walls)?;
    Ok(mounts)
}

fn enter_others(walls: &mut Walls) -> Outcome<()> {
    for (layer, flag) in OTHERS {
        walls.tolerate(sys::unshare(flag).fail_layer(Step::Unshare, layer))?;
    }
    Ok(())
}
