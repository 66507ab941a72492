//! System calls that have no safe wrapper in a library. All `unsafe` code of the helper is here.
#![expect(unsafe_code, reason = "raw system calls, each with its reason")]

use std::ffi::CString;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::ptr;

use rustix::fs::{CWD, Mode, OFlags};
use rustix::process::Pid;
use rustix::thread::UnshareFlags;

/// Offsets into `struct seccomp_data`.
pub(crate) const SECCOMP_DATA_NR: u32 = 0;
pub(crate) const SECCOMP_DATA_ARCH: u32 = 4;

/// `linux/audit.h`: the machine number of ELF, 64-bit, little-endian.
#[cfg(target_arch = "x86_64")]
pub(crate) const AUDIT_ARCH: u32 = 62 | 0xc000_0000;
#[cfg(target_arch = "aarch64")]
pub(crate) const AUDIT_ARCH: u32 = 183 | 0xc000_0000;

/// `asm-generic/ioctls.h`; virtual consoles only.
pub(crate) const TIOCLINUX: u64 = 0x541c;

/// Takes the channel from standard input, which becomes `/dev/null`, and closes everything that was inherited.
pub(crate) fn take_channel() -> io::Result<OwnedFd> {
    // SAFETY: no descriptor above 2 is owned by anything in this process yet.
    check(unsafe { libc::close_range(3, libc::c_uint::MAX, 0) }.into())?;
    let channel = rustix::io::fcntl_dupfd_cloexec(io::stdin(), 3)?;
    let null = rustix::fs::openat(CWD, "/dev/null", OFlags::RDWR | OFlags::CLOEXEC, Mode::empty())?;
    for standard in 0..3 {
        place_descriptor(&null, standard)?;
    }
    Ok(channel)
}

fn check(result: libc::c_long) -> io::Result<libc::c_long> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result) }
}

pub(crate) fn unshare(flags: UnshareFlags) -> io::Result<()> {
    // SAFETY: namespaces only, never the table of descriptors.
    unsafe { rustix::thread::unshare_unsafe(flags)? };
    Ok(())
}

/// Which side of a fork this is.
pub(crate) enum Fork {
    Parent(Pid),
    Child,
}

pub(crate) fn fork() -> io::Result<Fork> {
    // SAFETY: the helper has one thread, so the child may do whatever the parent may.
    let pid = check(unsafe { libc::fork() }.into())?;
    Ok(match Pid::from_raw(pid as i32) {
        Some(pid) => Fork::Parent(pid),
        None => Fork::Child,
    })
}

/// Ends this process at once, without running anything that belongs to its parent.
pub(crate) fn exit_now(status: i32) -> ! {
    // SAFETY: no memory is touched.
    unsafe { libc::_exit(status) }
}

/// Runs a question in a process that ends with it.
pub(crate) fn in_throwaway_process(question: impl FnOnce() -> bool) -> bool {
    match fork() {
        Ok(Fork::Child) => exit_now(i32::from(!question())),
        Ok(Fork::Parent(pid)) => wait_for(pid) == Some(0),
        Err(_) => false,
    }
}

/// Waits for a child; its exit status unless a signal ended it.
pub(crate) fn wait_for(pid: Pid) -> Option<i32> {
    let mut status = 0;
    loop {
        // SAFETY: `status` outlives the call.
        let waited = unsafe { libc::waitpid(pid.as_raw_nonzero().get(), &raw mut status, 0) };
        if waited >= 0 {
            return libc::WIFEXITED(status).then(|| libc::WEXITSTATUS(status));
        }
        if io::Error::last_os_error().raw_os_error() != Some(libc::EINTR) {
            return None;
        }
    }
}

/// A child that ended.
pub(crate) struct Reaped {
    pub(crate) pid: i32,
    pub(crate) status: i32,
    pub(crate) usage: libc::rusage,
}

/// Reaps one child that has ended, if there is one.
pub(crate) fn reap_ended() -> Option<Reaped> {
    let mut status = 0;
    // SAFETY: all-zero is a valid value of this plain structure.
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    // SAFETY: both results outlive the call.
    let pid = unsafe { libc::wait4(-1, &raw mut status, libc::WNOHANG, &raw mut usage) };
    (pid > 0).then_some(Reaped { pid, status, usage })
}

/// Waits until one child has ended; false when there is none.
pub(crate) fn reap_one() -> bool {
    // SAFETY: no result is asked for.
    unsafe { libc::waitpid(-1, ptr::null_mut(), 0) > 0 }
}

pub(crate) fn has_children() -> bool {
    // SAFETY: all-zero is a valid value of this plain structure.
    let mut information: libc::siginfo_t = unsafe { std::mem::zeroed() };
    let flags = libc::WEXITED | libc::WNOHANG | libc::WNOWAIT;
    // SAFETY: `information` outlives the call.
    unsafe { libc::waitid(libc::P_ALL, 0, &raw mut information, flags) == 0 }
}

/// Blocks `SIGCHLD` and returns a descriptor that is readable when a child has ended.
pub(crate) fn child_events() -> io::Result<OwnedFd> {
    // SAFETY: the set is initialised by `sigemptyset` before it is used, and outlives the calls.
    unsafe {
        let mut set = std::mem::zeroed();
        libc::sigemptyset(&raw mut set);
        libc::sigaddset(&raw mut set, libc::SIGCHLD);
        check(libc::sigprocmask(libc::SIG_BLOCK, &raw const set, ptr::null_mut()).into())?;
        let fd = check(libc::signalfd(-1, &raw const set, libc::SFD_CLOEXEC | libc::SFD_NONBLOCK).into())?;
        Ok(OwnedFd::from_raw_fd(fd as i32))
    }
}

/// Gives a command the signals as a shell would: nothing blocked, nothing ignored.
pub(crate) fn reset_signals() {
    // SAFETY: the set is initialised before use; resetting to the default installs no handler.
    unsafe {
        let mut set = std::mem::zeroed();
        libc::sigemptyset(&raw mut set);
        libc::sigprocmask(libc::SIG_SETMASK, &raw const set, ptr::null_mut());
        for signal in 1..32 {
            libc::signal(signal, libc::SIG_DFL);
        }
    }
}

/// Gives a descriptor a number of its own for a program that is about to start.
pub(crate) fn place_descriptor(fd: &OwnedFd, number: i32) -> io::Result<()> {
    // SAFETY: callers overwrite only standard descriptors and, before exec, numbers that nothing here owns.
    check(unsafe { libc::dup2(fd.as_raw_fd(), number) }.into())?;
    Ok(())
}

/// Replaces this process; returns only with the reason why not.
pub(crate) fn execute(program: &CString, arguments: &[CString], environment: &[CString]) -> io::Error {
    let arguments = pointers(arguments);
    let environment = pointers(environment);
    // SAFETY: both lists end with null and their strings outlive the call.
    unsafe { libc::execve(program.as_ptr(), arguments.as_ptr(), environment.as_ptr()) };
    io::Error::last_os_error()
}

fn pointers(strings: &[CString]) -> Vec<*const libc::c_char> {
    strings.iter().map(|string| string.as_ptr()).chain([ptr::null()]).collect()
}

/// What is taken from a mount.
#[derive(Debug, Clone, Copy)]
pub(crate) struct MountAttributes {
    pub(crate) read_only: bool,
    pub(crate) no_devices: bool,
}

/// `mount_setattr`: the only way to make a whole tree of mounts read-only.
pub(crate) fn restrict_mount(tree: &OwnedFd, attributes: MountAttributes, recursive: bool) -> io::Result<()> {
    let mut set = libc::MOUNT_ATTR_NOSUID;
    if attributes.read_only {
        set |= libc::MOUNT_ATTR_RDONLY;
    }
    if attributes.no_devices {
        set |= libc::MOUNT_ATTR_NODEV;
    }
    let attributes = libc::mount_attr { attr_set: set, attr_clr: 0, propagation: 0, userns_fd: 0 };
    let flags = libc::AT_EMPTY_PATH | if recursive { libc::AT_RECURSIVE } else { 0 };
    // SAFETY: the path is a literal and the structure outlives the call that is told its size.
    check(unsafe {
        libc::syscall(
            libc::SYS_mount_setattr,
            tree.as_raw_fd(),
            c"".as_ptr(),
            flags,
            &raw const attributes,
            size_of::<libc::mount_attr>(),
        )
    })?;
    Ok(())
}

pub(crate) fn landlock_restrict_self(rules: &OwnedFd) -> io::Result<()> {
    // SAFETY: takes a descriptor and no flags.
    check(unsafe { libc::syscall(libc::SYS_landlock_restrict_self, rules.as_raw_fd(), 0) })?;
    Ok(())
}

pub(crate) fn bring_loopback_up() -> io::Result<()> {
    use rustix::net::{AddressFamily, SocketFlags, SocketType, socket_with};
    let socket = socket_with(AddressFamily::INET, SocketType::DGRAM, SocketFlags::CLOEXEC, None)?;
    // SAFETY: all-zero is a valid value of this plain structure.
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    for (place, byte) in request.ifr_name.iter_mut().zip(b"lo") {
        *place = *byte as libc::c_char;
    }
    request.ifr_ifru.ifru_flags = (libc::IFF_UP | libc::IFF_RUNNING) as libc::c_short;
    // SAFETY: the request names an interface and its flags, and outlives the call.
    check(unsafe { libc::ioctl(socket.as_raw_fd(), libc::SIOCSIFFLAGS, &raw const request) }.into())?;
    Ok(())
}

/// Asks for the id of the user's key ring, which changes nothing.
pub(crate) fn user_keyring_answers() -> bool {
    const KEYCTL_GET_KEYRING_ID: libc::c_long = 0;
    const KEY_SPEC_USER_KEYRING: libc::c_long = -4;
    // SAFETY: takes numbers only.
    unsafe { libc::syscall(libc::SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_USER_KEYRING, 0) >= 0 }
}

/// Waits until one of two descriptors is readable or closed.
pub(crate) fn wait_readable(first: BorrowedFd<'_>, second: BorrowedFd<'_>) -> io::Result<(bool, bool)> {
    use rustix::event::{PollFd, PollFlags, poll};
    let mut polled =
        [PollFd::from_borrowed_fd(first, PollFlags::IN), PollFd::from_borrowed_fd(second, PollFlags::IN)];
    rustix::io::retry_on_intr(|| poll(&mut polled, None))?;
    let [first, second] = polled.map(|entry| !entry.revents().is_empty());
    Ok((first, second))
}

/// A call that waits for the launcher.
#[derive(Debug)]
pub(crate) struct Notification {
    id: u64,
    pub(crate) process: u32,
    pub(crate) call: i64,
    pub(crate) arguments: [u64; 6],
}

/// Loads a filter and returns the descriptor that its notifications come from.
pub(crate) fn load_with_listener(program: &[seccompiler::sock_filter]) -> io::Result<OwnedFd> {
    let length = u16::try_from(program.len()).map_err(io::Error::other)?;
    let program =
        libc::sock_fprog { len: length, filter: program.as_ptr().cast::<libc::sock_filter>().cast_mut() };
    // SAFETY: the program outlives the call, which copies it; both structures have the kernel's layout.
    let listener = check(unsafe {
        libc::syscall(
            libc::SYS_seccomp,
            libc::SECCOMP_SET_MODE_FILTER,
            libc::SECCOMP_FILTER_FLAG_NEW_LISTENER,
            &raw const program,
        )
    })?;
    // SAFETY: the kernel has just made this descriptor, close-on-exec, for us.
    Ok(unsafe { OwnedFd::from_raw_fd(listener as i32) })
}

pub(crate) fn next_notification(listener: &OwnedFd) -> io::Result<Notification> {
    // SAFETY: all-zero is a valid value of this plain structure, and what the kernel demands.
    let mut asked: libc::seccomp_notif = unsafe { std::mem::zeroed() };
    // SAFETY: the structure has the kernel's layout and outlives the call.
    check(
        unsafe { libc::ioctl(listener.as_raw_fd(), libc::SECCOMP_IOCTL_NOTIF_RECV, &raw mut asked) }.into(),
    )?;
    let (call, arguments) = (asked.data.nr.into(), asked.data.args);
    Ok(Notification { id: asked.id, process: asked.pid, call, arguments })
}

/// Whether the process still waits in that call.
pub(crate) fn is_current(listener: &OwnedFd, notification: &Notification) -> bool {
    let id = &raw const notification.id;
    // SAFETY: the number outlives the call.
    unsafe { libc::ioctl(listener.as_raw_fd(), libc::SECCOMP_IOCTL_NOTIF_ID_VALID, id) == 0 }
}

/// Lets the call happen. Fails when its process is gone, which is no concern here.
pub(crate) fn let_go_on(listener: &OwnedFd, notification: &Notification) {
    let answer = libc::seccomp_notif_resp {
        id: notification.id,
        val: 0,
        error: 0,
        flags: libc::SECCOMP_USER_NOTIF_FLAG_CONTINUE as u32,
    };
    // SAFETY: the structure has the kernel's layout and outlives the call.
    unsafe { libc::ioctl(listener.as_raw_fd(), libc::SECCOMP_IOCTL_NOTIF_SEND, &raw const answer) };
}
