//! The calls that name a file or an address, and what they ask for.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::OwnedFd;

use seccompiler::{BpfProgram, sock_filter};
use spack_wasm_sandbox_protocol::{Access, TracedAccess, WireString};

use super::memory::Memory;
use crate::sys::{self, Notification};

/// Where a call's name stands, and what the call wants.
#[derive(Clone, Copy)]
enum Call {
    /// Position of the path; reads it.
    Reads(usize),
    /// Position of the path; writes it.
    Writes(usize),
    /// Positions of a folder's descriptor and of the path; reads it.
    ReadsAt(usize, usize),
    /// Positions of a folder's descriptor and of the path; writes it.
    WritesAt(usize, usize),
    /// Position of the path; asks for nothing but what it is.
    Looks(usize),
    /// Positions of a folder's descriptor and of the path; asks for nothing but what it is.
    LooksAt(usize, usize),
    /// Position of the path, behind which stand the flags.
    Opens(usize),
    /// Positions of a folder's descriptor and of the path, behind which stand the flags.
    OpensAt(usize, usize),
    /// The address stands second, its length third.
    Connects,
}

const CALLS: &[(i64, Call)] = &[
    #[cfg(target_arch = "x86_64")]
    (libc::SYS_open, Call::Opens(0)),
    #[cfg(target_arch = "x86_64")]
    (libc::SYS_creat, Call::Writes(0)),
    #[cfg(target_arch = "x86_64")]
    (libc::SYS_mkdir, Call::Writes(0)),
    #[cfg(target_arch = "x86_64")]
    (libc::SYS_rmdir, Call::Writes(0)),
    #[cfg(target_arch = "x86_64")]
    (libc::SYS_unlink, Call::Writes(0)),
    #[cfg(target_arch = "x86_64")]
    (libc::SYS_rename, Call::Writes(1)),
    #[cfg(target_arch = "x86_64")]
    (libc::SYS_link, Call::Writes(1)),
    #[cfg(target_arch = "x86_64")]
    (libc::SYS_symlink, Call::Writes(1)),
    #[cfg(target_arch = "x86_64")]
    (libc::SYS_chmod, Call::Writes(0)),
    #[cfg(target_arch = "x86_64")]
    (libc::SYS_chown, Call::Writes(0)),
    #[cfg(target_arch = "x86_64")]
    (libc::SYS_lchown, Call::Writes(0)),
    #[cfg(target_arch = "x86_64")]
    (libc::SYS_mknod, Call::Writes(0)),
    #[cfg(target_arch = "x86_64")]
    (libc::SYS_stat, Call::Looks(0)),
    #[cfg(target_arch = "x86_64")]
    (libc::SYS_lstat, Call::Looks(0)),
    #[cfg(target_arch = "x86_64")]
    (libc::SYS_access, Call::Looks(0)),
    #[cfg(target_arch = "x86_64")]
    (libc::SYS_readlink, Call::Looks(0)),
    (libc::SYS_newfstatat, Call::LooksAt(0, 1)),
    (libc::SYS_statx, Call::LooksAt(0, 1)),
    (libc::SYS_faccessat, Call::LooksAt(0, 1)),
    (libc::SYS_faccessat2, Call::LooksAt(0, 1)),
    (libc::SYS_readlinkat, Call::LooksAt(0, 1)),
    (libc::SYS_fchownat, Call::WritesAt(0, 1)),
    (libc::SYS_mknodat, Call::WritesAt(0, 1)),
    (libc::SYS_utimensat, Call::WritesAt(0, 1)),
    (libc::SYS_openat, Call::OpensAt(0, 1)),
    (libc::SYS_mkdirat, Call::WritesAt(0, 1)),
    (libc::SYS_unlinkat, Call::WritesAt(0, 1)),
    (libc::SYS_renameat, Call::WritesAt(2, 3)),
    (libc::SYS_renameat2, Call::WritesAt(2, 3)),
    (libc::SYS_linkat, Call::WritesAt(2, 3)),
    (libc::SYS_symlinkat, Call::WritesAt(1, 2)),
    (libc::SYS_fchmodat, Call::WritesAt(0, 1)),
    (libc::SYS_truncate, Call::Writes(0)),
    (libc::SYS_chdir, Call::Reads(0)),
    (libc::SYS_execve, Call::Reads(0)),
    (libc::SYS_execveat, Call::ReadsAt(0, 1)),
    (libc::SYS_connect, Call::Connects),
];

/// Notifies of each of the calls. Other tables of calls are refused by the filter before this one.
pub(super) fn program() -> BpfProgram {
    let statement = |code: u32, k| sock_filter { code: code as u16, jt: 0, jf: 0, k };
    let notify_if = |nr: u32| sock_filter {
        code: (libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K) as u16,
        jt: 0,
        jf: 1,
        k: nr,
    };
    let mut program = vec![statement(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, sys::SECCOMP_DATA_NR)];
    for (call, _) in CALLS {
        program.push(notify_if(*call as u32));
        program.push(statement(libc::BPF_RET | libc::BPF_K, libc::SECCOMP_RET_USER_NOTIF));
    }
    program.push(statement(libc::BPF_RET | libc::BPF_K, libc::SECCOMP_RET_ALLOW));
    program
}

/// What a call asks for; `None` when that cannot be read, or is nothing that a sandbox refuses.
pub(super) fn describe(processes: &OwnedFd, notification: &Notification) -> Option<TracedAccess> {
    let (_, call) = CALLS.iter().find(|(number, _)| *number == notification.call)?;
    let memory = Memory::open(processes, notification.process)?;
    let arguments = &notification.arguments;
    let folder = |position: usize| arguments[position] as i32;
    let file = |folder, position: usize, access| {
        let path = memory.path(folder, arguments[position])?;
        Some(TracedAccess { path: WireString::from(&path), access, looks: false, network: false })
    };
    let look = |folder, position| {
        let seen = file(folder, position, Access::ReadOnly)?;
        Some(TracedAccess { looks: true, ..seen })
    };
    match *call {
        Call::Reads(path) => file(libc::AT_FDCWD, path, Access::ReadOnly),
        Call::Writes(path) => file(libc::AT_FDCWD, path, Access::ReadWrite),
        Call::ReadsAt(at, path) => file(folder(at), path, Access::ReadOnly),
        Call::WritesAt(at, path) => file(folder(at), path, Access::ReadWrite),
        Call::Looks(path) => look(libc::AT_FDCWD, path),
        Call::LooksAt(at, path) => look(folder(at), path),
        Call::Opens(path) => file(libc::AT_FDCWD, path, opening(arguments[path + 1])),
        Call::OpensAt(at, path) => file(folder(at), path, opening(arguments[path + 1])),
        Call::Connects => address(&memory.bytes(arguments[1], (arguments[2] as usize).min(128))?),
    }
}

fn opening(flags: u64) -> Access {
    let flags = flags as i32;
    let writes = flags & libc::O_ACCMODE != libc::O_RDONLY || flags & (libc::O_CREAT | libc::O_TRUNC) != 0;
    if writes { Access::ReadWrite } else { Access::ReadOnly }
}

/// The layouts of `sockaddr_in`, `sockaddr_in6` and `sockaddr_un`. The build's own loopback is nothing refused.
fn address(bytes: &[u8]) -> Option<TracedAccess> {
    let family = i32::from(u16::from_ne_bytes(bytes.first_chunk::<2>().copied()?));
    let port = || bytes.get(2..4).map(|port| u16::from_be_bytes([port[0], port[1]]));
    let address = match family {
        libc::AF_INET => IpAddr::from(Ipv4Addr::from(*bytes.get(4..8)?.first_chunk::<4>()?)),
        libc::AF_INET6 => IpAddr::from(Ipv6Addr::from(*bytes.get(8..24)?.first_chunk::<16>()?)),
        libc::AF_UNIX => return socket_file(bytes.get(2..)?),
        _ => return None,
    };
    let named = SocketAddr::from((address, port()?)).to_string();
    (!address.is_loopback()).then(|| TracedAccess {
        path: WireString::from(&named),
        access: Access::ReadWrite,
        looks: false,
        network: true,
    })
}

/// An abstract name begins with NUL and is confined by the network namespace.
fn socket_file(name: &[u8]) -> Option<TracedAccess> {
    use std::os::unix::ffi::OsStrExt;
    let name = name.split(|byte| *byte == 0).next()?;
    let path = WireString::from(std::ffi::OsStr::from_bytes(name));
    name.starts_with(b"/").then_some(TracedAccess {
        path,
        access: Access::ReadOnly,
        looks: false,
        network: false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read() {
        let named = |bytes: &[u8]| address(bytes).map(|seen| format!("{:?} {}", seen.path, seen.network));
        let mut internet = (libc::AF_INET as u16).to_ne_bytes().to_vec();
        internet.extend([0x01, 0xbb, 192, 0, 2, 1, 0, 0, 0, 0, 0, 0, 0, 0]);
        assert_eq!(named(&internet).as_deref(), Some("\"192.0.2.1:443\" true"));
        internet[4] = 127;
        assert_eq!(named(&internet), None);
        let mut unix = (libc::AF_UNIX as u16).to_ne_bytes().to_vec();
        unix.extend(b"/run/agent\0rest");
        assert_eq!(named(&unix).as_deref(), Some("\"/run/agent\" false"));
        assert_eq!(named(b"\x01"), None);
    }

    #[test]
    fn creating_is_writing() {
        assert_eq!(opening(libc::O_RDONLY as u64), Access::ReadOnly);
        assert_eq!(opening((libc::O_RDONLY | libc::O_CREAT) as u64), Access::ReadWrite);
        assert_eq!(opening(libc::O_WRONLY as u64), Access::ReadWrite);
    }
}
