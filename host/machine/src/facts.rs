//! What the machine is.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::thread;

use rustix::system::uname;
use serde::{Deserialize, Serialize};

use crate::os;

/// Where facts come from that files and not system calls hold.
#[derive(Debug, Clone)]
pub struct Inputs {
    /// Candidates for the `os-release` file; the first that can be read counts.
    pub os_release: Vec<PathBuf>,
}

impl Default for Inputs {
    /// The two places that os-release(5) names.
    fn default() -> Inputs {
        Inputs { os_release: vec!["/etc/os-release".into(), "/usr/lib/os-release".into()] }
    }
}

/// Facts of the machine, by Spack's names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Machine {
    /// Spack's platform, such as `linux`.
    pub platform: String,
    /// Operating system with its version, such as `debian12`; `unknown` where nothing tells it.
    pub os: String,
    /// Microarchitecture by archspec's name, such as `zen3`.
    pub target: String,
    /// The generic ancestor of the target, such as `x86_64`.
    pub target_family: String,
    /// Name of the machine in its network.
    pub hostname: String,
    /// The kernel's *version* in the sense of uname(2): number and date of its build.
    pub kernel_version: String,
    /// The kernel's release, such as `6.1.0-18-amd64`.
    pub kernel_release: String,
    /// Processors that this process may use, by affinity and cgroup quota; at least one.
    pub cpu_count: usize,
}

impl Machine {
    /// Looks at this machine.
    pub fn detect(inputs: &Inputs) -> Machine {
        let uname = uname();
        let text = |field: &std::ffi::CStr| field.to_string_lossy().into_owned();
        let (target, target_family) = target(&text(uname.machine()));
        let os_release = inputs.os_release.iter().find_map(|path| fs_err::read_to_string(path).ok());
        Machine {
            platform: std::env::consts::OS.to_owned(),
            os: os::spack_name(&os_release.unwrap_or_default()),
            target,
            target_family,
            hostname: text(uname.nodename()),
            kernel_version: text(uname.version()),
            kernel_release: text(uname.release()),
            cpu_count: thread::available_parallelism().map_or(1, NonZeroUsize::get),
        }
    }
}

/// Target and family; a processor that archspec does not know goes by the kernel's name for it.
fn target(machine: &str) -> (String, String) {
    match archspec::cpu::host() {
        Ok(target) => (target.name().to_owned(), target.family().name().to_owned()),
        Err(_) => (machine.to_owned(), machine.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_has_all_facts() {
        let folder = tempfile::tempdir().unwrap();
        let release = folder.path().join("os-release");
        fs_err::write(&release, "ID=fedora\nVERSION_ID=40\n").unwrap();
        let machine = Machine::detect(&Inputs { os_release: vec!["/nonexistent".into(), release] });
        assert_eq!((machine.platform.as_str(), machine.os.as_str()), ("linux", "fedora40"));
        assert_eq!(machine.target_family, std::env::consts::ARCH);
        assert!(machine.cpu_count >= 1 && !machine.target.is_empty());
        assert_ne!(machine.kernel_version, machine.kernel_release);
        let json = serde_json::to_string(&machine).unwrap();
        assert_eq!(serde_json::from_str::<Machine>(&json).unwrap(), machine);
    }

    #[test]
    fn kernel_facts_are_the_kernels() {
        let machine = Machine::detect(&Inputs::default());
        let proc = |name: &str| fs_err::read_to_string(format!("/proc/sys/kernel/{name}")).unwrap();
        assert_eq!(machine.kernel_version, proc("version").trim_end());
        assert_eq!(machine.kernel_release, proc("osrelease").trim_end());
        assert_eq!(machine.hostname, proc("hostname").trim_end());
    }
}
