//! `install`, and what is said of packages afterwards: the store as a user sees it.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use serde_json::Value;
use spack_wasm_tests::{TestContext, User, assert_output};

use crate::sources::with_zlib;
use crate::{location, misbehave, of, user};

/// All that is below a folder, the folder itself included.
fn all_below(folder: &Path) -> Vec<PathBuf> {
    let mut found = vec![folder.to_owned()];
    let mut next = 0;
    while let Some(path) = found.get(next).cloned() {
        if path.symlink_metadata().unwrap().is_dir() {
            found.extend(fs_err::read_dir(path).unwrap().map(|entry| entry.unwrap().path()));
        }
        next += 1;
    }
    found
}

fn assert_belongs_to_its_user(user: &TestContext) {
    let owner = fs_err::metadata(user.home()).unwrap().uid();
    let foreign: Vec<PathBuf> = all_below(&user.home())
        .into_iter()
        .filter(|path| path.symlink_metadata().unwrap().uid() != owner)
        .collect();
    assert!(foreign.is_empty(), "{foreign:?} do not belong to {owner}");
}

fn assert_has_records(prefix: &Path) {
    for name in [
        "spec.json",
        "spack-build-out.txt",
        "spack-build-env.txt",
        "spack-configure-args.txt",
        "install_manifest.json",
        "install_environment.json",
        "install_times.json",
        "spack-wasm.json",
        "repos/builtin/packages/zlib/recipe.wasm",
        "repos/builtin/packages/zlib/recipe.wasm.sha256",
    ] {
        let path = prefix.join(".spack").join(name);
        assert!(path.is_file(), "{name}");
        if name.ends_with(".json") {
            serde_json::from_slice::<Value>(&fs_err::read(&path).unwrap()).unwrap();
        }
    }
}

#[test]
fn what_is_asked_for_later_is_explicit() {
    let Some(user) = with_zlib(User::Current) else { return };
    // It needs zlib, which is fine, and then fails.
    misbehave(&user, "write-dependency", &[]).failed_with(1);
    let explicit = || user.run(["find", "-x"]).stdout.contains("zlib");
    assert!(!explicit());
    user.run(["install", "zlib"]).succeeded();
    assert!(explicit());
}

#[test]
fn zlib_is_built_for_root_and_for_others_who_keep_their_files_to_themselves() {
    for who in User::everybody() {
        let Some(user) = with_zlib(who) else { return };
        let output = user.run_with_umask("077", &["install", "zlib"]).succeeded();
        let prefix = location(&user, "zlib");
        assert!(output.stdout.contains(&format!("[+] {}", prefix.display())), "{}", output.report());
        for file in ["lib/libz.so", "lib/libz.a", "include/zlib.h", "lib/pkgconfig/zlib.pc"] {
            assert!(prefix.join(file).is_file(), "{file}");
        }
        assert_has_records(&prefix);
        assert_belongs_to_its_user(&user);
        let left = fs_err::read_dir(user.store().join(".building")).unwrap().count();
        assert_eq!(left, 0, "nothing is left of the build");
        assert_output!(user, user.run(["install", "zlib"]), @"
        exit status: 0
        ----- stdout -----
        [+]  [HASH] zlib@1.2.13+optimize+pic+shared build_system=makefile arch=linux-[OS]-[TARGET]
        [e]  [HASH]     ^gcc@[VERSION] arch=linux-[OS]-[TARGET]
        [e]  [HASH]     ^gmake@[VERSION] arch=linux-[OS]-[TARGET]
        ==> Plan: 0 packages to build, 1 installed already, 0 of the system
        [+] [STORE]/linux-[TARGET]/zlib-1.2.13-[HASH]
        ");
        assert_output!(user, user.run(["find", "-l"]), @"
        exit status: 0
        ----- stdout -----
        -- linux-[OS]-[TARGET] / %c=gcc@[VERSION] [RULE]
        [HASH] zlib@1.2.13

        ==> 1 installed package
        ");
        assert_output!(user, user.run(["spec", "zlib"]), @"
        exit status: 0
        ----- stdout -----
        [+]  zlib@1.2.13+optimize+pic+shared build_system=makefile arch=linux-[OS]-[TARGET]
        [e]      ^gcc@[VERSION] arch=linux-[OS]-[TARGET]
        [e]      ^gmake@[VERSION] arch=linux-[OS]-[TARGET]
        ");
        let log = user.run(["logs", "zlib"]).succeeded();
        assert!(log.stdout.contains("==> zlib: Executing phase: 'install'"), "{}", log.report());
    }
}

#[test]
fn the_database_is_only_an_index() {
    let user = user();
    misbehave(&user, "nothing", &[]).succeeded();
    let prefix = location(&user, "misbehaving");
    fs_err::remove_file(user.store().join(".spack-wasm-db/index.sqlite")).unwrap();
    assert_output!(user, user.run(["reindex"]), @"
    exit status: 0
    ----- stdout -----
    ==> 1 installed package; the database was right
    ");
    assert_eq!(location(&user, "misbehaving"), prefix);
    assert_output!(user, user.run(["uninstall", "-y", "misbehaving"]), @"
    exit status: 0
    ----- stderr -----
    ==> Removed misbehaving@1.0/[HASH]
    ");
    assert!(!prefix.exists());
    assert_output!(user, user.run(["find"]), @"
    exit status: 0
    ----- stdout -----
    ==> 0 installed packages
    ");
}

#[test]
fn a_dry_run_shows_the_plan_and_builds_nothing() {
    let user = user();
    assert_output!(user, user.run(["install", "--dry-run", "hdf5"]), @"
    exit status: 0
    ----- stdout -----
     -   [HASH] hdf5@1.10.8~cxx~fortran~hl~java~mpi+shared~szip~threadsafe+tools api=default build_system=autotools arch=linux-[OS]-[TARGET]
    [e]  [HASH]     ^gcc@[VERSION] arch=linux-[OS]-[TARGET]
    [e]  [HASH]     ^gmake@[VERSION] arch=linux-[OS]-[TARGET]
     -   [HASH]     ^zlib@1.2.13+optimize+pic+shared build_system=makefile arch=linux-[OS]-[TARGET]
    ==> Plan: 2 packages to build, 0 installed already, 2 of the system
    ");
}

#[test]
fn a_store_is_made_when_something_is_installed_and_not_before() {
    let user = user();
    user.run(["install", "--dry-run", "zlib"]).succeeded();
    for question in [&["spec", "zlib"][..], &["find"], &["reindex"]] {
        user.run(question).succeeded();
    }
    for question in [&["location", "zlib"][..], &["logs", "zlib"], &["uninstall", "-y", "zlib"]] {
        user.run(question).failed_with(1);
    }
    assert!(!user.store().parent().unwrap().exists(), "a question made a store");
}

#[test]
fn what_is_installed_is_built_again_only_when_that_is_wished() {
    let user = user();
    misbehave(&user, "clock", &[]).succeeded();
    let file = location(&user, "misbehaving").join("done.txt");
    fs_err::write(&file, "changed").unwrap();
    misbehave(&user, "clock", &[]).succeeded();
    assert_eq!(fs_err::read_to_string(&file).unwrap(), "changed");
    misbehave(&user, "clock", &["--overwrite", "-y"]).succeeded();
    assert_eq!(fs_err::read_to_string(&file).unwrap(), "clock\n");
}

#[test]
fn an_ordinary_user_removes_what_they_installed() {
    for who in User::everybody() {
        let user = of(who);
        misbehave(&user, "nothing", &[]).succeeded();
        user.run(["uninstall", "-y", "misbehaving"]).succeeded();
        let packages = fs_err::read_dir(user.store()).unwrap().map(|entry| entry.unwrap().path());
        let left: Vec<PathBuf> = packages
            .filter(|path| !path.file_name().unwrap().to_string_lossy().starts_with('.'))
            .flat_map(|path| fs_err::read_dir(path).unwrap().map(|entry| entry.unwrap().path()))
            .collect();
        assert!(left.is_empty(), "{left:?}");
    }
}
