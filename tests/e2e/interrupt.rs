//! Builds that are ended from outside: a prefix is absent or complete, whatever is killed and whenever.

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use spack_wasm_tests::{MISBEHAVING, TestContext, User};

use crate::of;

fn spawn(user: &TestContext, act: &str) -> (Child, BufReader<ChildStdout>) {
    let mut command = user.command(user.binary());
    command.args(["install", "--recipe", MISBEHAVING, "misbehaving", &format!("act={act}")]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let stdout = BufReader::new(child.stdout.take().unwrap());
    (child, stdout)
}

/// Reads on, so that the program never waits for its reader.
fn read_on(mut stdout: BufReader<ChildStdout>) {
    thread::spawn(move || {
        let mut line = String::new();
        while stdout.read_line(&mut line).is_ok_and(|length| length > 0) {}
    });
}

/// Starts a build that does not end by itself, and returns when its tool runs.
fn start(user: &TestContext) -> Child {
    let (mut child, stdout) = spawn(user, "wait");
    let deadline = Instant::now() + Duration::from_secs(60);
    read_on(stdout);
    while tools(user).len() < 2 {
        assert!(Instant::now() < deadline, "the tool does not start");
        assert!(child.try_wait().unwrap().is_none(), "the build has ended");
        thread::sleep(Duration::from_millis(20));
    }
    child
}

/// The processes whose command line names the file that the tool waits at.
fn tools(user: &TestContext) -> Vec<PathBuf> {
    let store = user.store().display().to_string();
    let processes = fs_err::read_dir("/proc").unwrap().map(|entry| entry.unwrap().path());
    let names_it = |process: &PathBuf| {
        let line = fs_err::read(process.join("cmdline")).unwrap_or_default();
        let line = String::from_utf8_lossy(&line).into_owned();
        line.contains(&store) && line.contains("/waiting")
    };
    processes.filter(names_it).collect()
}

fn signal(child: &Child, signal: Signal) {
    kill_process(Pid::from_child(child), signal).unwrap();
}

/// Waits for the end of the program and of its tools; a minute means that they hang.
fn end(user: &TestContext, mut child: Child) -> ExitStatus {
    let deadline = Instant::now() + Duration::from_secs(60);
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        if Instant::now() >= deadline {
            child.kill().unwrap();
            child.wait().unwrap();
            panic!("the program did not end");
        }
        thread::sleep(Duration::from_millis(5));
    };
    while !tools(user).is_empty() {
        assert!(Instant::now() < deadline, "{:?} were left behind", tools(user));
        thread::sleep(Duration::from_millis(5));
    }
    status
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs_err::read_dir(folder) else { return Vec::new() };
    entries.map(|entry| entry.unwrap().path()).filter(|path| path.is_dir()).collect()
}

/// After the next command nothing is left of the build that was ended, and another one works.
fn assert_recovers(user: &TestContext) {
    user.run(["location", "misbehaving"]).failed_with(1);
    let arguments = ["install", "--recipe", MISBEHAVING, "misbehaving", "act=nothing"];
    user.run(arguments).succeeded();
    assert_eq!(entries(&user.home().join(".spack/spack-wasm/stage")), Vec::<PathBuf>::new(), "stages");
    assert_eq!(entries(&user.store().join(".building")), Vec::<PathBuf>::new(), "unfinished prefixes");
    let platforms = entries(&user.store()).into_iter();
    let platforms = platforms.filter(|path| !path.file_name().unwrap().to_string_lossy().starts_with('.'));
    let prefixes: Vec<PathBuf> = platforms.flat_map(|platform| entries(&platform)).collect();
    assert_eq!(prefixes.len(), 1, "{prefixes:?}");
}

#[test]
fn interrupted() {
    for who in User::everybody() {
        let user = of(who);
        let child = start(&user);
        signal(&child, Signal::INT);
        assert_eq!(end(&user, child).code(), Some(130));
        assert_recovers(&user);
    }
}

/// As by `nohup`: whoever wants the program to outlive its terminal has it so.
#[test]
fn a_hangup_that_was_ignored_stays_so() {
    let user = of(User::Current);
    let mut command = user.command("sh");
    command.args(["-c", "trap '' HUP; exec \"$@\"", "sh"]).arg(user.binary());
    command.args(["install", "--recipe", MISBEHAVING, "misbehaving", "act=wait"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    while !line.contains("Executing phase") {
        line.clear();
        assert!(stdout.read_line(&mut line).unwrap() > 0, "the build has ended");
    }
    read_on(stdout);
    signal(&child, Signal::HUP);
    thread::sleep(Duration::from_secs(1));
    assert!(child.try_wait().unwrap().is_none(), "it was ended");
    signal(&child, Signal::TERM);
    assert_eq!(end(&user, child).code(), Some(143));
}

/// A recipe that computes is not waited for: its own time is longer than this test's.
#[test]
fn interrupted_in_a_recipe() {
    let user = of(User::Current);
    let (child, mut stdout) = spawn(&user, "loop");
    let mut line = String::new();
    while !line.contains("Executing phase") {
        line.clear();
        assert!(stdout.read_line(&mut line).unwrap() > 0, "the build has ended");
    }
    read_on(stdout);
    let began = Instant::now();
    signal(&child, Signal::INT);
    assert_eq!(end(&user, child).code(), Some(130));
    assert!(began.elapsed() < Duration::from_secs(30), "{:?}", began.elapsed());
}

#[test]
fn terminated() {
    let user = of(User::Current);
    let child = start(&user);
    signal(&child, Signal::TERM);
    assert_eq!(end(&user, child).code(), Some(143));
    assert_recovers(&user);
}

/// The terminal was closed, or the connection to it lost.
#[test]
fn hung_up() {
    let user = of(User::Current);
    let child = start(&user);
    signal(&child, Signal::HUP);
    assert_eq!(end(&user, child).code(), Some(129));
    assert_recovers(&user);
}

#[test]
fn killed() {
    for who in User::everybody() {
        let user = of(who);
        let child = start(&user);
        signal(&child, Signal::KILL);
        end(&user, child);
        assert_recovers(&user);
    }
}

/// A search without end is ended within two seconds, and says so.
#[test]
fn the_concretizer_is_interrupted() {
    for (sent, status) in [(Signal::INT, 130), (Signal::TERM, 143)] {
        let user = of(User::Current);
        let mut command = user.command(user.binary());
        command.args(["install", "--format", "ndjson", "--recipe", MISBEHAVING, "misbehaving", "act=riddle"]);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut events = String::new();
        while !events.contains(r#""event":"solve-started""#) {
            assert!(stdout.read_line(&mut events).unwrap() > 0, "it ended without searching: {events}");
        }
        // Long enough for everything but the search to be over.
        thread::sleep(Duration::from_secs(1));
        assert!(child.try_wait().unwrap().is_none(), "the riddle was solved");
        let asked = Instant::now();
        signal(&child, sent);
        assert_eq!(end(&user, child).code(), Some(status));
        assert!(asked.elapsed() < Duration::from_secs(2), "it took {:?}", asked.elapsed());
        stdout.read_to_string(&mut events).unwrap();
        let failed = r#""event":"solve-failed","message":"the installation was interrupted""#;
        let ended = format!(r#""event":"run-ended","exit_status":{status}"#);
        assert!(events.contains(failed) && events.contains(&ended), "{events}");
        assert!(!user.store().exists(), "a store was made");
    }
}
