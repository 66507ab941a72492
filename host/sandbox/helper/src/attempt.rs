//! Tries what must be refused: a wall counts as standing only when it has stopped something.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::os::fd::OwnedFd;
use std::time::Duration;

use rustix::fs::{Access, AtFlags, CWD, accessat, readlinkat};
use rustix::process::{Pid, test_kill_process};
use spack_wasm_sandbox_protocol::{Attempted, Attempts, Layer, WireString, send_value};

use crate::{ruleset, sys};

/// Tries everything in a process of its own, which answers by itself.
pub(crate) fn answer(attempts: &Attempts, reply: &OwnedFd) {
    if let Ok(sys::Fork::Child) = sys::fork() {
        drop(send_value(reply, &try_all(attempts), &[]));
        sys::exit_now(0);
    }
}

fn try_all(attempts: &Attempts) -> Attempted {
    let mut open = Vec::new();
    let mut note = |layer, got_through: bool, what: &str| {
        if got_through {
            open.push((layer, what.to_owned()));
        }
    };
    let hidden = attempts.hidden_file.as_path();
    let sees_hidden = accessat(CWD, hidden, Access::EXISTS, AtFlags::empty()).is_ok();
    note(Layer::Mount, sees_hidden, "a file outside is visible");
    let outside = Pid::from_raw(attempts.outside_pid);
    note(Layer::Pid, outside.is_some_and(reaches), "a process outside can be signalled");
    note(Layer::Proc, outside.is_some_and(visible), "a process outside is visible");
    note(Layer::Network, connects(attempts.loopback_port), "a server on the host's loopback answers");
    note(Layer::Seccomp, sys::user_keyring_answers(), "the user's key ring answers");
    for (layer, outer) in &attempts.namespaces {
        note(*layer, own_namespace(*layer).is_ok_and(|own| own == *outer), "the namespace is the host's");
    }
    // Last: the attempt closes all files for this process.
    note(Layer::Landlock, landlock_lets_through(), "a closed file can be opened");
    Attempted { open }
}

fn reaches(pid: Pid) -> bool {
    !matches!(test_kill_process(pid), Err(rustix::io::Errno::SRCH))
}

fn visible(pid: Pid) -> bool {
    accessat(CWD, format!("/proc/{}", pid.as_raw_nonzero()), Access::EXISTS, AtFlags::empty()).is_ok()
}

fn connects(port: u16) -> bool {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    TcpStream::connect_timeout(&address, Duration::from_secs(2)).is_ok()
}

fn own_namespace(layer: Layer) -> io::Result<WireString> {
    let file = match layer {
        Layer::Mount => "mnt",
        Layer::Network => "net",
        other => other.name(),
    };
    let link = readlinkat(CWD, format!("/proc/self/ns/{file}"), Vec::new())?;
    Ok(WireString::from(&*link.to_string_lossy()))
}

fn landlock_lets_through() -> bool {
    let restricted = ruleset::for_nothing().and_then(|rules| rules.restrict());
    let flags = rustix::fs::OFlags::RDONLY | rustix::fs::OFlags::CLOEXEC;
    restricted.is_err() || rustix::fs::openat(CWD, "/dev/null", flags, rustix::fs::Mode::empty()).is_ok()
}
