//! Mounts whose place lies beneath another one, as a store beneath `/usr` does.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use std::path::{Path, PathBuf};

use spack_wasm_sandbox::{Access, Level, Policy};
use support::{Place, everybody};

/// A folder that the build sees, with what is usual in one.
fn parent(place: &Place) -> PathBuf {
    let parent = place.path("parent");
    fs_err::create_dir_all(parent.join("folder/deep")).unwrap();
    fs_err::write(parent.join("file"), "text\n").unwrap();
    fs_err::write(parent.join("folder/deep/file"), "deep\n").unwrap();
    fs_err::os::unix::fs::symlink("folder/deep", parent.join("link")).unwrap();
    let open = std::os::unix::fs::PermissionsExt::from_mode;
    for (name, mode) in
        [("", 0o777), ("folder", 0o777), ("folder/deep", 0o777), ("file", 0o666), ("folder/deep/file", 0o666)]
    {
        fs_err::set_permissions(parent.join(name), open(mode)).unwrap();
    }
    parent
}

fn names(folder: &Path) -> Vec<String> {
    let names = fs_err::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name());
    let mut names: Vec<_> = names.map(|name| name.into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn a_mount_beneath_another_one_needs_no_place_on_the_machine() {
    everybody("a_mount_beneath_another_one_needs_no_place_on_the_machine", || {
        for access in [Access::ReadOnly, Access::ReadWrite] {
            let place = Place::new();
            let parent = parent(&place);
            let mut policy = place.policy(Level::Namespaces);
            policy.mount(&parent, "/opt/parent", access);
            policy.mount(place.path("dependency"), "/opt/parent/folder/one", Access::ReadOnly);
            policy.mount(place.path("prefix"), "/opt/parent/folder/a/b", Access::ReadWrite);
            policy.mount(place.path("dependency/file"), "/opt/parent/new", Access::ReadOnly);
            let build = place.start_with(&policy).unwrap();
            let ran = build.shell(
                "cd /opt/parent; cat file link/file folder/one/file new; ls . folder; echo x > folder/a/b/x",
            );
            let expected =
                "text\ndeep\ndependencydependency.:\nfile\nfolder\nlink\nnew\n\nfolder:\na\ndeep\none\n";
            assert_eq!((ran.stdout.as_str(), ran.stderr.as_str()), (expected, ""), "{access:?}");
            // What was writable is; nothing is made in the folders that had to be laid anew.
            let writes = build.shell("echo changed > /opt/parent/folder/deep/file").success();
            assert_eq!(writes, access == Access::ReadWrite, "{access:?}");
            assert!(!build.shell("echo > /opt/parent/folder/file").success(), "{access:?}");
            assert!(!build.shell("echo > /opt/parent/folder/one/new").success(), "{access:?}");
            drop(build);
            assert_eq!(names(&parent), ["file", "folder", "link"], "{access:?}");
            assert_eq!(names(&parent.join("folder")), ["deep"], "{access:?}");
            assert_eq!(fs_err::read_to_string(place.path("prefix/x")).unwrap(), "x\n");
        }
    });
}

#[test]
fn a_prefix_beneath_usr_appears() {
    everybody("a_prefix_beneath_usr_appears", || {
        let place = Place::new();
        let before = (names(Path::new("/usr")), names(Path::new("/usr/local")));
        let mut policy: Policy = place.policy(Level::Namespaces);
        policy.mount(place.path("prefix"), "/usr/local/spack-wasm-test/zlib", Access::ReadWrite);
        let build = place.start_with(&policy).unwrap();
        let ran = build
            .shell("echo x > /usr/local/spack-wasm-test/zlib/x; ls /usr/local; cc --version > /dev/null");
        assert!(ran.success(), "{}", ran.stderr);
        let mut expected = before.1.clone();
        expected.push("spack-wasm-test".to_owned());
        expected.sort();
        let mut seen: Vec<_> = ran.stdout.lines().map(str::to_owned).collect();
        seen.sort();
        assert_eq!(seen, expected);
        assert!(!build.shell("echo > /usr/local/new").success());
        drop(build);
        assert_eq!((names(Path::new("/usr")), names(Path::new("/usr/local"))), before);
        assert!(place.path("prefix/x").exists());
    });
}
