//! Patches are applied as GNU patch does, beneath the handle, all or nothing.

use cap_std::ambient_authority;
use cap_std::fs::Dir;
use insta::assert_snapshot;
use spack_wasm_source::patch::{PatchOptions, apply};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

const MAIN: &str = "one\ntwo\nthree\nfour\nfive\nsix\nseven\neight\nnine\nten\n";
const CHANGE: &str =
    "--- a/src/main.c\n+++ b/src/main.c\n@@ -3,5 +3,5 @@\n three\n four\n-five\n+FIVE\n six\n seven\n";

struct Tree {
    root: tempfile::TempDir,
}

impl Tree {
    fn new(files: &[(&str, &str)]) -> Self {
        let root = tempfile::tempdir().unwrap();
        for (name, content) in files {
            let path = root.path().join("tree").join(name);
            fs_err::create_dir_all(path.parent().unwrap()).unwrap();
            fs_err::write(path, content).unwrap();
        }
        fs_err::write(root.path().join("outside"), "untouched\n").unwrap();
        Tree { root }
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.root.path().join("tree").join(name)
    }

    fn read(&self, name: &str) -> String {
        fs_err::read_to_string(self.path(name)).unwrap()
    }

    fn apply_with(&self, patch: &str, options: &PatchOptions<'_>) -> Result<Vec<String>, String> {
        let dir = Dir::open_ambient_dir(self.path(""), ambient_authority()).unwrap();
        let result = apply(&dir, patch.as_bytes(), options).map_err(|error| error.to_string());
        assert_eq!(fs_err::read_to_string(self.root.path().join("outside")).unwrap(), "untouched\n");
        Ok(result?.iter().map(|path| path.display().to_string()).collect())
    }

    fn apply(&self, patch: &str) -> Result<Vec<String>, String> {
        self.apply_with(patch, &PatchOptions::default())
    }
}

#[test]
fn a_change_keeps_mode_and_other_hard_links() {
    let tree = Tree::new(&[("src/main.c", MAIN)]);
    fs_err::set_permissions(tree.path("src/main.c"), std::fs::Permissions::from_mode(0o755)).unwrap();
    fs_err::hard_link(tree.path("src/main.c"), tree.path("other")).unwrap();
    assert_eq!(tree.apply(CHANGE).unwrap(), ["src/main.c"]);
    assert_eq!(tree.read("src/main.c"), MAIN.replace("five", "FIVE"));
    assert_eq!(fs_err::metadata(tree.path("src/main.c")).unwrap().permissions().mode() & 0o777, 0o755);
    assert_eq!(tree.read("other"), MAIN);
    assert_eq!(fs_err::read_dir(tree.path("src")).unwrap().count(), 1, "no temporary file stays");
}

#[test]
fn offsets_and_fuzz_as_gnu_patch_takes_them() {
    let moved = format!("{}{MAIN}", "zero\n".repeat(40));
    let tree = Tree::new(&[("src/main.c", &moved)]);
    tree.apply(CHANGE).unwrap();
    assert_eq!(tree.read("src/main.c"), moved.replace("five", "FIVE"));
    let outer_context_differs = MAIN.replace("three", "drei").replace("seven", "sieben");
    let tree = Tree::new(&[("src/main.c", &outer_context_differs)]);
    tree.apply(CHANGE).unwrap();
    assert_eq!(tree.read("src/main.c"), outer_context_differs.replace("five", "FIVE"));
    let tree = Tree::new(&[("src/main.c", &MAIN.replace("five", "fünf"))]);
    assert!(tree.apply(CHANGE).is_err());
}

#[test]
fn taken_back_with_reverse() {
    let tree = Tree::new(&[("src/main.c", MAIN)]);
    tree.apply(CHANGE).unwrap();
    tree.apply_with(CHANGE, &PatchOptions { reverse: true, ..PatchOptions::default() }).unwrap();
    assert_eq!(tree.read("src/main.c"), MAIN);
}

#[test]
fn level_and_working_dir() {
    let tree = Tree::new(&[("sub/src/main.c", MAIN)]);
    tree.apply_with(CHANGE, &PatchOptions { working_dir: "sub", ..PatchOptions::default() }).unwrap();
    let bare =
        CHANGE.replace("a/src/main.c", "main.c").replace("b/src/main.c", "main.c").replace("five", "six");
    let tree = Tree::new(&[("main.c", MAIN)]);
    assert!(tree.apply(&bare).unwrap_err().contains("with level 1 has too few path components"));
    let level = PatchOptions { level: 0, ..PatchOptions::default() };
    let deep = CHANGE.replace("a/src", "x/y/src").replace("b/src", "x/y/src");
    let tree = Tree::new(&[("src/main.c", MAIN), ("a/src/main.c", MAIN)]);
    tree.apply_with(&deep, &PatchOptions { level: 2, ..PatchOptions::default() }).unwrap();
    tree.apply_with(CHANGE, &level).unwrap();
    assert_eq!(
        (tree.read("src/main.c"), tree.read("a/src/main.c")),
        (MAIN.replace("five", "FIVE"), MAIN.replace("five", "FIVE"))
    );
}

#[test]
fn files_are_made_removed_renamed_and_made_executable() {
    let patch = "diff --git a/new.sh b/new.sh\nnew file mode 100755\n--- /dev/null\n+++ b/new.sh\n@@ -0,0 +1 @@\n+#!/bin/sh\n\
                 diff --git a/old.c b/old.c\ndeleted file mode 100644\n--- a/old.c\n+++ /dev/null\n@@ -1 +0,0 @@\n-gone\n\
                 diff --git a/here.c b/sub/there.c\nsimilarity index 100%\nrename from here.c\nrename to sub/there.c\n\
                 diff --git a/run b/run\nold mode 100644\nnew mode 100755\n";
    let tree = Tree::new(&[("old.c", "gone\n"), ("here.c", "moved\n"), ("run", "x\n")]);
    assert_eq!(tree.apply(patch).unwrap(), ["here.c", "new.sh", "old.c", "run", "sub/there.c"]);
    let mode = |name: &str| fs_err::metadata(tree.path(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode("new.sh"), mode("run")), (0o755, 0o755));
    assert_eq!(tree.read("sub/there.c"), "moved\n");
    assert!(!Path::exists(&tree.path("old.c")) && !Path::exists(&tree.path("here.c")));
}

#[test]
fn one_file_twice_and_plain_creation() {
    let second = CHANGE.replace("five", "FIVE").replace("+FIVE", "+5");
    let made = "--- /dev/null\n+++ b/deep/er/new.txt\n@@ -0,0 +1,2 @@\n+a\n+b\n";
    let epoch = "--- a/other.txt\t1970-01-01 00:00:00.000000000 +0000\n+++ b/other.txt\t2020-01-01\n@@ -0,0 +1 @@\n+a\n";
    let tree = Tree::new(&[("src/main.c", MAIN)]);
    tree.apply(&format!("Some words first.\n\n{CHANGE}{second}{made}{epoch}")).unwrap();
    assert_eq!(tree.read("src/main.c"), MAIN.replace("five", "5"));
    assert_eq!((tree.read("deep/er/new.txt"), tree.read("other.txt")), ("a\nb\n".into(), "a\n".into()));
}

#[test]
fn line_ends_of_windows() {
    let tree = Tree::new(&[("src/main.c", &MAIN.replace('\n', "\r\n"))]);
    tree.apply(CHANGE).unwrap();
    assert_eq!(tree.read("src/main.c"), MAIN.replace("five", "FIVE").replace('\n', "\r\n"));
    let tree = Tree::new(&[("src/main.c", MAIN)]);
    tree.apply(&CHANGE.replace('\n', "\r\n")).unwrap();
    assert_eq!(tree.read("src/main.c"), MAIN.replace("five", "FIVE"));
}

#[test]
fn nothing_is_changed_when_a_later_hunk_does_not_fit() {
    let bad = CHANGE.replace("src/main.c", "other.c");
    let tree = Tree::new(&[("src/main.c", MAIN), ("other.c", "something else\n")]);
    assert_snapshot!(tree.apply(&format!("{CHANGE}{bad}")).unwrap_err(), @"`other.c` does not fit hunk 1 of 1 (at line 3)");
    assert_eq!(tree.read("src/main.c"), MAIN);
}

#[test]
fn messages() {
    let tree = Tree::new(&[("src/main.c", MAIN)]);
    let says = |patch: &str| tree.apply(patch).unwrap_err();
    assert_snapshot!(says(&CHANGE.replace("main.c", "mian.c")), @"`src/mian.c` is to be patched and is not there; does `level` fit the patch?");
    assert_snapshot!(says("no patch at all\n"), @"the patch has no diff in it");
    assert_snapshot!(says("--- a/x\n+++ b/x\n@@ -1,2 +1,x @@\n a\n"), @"the patch is malformed in line 3: can't parse range");
    assert_snapshot!(says("diff --git a/x b/x\nGIT binary patch\nliteral 1\n"), @"the patch is a binary patch of git, which cannot be applied; write it as a unified diff");
    assert_snapshot!(says("*** a/x\n--- b/x\n***************\n*** 1,x ****\n"), @"the patch is malformed in line 4: a range such as `*** 1,5 ****` is expected");
    assert_snapshot!(says("--- /dev/null\n+++ b/src/main.c\n@@ -0,0 +1 @@\n+x\n"), @"`src/main.c` is to be made by the patch and is there already");
    tree.apply(CHANGE).unwrap();
    assert_snapshot!(says(CHANGE), @"`src/main.c` does not fit hunk 1 of 1 (at line 3); the patch seems to be applied already");
}

#[test]
fn a_patch_cannot_reach_outside() {
    let tree = Tree::new(&[("src/main.c", MAIN)]);
    std::os::unix::fs::symlink("../outside", tree.path("link")).unwrap();
    std::os::unix::fs::symlink("..", tree.path("up")).unwrap();
    std::os::unix::fs::symlink(tree.root.path(), tree.path("absolute")).unwrap();
    let hunk = "@@ -1 +1 @@\n-untouched\n+pwned\n";
    for name in ["../outside", "/outside", "src/../../outside", "link", "up/outside", "absolute/outside"] {
        let patch = format!("--- a/{name}\n+++ b/{name}\n{hunk}");
        let said = tree.apply(&patch).unwrap_err();
        assert!(!said.is_empty(), "{name}");
        // Each either fails or makes a file inside.
        let create = format!("--- /dev/null\n+++ b/{name}x\n@@ -0,0 +1 @@\n+x\n");
        assert!(tree.apply(&create).is_err() || name == "link" || name == "/outside", "{name}");
    }
    assert!(!tree.root.path().join("outsidex").exists());
    for working_dir in ["..", "up", "absolute", "/"] {
        let options = PatchOptions { working_dir, ..PatchOptions::default() };
        assert!(
            tree.apply_with(CHANGE, &options).unwrap_err().contains("cannot be entered"),
            "{working_dir}"
        );
    }
    let link = "diff --git a/l b/l\nnew file mode 120000\n--- /dev/null\n+++ b/l\n@@ -0,0 +1 @@\n+/etc/passwd\n\\ No newline at end of file\n";
    assert!(tree.apply(link).unwrap_err().contains("symbolic link"));
}
