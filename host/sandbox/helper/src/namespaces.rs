//! The launcher's part of the setup: namespaces, and as root the mounts.
//!
//! Started by an ordinary user, the user namespace comes first and gives the right to create the others.
//!
//! Started by root, a user namespace that maps root would still own root's files, so the build user is another one.
//! But a home folder of mode 0700 is closed to that user, while a mount that was attached before stays readable.
//! Hence: mount namespace, all mounts as root, then the change of user, then the user namespace and the others.
//!
//! When root accepts that the user namespace is missing, the others are created as root and the change of user comes
//! last, in the executor.

use rustix::mount::{MountPropagationFlags, mount_change};
use rustix::thread::UnshareFlags;
use spack_wasm_sandbox_protocol::{Failure, Layer, Level, Setup, Step};

use crate::walls::{Fail, Outcome, Walls};
use crate::{identity, newroot, sys};

/// The namespaces beside the user's.
const OTHERS: [(Layer, UnshareFlags); 6] = [
    (Layer::Mount, UnshareFlags::NEWNS),
    (Layer::Pid, UnshareFlags::NEWPID),
    (Layer::Network, UnshareFlags::NEWNET),
    (Layer::Ipc, UnshareFlags::NEWIPC),
    (Layer::Uts, UnshareFlags::NEWUTS),
    (Layer::Cgroup, UnshareFlags::NEWCGROUP),
];

pub(crate) fn enter(setup: &Setup, walls: &mut Walls) -> Outcome<()> {
    match (setup.level, identity::is_root()) {
        (Level::Namespaces, true) => enter_as_root(setup, walls),
        (Level::Namespaces, false) => {
            identity::enter_user_namespace()?;
            enter_others(walls)
        }
        (Level::Landlock | Level::None, true) => identity::drop_root(setup),
        (Level::Landlock | Level::None, false) => Ok(()),
    }
}

fn enter_as_root(setup: &Setup, walls: &mut Walls) -> Outcome<()> {
    if walls.may_miss(Layer::User) && !identity::user_namespace_works(setup) {
        walls.tolerate(Err(Failure {
            step: Step::Unshare,
            path: None,
            layer: Some(Layer::User),
            errno: libc::EPERM,
        }))?;
        walls.drop_late = true;
        return enter_others(walls);
    }
    sys::unshare(UnshareFlags::NEWNS).fail_layer(Step::Unshare, Layer::Mount)?;
    make_private()?;
    newroot::build(setup)?;
    walls.laid_outside = true;
    identity::drop_root(setup)?;
    identity::enter_user_namespace()?;
    enter_others(walls)
}

fn enter_others(walls: &mut Walls) -> Outcome<()> {
    for (layer, flag) in OTHERS {
        walls.tolerate(sys::unshare(flag).fail_layer(Step::Unshare, layer))?;
    }
    Ok(())
}

/// Nothing that is mounted here shows outside, nor the other way round.
pub(crate) fn make_private() -> Outcome<()> {
    mount_change("/", MountPropagationFlags::PRIVATE | MountPropagationFlags::REC)
        .fail_layer(Step::NewRoot, Layer::Mount)
}
