//! A launcher that takes walls away: a filter that answers as a kernel without them.

use std::os::unix::process::CommandExt;
use std::process::Command;

use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule,
};

/// `landlock_create_ruleset`; the same number on all architectures.
const LANDLOCK_CREATE_RULESET: i64 = 444;

/// What is taken away.
#[derive(Debug, Clone, Copy, Default)]
pub struct Walls {
    /// Namespaces that `unshare` and `clone` refuse.
    pub namespaces: u64,
    pub landlock: bool,
}

/// All namespaces.
pub const NAMESPACES: u64 = 0x7e02_0000;

#[expect(unsafe_code, reason = "the filter is loaded between fork and exec")]
pub fn refuse(command: &mut Command, walls: Walls) {
    let programs = programs(walls);
    // SAFETY: the filter is compiled already; loading it makes two system calls and allocates nothing.
    unsafe {
        command.pre_exec(move || {
            programs
                .iter()
                .try_for_each(|program| seccompiler::apply_filter(program).map_err(std::io::Error::other))
        });
    }
}

#[expect(unsafe_code, reason = "the namespace is entered between fork and exec")]
pub fn enter_user_namespace(command: &mut Command, user: u32, group: u32) {
    let files = [
        ("setgroups", "deny".to_owned()),
        ("uid_map", format!("0 {user} 1")),
        ("gid_map", format!("0 {group} 1")),
    ];
    let files =
        files.map(|(name, text)| (std::ffi::CString::new(format!("/proc/self/{name}")).unwrap(), text));
    // SAFETY: system calls only; what they are given was made before.
    unsafe {
        command.pre_exec(move || {
            use rustix::fs::{CWD, Mode, OFlags, openat};
            use rustix::process::{DumpableBehavior, set_dumpable_behavior};
            rustix::thread::unshare_unsafe(rustix::thread::UnshareFlags::NEWUSER)?;
            // The change of user made the process undumpable, and its files in /proc root's.
            set_dumpable_behavior(DumpableBehavior::Dumpable)?;
            files.iter().try_for_each(|(path, text)| {
                let file = openat(CWD, path, OFlags::WRONLY | OFlags::CLOEXEC, Mode::empty())?;
                rustix::io::write(&file, text.as_bytes())?;
                Ok(())
            })
        });
    }
}

fn programs(walls: Walls) -> Vec<BpfProgram> {
    let mut programs = Vec::new();
    if walls.namespaces != 0 {
        let bits: Vec<u64> = (0..32).map(|bit| 1 << bit).filter(|bit| walls.namespaces & bit != 0).collect();
        let rule = |bit: &u64| {
            let flag = SeccompCondition::new(0, SeccompCmpArgLen::Dword, SeccompCmpOp::MaskedEq(*bit), *bit);
            SeccompRule::new(vec![flag.unwrap()]).unwrap()
        };
        let rules: Vec<_> = bits.iter().map(rule).collect();
        let calls = [libc::SYS_unshare, libc::SYS_clone].map(|call| (call, rules.clone()));
        programs.push(compile(calls.into_iter().collect(), libc::EPERM));
    }
    if walls.landlock {
        programs.push(compile([(LANDLOCK_CREATE_RULESET, Vec::new())].into(), libc::ENOSYS));
    }
    programs
}

fn compile(rules: std::collections::BTreeMap<i64, Vec<SeccompRule>>, errno: i32) -> BpfProgram {
    let arch = std::env::consts::ARCH.try_into().unwrap();
    SeccompFilter::new(rules, SeccompAction::Allow, SeccompAction::Errno(errno.unsigned_abs()), arch)
        .unwrap()
        .try_into()
        .unwrap()
}
