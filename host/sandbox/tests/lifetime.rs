//! Nothing survives the build, however it ends.
#![expect(clippy::unwrap_used, reason = "functions that tests share")]

mod support;

use std::time::{Duration, Instant};

use spack_wasm_sandbox::{Level, RunError, Status};
use support::{Build, Place, everybody, lives};

const LEVELS: [Level; 3] = [Level::Namespaces, Level::Landlock, Level::None];
/// Names a host process for the test below.
const HOST_PROCESS: &str = "SPACK_WASM_TEST_HOST";

/// Leaves a daemon that has detached itself in every way, and finds it on the host.
fn leave_daemon(build: &Build, seconds: &str) -> i32 {
    let ran =
        build.shell(&format!("(setsid sh -c 'trap \"\" HUP TERM; exec sleep {seconds}' &) > /dev/null 2>&1"));
    assert!(ran.success());
    find(seconds).expect("the daemon runs")
}

/// A `sleep` with this argument.
fn find(seconds: &str) -> Option<i32> {
    let deadline = Instant::now() + Duration::from_secs(5);
    while Instant::now() < deadline {
        for process in fs_err::read_dir("/proc").unwrap().flatten() {
            let Ok(arguments) = fs_err::read(process.path().join("cmdline")) else { continue };
            if arguments == format!("sleep\0{seconds}\0").as_bytes() {
                return process.file_name().to_str().unwrap().parse().ok();
            }
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    None
}

fn gone_within(pid: i32, limit: Duration) -> bool {
    let deadline = Instant::now() + limit;
    while lives(pid) && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(2));
    }
    !lives(pid)
}

/// Unlike any other test's, so that it can be found.
fn seconds(salt: u32) -> String {
    format!("{}", 1_000_000 + u64::from(std::process::id()) * 100 + u64::from(salt))
}

#[test]
fn a_daemon_ends_with_the_build() {
    everybody("a_daemon_ends_with_the_build", || {
        for (salt, level) in LEVELS.into_iter().enumerate() {
            let place = Place::new();
            let build = place.start(level);
            let daemon = leave_daemon(&build, &seconds(salt as u32));
            drop(build);
            assert!(!lives(daemon), "{level}");
        }
    });
}

#[test]
fn cancelling_ends_a_running_command_at_once() {
    for level in LEVELS {
        let place = Place::new();
        let build = place.start(level);
        let canceller = build.sandbox.canceller();
        let began = Instant::now();
        std::thread::scope(|scope| {
            scope.spawn(move || {
                std::thread::sleep(Duration::from_millis(200));
                canceller.cancel();
            });
            let command = build.command(["sh", "-c", "trap '' TERM INT; sleep 100 & sleep 100"]);
            assert!(matches!(build.run(&command), Err(RunError::Cancelled)), "{level}");
        });
        assert!(matches!(build.run(&build.command(["true"])), Err(RunError::Cancelled)), "{level}");
        drop(build);
        assert!(began.elapsed() < Duration::from_secs(2), "{level}: {:?}", began.elapsed());
    }
}

#[test]
fn killing_the_host_leaves_no_process() {
    if let Ok(name) = std::env::var(HOST_PROCESS) {
        be_killed(&name);
    }
    for (salt, level) in LEVELS.into_iter().enumerate() {
        let seconds = seconds(10 + salt as u32);
        let mut host = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["killing_the_host_leaves_no_process", "--exact", "--nocapture"])
            .env(HOST_PROCESS, format!("{level} {seconds}"))
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .spawn()
            .unwrap();
        let daemon = find(&seconds).expect("the daemon runs");
        host.kill().unwrap();
        host.wait().unwrap();
        assert!(gone_within(daemon, Duration::from_secs(2)), "{level}");
    }
}

fn be_killed(name: &str) -> ! {
    let (level, seconds) = name.split_once(' ').unwrap();
    let place = Place::new();
    let build = place.start(level.parse().unwrap());
    leave_daemon(&build, seconds);
    loop {
        build.shell("sleep 1");
    }
}

#[test]
fn the_executor_cannot_be_ended_from_inside() {
    everybody("the_executor_cannot_be_ended_from_inside", || {
        for level in [Level::Namespaces, Level::Landlock] {
            let place = Place::new();
            let build = place.start(level);
            build.shell("kill -9 $PPID; kill -STOP $PPID; kill -TERM $PPID; true");
            if level == Level::Namespaces {
                build.shell("kill -9 1; kill -9 -1");
            }
            assert_eq!(build.shell("exit 3").status(), Status::Exited(3), "{level}");
        }
    });
}

#[test]
fn a_killed_executor_is_an_error_and_leaves_nothing() {
    let place = Place::new();
    let build = place.start(Level::None);
    let seconds = seconds(20);
    let daemon = leave_daemon(&build, &seconds);
    let error = build.run(&build.command(["sh", "-c", "kill -9 $PPID; sleep 100"])).err().unwrap();
    insta::assert_snapshot!(error, @"the sandbox ended before `sh` did: it was killed, or the machine is out of memory");
    drop(build);
    assert!(!lives(daemon));
}

#[test]
fn a_fork_bomb_is_bounded() {
    everybody("a_fork_bomb_is_bounded", || {
        let place = Place::new();
        let mut policy = place.policy(Level::Namespaces);
        policy.limits.processes = Some(60);
        let build = place.start_with(&policy).unwrap();
        let ran = build.shell("i=0; while [ $i -lt 300 ]; do sleep 100 & i=$((i+1)); done; true");
        assert!(ran.stderr.contains("fork"), "{}", ran.stderr);
        let count = fs_err::read_dir("/proc").unwrap().flatten().filter(|process| {
            fs_err::read(process.path().join("cmdline"))
                .is_ok_and(|arguments| arguments == b"sleep\x00100\x00")
        });
        assert!(count.count() <= 60 * 2);
        let began = Instant::now();
        drop(build);
        assert!(began.elapsed() < Duration::from_secs(2));
    });
}

#[test]
fn an_endless_flood_can_be_cancelled() {
    let place = Place::new();
    let build = place.start(Level::Namespaces);
    let canceller = build.sandbox.canceller();
    let mut bytes = 0;
    let result = build.sandbox.run(&build.command(["yes"]), &mut |_, piece| {
        bytes += piece.len();
        if bytes > 10_000_000 {
            canceller.cancel();
        }
    });
    assert!(matches!(result, Err(RunError::Cancelled)));
}
