//! The ways down from the sandbox, and what is recorded of them.

use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use serde_json::Value;
use spack_wasm_tests::{MISBEHAVING, Output, TestContext, User, assert_output, require};

use crate::repo::repository;
use crate::sources::with_zlib;
use crate::{misbehave, of, user};

fn record(user: &TestContext) -> Value {
    let prefix = user.run(["location", "misbehaving"]).succeeded().stdout;
    let path = Path::new(prefix.trim_end()).join(".spack/spack-wasm.json");
    serde_json::from_slice(&fs_err::read(path).unwrap()).unwrap()
}

#[test]
fn all_walls_stand_unless_something_else_is_said() {
    let user = user();
    misbehave(&user, "nothing", &[]).succeeded();
    let record = record(&user);
    assert_eq!(record["sandbox"]["level"], "namespaces");
    assert_eq!(record["reproducible"]["answer"], "yes", "{record}");
}

/// Somebody whose builds work in folders that everybody may enter: without a mount namespace tools see real paths.
fn in_the_open() -> TestContext {
    let user = user();
    let root = user.root().display().to_string();
    let places = format!("config:\n  build_stage: {root}/stage\n  install_tree:\n    root: {root}/store\n");
    user.configure("config.yaml", &places)
}

#[test]
fn without_walls_there_is_a_warning_and_a_record() {
    let user = in_the_open();
    let output = misbehave(&user, "nothing", &["--sandbox=none"]).succeeded();
    let told = Output { stdout: String::new(), ..output };
    assert_output!(user, told, @"
    exit status: 0
    ----- stderr -----
    ==> Warning: the sandbox is off: build tools may read and change everything that you may, and this is recorded with what is built
    ");
    let record = record(&user);
    assert_eq!(record["sandbox"]["level"], "none");
    assert_eq!(record["reproducible"]["answer"], "no", "{record}");
}

#[test]
fn landlock_alone_is_recorded() {
    let user = in_the_open();
    misbehave(&user, "nothing", &["--sandbox=landlock"]).succeeded();
    let record = record(&user);
    assert_eq!(record["sandbox"]["level"], "landlock");
    assert_eq!(record["reproducible"]["answer"], "no", "{record}");
    misbehave(&user, "tool-reads-home", &["--sandbox=landlock"]).failed_with(1);
}

const BUILD_NOTHING: [&str; 5] = ["install", "--recipe", MISBEHAVING, "misbehaving", "act=nothing"];

/// Home, and with it store and stage, are closed to the user that root's builds run as.
#[test]
fn a_closed_home_can_be_built_in_at_every_level() {
    for who in User::everybody() {
        for level in ["namespaces", "landlock", "none"] {
            let user = of(who);
            let option = format!("--sandbox={level}");
            let arguments: Vec<_> = BUILD_NOTHING.into_iter().chain([option.as_str()]).collect();
            user.run_with_umask("077", &arguments).succeeded();
            assert_eq!(record(&user)["sandbox"]["level"], level);
            let prefix = user.run(["location", "misbehaving"]).succeeded().stdout;
            let done = fs_err::read_to_string(Path::new(prefix.trim_end()).join("done.txt")).unwrap();
            assert_eq!(done, "nothing\n");
            assert_eq!(fs_err::metadata(user.home()).unwrap().permissions().mode() & 0o7777, 0o700);
        }
    }
}

/// Root of a rootless container: nobody else exists in its user namespace.
#[test]
fn root_of_a_user_namespace_without_other_users_can_build() {
    if !require("unshare") {
        return;
    }
    for level in ["namespaces", "landlock", "none"] {
        let user = of(User::Ordinary);
        let binary = user.binary().display().to_string();
        let option = format!("--sandbox={level}");
        let arguments = ["--user", "--map-root-user", &binary].into_iter().chain(BUILD_NOTHING);
        user.run_program("unshare", arguments.chain([option.as_str()])).succeeded();
        assert_eq!(record(&user)["sandbox"]["level"], level);
    }
}

/// As root without the right to mount, as in most containers; nothing for anybody else.
fn without_mounts(user: &TestContext, options: &[&str]) -> Option<Output> {
    let is_root = fs_err::metadata(user.home()).unwrap().uid() == 0;
    if !is_root || !require("setpriv") {
        return None;
    }
    let binary = user.binary().display().to_string();
    let weaker = ["--bounding-set=-sys_admin", "--inh-caps=-sys_admin", &binary];
    let arguments = weaker.into_iter().chain(BUILD_NOTHING).chain(options.iter().copied());
    let output = user.run_program("setpriv", arguments).failed_with(5);
    Some(Output { stdout: String::new(), ..output })
}

#[test]
fn where_a_closed_home_can_not_be_opened_the_way_on_is_told() {
    let user = user();
    let Some(output) = without_mounts(&user, &[]) else { return };
    assert_output!(user, output, @"
    exit status: 5
    ----- stderr -----
    ==> Error: the sandbox can't be set up: the sandbox's `mount` layer is missing on this machine (Operation not permitted (os error 1)), so nothing is built; to build without it: --sandbox=landlock, and `chmod o+x [HOME]`, since at that level user 65534 must be able to enter it
    ");
    let Some(output) = without_mounts(&user, &["--sandbox=landlock"]) else { return };
    assert_output!(user, output, @"
    exit status: 5
    ----- stderr -----
    ==> Warning: the sandbox is at the level `landlock`: build tools see real paths and other processes, and what is built is recorded as not reproducible
    ==> Error: the sandbox can't be set up: builds run as user 65534, who can't enter `[HOME]`, and at the sandbox level `landlock` they work at real paths (mounts that would let them in are refused: Operation not permitted (os error 1)); open it with `chmod o+x [HOME]`, or keep store and stage elsewhere: `-c config:install_tree:root:DIR -c config:build_stage:DIR`
    ");
    // As it says.
    let home = user.home();
    fs_err::set_permissions(&home, std::fs::Permissions::from_mode(0o701)).unwrap();
    misbehave(&user, "nothing", &["--sandbox=landlock"]).succeeded();
}

#[test]
fn who_requires_the_sandbox_is_shown_no_way_around_it() {
    let user = user();
    let Some(output) = without_mounts(&user, &["--require-sandbox", "--sandbox=landlock"]) else { return };
    assert_output!(user, output, @"
    exit status: 5
    ----- stderr -----
    ==> Error: the sandbox can't be set up: the sandbox's `mount` layer is missing on this machine (Operation not permitted (os error 1)), so nothing is built; `--require-sandbox` insists on it
    ");
}

#[test]
fn who_requires_the_sandbox_gets_it() {
    let user = user().configure("config.yaml", "config:\n  sandbox:\n    level: none\n");
    let output = misbehave(&user, "nothing", &["--sandbox=none", "--require-sandbox"]).succeeded();
    assert!(!output.report().contains("the sandbox is off"), "{}", output.report());
    assert_eq!(record(&user)["sandbox"]["level"], "namespaces");
}

/// A build whose tool reads a file in its user's home.
fn with_a_curious_tool() -> TestContext {
    let user = user();
    let recipe = PathBuf::from(repository(&user, "mine")).join("packages/misbehaving");
    let secret = user.home().join("secret");
    fs_err::write(&secret, "of the user\n").unwrap();
    fs_err::write(recipe.join("script"), format!("cat {}", secret.display())).unwrap();
    user.run(["repo", "add", "mine"]).succeeded();
    user
}

/// How sure the events are of the refusal, and what is said of it.
fn refusal(user: &TestContext, options: &[&str]) -> (Vec<Value>, Output) {
    let install = ["install", "misbehaving", "act=script"].iter().chain(options);
    let text = user.run(install.clone()).failed_with(1);
    let events = user.run(install.chain(&["--format", "ndjson"])).failed_with(1).stdout;
    let events = events.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let refusals = events.filter(|event| event["event"] == "refusal").collect();
    let told = text.stderr.lines().filter(|line| line.starts_with("Sandbox:"));
    let stderr = told.map(|line| format!("{line}\n")).collect();
    (refusals, Output { stdout: String::new(), stderr, ..text })
}

#[test]
fn a_refusal_is_probable_without_a_trace_and_certain_with_it() {
    let user = with_a_curious_tool();
    let secret = user.home().join("secret").display().to_string();
    for (options, certainty) in [(&[][..], "probable"), (&["--sandbox-trace"], "certain")] {
        let (refusals, told) = refusal(&user, options);
        let [refusal] = refusals.as_slice() else { panic!("{refusals:?}\n{}", told.report()) };
        assert_eq!(refusal["certainty"], certainty, "{refusal}");
        assert_eq!((&refusal["path"], &refusal["access"]), (&Value::from(secret.clone()), &"read".into()));
        assert_eq!(refusal["setting"], format!("config:sandbox:read:[{secret}]"));
        if certainty == "certain" {
            assert_output!(user, told, @"
            exit status: 1
            ----- stderr -----
            Sandbox: refused by the sandbox: [HOME]/secret (read); allow with `-c config:sandbox:read:[[HOME]/secret]`
            ");
        } else {
            assert_output!(user, told, @"
            exit status: 1
            ----- stderr -----
            Sandbox: probably refused by the sandbox: [HOME]/secret (read); allow with `-c config:sandbox:read:[[HOME]/secret]`
            ");
        }
    }
    // As it says; the file itself is open to everybody.
    let setting = format!("config:sandbox:read:[{secret}]");
    user.run(["-c", &setting, "install", "misbehaving", "act=script"]).succeeded();
}

#[test]
fn a_dependency_can_not_be_changed_even_where_builds_may_write() {
    let Some(user) = with_zlib(User::Current) else { return };
    user.run(["install", "zlib"]).succeeded();
    let prefix = user.run(["location", "zlib"]).succeeded().stdout;
    let prefix = std::path::Path::new(prefix.trim_end());
    let setting = format!("config:sandbox:write:[{}]", prefix.join("lib").display());
    let options = ["-c", setting.as_str(), "install", "--recipe", MISBEHAVING, "misbehaving"];
    user.run(options.iter().chain(&["act=tool-writes-dependency"])).failed_with(1);
    assert!(!prefix.join("lib/evil").exists());
}
