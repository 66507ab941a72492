//! Why a sandbox was not started, and what the user can do about it.

use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use spack_wasm_sandbox_protocol::{Failure, Layer, Level, Step};

use crate::Policy;
use crate::error::StartError;

pub(crate) fn explain(policy: &Policy, failure: Failure) -> StartError {
    let source = || match failure.errno {
        0 => io::Error::other("the system gave no reason"),
        errno => io::Error::from_raw_os_error(errno),
    };
    let path = || failure.path.as_ref().map(|path| path.as_path().to_path_buf());
    match (failure.layer, failure.step) {
        (Some(layer), _) => {
            let flag = (!policy.required).then(|| flag_without(policy, layer));
            StartError::MissingLayer { layer, why: source(), flag }
        }
        (None, Step::OpenFolder) => StartError::Closed {
            uid: policy.owner(),
            level: policy.level,
            path: path().unwrap_or_default(),
            why: source(),
        },
        (None, step) => StartError::Setup { step: step.describe(), path: path(), source: source() },
    }
}

/// The weakest change of options that continues without a wall.
fn flag_without(policy: &Policy, layer: Layer) -> String {
    match (policy.level, layer) {
        // Nothing of the level `namespaces` is left without these.
        (Level::Namespaces, Layer::User) if policy.other_user().is_none() => lower_level(policy),
        (Level::Namespaces, Layer::Mount) => lower_level(policy),
        // A new `/proc` is one of a new process namespace.
        (Level::Namespaces, Layer::Pid) if !policy.allow_missing.contains(&Layer::Proc) => {
            format!("--sandbox-allow-missing={},{}", Layer::Pid, Layer::Proc)
        }
        (Level::Namespaces, layer) => format!("--sandbox-allow-missing={layer}"),
        (Level::Landlock | Level::None, _) => "--sandbox=none".to_owned(),
    }
}

fn lower_level(policy: &Policy) -> String {
    let level = if landlock_is_enough() { Level::Landlock } else { Level::None };
    match policy.other_user().zip(closed_folder(policy)) {
        Some((uid, folder)) => {
            let folder = folder.display();
            format!(
                "--sandbox={level}, and `chmod o+x {folder}`, since at that level user {uid} must be able to enter it"
            )
        }
        None => format!("--sandbox={level}"),
    }
}

/// A folder on the way to a path of the policy that only its owner and group may enter.
fn closed_folder(policy: &Policy) -> Option<&Path> {
    let above = policy.mounts.iter().flat_map(|mount| mount.source.ancestors().skip(1));
    let is_closed =
        |folder: &&Path| fs_err::metadata(folder).is_ok_and(|metadata| metadata.mode() & 0o001 == 0);
    above.filter(is_closed).min_by_key(|folder| folder.components().count())
}

#[expect(unsafe_code, reason = "the version is asked for by a system call without a wrapper")]
fn landlock_is_enough() -> bool {
    const LANDLOCK_CREATE_RULESET_VERSION: libc::c_long = 1;
    const REQUIRED_ABI: libc::c_long = 3;
    // SAFETY: with this flag the call reads no memory and returns a number.
    let abi = unsafe {
        libc::syscall(
            libc::SYS_landlock_create_ruleset,
            std::ptr::null::<libc::c_void>(),
            0 as libc::size_t,
            LANDLOCK_CREATE_RULESET_VERSION,
        )
    };
    abi >= REQUIRED_ABI
}
