//! Ends what a build left behind, where no process namespace does it.

use std::path::Path;

use rustix::process::{Pid, Signal, kill_process};

use crate::sys;

/// Kills and reaps until this process has no descendants. Each orphan becomes our child, since we are its reaper.
pub(crate) fn kill_all() {
    while sys::has_children() {
        for child in children() {
            let _ = kill_process(child, Signal::KILL);
        }
        if !sys::reap_one() {
            return;
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "errors are skipped, their paths do not matter")]
fn children() -> Vec<Pid> {
    let Ok(processes) = std::fs::read_dir("/proc") else { return Vec::new() };
    processes.flatten().filter_map(|process| child_of_ours(&process.path())).collect()
}

#[expect(clippy::disallowed_methods, reason = "errors are skipped, their paths do not matter")]
fn child_of_ours(process: &Path) -> Option<Pid> {
    let pid: i32 = process.file_name()?.to_str()?.parse().ok()?;
    let status = std::fs::read_to_string(process.join("stat")).ok()?;
    let parent = parent_in(&status)?;
    (Some(parent) == Some(rustix::process::getpid().as_raw_nonzero().get())).then(|| Pid::from_raw(pid))?
}

/// The fourth field of `/proc/PID/stat`; the second, the name, may hold spaces and parentheses.
fn parent_in(status: &str) -> Option<i32> {
    status.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_do_not_confuse() {
        assert_eq!(parent_in("12 (a) S 7) R 34 12 12 0"), Some(34));
        assert_eq!(parent_in("nonsense"), None);
    }
}
