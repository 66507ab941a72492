//! Who the build is: never kernel uid 0.

use std::io;

use rustix::fs::{CWD, Mode, OFlags};
use rustix::process::{DumpableBehavior, Gid, Uid, getegid, geteuid, set_dumpable_behavior};
use rustix::thread::{
    CapabilitySet, CapabilitySets, UnshareFlags, clear_ambient_capability_set,
    remove_capability_from_bounding_set, set_capabilities, set_no_new_privs, set_thread_groups,
    set_thread_res_gid, set_thread_res_uid,
};
use spack_wasm_sandbox_protocol::{Layer, Setup, Step};

use crate::sys;
use crate::walls::{Fail, Outcome};

/// The user and group that the build sees itself as.
const INSIDE: u32 = 1000;

/// Becomes the build user for good.
pub(crate) fn drop_root(setup: &Setup) -> Outcome<()> {
    if setup.build_uid == 0 {
        return Err(io::Error::from_raw_os_error(libc::EINVAL)).fail(Step::DropRoot);
    }
    become_user(setup.build_uid).fail(Step::DropRoot)
}

fn become_user(id: u32) -> io::Result<()> {
    let (uid, gid) = (Uid::from_raw(id), Gid::from_raw(id));
    set_thread_groups(&[])?;
    set_thread_res_gid(gid, gid, gid)?;
    set_thread_res_uid(uid, uid, uid)?;
    Ok(())
}

/// Enters a user namespace in which the build user appears as 1000.
pub(crate) fn enter_user_namespace() -> Outcome<()> {
    let (uid, gid) = (geteuid().as_raw(), getegid().as_raw());
    sys::unshare(UnshareFlags::NEWUSER).fail_layer(Step::Unshare, Layer::User)?;
    // A change of user makes a process undumpable, and its /proc files root's.
    set_dumpable_behavior(DumpableBehavior::Dumpable).fail(Step::IdMap)?;
    write_maps(uid, gid).fail_layer(Step::IdMap, Layer::User)
}

fn write_maps(uid: u32, gid: u32) -> io::Result<()> {
    write_file("/proc/self/setgroups", "deny")?;
    write_file("/proc/self/uid_map", &format!("{INSIDE} {uid} 1"))?;
    write_file("/proc/self/gid_map", &format!("{INSIDE} {gid} 1"))
}

fn write_file(path: &str, text: &str) -> io::Result<()> {
    let file = rustix::fs::openat(CWD, path, OFlags::WRONLY | OFlags::CLOEXEC, Mode::empty())?;
    rustix::io::write(&file, text.as_bytes())?;
    Ok(())
}

/// Whether the build user may create a user namespace, found by doing it in a process that is thrown away.
pub(crate) fn user_namespace_works(setup: &Setup) -> bool {
    sys::in_throwaway_process(|| drop_root(setup).is_ok() && sys::unshare(UnshareFlags::NEWUSER).is_ok())
}

/// Gives up every capability, of the namespace too, and the means to gain any.
pub(crate) fn give_up_privileges() -> Outcome<()> {
    for number in 0..64 {
        let capability = CapabilitySet::from_bits_retain(1 << number);
        if remove_capability_from_bounding_set(capability).is_err() {
            break;
        }
    }
    clear_ambient_capability_set().fail(Step::Privileges)?;
    let none = CapabilitySets {
        effective: CapabilitySet::empty(),
        permitted: CapabilitySet::empty(),
        inheritable: CapabilitySet::empty(),
    };
    set_capabilities(None, none).fail(Step::Privileges)?;
    set_no_new_privs(true).fail(Step::Privileges)
}
