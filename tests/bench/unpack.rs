//! Unpacking HDF5's archive.

use std::path::{Path, PathBuf};
use std::process::Command;

use cap_std::ambient_authority;
use cap_std::fs::Dir;
use spack_wasm_source::unpack::{UnpackLimits, unpack};

use crate::scene::{sources, user};
use crate::table::{RUNS, Row, medians};

pub(crate) fn rows() -> Vec<Row> {
    let archive = archive("hdf5");
    let ours = || {
        let folder = tempfile::tempdir().unwrap();
        let into = Dir::open_ambient_dir(folder.path(), ambient_authority()).unwrap();
        unpack(&archive, "hdf5", &into, &UnpackLimits::default()).unwrap();
        folder
    };
    let peer = || {
        let folder = tempfile::tempdir().unwrap();
        let mut command = Command::new("tar");
        assert!(command.arg("xf").arg(&archive).arg("-C").arg(folder.path()).status().unwrap().success());
        folder
    };
    // What was unpacked is removed after the clock has stopped.
    let mut kept = Vec::new();
    let mut kept_of_peer = Vec::new();
    let (ours, peer) = medians(RUNS, || kept.push(ours()), || kept_of_peer.push(peer()));
    let peer = Some(("tar xf".to_owned(), peer));
    vec![Row { what: "unpack hdf5's archive".to_owned(), ours, peer, goal: "ratio at most 1.2" }]
}

/// The archive of a package, which a first install brings.
pub(crate) fn archive(package: &str) -> PathBuf {
    let cache = Path::new(env!("CARGO_TARGET_TMPDIR")).join("sources").join(package);
    let folder = cache.join("_source-cache/archive");
    if !folder.is_dir() {
        user().run(["-c", &sources(package), "install", package]).succeeded();
    }
    walk(&folder).unwrap()
}

fn walk(folder: &Path) -> Option<PathBuf> {
    let entries = fs_err::read_dir(folder).ok()?.map(|entry| entry.unwrap().path());
    entries.filter_map(|path| if path.is_dir() { walk(&path) } else { Some(path) }).next()
}
