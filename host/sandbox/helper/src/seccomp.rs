//! The filter for system calls, on top of namespaces and Landlock.
//!
//! A list of what is refused, not of what is allowed: build tools and test suites use nearly everything. What is
//! refused reaches outside (keyring, mounts, tracing), enlarges the kernel's surface without need (io_uring, bpf), or
//! leaves something harmful in the prefix (set-uid bits). Calls that are newer than this list do not exist.

use std::collections::BTreeMap;
use std::io;

use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen as Len, SeccompCmpOp as Op, SeccompCondition, SeccompFilter,
    SeccompRule, sock_filter,
};
use spack_wasm_sandbox_protocol::Level;

use crate::sys;

mod calls;

/// `file_setattr`, Linux 6.17: the newest call that was looked at. New calls have had the same number on all
/// architectures since 5.1. The x86-64 calls of the x32 table lie above, at 0x40000000.
const NEWEST: u32 = 469;

/// Set-user-id and set-group-id.
const SET_ID_BITS: [u64; 2] = [0o4000, 0o2000];

/// The flags of `clone` and `unshare` that create namespaces.
const NAMESPACES: [i32; 7] = [
    libc::CLONE_NEWUSER,
    libc::CLONE_NEWNS,
    libc::CLONE_NEWPID,
    libc::CLONE_NEWNET,
    libc::CLONE_NEWIPC,
    libc::CLONE_NEWUTS,
    libc::CLONE_NEWCGROUP,
];

/// Not in `clone`, where the bit is a part of the exit signal.
const CLONE_NEWTIME: u64 = 0x80;

type Rules = BTreeMap<i64, Vec<SeccompRule>>;
type Compiled<T> = Result<T, seccompiler::BackendError>;

/// Loads the filter for this process and all its children, for good.
pub(crate) fn load(level: Level) -> io::Result<()> {
    let programs = programs(level).map_err(io::Error::other)?;
    for program in &programs {
        seccompiler::apply_filter(program).map_err(refused)?;
    }
    Ok(())
}

fn refused(error: seccompiler::Error) -> io::Error {
    match error {
        seccompiler::Error::Prctl(error) | seccompiler::Error::Seccomp(error) => error,
        other => io::Error::other(other),
    }
}

/// One program for each error number, since the generator knows one action a program. The kernel runs all of them.
fn programs(level: Level) -> Compiled<Vec<BpfProgram>> {
    let mut forbidden = unconditional(calls::FORBIDDEN);
    set_id_rules(&mut forbidden)?;
    namespace_rules(&mut forbidden)?;
    terminal_rules(&mut forbidden)?;
    let mut absent = unconditional(calls::ABSENT);
    let mut unsupported = Rules::new();
    match level {
        Level::Landlock => {
            forbidden.extend(unconditional(calls::FORBIDDEN_WITHOUT_NAMESPACES));
            absent.extend(unconditional(calls::ABSENT_WITHOUT_NAMESPACES));
            pairs_without_address(&mut unsupported)?;
        }
        Level::Namespaces | Level::None => families(&mut unsupported)?,
    }
    let mut first = gate();
    first.extend(compile(forbidden, libc::EPERM)?);
    Ok(vec![first, compile(absent, libc::ENOSYS)?, compile(unsupported, libc::EAFNOSUPPORT)?])
}

fn compile(rules: Rules, errno: i32) -> Compiled<BpfProgram> {
    let arch = std::env::consts::ARCH.try_into()?;
    SeccompFilter::new(rules, SeccompAction::Allow, SeccompAction::Errno(errno.unsigned_abs()), arch)?
        .try_into()
}

/// Refuses other tables of calls (32-bit, x32), whose numbers the rules do not know, and calls newer than this list.
fn gate() -> BpfProgram {
    let statement = |code: u32, k| sock_filter { code: code as u16, jt: 0, jf: 0, k };
    let jump = |code: u32, k, jt, jf| sock_filter { code: code as u16, jt, jf, k };
    let absent = libc::SECCOMP_RET_ERRNO | libc::ENOSYS.unsigned_abs();
    vec![
        statement(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, sys::SECCOMP_DATA_ARCH),
        jump(libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K, sys::AUDIT_ARCH, 1, 0),
        statement(libc::BPF_RET | libc::BPF_K, absent),
        statement(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, sys::SECCOMP_DATA_NR),
        jump(libc::BPF_JMP | libc::BPF_JGT | libc::BPF_K, NEWEST, 0, 1),
        statement(libc::BPF_RET | libc::BPF_K, absent),
    ]
}

/// The generator takes an empty list of rules as "whatever the arguments".
fn unconditional(calls: &[i64]) -> Rules {
    calls.iter().map(|call| (*call, Vec::new())).collect()
}

fn has_bits(argument: u8, bits: u64) -> Compiled<SeccompCondition> {
    SeccompCondition::new(argument, Len::Dword, Op::MaskedEq(bits), bits)
}

fn add(rules: &mut Rules, call: i64, conditions: Vec<SeccompCondition>) -> Compiled<()> {
    rules.entry(call).or_default().push(SeccompRule::new(conditions)?);
    Ok(())
}

fn set_id_rules(rules: &mut Rules) -> Compiled<()> {
    for bit in SET_ID_BITS {
        for (call, mode) in calls::MODE_SETTING {
            add(rules, *call, vec![has_bits(*mode, bit)?])?;
        }
        for (call, flags, mode) in calls::OPENING {
            for creating in [libc::O_CREAT, libc::O_TMPFILE & !libc::O_DIRECTORY] {
                let creating = u64::from(creating.unsigned_abs());
                add(rules, *call, vec![has_bits(*flags, creating)?, has_bits(*mode, bit)?])?;
            }
        }
    }
    Ok(())
}

fn namespace_rules(rules: &mut Rules) -> Compiled<()> {
    for flag in NAMESPACES {
        let flag = u64::from(flag.unsigned_abs());
        add(rules, libc::SYS_clone, vec![has_bits(0, flag)?])?;
        add(rules, libc::SYS_unshare, vec![has_bits(0, flag)?])?;
    }
    add(rules, libc::SYS_unshare, vec![has_bits(0, CLONE_NEWTIME)?])
}

/// Input that another process on the same terminal would take for the user's.
fn terminal_rules(rules: &mut Rules) -> Compiled<()> {
    for request in [libc::TIOCSTI, sys::TIOCLINUX] {
        add(rules, libc::SYS_ioctl, vec![SeccompCondition::new(1, Len::Dword, Op::Eq, request)?])?;
    }
    Ok(())
}

/// Unix and internet sockets, which the network namespace confines, and no others.
fn families(rules: &mut Rules) -> Compiled<()> {
    for call in [libc::SYS_socket, libc::SYS_socketpair] {
        let mut none_of = Vec::new();
        for family in [libc::AF_UNIX, libc::AF_INET, libc::AF_INET6] {
            none_of.push(SeccompCondition::new(0, Len::Dword, Op::Ne, u64::from(family.unsigned_abs()))?);
        }
        add(rules, call, none_of)?;
    }
    Ok(())
}

/// Without a network namespace a socket must have no way to name a peer. A datagram pair has one: `sendto`.
fn pairs_without_address(rules: &mut Rules) -> Compiled<()> {
    rules.insert(libc::SYS_socket, Vec::new());
    let not_unix = SeccompCondition::new(0, Len::Dword, Op::Ne, u64::from(libc::AF_UNIX.unsigned_abs()))?;
    add(rules, libc::SYS_socketpair, vec![not_unix])?;
    for kind in [libc::SOCK_DGRAM, libc::SOCK_RAW] {
        let kind = u64::from(kind.unsigned_abs());
        let is_kind = SeccompCondition::new(1, Len::Dword, Op::MaskedEq(0xf), kind)?;
        add(rules, libc::SYS_socketpair, vec![is_kind])?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_programs_fit_the_kernels_limit() {
        for level in [Level::Namespaces, Level::Landlock] {
            for program in programs(level).unwrap() {
                assert!(!program.is_empty() && program.len() < 4096, "{level}: {}", program.len());
            }
        }
    }
}
