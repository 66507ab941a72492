//! The job server as tools in the sandbox find it, at each level and for each user; and tools that know none.
//!
//! The tools are stand-ins: a make, a ninja and a ctest of the versions that a test is about. The client behind them is that
//! of the crate `jobserver`, which cargo and rustc use, too: this very program, started again in the sandbox.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use spack_wasm_tests::{TestContext, User};

use crate::crew::{Told, install, with_crew};
use crate::{of, user};

/// Set for the client.
const CLIENT: &str = "SPACK_WASM_TEST_CLIENT";

/// What the client does when a stand-in starts this program in a sandbox: takes what tokens there are, says how many those
/// are, and how it found them.
#[test]
fn client() {
    if std::env::var_os(CLIENT).is_none() {
        return;
    }
    #[expect(unsafe_code, reason = "the crate takes inherited descriptors")]
    // SAFETY: nothing in this process has opened a descriptor under the job server's numbers.
    let client = unsafe { jobserver::Client::from_env_ext(true) }.client.unwrap();
    let free = client.available().unwrap();
    let held: Vec<_> = (0..free).map(|_| client.acquire().unwrap()).collect();
    assert_eq!(client.available().unwrap(), 0);
    drop(held);
    assert_eq!(client.available().unwrap(), free);
    say(&format!("{free} tokens by {}", std::env::var("MAKEFLAGS").unwrap()));
}

#[expect(clippy::print_stdout, reason = "the log of a build")]
fn say(text: &str) {
    println!("\nclient: {text}");
}

/// An external of a version whose program runs a script.
fn with_tool(user: TestContext, package: &str, version: &str, program: &str, script: &str) -> TestContext {
    let prefix = user.root().join(package);
    fs_err::create_dir_all(prefix.join("bin")).unwrap();
    write_program(&prefix.join("bin").join(program), &format!("#!/bin/sh\n{script}\n"));
    let prefix = prefix.display();
    let externals = format!(
        "packages:\n  {package}:\n    buildable: false\n    version: ['{version}']\n    externals:\n    \
         - spec: {package}@{version}\n      prefix: {prefix}\n"
    );
    user.configure("packages.yaml", &externals)
}

fn write_program(path: &Path, text: &str) {
    fs_err::write(path, text).unwrap();
    fs_err::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
}

/// A tool that is the client.
fn with_client(user: TestContext, package: &str, version: &str, program: &str) -> TestContext {
    let own: PathBuf = user.root().join(package).join("client");
    fs_err::create_dir_all(own.parent().unwrap()).unwrap();
    fs_err::copy(std::env::current_exe().unwrap(), &own).unwrap();
    fs_err::set_permissions(&own, std::fs::Permissions::from_mode(0o755)).unwrap();
    let script = format!("{CLIENT}=1 exec {} jobs::client --exact --nocapture", own.display());
    with_tool(user, package, version, program, &script)
}

/// Builds work in folders that everybody may enter: without a mount namespace tools see real paths.
fn in_the_open(user: TestContext) -> TestContext {
    let root = user.root().display().to_string();
    for folder in ["stage", "store"] {
        let path = user.root().join(folder);
        fs_err::create_dir_all(&path).unwrap();
        user.give(&path);
    }
    let places = format!("config:\n  build_stage: {root}/stage\n  install_tree:\n    root: {root}/store\n");
    user.configure("config.yaml", &places)
}

/// What the client says in a build of `act`.
fn said(user: &TestContext, act: &str, options: &[&str]) -> String {
    let options = [&["-j4"], options].concat();
    let told = Told::by(&install(user, &format!("crew-alone act={act}"), &options).succeeded());
    let output = told.output("crew-alone");
    let line = output.lines().find_map(|line| line.strip_prefix("client: ").map(str::to_owned));
    line.unwrap_or_else(|| panic!("{output}"))
}

const LEVELS: [&str; 3] = ["namespaces", "landlock", "none"];

/// At each level, for each user, with a tool of this version.
fn at_each_level(package: &str, version: &str, program: &str, act: &str, check: impl Fn(&str, &str)) {
    for who in User::everybody() {
        for level in LEVELS {
            let user = with_client(with_crew(in_the_open(of(who))), package, version, program);
            check(level, &said(&user, act, &[&format!("--sandbox={level}")]));
        }
    }
}

#[test]
fn a_new_make_finds_a_fifo() {
    at_each_level("gmake", "4.4.1", "make", "make", |level, said| {
        let path =
            said.strip_prefix("3 tokens by -j4 --jobserver-auth=fifo:").unwrap_or_else(|| panic!("{said}"));
        assert_eq!(path == "/spack-wasm/jobserver", level == "namespaces", "{path}");
        assert!(path.ends_with("/jobserver"), "{path}");
    });
}

#[test]
fn an_old_make_finds_descriptors() {
    at_each_level("gmake", "4.3", "make", "make", |_, said| {
        assert_eq!(said, "3 tokens by -j4 --jobserver-auth=198,199");
    });
}

#[test]
fn a_new_ninja_finds_a_fifo_whatever_make_is_there() {
    let user = with_client(with_crew(user()), "ninja", "1.13.2", "ninja");
    assert_eq!(said(&user, "ninja", &[]), "3 tokens by -j4 --jobserver-auth=fifo:/spack-wasm/jobserver");
}

#[test]
fn an_old_ninja_gets_a_number() {
    let script = "echo client: \"$@\" \"$MAKEFLAGS\"";
    let user = with_tool(with_crew(user()), "ninja", "1.11.1", "ninja", script);
    assert_eq!(said(&user, "ninja", &[]).trim_end(), "-j4");
}

/// The tokens of a tool that fails are there for the build behind it.
#[test]
fn a_number_of_jobs_goes_back_when_the_tool_fails() {
    let user = with_tool(with_crew(user()), "ninja", "1.11.1", "ninja", "echo client: \"$@\"; exit 3");
    let specs = "crew-joint act=ninja ^crew-north act=ninja ^crew-south";
    let told = Told::by(&install(&user, specs, &["-j2"]).failed_with(1));
    assert_eq!(told.end("crew-south"), "installed");
    let told = Told::by(&install(&user, "crew-alone act=ninja crew-north", &["-j1"]).failed_with(1));
    assert!(told.output("crew-alone").contains("client: -j1\n"));
    assert_eq!(told.end("crew-north"), "installed");
}

/// With two jobs there is one token beside those that two builds have by being there; who takes it for nothing loses it.
#[test]
fn a_hoarder_slows_only_itself() {
    let user = with_crew(user());
    let specs = "crew-alone act=hoard crew-joint ^crew-south act=sleep ^crew-north act=sleep";
    let told = Told::by(&install(&user, specs, &["-j2"]).succeeded());
    let ended = |package: &str| told.one(package, "build-ended")["sequence"].as_u64().unwrap();
    assert!(ended("crew-joint") < ended("crew-alone"), "the others waited for the hoarder");
}

#[test]
fn a_forgers_tokens_are_taken_away() {
    let user = with_crew(user());
    let told = Told::by(&install(&user, "crew-alone act=forge crew-north act=sleep", &["-j2"]).succeeded());
    assert_eq!((told.end("crew-alone"), told.end("crew-north")), ("installed".into(), "installed".into()));
    assert!(told.output("crew-alone").contains("made up 20 job tokens"), "{}", told.output("crew-alone"));
}
