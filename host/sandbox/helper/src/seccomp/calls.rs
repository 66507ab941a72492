//! The tables of the filter. Numbers come from `libc`, so that each architecture has its own.

use libc::*;

/// Refused with "operation not permitted" whatever the arguments.
pub(super) const FORBIDDEN: &[i64] = &[
    // Other processes.
    SYS_ptrace,
    SYS_process_vm_readv,
    SYS_process_vm_writev,
    SYS_process_madvise,
    SYS_pidfd_getfd,
    SYS_kcmp,
    SYS_move_pages,
    SYS_migrate_pages,
    // Keys of the user, which no namespace separates.
    SYS_add_key,
    SYS_request_key,
    SYS_keyctl,
    // Mounts and roots.
    SYS_mount,
    SYS_umount2,
    SYS_pivot_root,
    SYS_chroot,
    SYS_open_tree,
    SYS_move_mount,
    SYS_fsopen,
    SYS_fsconfig,
    SYS_fsmount,
    SYS_fspick,
    SYS_mount_setattr,
    OPEN_TREE_ATTR,
    SYS_setns,
    SYS_open_by_handle_at,
    // Large surface of the kernel that no build needs.
    SYS_bpf,
    SYS_perf_event_open,
    SYS_userfaultfd,
    SYS_fanotify_init,
    SYS_fanotify_mark,
    // The machine.
    SYS_init_module,
    SYS_finit_module,
    SYS_delete_module,
    SYS_kexec_load,
    #[cfg(target_arch = "x86_64")]
    SYS_kexec_file_load,
    SYS_reboot,
    SYS_swapon,
    SYS_swapoff,
    SYS_acct,
    SYS_quotactl,
    SYS_quotactl_fd,
    SYS_syslog,
    SYS_vhangup,
    SYS_sethostname,
    SYS_setdomainname,
    SYS_settimeofday,
    SYS_clock_settime,
    SYS_clock_adjtime,
    SYS_adjtimex,
    #[cfg(target_arch = "x86_64")]
    SYS_iopl,
    #[cfg(target_arch = "x86_64")]
    SYS_ioperm,
    #[cfg(target_arch = "x86_64")]
    SYS_modify_ldt,
];

/// `open_tree_attr`, Linux 6.15; the crate has no name for it.
const OPEN_TREE_ATTR: i64 = 467;

/// Answered as by an old kernel, which programs have a second way for. The arguments of `clone3` and `openat2` lie
/// in memory, where a filter cannot look.
pub(super) const ABSENT: &[i64] =
    &[SYS_clone3, SYS_openat2, SYS_io_uring_setup, SYS_io_uring_enter, SYS_io_uring_register];

/// What a network namespace would confine.
pub(super) const FORBIDDEN_WITHOUT_NAMESPACES: &[i64] =
    &[SYS_connect, SYS_bind, SYS_listen, SYS_accept, SYS_accept4];

/// What an IPC namespace would confine.
pub(super) const ABSENT_WITHOUT_NAMESPACES: &[i64] = &[
    SYS_shmget,
    SYS_shmat,
    SYS_shmctl,
    SYS_semget,
    SYS_semctl,
    SYS_semop,
    SYS_semtimedop,
    SYS_msgget,
    SYS_msgsnd,
    SYS_msgrcv,
    SYS_msgctl,
    SYS_mq_open,
    SYS_mq_unlink,
];

/// Calls that set a mode, with the position of the mode.
pub(super) const MODE_SETTING: &[(i64, u8)] = &[
    #[cfg(target_arch = "x86_64")]
    (SYS_chmod, 1),
    #[cfg(target_arch = "x86_64")]
    (SYS_creat, 1),
    #[cfg(target_arch = "x86_64")]
    (SYS_mknod, 1),
    (SYS_fchmod, 1),
    (SYS_fchmodat, 2),
    (SYS_fchmodat2, 2),
    (SYS_mknodat, 2),
];

/// Calls that set a mode when they create, with the positions of flags and mode.
pub(super) const OPENING: &[(i64, u8, u8)] = &[
    #[cfg(target_arch = "x86_64")]
    (SYS_open, 1, 2),
    (SYS_openat, 2, 3),
];
