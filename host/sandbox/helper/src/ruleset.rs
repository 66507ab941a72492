//! Landlock: the second wall around files, and the only one at the level `landlock`.

use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;

use landlock::{
    ABI, Access, AccessFs, BitFlags, CompatLevel, Compatible, PathBeneath, PathFd, Ruleset, RulesetAttr,
    RulesetCreated, RulesetCreatedAttr, Scope,
};
use spack_wasm_sandbox_protocol::{Access as Granted, Setup};

use crate::sys;

/// The least that is worth having: below it a file outside can be truncated.
const REQUIRED: ABI = ABI::V3;
/// What is taken where the kernel has it: device ioctls (5), signals and abstract sockets (6).
const WANTED: ABI = ABI::V6;

/// A set of rules, not yet in force.
pub(crate) struct Rules(OwnedFd);

impl Rules {
    /// Puts the rules in force for this process and all its children, for good.
    pub(crate) fn restrict(&self) -> io::Result<()> {
        sys::landlock_restrict_self(&self.0)
    }
}

/// Rules for the new root: everything in it was granted, so this is about writing.
pub(crate) fn for_new_root(setup: &Setup, own_proc: bool) -> io::Result<Rules> {
    let mut rules = create()?;
    for mount in &setup.mounts {
        rules = grant(rules, mount.target.as_path(), rights(mount.access))?;
    }
    let own = ["/etc", "/tmp", "/var/tmp", "/dev/shm"];
    let access = [read(), everything(), everything(), everything()];
    for (path, access) in own.into_iter().zip(access) {
        rules = grant(rules, Path::new(path), access)?;
    }
    // Programs look for their own folder by listing from the root downwards.
    let rules = grant(rules, Path::new("/"), AccessFs::ReadDir.into())?;
    // A thread's name is set by writing to its `comm`. Where the host's processes are there too, so could theirs.
    let proc = if own_proc { read() | AccessFs::WriteFile } else { read() };
    let rules = grant(rules, Path::new("/proc"), proc)?;
    into_rules(grant(rules, Path::new("/dev"), devices())?)
}

/// Rules for the real root. `/tmp` and most of `/etc` stay closed, since they are shared with the user.
pub(crate) fn for_real_paths(setup: &Setup) -> io::Result<Rules> {
    let mut rules = create()?;
    for mount in &setup.mounts {
        rules = grant(rules, mount.source.as_path(), rights(mount.access))?;
    }
    for device in &setup.devices {
        rules = grant(rules, device.as_path(), devices())?;
    }
    // Not to be written: the user's other processes are in it, and some of their files are the user's.
    into_rules(grant(rules, Path::new("/proc"), read())?)
}

/// Rules that close every file: to try whether rules are enforced.
pub(crate) fn for_nothing() -> io::Result<Rules> {
    into_rules(create()?)
}

fn create() -> io::Result<RulesetCreated> {
    Ruleset::default()
        .set_compatibility(CompatLevel::HardRequirement)
        .handle_access(AccessFs::from_all(REQUIRED))
        .map_err(unsupported)?
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(WANTED))
        .map_err(unsupported)?
        .scope(Scope::from_all(WANTED))
        .map_err(unsupported)?
        .create()
        .map_err(unsupported)
}

fn grant(rules: RulesetCreated, path: &Path, access: BitFlags<AccessFs>) -> io::Result<RulesetCreated> {
    let folder = PathFd::new(path).map_err(io::Error::other)?;
    // A file takes no rights of folders.
    let access = if path.is_dir() { access } else { access & AccessFs::from_file(WANTED) };
    rules.add_rule(PathBeneath::new(folder, access)).map_err(unsupported)
}

fn rights(access: Granted) -> BitFlags<AccessFs> {
    match access {
        Granted::ReadOnly => read(),
        Granted::ReadWrite => everything(),
    }
}

fn read() -> BitFlags<AccessFs> {
    AccessFs::from_read(WANTED)
}

fn everything() -> BitFlags<AccessFs> {
    AccessFs::from_all(WANTED)
}

fn devices() -> BitFlags<AccessFs> {
    AccessFs::ReadFile | AccessFs::ReadDir | AccessFs::WriteFile | AccessFs::IoctlDev
}

fn into_rules(rules: RulesetCreated) -> io::Result<Rules> {
    Option::<OwnedFd>::from(rules).map(Rules).ok_or_else(|| io::Error::from_raw_os_error(libc::ENOSYS))
}

fn unsupported(_: landlock::RulesetError) -> io::Error {
    io::Error::from_raw_os_error(libc::EOPNOTSUPP)
}
