//! Which process this is, in a way that outlives a reused process number.

use serde::{Deserialize, Serialize};

use crate::error::{At, FileError};

/// A process, told apart from every other one that ever had its number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProcessIdentity {
    /// Name of the machine.
    pub host: String,
    /// The kernel's random id of this boot.
    pub boot_id: String,
    /// The namespace in which `pid` counts, as `/proc/self/ns/pid` names it.
    pub pid_namespace: String,
    /// Process number.
    pub pid: u32,
    /// Clock ticks from boot to the start of the process.
    pub start_time: u64,
}

/// Whether a process still runs, as far as can be seen from here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Liveness {
    /// It runs.
    Alive,
    /// It has ended.
    Dead,
    /// It runs, or ran, on another machine or in another container.
    OutOfSight,
}

impl ProcessIdentity {
    /// The calling process.
    ///
    /// # Errors
    /// `/proc` isn't there.
    pub fn current() -> Result<Self, FileError> {
        let pid = std::process::id();
        Ok(Self {
            host: host_name(),
            boot_id: boot_id()?,
            pid_namespace: pid_namespace()?,
            pid,
            start_time: start_time(pid).unwrap_or(0),
        })
    }

    /// Whether it still runs.
    ///
    /// # Errors
    /// `/proc` isn't there.
    pub fn liveness(&self) -> Result<Liveness, FileError> {
        if self.host != host_name() {
            return Ok(Liveness::OutOfSight);
        }
        if self.boot_id != boot_id()? {
            return Ok(Liveness::Dead);
        }
        if self.pid_namespace != pid_namespace()? {
            return Ok(Liveness::OutOfSight);
        }
        let alive = start_time(self.pid) == Some(self.start_time);
        Ok(if alive { Liveness::Alive } else { Liveness::Dead })
    }
}

/// This machine's name.
pub(crate) fn host_name() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

fn boot_id() -> Result<String, FileError> {
    let path = "/proc/sys/kernel/random/boot_id";
    Ok(fs_err::read_to_string(path).at("read", path)?.trim().to_owned())
}

fn pid_namespace() -> Result<String, FileError> {
    let path = "/proc/self/ns/pid";
    Ok(fs_err::read_link(path).at("read", path)?.to_string_lossy().into_owned())
}

/// Field 22 of `/proc/<pid>/stat`; the second field, the name, may hold blanks and parentheses.
fn start_time(pid: u32) -> Option<u64> {
    let stat = fs_err::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, after_name) = stat.rsplit_once(')')?;
    let zombie = after_name.trim_start().starts_with(['Z', 'X']);
    if zombie { None } else { after_name.split_ascii_whitespace().nth(19)?.parse().ok() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_alive_until_it_ends() {
        let me = ProcessIdentity::current().unwrap();
        assert_eq!(me.liveness().unwrap(), Liveness::Alive);
        let reused = ProcessIdentity { start_time: me.start_time + 1, ..me.clone() };
        assert_eq!(reused.liveness().unwrap(), Liveness::Dead);
        let before_boot = ProcessIdentity { boot_id: "other".into(), ..me.clone() };
        assert_eq!(before_boot.liveness().unwrap(), Liveness::Dead);
        let container = ProcessIdentity { pid_namespace: "pid:[1]".into(), ..me.clone() };
        assert_eq!(container.liveness().unwrap(), Liveness::OutOfSight);
        let elsewhere = ProcessIdentity { host: "another.example".into(), ..me };
        assert_eq!(elsewhere.liveness().unwrap(), Liveness::OutOfSight);
    }
}
