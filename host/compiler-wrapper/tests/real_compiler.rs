//! The wrapper in front of the real gcc: a dependency in a prefix of its own is found, linked and run.
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "test code, helpers included")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use fs_err as fs;
use fs_err::os::unix::fs::symlink;
use spack_wasm_compiler_wrapper::{CONFIG_FILE, Config, Language};

struct Fixture {
    root: tempfile::TempDir,
}

impl Fixture {
    /// A dependency with a header and a library, a wrapper folder, and an empty own prefix and stage.
    fn new() -> Fixture {
        let fixture = Fixture { root: tempfile::tempdir().unwrap() };
        for folder in ["wrapper", "dep/include", "dep/lib", "own/lib", "build"] {
            fs::create_dir_all(fixture.path(folder)).unwrap();
        }
        fs::write(fixture.path("dep/include/dep.h"), "int dep(void);\n").unwrap();
        fs::write(fixture.path("build/dep.c"), "#include \"dep.h\"\nint dep(void) { return 42; }\n").unwrap();
        fs::write(
            fixture.path("build/main.c"),
            "#include <dep.h>\n#include <stdio.h>\nint main(void) { printf(\"%d\\n\", dep()); return 0; }\n",
        )
        .unwrap();
        let mut gcc = Command::new("/usr/bin/gcc");
        gcc.args(["-shared", "-fPIC", "-I../dep/include", "dep.c", "-o", "../dep/lib/libdep.so"]);
        assert_success(&gcc.current_dir(fixture.path("build")).output().unwrap());
        fixture.write_wrapper();
        fixture
    }

    fn path(&self, relative: &str) -> PathBuf {
        self.root.path().join(relative)
    }

    fn write_wrapper(&self) {
        for name in ["cc", "c++", "ld", "gfortran"] {
            symlink(env!("CARGO_BIN_EXE_spack-wasm-compiler-wrapper"), self.path("wrapper").join(name))
                .unwrap();
        }
        let config = Config {
            compilers: BTreeMap::from([(Language::C, "/usr/bin/gcc".into())]),
            managed: vec![self.root.path().to_owned()],
            include_dirs: vec![self.path("dep/include")],
            link_dirs: vec![self.path("dep/lib")],
            rpath_dirs: vec![self.path("own/lib"), self.path("own/lib64"), self.path("dep/lib")],
            ..Config::default()
        };
        fs::write(self.path("wrapper").join(CONFIG_FILE), config.write().unwrap()).unwrap();
    }

    /// Runs a wrapped program in the stage, found through `PATH` as a build would.
    fn run(&self, program: &str, args: &[&str]) -> Output {
        let path = format!("{}:/usr/bin:/bin", self.path("wrapper").display());
        let mut command = Command::new("/usr/bin/env");
        command.arg(program).args(args).env_clear().env("PATH", path).current_dir(self.path("build"));
        command.output().unwrap()
    }

    /// The dynamic section's run path and the tag that holds it.
    fn run_path(&self, file: &str) -> String {
        let listing = Command::new("readelf").arg("-d").arg(self.path(file)).output().unwrap();
        let text = String::from_utf8(listing.stdout).unwrap();
        let line = text.lines().find(|line| line.contains("PATH)")).unwrap_or_default();
        let (tag, paths) = line.split_once("Library ").unwrap_or_default();
        let tag = tag.split(['(', ')']).nth(1).unwrap_or_default();
        let root = self.root.path().display().to_string();
        format!("{tag} {}", paths.replace(&root, "$ROOT"))
    }
}

fn assert_success(output: &Output) {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Whether `program` is there; a missing one fails the test where everything is required.
fn require(program: &str) -> bool {
    let found = Path::new(program).exists();
    if !found {
        println!("skipped: needs {program}");
        assert!(std::env::var_os("SPACK_WASM_REQUIRE_ALL").is_none(), "needs {program}");
    }
    found
}

#[test]
fn a_program_links_and_runs_with_its_dependency() {
    if !require("/usr/bin/gcc") {
        return;
    }
    let fixture = Fixture::new();
    assert_success(&fixture.run("cc", &["-c", "main.c", "-o", "main.o"]));
    assert_success(&fixture.run("cc", &["main.o", "-ldep", "-Wl,--enable-new-dtags", "-o", "main"]));
    insta::assert_snapshot!(fixture.run_path("build/main"), @"RPATH rpath: [$ROOT/own/lib:$ROOT/own/lib64:$ROOT/dep/lib]");
    let program = Command::new(fixture.path("build/main")).env_clear().output().unwrap();
    assert_eq!(String::from_utf8_lossy(&program.stdout), "42\n");
}

#[test]
fn a_library_linked_by_ld_gets_its_run_path() {
    if !require("/usr/bin/gcc") {
        return;
    }
    let fixture = Fixture::new();
    assert_success(&fixture.run("cc", &["-c", "-fPIC", "main.c", "-o", "main.o"]));
    assert_success(&fixture.run("ld", &["-shared", "main.o", "-ldep", "-o", "libmain.so"]));
    insta::assert_snapshot!(fixture.run_path("build/libmain.so"), @"RPATH rpath: [$ROOT/own/lib:$ROOT/own/lib64:$ROOT/dep/lib]");
}

#[test]
fn questions_reach_the_real_compiler() {
    if !require("/usr/bin/gcc") {
        return;
    }
    let fixture = Fixture::new();
    let real = Command::new("/usr/bin/gcc").arg("--version").output().unwrap();
    let wrapped = fixture.run("cc", &["--version"]);
    // gcc prints the name under which it was called, which is its own here.
    let tail =
        |output: &Output| String::from_utf8_lossy(&output.stdout).split_once(' ').unwrap().1.to_owned();
    assert_eq!(tail(&wrapped), tail(&real));
}

#[test]
fn refusals_are_said_on_stderr() {
    let fixture = Fixture { root: tempfile::tempdir().unwrap() };
    fs::create_dir_all(fixture.path("wrapper")).unwrap();
    fs::create_dir_all(fixture.path("build")).unwrap();
    fixture.write_wrapper();
    let native = fixture.run("cc", &["-march=native", "-c", "main.c"]);
    assert_eq!(native.status.code(), Some(1));
    assert!(stderr(&native).starts_with("spack-wasm: compiler wrapper: `-march=native` is refused"));
    assert!(stderr(&fixture.run("gfortran", &["a.f90"])).contains("has to depend on `fortran`"));

    fs::write(fixture.path("wrapper").join(CONFIG_FILE), "compilers c /usr/bin/gcc\n").unwrap();
    let broken = fixture.run("cc", &["-c", "main.c"]);
    assert!(
        stderr(&broken).contains("wrapper.conf: line 1 of the wrapper's configuration"),
        "{}",
        stderr(&broken)
    );
}
