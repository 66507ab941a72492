//! A prefix for each rule that `check` has, and what the user is told.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};

use crate::common::{begin, fill, hdf5, lone, open, record, skip};
use insta::assert_snapshot;
use rustix::fs::{CWD, FileType, Mode, XattrFlags, mknodat, setxattr};
use spack_wasm_store::{BeginOptions, CheckError, CheckOptions, PendingPrefix, Replacement, Trace};
use tempfile::{TempDir, tempdir};

struct Case {
    root: TempDir,
    pending: PendingPrefix,
}

impl Case {
    fn new() -> Self {
        let root = tempdir().unwrap();
        let pending = begin(&open(root.path()), &hdf5(), "zlib", &BeginOptions::default());
        fill(&pending);
        Self { root, pending }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.pending.building_path().join(name)
    }

    fn chmod(&self, name: &str, mode: u32) {
        fs_err::set_permissions(self.path(name), std::fs::Permissions::from_mode(mode)).unwrap();
    }

    fn link(&self, name: &str, target: impl AsRef<Path>) {
        symlink(target, self.path(name)).unwrap();
    }

    fn problems(&self, options: &CheckOptions) -> String {
        let problems = self.pending.problems(options).unwrap();
        let text = problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
        let root = fs_err::canonicalize(self.root.path()).unwrap();
        let id = self.pending.building_path().file_name().unwrap().to_owned();
        text.replace(root.to_str().unwrap(), "[ROOT]")
            .replace(id.to_str().unwrap(), "[ID]")
            .replace(self.pending.node().hash.as_str(), "[HASH]")
    }
}

#[test]
fn what_a_small_build_installs_is_accepted() {
    let case = Case::new();
    assert_eq!(case.problems(&CheckOptions::default()), "");
}

#[test]
fn bits_that_give_rights_away() {
    let case = Case::new();
    for (name, mode) in [("bin/tool", 0o4755), ("lib/libx.so.1", 0o2755), ("lib", 0o777), ("bin", 0o2755)] {
        case.chmod(name, mode);
    }
    assert_snapshot!(case.problems(&CheckOptions::default()), @r"
    bin has a set-user-id or set-group-id bit
    lib can be written by everybody
    lib/libx.so.1 has a set-user-id or set-group-id bit
    bin/tool has a set-user-id or set-group-id bit
    ");
}

#[test]
fn files_that_are_none() {
    let case = Case::new();
    let _socket = UnixListener::bind(case.path("socket")).unwrap();
    mknodat(CWD, case.path("fifo"), FileType::Fifo, Mode::RWXU, 0).unwrap();
    assert_snapshot!(case.problems(&CheckOptions::default()), @r"
    fifo is a fifo
    socket is a socket
    ");
}

#[test]
fn devices() {
    let case = Case::new();
    if let Err(error) = mknodat(CWD, case.path("null"), FileType::CharacterDevice, Mode::RWXU, 0x103) {
        assert!(!rustix::process::geteuid().is_root(), "{error}");
        skip("root to make a device");
        return;
    }
    assert_snapshot!(case.problems(&CheckOptions::default()), @"null is a device");
}

#[test]
fn file_capabilities() {
    let case = Case::new();
    // VFS_CAP_REVISION_2 with cap_net_raw permitted and effective.
    let value = [1, 0, 0, 2, 0, 32, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    if let Err(error) = setxattr(case.path("bin/tool"), "security.capability", &value, XattrFlags::empty()) {
        assert!(!rustix::process::geteuid().is_root(), "{error}");
        skip("root to set file capabilities");
        return;
    }
    assert_snapshot!(case.problems(&CheckOptions::default()), @"bin/tool has file capabilities");
}

#[test]
fn links_may_lead_into_the_own_prefix_and_dependencies_only() {
    let case = Case::new();
    let dependency = case.root.path().join("linux-x86_64_v3/dep-1-hash");
    fs_err::create_dir_all(dependency.join("lib")).unwrap();
    symlink("/etc", dependency.join("escape")).unwrap();
    let dependency = fs_err::canonicalize(dependency).unwrap();
    let final_path = case.pending.final_path();
    for (name, target) in [
        ("own-absolute", final_path.join("bin/tool")),
        ("own-relative", "bin/../lib/libx.so".into()),
        ("own-dangling", "lib/missing".into()),
        ("dependency", dependency.join("lib")),
        ("dependency-relative", "../dep-1-hash/lib".into()),
    ] {
        case.link(name, target);
    }
    let allowed = CheckOptions { dependencies: vec![dependency.clone()], ..CheckOptions::default() };
    assert_eq!(case.problems(&allowed), "");
    for (name, target) in [
        ("bad-absolute", PathBuf::from("/etc/passwd")),
        ("bad-climb", "../../../../../../../../etc/passwd".into()),
        ("bad-store", "../../.spack-wasm-db/index.sqlite".into()),
        ("bad-detour", Path::new("/etc/..").join(final_path.strip_prefix("/").unwrap())),
        ("bad-neighbour", "../dep-1-hash-other".into()),
        ("bad-through-dependency", dependency.join("escape/passwd")),
        ("bad-through-own", "bad-absolute".into()),
        ("loop", "loop".into()),
    ] {
        case.link(name, target);
    }
    assert_snapshot!(case.problems(&allowed), @r"
    bad-absolute is a link to /etc/passwd: neither in the own prefix nor in a dependency's
    bad-climb is a link to ../../../../../../../../etc/passwd, which leads to /etc/passwd: neither in the own prefix nor in a dependency's
    bad-detour is a link to /etc/..[ROOT]/linux-x86_64_v3/zlib-1.2.13-[HASH], which leads to [ROOT]/linux-x86_64_v3/zlib-1.2.13-[HASH]: neither in the own prefix nor in a dependency's
    bad-neighbour is a link to ../dep-1-hash-other, which leads to [ROOT]/linux-x86_64_v3/dep-1-hash-other: neither in the own prefix nor in a dependency's
    bad-store is a link to ../../.spack-wasm-db/index.sqlite, which leads to [ROOT]/.spack-wasm-db/index.sqlite: neither in the own prefix nor in a dependency's
    bad-through-dependency is a link to [ROOT]/linux-x86_64_v3/dep-1-hash/escape/passwd, which leads to /etc/passwd: neither in the own prefix nor in a dependency's
    bad-through-own is a link to bad-absolute, which leads to /etc/passwd: neither in the own prefix nor in a dependency's
    loop is a link to loop, which leads in a circle
    ");
}

#[test]
fn a_link_with_a_folder_in_the_way_is_resolved_as_the_kernel_does() {
    let case = Case::new();
    // `deep/..` is `a`, not the prefix.
    fs_err::create_dir_all(case.path("a/b")).unwrap();
    case.link("deep", "a/b");
    case.link("climb", "deep/../../../x");
    case.link("fine", "deep/../../bin");
    assert_snapshot!(case.problems(&CheckOptions::default()), @"climb is a link to deep/../../../x, which leads to [ROOT]/linux-x86_64_v3/x: neither in the own prefix nor in a dependency's");
}

#[test]
fn hard_links_keep_all_their_names_inside() {
    let case = Case::new();
    fs_err::hard_link(case.path("bin/tool"), case.path("bin/twin")).unwrap();
    assert_eq!(case.problems(&CheckOptions::default()), "");
    fs_err::hard_link(case.path("bin/tool"), case.root.path().join("outside")).unwrap();
    assert_snapshot!(case.problems(&CheckOptions::default()), @"bin/tool is a file with names outside the prefix (1)");
}

#[test]
fn names_that_change_a_terminal_and_names_of_ours() {
    let case = Case::new();
    fs_err::write(case.path("\u{1b}[31mred\n"), "").unwrap();
    fs_err::write(case.path("c1\u{9b}2J"), "").unwrap();
    fs_err::write(case.pending.building_path().join(OsStr::from_bytes(b"caf\xe9")), "").unwrap();
    case.link(".spack", "bin");
    assert_snapshot!(case.problems(&CheckOptions::default()), @r"
    \u{1b}[31mred\n has control characters in its name
    .spack is a name that spack-wasm uses itself
    c1\u{9b}2J has control characters in its name
    ");
}

#[test]
fn the_folder_of_the_record_is_ours_but_for_sources_of_tests() {
    let case = Case::new();
    fs_err::create_dir_all(case.path(".spack/test/examples")).unwrap();
    fs_err::write(case.path(".spack/test/examples/main.c"), "int main(void) { return 0; }").unwrap();
    assert_eq!(case.problems(&CheckOptions::default()), "");
    fs_err::write(case.path(".spack/spec.json"), "{}").unwrap();
    fs_err::create_dir(case.path(".spack/repos")).unwrap();
    let problems = case.problems(&CheckOptions::default());
    assert_eq!(problems.lines().count(), 2, "{problems}");
    assert!(problems.contains(".spack/spec.json is a name that spack-wasm uses itself"), "{problems}");
    fs_err::remove_dir_all(case.path(".spack/test")).unwrap();
    case.link(".spack/test", "../bin");
    assert!(case.problems(&CheckOptions::default()).contains(".spack/test is a name"), "{problems}");
}

#[test]
fn traces_of_the_build_are_found_in_text_binaries_links_and_names() {
    let case = Case::new();
    let trace = |bytes: &str, what: &str| Trace { bytes: bytes.into(), what: what.into(), whole_path: true };
    let options = CheckOptions {
        traces: vec![trace("/build", "the stage"), trace("/spack-wasm/cc", "the compiler wrapper")],
        ..CheckOptions::default()
    };
    fs_err::write(case.path("lib/libx.la"), "libdir='/build/zlib-1.2.13'").unwrap();
    let mut binary = vec![0_u8; 3_000_000];
    binary[2_500_000..2_500_014].copy_from_slice(b"/spack-wasm/cc");
    fs_err::write(case.path("lib/libx.a"), binary).unwrap();
    fs_err::write(case.path("bin/config"), case.pending.building_path().to_str().unwrap()).unwrap();
    fs_err::write(case.path("README"), "see example.org/build/ for more").unwrap();
    case.link("lib/stage", "/build/x");
    assert_snapshot!(case.problems(&options), @r"
    lib/libx.a names the compiler wrapper (/spack-wasm/cc)
    lib/libx.la names the stage (/build)
    lib/stage names the stage (/build)
    lib/stage is a link to /build/x: neither in the own prefix nor in a dependency's
    bin/config names the folder in which it was built ([ROOT]/.building/[ID])
    ");
    let rule = Replacement { from: b"/build/zlib-1.2.13".to_vec(), to: b"/usr/src".to_vec() };
    assert_eq!(case.pending.rewrite_text(&[rule]).unwrap(), [Path::new("lib/libx.la")]);
    assert!(!case.problems(&options).contains("libx.la"));
}

#[test]
fn a_rejected_prefix_is_removed_and_the_entries_are_named() {
    let Case { root: _root, pending } = Case::new();
    symlink("/etc/shadow", pending.building_path().join("bin/secret")).unwrap();
    let path = pending.building_path();
    let error = pending.check(&CheckOptions::default()).unwrap_err();
    assert!(matches!(error, CheckError::Rejected { .. }));
    assert_snapshot!(error, @r"
    the files that zlib@1.2.13 installed can't be accepted:
        bin/secret is a link to /etc/shadow: neither in the own prefix nor in a dependency's
    ");
    assert!(!path.exists());
}

#[test]
fn ten_thousand_problems_are_a_hundred() {
    let case = Case::new();
    for number in 0..10_000 {
        case.link(&format!("link{number}"), "/etc");
    }
    assert_eq!(case.pending.problems(&CheckOptions::default()).unwrap().len(), 100);
}

#[test]
fn a_file_of_holes_is_not_read() {
    let case = Case::new();
    let holes = |name, size| fs_err::File::create(case.path(name)).unwrap().set_len(size).unwrap();
    holes("holes", 2 << 40);
    holes("small-holes", 1 << 20);
    assert_snapshot!(
        case.problems(&CheckOptions::default()),
        @"holes is a file of 2048 GiB, 2048 GiB of which were never written"
    );
}

#[test]
fn a_check_that_nobody_waits_for_ends() {
    let Case { root: _root, pending } = Case::new();
    let asked = std::cell::Cell::new(0);
    let checked = pending.check_unless(&CheckOptions::default(), &|| {
        asked.set(asked.get() + 1);
        asked.get() > 1
    });
    let error = checked.err().unwrap().to_string();
    assert!(error.ends_with("the installation was cancelled"), "{error}");
}

#[test]
fn a_recipes_files_stay_in_its_record() {
    for path in ["../../../../evil", "/evil", "a/../../evil", "..", ""] {
        let Case { root, pending } = Case::new();
        let mut record = record(true);
        record.recipe.files = vec![(path.into(), b"x".to_vec())];
        let hash = pending.node().hash.clone();
        pending.check(&CheckOptions::default()).unwrap().publish(&record).unwrap_err();
        let store = open(root.path());
        assert!(!store.installed(&hash).unwrap(), "{path}");
        assert!(!root.path().join("evil").exists() && !Path::new("/evil").exists(), "{path}");
    }
}

#[test]
fn a_name_with_a_path_in_it_stays_below_the_root() {
    let root = tempdir().unwrap();
    let store = open(root.path());
    let dag = lone("../../evil", "1/../..\n");
    let mut record = record(true);
    record.recipe.files.clear();
    let pending = begin(&store, &dag, "../../evil", &BeginOptions::default());
    let installed = pending.check(&CheckOptions::default()).unwrap().publish(&record).unwrap().installed;
    assert_eq!(installed.prefix.parent().unwrap(), store.root().join("linux-x86_64_v3"));
    assert!(installed.prefix.join(".spack/repos/builtin/packages/_._.._evil/recipe.wasm").exists());
}
