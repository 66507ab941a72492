//! Stores in which something is broken, or that can't be written: what each command says, and what mends it.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use spack_wasm_tests::{TestContext, User};

use crate::crew::{Told, install, with_crew};
use crate::{location, of, user};

fn database(user: &TestContext) -> PathBuf {
    user.store().join(".spack-wasm-db/index.sqlite")
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<_> = fs_err::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

#[test]
fn a_damaged_database_is_built_again() {
    let user = with_crew(user());
    install(&user, "crew-joint", &[]).succeeded();
    let whole = user.run(["find"]).succeeded().stdout;
    // The header of a complete index of the first version, and nothing that fits it.
    let mut torn = fs_err::read(database(&user)).unwrap()[..100].to_vec();
    torn[60..64].copy_from_slice(&1_u32.to_be_bytes());
    torn[68..72].copy_from_slice(b"SPWM");
    torn.resize(8192, 0xff);
    for damaged in [b"not a database at all".repeat(300), torn] {
        for companion in ["-wal", "-shm"] {
            let _ = fs_err::remove_file(format!("{}{companion}", database(&user).display()));
        }
        fs_err::write(database(&user), &damaged).unwrap();
        for command in [&["find"][..], &["install", "crew-joint"], &["uninstall", "-y", "crew-joint"]] {
            let output = user.run(command).failed_with(1);
            let hint = "hint: the database is only an index: `spack-wasm reindex` builds it again\n";
            assert!(output.stderr.ends_with(hint), "{}", output.report());
        }
        let output = user.run(["reindex"]).succeeded();
        assert!(output.stdout.contains("3 installed packages; the database is new"), "{}", output.report());
        let (_, aside) = output.stderr.split_once("the database was damaged; it is now ").unwrap();
        assert_eq!(fs_err::read(aside.trim_end()).unwrap(), damaged);
        assert_eq!(user.run(["find"]).succeeded().stdout, whole);
    }
}

#[test]
fn a_prefix_whose_spec_can_not_be_read_is_replaced() {
    for options in [&[][..], &["--overwrite"]] {
        let user = with_crew(user());
        install(&user, "crew-alone", &[]).succeeded();
        let spec = location(&user, "crew-alone").join(".spack/spec.json");
        fs_err::write(&spec, b"{\"spec\": \xff").unwrap();
        let refused = user.run(["uninstall", "-y", "crew-alone"]).failed_with(1);
        let hint = "hint: `spack-wasm reindex` leaves the package out, and installing it again replaces it\n";
        assert!(refused.stderr.ends_with(hint), "{}", refused.report());
        let output = user.run(["reindex"]).succeeded();
        assert!(output.stderr.contains("spec.json can't be used"), "{}", output.report());
        let told = Told::by(&install(&user, "crew-alone", options).succeeded());
        assert_eq!(told.end("crew-alone"), "installed");
        let said = told.output("crew-alone");
        assert!(said.contains("its prefix was not complete and is built again"), "{said}");
        user.run(["uninstall", "-y", "crew-alone"]).succeeded();
    }
}

/// Takes everybody the right to write, or gives it back to the owner.
fn set_writable(path: &Path, writable: bool) {
    let metadata = fs_err::symlink_metadata(path).unwrap();
    if metadata.is_symlink() {
        return;
    }
    let mode = metadata.permissions().mode();
    let mode = if writable { mode | 0o200 } else { mode & !0o222 };
    fs_err::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    if metadata.is_dir() {
        files(path).iter().for_each(|file| set_writable(file, writable));
    }
}

#[test]
fn what_is_installed_in_a_read_only_store_is_there() {
    let user = with_crew(of(User::Ordinary));
    install(&user, "crew-joint", &[]).succeeded();
    set_writable(&user.store(), false);
    let output = user.run(["install", "crew-joint"]);
    let missing = user.run(["install", "crew-outer"]);
    set_writable(&user.store(), true);
    let output = output.succeeded();
    assert!(output.stdout.contains("[+] ") && !output.stderr.contains("Warning"), "{}", output.report());
    let error = format!(
        "==> Error: nothing can be built, since the store {} is read-only\n\
         hint: set config:install_tree:root to a folder that you may write\n",
        user.store().display()
    );
    assert!(missing.failed_with(1).stderr.ends_with(&error));
}

/// As in Spack, where a spec has one stage.
#[test]
fn of_failed_builds_the_newest_stage_is_kept() {
    let user = with_crew(user());
    let stages = || files(&user.home().join(".spack/spack-wasm/stage"));
    install(&user, "crew-alone act=fail", &[]).failed_with(1);
    let first = stages();
    install(&user, "crew-north act=fail", &[]).failed_with(1);
    install(&user, "crew-alone act=fail", &[]).failed_with(1);
    let last = stages();
    assert_eq!((first.len(), last.len()), (1, 2), "{last:?}");
    assert!(!last.contains(&first[0]), "{last:?}");
}
