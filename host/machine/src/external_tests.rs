use std::fmt::Write as _;
use std::os::unix::fs::{PermissionsExt, symlink};

use insta::assert_snapshot;

use super::*;

const PATIENT: Duration = Duration::from_secs(30);

/// A machine made of scripts.
struct Fake {
    _folder: tempfile::TempDir,
    root: PathBuf,
}

impl Fake {
    fn new(programs: &[(&str, &str)]) -> Fake {
        let folder = tempfile::tempdir().unwrap();
        let root = fs_err::canonicalize(folder.path()).unwrap();
        let fake = Fake { _folder: folder, root };
        programs.iter().for_each(|(path, script)| fake.program(path, script));
        fake
    }

    fn program(&self, relative: &str, script: &str) {
        let path = self.root.join(relative);
        fs_err::create_dir_all(path.parent().unwrap()).unwrap();
        fs_err::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs_err::set_permissions(&path, PermissionsExt::from_mode(0o755)).unwrap();
    }

    fn link(&self, target: &str, relative: &str) {
        let path = self.root.join(relative);
        fs_err::create_dir_all(path.parent().unwrap()).unwrap();
        symlink(target, path).unwrap();
    }

    /// What is found in `local/bin` and `usr/bin`, a line each, with paths from the root.
    fn find(&self, cache: &mut ExternalCache, limit: Duration) -> String {
        let path = [self.root.join("local/bin"), self.root.join("usr/bin")];
        let short = |path: &Path| path.strip_prefix(&self.root).unwrap().display().to_string();
        let mut lines = String::new();
        for external in find_within(&path, cache, limit) {
            write!(lines, "{}@{} in {}:", external.name, external.version, short(&external.prefix)).unwrap();
            for (role, path) in &external.executables {
                write!(lines, " {role}={}", short(path)).unwrap();
            }
            lines.push('\n');
        }
        lines
    }
}

#[test]
fn one_compiler_under_many_names_is_one_external() {
    let fake = Fake::new(&[
        ("usr/bin/gcc-12", "echo 12.2.0"),
        ("usr/bin/g++-12", "echo 12.2.0"),
        ("usr/bin/gfortran", "echo 11.4.0"),
        ("usr/bin/ccache", "echo 1"),
    ]);
    fake.link("gcc-12", "usr/bin/gcc");
    fake.link("../../usr/bin/gcc-12", "local/bin/gcc-12");
    fake.link("../../usr/bin/ccache", "local/bin/g++");
    assert_snapshot!(fake.find(&mut ExternalCache::default(), PATIENT), @r"
    gcc@12.2.0 in usr: c=usr/bin/gcc cxx=usr/bin/g++-12
    gcc@11.4.0 in usr: fortran=usr/bin/gfortran
    ");
}

#[test]
fn several_versions_stand_beside_each_other() {
    let fake = Fake::new(&[
        ("usr/bin/clang", "echo Debian clang version 14.0.6"),
        ("usr/bin/clang-16", "echo Debian clang version 16.0.1-2"),
        ("usr/bin/clang++-16", "echo Debian clang version 16.0.1-2"),
        ("local/bin/clang", "echo clang version 18.1.0"),
    ]);
    let cache = &mut ExternalCache::default();
    assert_snapshot!(fake.find(cache, PATIENT), @r"
    llvm@18.1.0 in local: c=local/bin/clang
    llvm@14.0.6 in usr: c=usr/bin/clang
    llvm@16.0.1 in usr: c=usr/bin/clang-16 cxx=usr/bin/clang++-16
    ");
}

#[test]
fn companions_come_along_and_impostors_do_not() {
    let fake = Fake::new(&[
        ("usr/bin/autoconf", "echo 'autoconf (GNU Autoconf) 2.71'"),
        ("usr/bin/autoreconf", "exit 1"),
        ("usr/bin/make", "echo 'bmake 20200710'"),
        ("usr/bin/tar", "echo 'tar (GNU tar) 1.34'; exit 1"),
        ("usr/bin/sed", "echo 'sed (GNU sed) 4.9' >&2"),
    ]);
    assert_snapshot!(fake.find(&mut ExternalCache::default(), PATIENT), @r"
    autoconf@2.71 in usr: autoconf=usr/bin/autoconf autoreconf=usr/bin/autoreconf
    sed@4.9 in usr: sed=usr/bin/sed
    ");
}

#[test]
fn pkgconf_is_not_taken_for_pkg_config() {
    let pkgconf = "if [ $1 = --about ]; then echo pkgconf 1.8.1; else echo 1.8.1; fi";
    let fake = Fake::new(&[("usr/bin/pkgconf", pkgconf)]);
    fake.link("pkgconf", "usr/bin/pkg-config");
    assert_snapshot!(fake.find(&mut ExternalCache::default(), PATIENT), @"pkgconf@1.8.1 in usr: pkg-config=usr/bin/pkgconf");

    let real = Fake::new(&[("usr/bin/pkg-config", "[ $1 = --version ] && echo 0.29.2")]);
    assert_snapshot!(real.find(&mut ExternalCache::default(), PATIENT), @"pkg-config@0.29.2 in usr: pkg-config=usr/bin/pkg-config");
}

#[test]
fn a_warm_cache_starts_no_process() {
    let fake = Fake::new(&[]);
    let asked = fake.root.join("asked");
    fake.program("usr/bin/cmake", &format!("echo x >> {}; echo cmake version 3.25.1", asked.display()));
    let cache = &mut ExternalCache::default();
    let cold = fake.find(cache, PATIENT);
    assert_eq!(fake.find(cache, PATIENT), cold);
    assert_eq!(fs_err::read_to_string(&asked).unwrap(), "x\n");

    fake.program("usr/bin/cmake", &format!("echo x >> {}; echo cmake version 3.31", asked.display()));
    assert_snapshot!(fake.find(cache, PATIENT), @"cmake@3.31 in usr: cmake=usr/bin/cmake");
    assert_eq!(fs_err::read_to_string(&asked).unwrap(), "x\nx\n");
}

#[test]
fn a_program_that_hangs_is_passed_over_and_asked_again() {
    let fake = Fake::new(&[("usr/bin/git", "sleep 60"), ("usr/bin/bison", "echo 'bison (GNU Bison) 3.8.2'")]);
    let cache = &mut ExternalCache::default();
    assert_snapshot!(fake.find(cache, Duration::from_secs(2)), @"bison@3.8.2 in usr: bison=usr/bin/bison");
    let git = executable(&fake.root.join("usr/bin/git")).unwrap();
    assert_eq!(cache.get("git", &git), None);
}

#[test]
fn languages_are_the_roles_of_a_compiler() {
    let external = |roles: &[&str]| External {
        name: "gcc".to_owned(),
        version: "12.2.0".to_owned(),
        prefix: "/usr".into(),
        executables: roles.iter().map(|role| ((*role).to_owned(), PathBuf::from("/usr/bin/x"))).collect(),
    };
    assert_eq!(external(&["cxx", "c"]).languages(), [Language::C, Language::Cxx]);
    assert_eq!(external(&["make"]).languages(), []);
}
