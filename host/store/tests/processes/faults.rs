//! Kills at each step and at random, full disks, read-only stores.

use std::fmt::Debug;
use std::io::Write;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::time::Duration;

use nix::errno::Errno;
use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};
use spack_wasm_store::{
    BeginOptions, BuildPlace, CheckOptions, LockError, LockMode, PublishStep, Query, StageArea, Store,
    StoreOptions, UninstallOptions, UninstallStep,
};
use tempfile::tempdir;

use crate::Test;
use crate::child::{Spoken, say};
use crate::common::{begin, fill, hash_of, hdf5, install, lone, never, open, record, skip};

pub(crate) fn tests() -> Vec<Test> {
    vec![
        ("killed_while_building_nothing_is_left", killed_while_building),
        ("killed_at_each_step_of_publishing_the_prefix_is_absent_or_complete", killed_while_publishing),
        ("killed_at_each_step_of_replacing_a_prefix_is_always_there", killed_while_replacing),
        ("a_killed_build_leaves_no_stage_but_kept_ones_stay", killed_stages),
        ("killed_at_each_step_of_removing_the_prefix_is_absent_or_complete", killed_while_removing),
        ("killed_at_random_the_next_install_completes", killed_at_random),
        ("an_index_that_was_deleted_without_its_log_is_built_again", deleted_without_log),
        ("what_a_living_process_builds_is_not_collected", living_builds_stay),
        ("a_store_on_a_read_only_file_system_answers_and_refuses", read_only_store),
        ("a_full_disk_is_said_and_leaves_nothing", full_disk),
    ]
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn building(root: &Path) -> usize {
    fs_err::read_dir(root.join(".building")).unwrap().count()
}

/// After a kill: only complete prefixes in sight, nothing left after the next command, and `install` works at once.
fn check_recovery(root: &Path, at: &dyn Debug) {
    let store = open(root);
    for installed in store.find(&Query::default()).unwrap() {
        assert!(
            installed.spec_path().exists(),
            "killed at {at:?}, {installed} is in sight without its record"
        );
        assert!(
            installed.prefix.join("lib/libx.so").exists(),
            "killed at {at:?}, {installed} is not complete"
        );
    }
    let before = store.find(&Query::default()).unwrap();
    store.collect_leftovers().unwrap();
    assert_eq!(building(root), 0, "killed at {at:?}, something is left");
    let report = store.reindex().unwrap();
    assert_eq!(
        (report.added.len(), report.removed.len(), report.skipped.len()),
        (0, 0, 0),
        "killed at {at:?}"
    );
    assert_eq!(store.find(&Query::default()).unwrap(), before, "killed at {at:?}");
}

fn run_and_die(job: &str, arguments: &[&str]) {
    let mut child = Spoken::start(job, arguments).child;
    assert_eq!(child.wait().unwrap().signal(), Some(9), "{job} {arguments:?} was not killed where it should");
}

fn killed_while_building() {
    for place in ["apart", "in-place"] {
        let root = tempdir().unwrap();
        let mut child = Spoken::start("build", &[text(root.path()), place]);
        assert_eq!(child.line(), "building");
        child.kill();
        assert!(building(root.path()) > 0);
        check_recovery(root.path(), &place);
        let store = open(root.path());
        assert!(!store.prefix_of(&crate::common::node(&hdf5(), "zlib")).exists());
        install(&store, &hdf5(), "zlib", true);
    }
}

fn killed_while_publishing() {
    for place in ["apart", "in-place"] {
        for step in PublishStep::ALL {
            let root = tempdir().unwrap();
            run_and_die("publish", &[text(root.path()), place, &format!("{step:?}")]);
            check_recovery(root.path(), &(place, step));
            let zlib = hash_of(&hdf5(), "zlib");
            let installed = open(root.path()).installed(&zlib).unwrap();
            assert_eq!(
                installed,
                matches!(step, PublishStep::Moved | PublishStep::Indexed),
                "{place} {step:?}"
            );
            if !installed {
                install(&open(root.path()), &hdf5(), "zlib", true);
            }
        }
    }
}

fn killed_while_replacing() {
    for step in PublishStep::ALL {
        let root = tempdir().unwrap();
        let old = install(&open(root.path()), &hdf5(), "zlib", true).installed;
        run_and_die("publish", &[text(root.path()), "replacing", &format!("{step:?}")]);
        assert!(old.prefix.join("lib/libx.so").exists(), "killed at {step:?}");
        check_recovery(root.path(), &step);
        assert_eq!(open(root.path()).find(&Query::default()).unwrap(), [old], "killed at {step:?}");
    }
}

fn killed_stages() {
    let root = tempdir().unwrap();
    let area = StageArea::open(root.path()).unwrap();
    let mut child = Spoken::start("stage", &[text(root.path())]);
    assert_eq!(child.line(), "staged");
    let zlib = crate::common::node(&hdf5(), "zlib");
    let own = area.create(&zlib, None).unwrap();
    let kept = area.create(&zlib, None).unwrap();
    kept.dir().write("config.log", "").unwrap();
    let kept = kept.keep().unwrap();
    drop(area.create(&crate::common::node(&hdf5(), "hdf5"), None).unwrap());
    assert!(area.collect_leftovers().unwrap().is_empty());
    child.kill();
    assert_eq!(area.collect_leftovers().unwrap().len(), 1);
    assert!(own.path().exists() && kept.join("config.log").exists());
    drop(own);
    let left: Vec<_> = fs_err::read_dir(root.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(left, [kept]);
}

fn killed_while_removing() {
    for step in UninstallStep::ALL {
        let root = tempdir().unwrap();
        drop(install(&open(root.path()), &hdf5(), "zlib", true));
        run_and_die("uninstall", &[text(root.path()), &format!("{step:?}")]);
        check_recovery(root.path(), &step);
        let store = open(root.path());
        assert_eq!(store.find(&Query::default()).unwrap(), [], "killed at {step:?}");
        install(&store, &hdf5(), "zlib", true);
    }
}

/// Two processes install the same five packages; one is killed after a seeded random time, then the other. How long that may be at
/// most follows the machine: less after a kill that came too late, more after one in time.
///
/// `SPACK_WASM_KILLS` sets how often.
fn killed_at_random() {
    let rounds = std::env::var("SPACK_WASM_KILLS").map_or(30, |rounds| rounds.parse().unwrap());
    let mut seed = 0x5eed_u64;
    let mut most = Duration::from_millis(40);
    let mut unfinished = 0;
    for round in 0..rounds {
        let root = tempdir().unwrap();
        let children = [0, 1].map(|_| Spoken::start("install", &[text(root.path()), "5"]));
        for child in children {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            std::thread::sleep(Duration::from_nanos((seed >> 16) % most.as_nanos() as u64));
            child.kill();
        }
        if root.path().join(".building").exists() {
            check_recovery(root.path(), &round);
        }
        let in_time = open(root.path()).find(&Query::default()).unwrap().len() < 5;
        unfinished += usize::from(in_time);
        most = if in_time { most * 5 / 4 } else { most * 2 / 3 };
        assert!(Spoken::start("install", &[text(root.path()), "5"]).succeeded());
        assert_eq!(open(root.path()).find(&Query::default()).unwrap().len(), 5);
    }
    assert!(unfinished > rounds / 4, "only {unfinished} of {rounds} kills came before the end");
}

/// A killed process leaves a log, and a user who deletes the index may leave it too.
fn deleted_without_log() {
    let root = tempdir().unwrap();
    run_and_die("publish", &[text(root.path()), "apart", "Indexed"]);
    let index = root.path().join(".spack-wasm-db/index.sqlite");
    assert!(fs_err::metadata(index.with_extension("sqlite-wal")).unwrap().len() > 0);
    fs_err::remove_file(index).unwrap();
    assert_eq!(open(root.path()).find(&Query::default()).unwrap().len(), 1);
    check_recovery(root.path(), &"a deleted index");
}

fn living_builds_stay() {
    let root = tempdir().unwrap();
    let store = open(root.path());
    let mut child = Spoken::start("build", &[text(root.path()), "apart"]);
    assert_eq!(child.line(), "building");
    let own = begin(&store, &lone("lua", "5.4"), "lua", &BeginOptions::default());
    assert!(store.collect_leftovers().unwrap().is_empty());
    assert_eq!(building(root.path()), 2);
    child.kill();
    assert_eq!(store.collect_leftovers().unwrap().len(), 1);
    assert!(own.building_path().exists());
}

/// Runs a job that mounts something; as root, or else in a user namespace.
fn in_own_mounts(job: &str) {
    let root = tempdir().unwrap();
    let mut child = Spoken::start(job, &[text(root.path())]);
    if child.line() == "no mounts" {
        skip("root or user namespaces to mount a tmpfs");
        return;
    }
    assert!(child.succeeded());
}

/// Mounts a tmpfs of 1 MiB over a folder, in sight of this process only.
fn small_tmpfs(root: &Path) -> bool {
    let own = CloneFlags::CLONE_NEWNS;
    let private = MsFlags::MS_PRIVATE | MsFlags::MS_REC;
    let mounted = unshare(own)
        .or_else(|_| in_user_namespace(own))
        .and_then(|()| mount(None::<&str>, "/", None::<&str>, private, None::<&str>))
        .and_then(|()| mount(Some("tmpfs"), root, Some("tmpfs"), MsFlags::empty(), Some("size=1m")));
    let answer = if mounted.is_ok() { "mounted" } else { "no mounts" };
    say(answer);
    mounted.is_ok()
}

/// A user namespace in which this user has the same number, without which nothing can be written.
fn in_user_namespace(also: CloneFlags) -> Result<(), Errno> {
    let (uid, gid) = (rustix::process::getuid().as_raw(), rustix::process::getgid().as_raw());
    unshare(also | CloneFlags::CLONE_NEWUSER)?;
    let maps = [
        ("setgroups", "deny".to_owned()),
        ("uid_map", format!("{uid} {uid} 1")),
        ("gid_map", format!("{gid} {gid} 1")),
    ];
    for (file, text) in maps {
        std::fs::OpenOptions::new()
            .write(true)
            .open(format!("/proc/self/{file}"))
            .and_then(|mut file| file.write_all(text.as_bytes()))
            .map_err(|error| Errno::from_raw(error.raw_os_error().unwrap_or_default()))?;
    }
    Ok(())
}

fn remount(root: &Path, flags: MsFlags) -> Result<(), Errno> {
    mount(None::<&str>, root, None::<&str>, MsFlags::MS_REMOUNT | flags, None::<&str>)
}

fn read_only_store() {
    in_own_mounts("read-only");
}

pub(crate) fn read_only(root: &Path) {
    if !small_tmpfs(root) {
        return;
    }
    // Another process writes: a file that is open for writing keeps a file system from becoming read-only.
    assert!(Spoken::start("install", &[text(root), "zlib"]).succeeded());
    remount(root, MsFlags::MS_RDONLY).unwrap();
    let store = Store::open(root, StoreOptions::default()).unwrap();
    assert!(store.is_read_only());
    let zlib = store.find(&Query::default()).unwrap().remove(0);
    assert_eq!(zlib.hash, hash_of(&hdf5(), "zlib"));
    assert!(store.installed(&zlib.hash).unwrap());
    let error = store.lock_prefix(&zlib.hash, LockMode::Exclusive, &mut never()).unwrap_err();
    assert!(matches!(error, LockError::ReadOnly { .. }));
    let expected = format!("the store {} is read-only", store.root().display());
    assert!(error.to_string().starts_with(&expected), "{error}");
    let error = store.uninstall(&zlib.hash, &UninstallOptions::default(), &mut never()).unwrap_err();
    assert_eq!(error.to_string(), expected);
    assert!(error.hint().unwrap().contains("config:install_tree:root"));
    assert_eq!(store.reindex().unwrap_err().to_string(), expected);
    assert_eq!(store.mark_explicit(&zlib.hash, false).unwrap_err().to_string(), expected);
    let missing = Store::open(&root.join("missing"), StoreOptions::default()).unwrap_err();
    assert!(missing.to_string().contains("Read-only file system"), "{missing}");
}

fn full_disk() {
    in_own_mounts("small-disk");
}

/// A file that fills what is left of the file system.
fn fill_disk(root: &Path) {
    let mut file = fs_err::File::create(root.join("filler")).unwrap();
    while file.write_all(&[1; 4096]).is_ok() {}
}

pub(crate) fn small_disk(root: &Path) {
    if !small_tmpfs(root) {
        return;
    }
    let store = open(root);
    let dag = hdf5();
    drop(install(&store, &lone("lua", "5.4"), "lua", true));
    let pending = begin(&store, &dag, "zlib", &BeginOptions::default());
    fill(&pending);
    let checked = pending.check(&CheckOptions::default()).unwrap();
    fill_disk(root);
    let error = checked.publish(&record(true)).unwrap_err();
    assert!(error.to_string().contains("No space left on device"), "{error}");
    assert!(error.hint().unwrap().contains("free some space"));
    assert_eq!(building(root), 0);
    assert!(!store.prefix_of(&crate::common::node(&dag, "zlib")).exists());
    // What was installed before is found, and can be removed on a full disk.
    let lua = hash_of(&lone("lua", "5.4"), "lua");
    assert!(store.installed(&lua).unwrap());
    fs_err::remove_file(root.join("filler")).unwrap();
    for place in [BuildPlace::Apart, BuildPlace::InPlace] {
        full_before_the_row(root, &store, place);
    }
    drop(install(&store, &dag, "zlib", true));
    assert_eq!(open(root).find(&Query::default()).unwrap().len(), 2);
}

/// The disk is full between the note and the row: the prefix that has appeared disappears again.
fn full_before_the_row(root: &Path, store: &Store, place: BuildPlace) {
    let dag = hdf5();
    let pending = begin(store, &dag, "zlib", &BeginOptions { place, ..BeginOptions::default() });
    fill(&pending);
    let checked = pending.check(&CheckOptions::default()).unwrap();
    let mut seen = Vec::new();
    let published = checked.publish_observed(&record(true), &mut |step| {
        seen.push(step);
        if step == PublishStep::Noted {
            fill_disk(root);
        }
    });
    let error = published.unwrap_err();
    assert_eq!(seen.last(), Some(&PublishStep::Moved), "{error}");
    assert!(error.to_string().starts_with("can't record the package in"), "{error}");
    assert!(error.hint().is_some_and(|hint| hint.contains("free some space")), "{error}");
    assert!(!store.prefix_of(&crate::common::node(&dag, "zlib")).exists());
    fs_err::remove_file(root.join("filler")).unwrap();
    store.collect_leftovers().unwrap();
    assert_eq!(building(root), 0);
    assert_eq!(store.find(&Query::default()).unwrap().len(), 1);
}
