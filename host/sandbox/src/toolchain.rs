//! What of the host every build sees: compilers, shells and their libraries, read-only.

use std::path::{Path, PathBuf};

use crate::Access;
use crate::policy::Mount;

/// Folders of the toolchain. On most systems all but `/usr` are links into it.
const FOLDERS: [&str; 7] = ["/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32"];

/// What of `/etc` the toolchain needs: the links that choose among compilers, and the loader's list of libraries.
const CONFIGURATION: [&str; 2] = ["/etc/alternatives", "/etc/ld.so.cache"];

const DEVICES: [&str; 5] = ["/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom"];

/// The toolchain of this machine: mounts, and links of the root with their targets.
pub(crate) fn find() -> (Vec<Mount>, Vec<(PathBuf, PathBuf)>) {
    let mut mounts = Vec::new();
    let mut links = Vec::new();
    for path in FOLDERS.into_iter().chain(CONFIGURATION).map(Path::new) {
        match fs_err::read_link(path) {
            Ok(target) => links.push((path.to_path_buf(), target)),
            Err(_) if path.exists() => mounts.push(Mount::same(path, Access::ReadOnly)),
            Err(_) => {}
        }
    }
    (mounts, links)
}

pub(crate) fn devices() -> Vec<PathBuf> {
    DEVICES.into_iter().map(PathBuf::from).filter(|device| device.exists()).collect()
}

/// The account files that the build sees.
pub(crate) fn own_files() -> Vec<(PathBuf, Vec<u8>)> {
    let files = [
        (
            "/etc/passwd",
            "spack:x:1000:1000:build user:/build:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n",
        ),
        ("/etc/group", "spack:x:1000:\nnogroup:x:65534:\n"),
        ("/etc/hosts", "127.0.0.1 localhost\n::1 localhost\n"),
        (
            "/etc/nsswitch.conf",
            "passwd: files\ngroup: files\nhosts: files\nservices: files\nprotocols: files\n",
        ),
        ("/etc/resolv.conf", ""),
    ];
    files.into_iter().map(|(path, content)| (PathBuf::from(path), content.as_bytes().to_vec())).collect()
}
