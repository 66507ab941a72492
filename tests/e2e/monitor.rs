//! `--monitor` and `monitor upload`, towards a stand-in for the server.

use std::net::TcpListener;
use std::path::PathBuf;

use spack_wasm_tests::{Access, Build, MISBEHAVING, SpackmonStandIn, TestContext, User, assert_output};

use crate::sources::with_zlib;
use crate::{misbehave, user};

/// Stands in for the token of a user; if it turns up anywhere, it was leaked.
const TOKEN: &str = "b4c0ffee-secret-marker-0451";

/// Somebody with credentials, and a server that wants them.
fn with_server() -> (TestContext, SpackmonStandIn) {
    let access = Access::Credentials { user: "spacky".into(), token: TOKEN.into() };
    let user = user().env("SPACKMON_USER", "spacky").env("SPACKMON_TOKEN", TOKEN);
    (user, SpackmonStandIn::start(access))
}

fn row(build: &Build) -> (&str, &str, Vec<(&str, &str)>) {
    let phases = build.phases.iter().map(|(name, status)| (name.as_str(), status.as_str()));
    (&build.name, &build.status, phases.collect())
}

fn assert_nothing_is_installed(user: &TestContext) {
    assert!(!user.store().exists(), "a store was made");
}

/// All files below a folder whose content has the token.
fn leaks(folder: PathBuf) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for path in fs_err::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        if path.symlink_metadata().unwrap().is_dir() {
            found.extend(leaks(path));
        } else if fs_err::read(&path).is_ok_and(|bytes| has_token(&bytes)) {
            found.push(path);
        }
    }
    found
}

fn has_token(bytes: &[u8]) -> bool {
    bytes.windows(TOKEN.len()).any(|window| window == TOKEN.as_bytes())
}

#[test]
fn without_credentials_nothing_is_built() {
    let user = user();
    assert_output!(user, misbehave(&user, "nothing", &["--monitor"]).failed_with(4), @"
    exit status: 4
    ----- stderr -----
    ==> Error: You are required to export SPACKMON_TOKEN and SPACKMON_USER
    hint: --monitor-disable-auth is for servers without authentication, --monitor-save-local for none
    ");
    assert_nothing_is_installed(&user);
}

#[test]
fn without_a_server_nothing_is_built() {
    let user = user();
    // A port that was free a moment ago.
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let host = format!("http://127.0.0.1:{port}");
    for more in [&["--monitor-disable-auth"][..], &["--monitor-no-auth", "--monitor-keep-going"]] {
        let options = [&["--monitor", "--monitor-host", &host][..], more].concat();
        assert_output!(user, misbehave(&user, "nothing", &options).failed_with(4), @"
        exit status: 4
        ----- stderr -----
        ==> Error: [Errno 111] Connection refused: no Spackmon server answers at http://127.0.0.1:[PORT]/ms1/ (--monitor-host and --monitor-prefix name another)
        ");
        assert_nothing_is_installed(&user);
    }
}

#[test]
fn credentials_are_not_in_the_environment_that_root_sees() {
    let user = user().env("SPACKMON_USER", "spacky").env("SPACKMON_TOKEN", TOKEN);
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let host = format!("http://{}", silent.local_addr().unwrap());
    let mut command = user.command(user.binary());
    command.args(["install", "--monitor", "--monitor-host", &host, "zlib"]);
    let mut child = command.stderr(std::process::Stdio::null()).spawn().unwrap();
    // It asks for the server, which does not answer.
    let _asked = silent.accept().unwrap();
    let environment = fs_err::read(format!("/proc/{}/environ", child.id()));
    child.kill().unwrap();
    child.wait().unwrap();
    // Whoever is not root may not read it at all.
    assert!(environment.is_err() || environment.is_ok_and(|bytes| !bytes.is_empty() && !has_token(&bytes)));
}

#[test]
fn hosts_of_no_proxy_are_asked_without_a_proxy() {
    let proxy = TcpListener::bind("127.0.0.1:0").unwrap();
    proxy.set_nonblocking(true).unwrap();
    let address = format!("http://{}", proxy.local_addr().unwrap());
    let user = user().env("http_proxy", &address).env("no_proxy", ".invalid");
    let options = ["--monitor", "--monitor-disable-auth", "--monitor-host", "http://monitor.invalid"];
    misbehave(&user, "nothing", &options).failed_with(4);
    assert!(proxy.accept().is_err(), "the proxy was asked");
}

#[test]
fn a_server_gets_builds_with_phases_tags_and_statuses() {
    let Some(user) = with_zlib(User::Current) else { return };
    let user = user.env("SPACKMON_USER", "spacky").env("SPACKMON_TOKEN", TOKEN);
    let server = SpackmonStandIn::start(Access::Credentials { user: "spacky".into(), token: TOKEN.into() });
    let host = server.host();
    let options = ["--monitor", "--monitor-host", &host, "--monitor-tags", "nightly,gcc"];
    // It needs zlib, which is fine, and then fails.
    let output = misbehave(&user, "write-dependency", &options).failed_with(1);
    assert!(!has_token(output.report().as_bytes()), "{}", output.report());
    let builds = server.builds();
    let mut rows: Vec<_> = builds.iter().map(row).collect();
    rows.sort_unstable();
    let phases = ["edit", "build", "install"].map(|name| (name, "SUCCESS"));
    assert_eq!(
        rows,
        [("misbehaving", "FAILED", vec![("install", "ERROR")]), ("zlib", "SUCCESS", phases.to_vec())]
    );
    assert!(builds.iter().all(|build| build.tags.as_deref() == Some("nightly,gcc")), "{builds:?}");
    assert_eq!(leaks(user.home()), Vec::<PathBuf>::new());
}

#[test]
fn an_open_server_gets_no_credentials() {
    let (user, server) = (user().env("SPACKMON_TOKEN", TOKEN), SpackmonStandIn::start(Access::Open));
    let host = format!("{}/", server.host());
    for (flag, act) in [("--monitor-disable-auth", "nothing"), ("--monitor-no-auth", "clock")] {
        misbehave(&user, act, &["--monitor", flag, "--monitor-host", &host]).succeeded();
    }
    let builds = server.builds();
    assert_eq!(builds.len(), 2, "{builds:?}");
    assert!(builds.iter().all(|build| row(build).1 == "SUCCESS"), "{builds:?}");
    assert!(server.requests().iter().all(|request| request.authorization.is_none()));
}

#[test]
fn a_prefix_is_part_of_the_address() {
    let (user, server) = (user(), SpackmonStandIn::start(Access::Open));
    let host = server.host();
    let options = ["--monitor", "--monitor-no-auth", "--monitor-host", &host, "--monitor-prefix", "other"];
    assert_output!(user, misbehave(&user, "nothing", &options).failed_with(4), @"
    exit status: 4
    ----- stderr -----
    ==> Error: 404 Not Found from http://127.0.0.1:[PORT]/other/: the server does not say why (is --monitor-prefix right?)
    ");
    assert_eq!(server.requests()[0].path, "/other/");
    assert_nothing_is_installed(&user);
}

#[test]
fn what_was_saved_is_sent_later_from_any_level_of_its_folder() {
    let (user, server) = with_server();
    let options = ["--monitor", "--monitor-save-local", "--monitor-tags", "saved"];
    assert_output!(user, misbehave(&user, "fail", &options).failed_with(1), @"
    exit status: 1
    ----- stdout -----
     -   [HASH] misbehaving@1.0 act=fail build_system=generic arch=linux-[OS]-[TARGET]
    ==> Plan: 1 package to build, 0 installed already, 0 of the system
    ==> Installing misbehaving-1.0-[HASH] [1/1]
    ==> misbehaving: Executing phase: 'install'
    [x] misbehaving@1.0 failed in phase 'install'  ([TIME])
    ----- stderr -----
    ==> Saved for the monitor: [MONITOR]/[RUN]
    ==> Error: misbehaving@1.0/[HASH] failed in phase 'install': the recipe of misbehaving says: it does not feel like it today

    Log:   [HOME]/.spack/spack-wasm/stage/spack-wasm-stage-misbehaving-1.0-[HASH]-[STAGE]/spack-build-out.txt
    Stage: [HOME]/.spack/spack-wasm/stage/spack-wasm-stage-misbehaving-1.0-[HASH]-[STAGE]
    hint: `spack-wasm logs /[HASH]` shows the whole log
    ");
    let runs: Vec<PathBuf> =
        fs_err::read_dir(user.monitor()).unwrap().map(|entry| entry.unwrap().path()).collect();
    let [run] = &runs[..] else { panic!("{runs:?}") };
    let host = server.host();
    let levels = [run.clone(), user.monitor(), user.home().join(".spack/reports")];
    for (index, level) in levels.iter().enumerate() {
        let level = level.to_str().unwrap();
        // The options stand before the subcommand or behind it.
        let arguments = match index {
            0 => ["monitor", "--monitor-host", &host, "upload", level],
            _ => ["monitor", "upload", level, "--monitor-host", &host],
        };
        assert_output!(user, user.run(arguments).succeeded(), @"
        exit status: 0
        ----- stderr -----
        ==> 4 files of 1 saved run sent
        ");
    }
    let builds = server.builds();
    assert_eq!(
        builds.iter().map(row).collect::<Vec<_>>(),
        [("misbehaving", "FAILED", vec![("install", "ERROR")])]
    );
    assert_eq!(builds[0].tags.as_deref(), Some("saved"));
    assert_eq!(leaks(user.home()), Vec::<PathBuf>::new());
}

#[test]
fn what_is_saved_needs_neither_a_server_nor_credentials() {
    let reports = "elsewhere/reports";
    let user = user();
    let folder = user.work().join(reports);
    let setting = format!("config:monitor_dir:{}", folder.display());
    let arguments = ["-c", &setting, "install", "--monitor", "--monitor-save-local", "--recipe", MISBEHAVING];
    let output = user.run(arguments).succeeded();
    assert!(output.report().contains(reports), "{}", output.report());
    assert_eq!(fs_err::read_dir(folder).unwrap().count(), 1);
    assert!(!user.monitor().exists());
}

#[test]
fn an_upload_of_nothing_says_so() {
    let (user, server) = with_server();
    let host = server.host();
    assert_output!(user, user.run(["monitor", "upload", ".", "--monitor-host", &host]), @"
    exit status: 0
    ----- stderr -----
    ==> Warning: there are no saved reports in [ROOT]/work
    ");
    assert_output!(user, user.run(["monitor", "upload", "nowhere", "--monitor-host", &host]), @"
    exit status: 1
    ----- stderr -----
    ==> Error: there are no saved reports: [ROOT]/work/nowhere does not exist
    hint: they are saved in [MONITOR]
    ");
}
