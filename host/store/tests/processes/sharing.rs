//! Processes that share a store while all goes well, and holders that die.

use std::path::Path;

use spack_wasm_store::{
    Claim, Holder, LockError, LockMode, Patience, Query, UninstallError, UninstallOptions,
};
use tempfile::tempdir;

use crate::Test;
use crate::child::Spoken;
use crate::common::{hash_of, hdf5, install, never, open};

pub(crate) fn tests() -> Vec<Test> {
    vec![
        ("a_waiter_learns_who_holds_the_lock_and_gets_it_when_the_holder_is_killed", waits_for_killed_holder),
        ("readers_in_two_processes_share_and_keep_a_remover_out", readers_share),
        ("what_others_use_is_claimed_without_a_wait", users_do_not_wait),
        ("one_of_several_processes_builds_and_the_others_use_it", one_builds),
        ("a_second_handle_in_this_process_does_not_drop_its_locks", second_handle),
    ]
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn waits_for_killed_holder() {
    let root = tempdir().unwrap();
    let store = open(root.path());
    let zlib = hash_of(&hdf5(), "zlib");
    let mut holder = Spoken::start("hold", &[text(root.path()), "exclusive"]);
    assert_eq!(holder.line(), "locked");
    let pid = holder.child.id();
    let host = rustix::system::uname().nodename().to_str().unwrap().to_owned();
    let error = store.lock_prefix(&zlib, LockMode::Shared, &mut never()).unwrap_err();
    assert_eq!(error.to_string(), format!("the prefix of {zlib} is held by process {pid} on {host}"));
    let mut holder = Some(holder);
    let mut waits = 0;
    let lock = store.lock_prefix(&zlib, LockMode::Exclusive, &mut |by| {
        if holder.is_some() {
            assert_eq!(*by, Holder::Other { pid: Some(pid), host: Some(host.clone()) });
        }
        waits += 1;
        if waits == 2 {
            holder.take().unwrap().kill();
        }
        Patience::Wait
    });
    assert!(lock.is_ok() && waits >= 2);
}

fn readers_share() {
    let root = tempdir().unwrap();
    let store = open(root.path());
    let dag = hdf5();
    drop(install(&store, &dag, "zlib", true));
    let zlib = hash_of(&dag, "zlib");
    let mut reader = Spoken::start("hold", &[text(root.path()), "shared"]);
    assert_eq!(reader.line(), "locked");
    drop(store.lock_prefix(&zlib, LockMode::Shared, &mut never()).unwrap());
    let error = store.uninstall(&zlib, &UninstallOptions::default(), &mut never()).unwrap_err();
    assert!(matches!(error, UninstallError::InUse { cause: LockError::Held { .. }, .. }), "{error}");
    assert!(error.to_string().contains(&format!("process {}", reader.child.id())), "{error}");
    reader.kill();
    store.uninstall(&zlib, &UninstallOptions::default(), &mut never()).unwrap();
}

fn users_do_not_wait() {
    let root = tempdir().unwrap();
    let store = open(root.path());
    let dag = hdf5();
    let zlib = hash_of(&dag, "zlib");
    let mut builder = Spoken::start("hold", &[text(root.path()), "exclusive"]);
    assert_eq!(builder.line(), "locked");
    let error = store.claim(&zlib, &mut never()).unwrap_err();
    assert!(matches!(error, LockError::Held { .. }), "{error}");
    builder.kill();
    drop(install(&store, &dag, "zlib", true));
    let mut reader = Spoken::start("hold", &[text(root.path()), "shared"]);
    assert_eq!(reader.line(), "locked");
    let mut waiting = |holder: &Holder| panic!("it waits for {holder}");
    let claim = store.claim(&zlib, &mut waiting).unwrap();
    let Claim::Installed(installation) = claim else { panic!("it would be built again") };
    assert_eq!((installation.lock.mode(), &installation.installed.hash), (LockMode::Shared, &zlib));
    reader.kill();
}

fn one_builds() {
    let root = tempdir().unwrap();
    let mut children: Vec<_> = (0..6).map(|_| Spoken::start("install", &[text(root.path()), "5"])).collect();
    let mut built = Vec::new();
    for child in &mut children {
        loop {
            match child.line().as_str() {
                "done" => break,
                "" => panic!("a child failed"),
                line => built.push(line.to_owned()),
            }
        }
    }
    assert!(children.into_iter().all(Spoken::succeeded));
    built.sort();
    assert_eq!(built, ["built p0", "built p1", "built p2", "built p3", "built p4"]);
    assert_eq!(open(root.path()).find(&Query::default()).unwrap().len(), 5);
}

/// Closing any descriptor of a locked file drops the process's locks, so a second store must not open it again.
fn second_handle() {
    let root = tempdir().unwrap();
    let store = open(root.path());
    let zlib = hash_of(&hdf5(), "zlib");
    let held = store.lock_prefix(&zlib, LockMode::Exclusive, &mut never()).unwrap();
    drop(open(root.path()));
    drop(store);
    let mut other = Spoken::start("install", &[text(root.path()), "0"]);
    assert_eq!(other.line(), "done");
    assert!(other.succeeded());
    let mut contender = Spoken::start("hold", &[text(root.path()), "exclusive"]);
    assert_eq!(contender.line(), "refused");
    assert!(contender.succeeded());
    drop(held);
}
