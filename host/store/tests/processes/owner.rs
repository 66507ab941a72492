//! Who owns what: as root with a build user, with a closed umask, and as an ordinary user.

use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, lchown, symlink};
use std::path::Path;

use nix::unistd::{Gid, Uid, setgid, setuid};
use rustix::fs::Mode;
use rustix::process::umask;
use spack_wasm_store::{
    BeginError, BeginOptions, BuildIdentity, BuildPlace, CheckOptions, LockMode, Query, Replacement,
    StageArea,
};
use tempfile::tempdir;

use crate::Test;
use crate::child::Spoken;
use crate::common::{begin, fill, hdf5, install, never, node, open, record, skip};

pub(crate) fn tests() -> Vec<Test> {
    vec![
        ("root_gives_the_prefix_to_the_build_user_and_takes_it_back", root_gives_and_takes),
        ("with_umask_077_the_build_user_gets_through", closed_umask),
        ("another_users_store_can_be_read", other_users_store),
        ("an_ordinary_user_builds_and_removes", ordinary_user),
    ]
}

fn other_users_store() {
    if !is_root() {
        return;
    }
    let root = tempdir().unwrap();
    fs_err::set_permissions(root.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    // Once with the owner's log beside the index, once without.
    let store = open(root.path());
    drop(install(&store, &hdf5(), "zlib", true));
    assert!(Spoken::start("reader", &[root.path().to_str().unwrap()]).succeeded());
    drop(store);
    assert!(Spoken::start("reader", &[root.path().to_str().unwrap()]).succeeded());
    let stages = tempdir().unwrap();
    chown(stages.path(), Some(1234), Some(1234)).unwrap();
    let error = StageArea::open(stages.path()).unwrap_err();
    assert!(error.to_string().contains("belongs to user 1234"), "{error}");
}

fn become_nobody() {
    if Uid::effective().is_root() {
        setgid(Gid::from_raw(65534)).unwrap();
        setuid(Uid::from_raw(65534)).unwrap();
    }
}

pub(crate) fn as_reader(root: &Path) {
    become_nobody();
    let store = open(root);
    assert!(store.is_read_only());
    let zlib = store.find(&Query::default()).unwrap().remove(0);
    assert!(store.installed(&zlib.hash).unwrap());
    assert_eq!(store.dag(&zlib).unwrap().roots().next().unwrap().hash, zlib.hash);
}

const NOBODY: BuildIdentity = BuildIdentity { uid: 65534, gid: 65534 };

fn is_root() -> bool {
    let root = Uid::effective().is_root();
    if !root {
        skip("root");
    }
    root
}

fn root_gives_and_takes() {
    if !is_root() {
        return;
    }
    for place in [BuildPlace::Apart, BuildPlace::InPlace] {
        let root = tempdir().unwrap();
        let outside = root.path().join("outside");
        fs_err::write(&outside, "").unwrap();
        chown(&outside, Some(1234), Some(1234)).unwrap();
        let store = open(root.path());
        let options = BeginOptions { identity: Some(NOBODY), place, ..BeginOptions::default() };
        let pending = begin(&store, &hdf5(), "zlib", &options);
        let path = pending.building_path();
        assert_eq!(fs_err::metadata(&path).unwrap().uid(), 65534);
        fill(&pending);
        for name in ["bin", "bin/tool", "lib", "lib/libx.so.1"] {
            chown(path.join(name), Some(65534), Some(65534)).unwrap();
        }
        symlink("bin/tool", path.join("tool")).unwrap();
        lchown(path.join("tool"), Some(65534), Some(65534)).unwrap();
        let checked = pending.check(&CheckOptions::default()).unwrap();
        // A link that appears behind the check must still not lead the change of owner outside.
        symlink(&outside, path.join("late")).unwrap();
        lchown(path.join("late"), Some(65534), Some(65534)).unwrap();
        let prefix = checked.publish(&record(true)).unwrap().installed.prefix;
        let names =
            ["", "bin", "bin/tool", "lib", "lib/libx.so", "tool", "late", ".spack", ".spack/spec.json"];
        for name in names {
            assert_eq!(fs_err::symlink_metadata(prefix.join(name)).unwrap().uid(), 0, "{name}");
        }
        assert_eq!(fs_err::metadata(&outside).unwrap().uid(), 1234);
        let text = fs_err::read_to_string(prefix.join(".spack/install_manifest.json")).unwrap();
        let manifest: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(manifest[prefix.join("bin/tool").to_str().unwrap()]["owner"], 0);
    }
}

fn closed_umask() {
    let root = tempdir().unwrap();
    assert!(Spoken::start("umask", &[root.path().to_str().unwrap()]).succeeded());
}

pub(crate) fn with_umask_077(home: &Path) {
    umask(Mode::from_raw_mode(0o077));
    let root = home.join(".spack-wasm/store");
    let store = open(&root);
    let prefix = install(&store, &hdf5(), "zlib", true).installed.prefix;
    let mode = |path: &Path| fs_err::metadata(path).unwrap().permissions().mode() & 0o7777;
    for folder in
        [&root, &root.join(".building"), &root.join("linux-x86_64_v3"), &prefix, &prefix.join(".spack")]
    {
        assert_eq!(mode(folder), 0o755, "{}", folder.display());
    }
    let index = store.root().join(".spack-wasm-db/index.sqlite");
    let log = index.with_extension("sqlite-wal");
    for file in [&index, &log, &prefix.join(".spack/spec.json"), &prefix.join(".spack/install_manifest.json")]
    {
        assert_eq!(mode(file), 0o644, "{}", file.display());
    }
    // What the build made keeps its mode.
    assert_eq!(mode(&prefix.join("bin/tool")), 0o600);
}

fn ordinary_user() {
    let root = tempdir().unwrap();
    fs_err::set_permissions(root.path(), std::fs::Permissions::from_mode(0o777)).unwrap();
    assert!(Spoken::start("user", &[root.path().to_str().unwrap()]).succeeded());
}

/// What root may do in spite of modes, a user may not: read-only folders and files are the harder case.
pub(crate) fn as_ordinary_user(root: &Path) {
    become_nobody();
    let store = open(&root.join("store"));
    let dag = hdf5();
    let zlib = node(&dag, "zlib");
    let lock = store.lock_prefix(&zlib.hash, LockMode::Exclusive, &mut never()).unwrap();
    let other = BeginOptions { identity: Some(BuildIdentity { uid: 1, gid: 1 }), ..BeginOptions::default() };
    let error = store.begin(&dag, &zlib, lock, &other).unwrap_err();
    assert!(matches!(error, BeginError::NotRoot { uid: 1, .. }), "{error}");
    for publish in [false, true] {
        let pending = begin(&store, &dag, "zlib", &BeginOptions::default());
        fill(&pending);
        let path = pending.building_path();
        let chmod = |name: &str, mode: u32| {
            fs_err::set_permissions(path.join(name), std::fs::Permissions::from_mode(mode)).unwrap();
        };
        chmod("bin/tool", 0o555);
        chmod("bin", 0o555);
        let rule = Replacement { from: b"/bin/sh".to_vec(), to: b"/usr/bin/sh".to_vec() };
        assert_eq!(pending.rewrite_text(&[rule]).unwrap(), [Path::new("bin/tool")]);
        assert_eq!(fs_err::metadata(path.join("bin/tool")).unwrap().permissions().mode() & 0o777, 0o555);
        if publish {
            drop(pending.check(&CheckOptions::default()).unwrap().publish(&record(true)).unwrap());
        } else {
            drop(pending);
            assert!(!path.exists());
        }
    }
    store.uninstall(&zlib.hash, &spack_wasm_store::UninstallOptions::default(), &mut never()).unwrap();
    assert_eq!(store.find(&Query::default()).unwrap(), []);
    assert!(!store.prefix_of(&zlib).exists());
    assert_eq!(fs_err::read_dir(store.root().join(".building")).unwrap().count(), 0);
}
