//! A stage, a sandbox around it, and ways to run a test as root, as an ordinary user, and with walls missing.
#![expect(clippy::unwrap_used, clippy::print_stderr, reason = "a test's support")]
#![allow(
    dead_code,
    unreachable_pub,
    clippy::allow_attributes,
    reason = "each test program uses a part of it"
)]

use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};

use spack_wasm_sandbox::{
    Access, Command, HELPER, InstalledTool, Level, Outcome, Policy, RunError, Sandbox, StartError, Status,
    Stream,
};

pub mod missing;
pub mod scene;

/// An ordinary user without an account.
const ORDINARY: u32 = 4242;
/// Set in a test that was started again as somebody else.
const AGAIN: &str = "SPACK_WASM_TEST_AGAIN";

pub struct Ran {
    pub outcome: Outcome,
    pub stdout: String,
    pub stderr: String,
}

impl Ran {
    pub fn success(&self) -> bool {
        self.outcome.status.success()
    }

    pub fn status(&self) -> Status {
        self.outcome.status
    }
}

/// A stage and what surrounds it, in a folder that only its owner can enter.
pub struct Place {
    pub folder: tempfile::TempDir,
    pub helper: InstalledTool,
}

impl Place {
    pub fn new() -> Self {
        isolate();
        let folder = tempfile::Builder::new().prefix("sandbox-test-").tempdir().unwrap();
        fs_err::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o700)).unwrap();
        let helper = HELPER.install(&folder.path().join("cache/tools")).unwrap();
        let place = Place { folder, helper };
        place.make_owned("stage");
        place.make_owned("prefix");
        for (name, content) in [("dependency/file", "dependency"), ("home/.ssh/id", "SECRET-KEY")] {
            let path = place.path(name);
            fs_err::create_dir_all(path.parent().unwrap()).unwrap();
            fs_err::write(path, content).unwrap();
        }
        // As a published prefix: open by itself, in a folder that is closed.
        fs_err::set_permissions(place.path("dependency"), std::fs::Permissions::from_mode(0o755)).unwrap();
        fs_err::set_permissions(place.path("dependency/file"), std::fs::Permissions::from_mode(0o644))
            .unwrap();
        place
    }

    /// At real paths the build user must be able to come in.
    pub fn open_up(&self) {
        fs_err::set_permissions(self.folder.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
        for name in ["dependency", "home", "home/.ssh"] {
            fs_err::set_permissions(self.path(name), std::fs::Permissions::from_mode(0o755)).unwrap();
        }
        for name in ["dependency/file", "home/.ssh/id"] {
            fs_err::set_permissions(self.path(name), std::fs::Permissions::from_mode(0o644)).unwrap();
        }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn make_owned(&self, name: &str) {
        let path = self.path(name);
        fs_err::create_dir_all(&path).unwrap();
        fs_err::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        if is_root() {
            let owner = Some(Policy::new(Level::None).owner());
            fs_err::os::unix::fs::chown(&path, owner, owner).unwrap();
        }
    }

    /// Stage and prefix writable, one dependency readable. Where paths are real, in a folder that everybody can enter.
    pub fn policy(&self, level: Level) -> Policy {
        if level != Level::Namespaces {
            self.open_up();
        }
        self.closed_policy(level)
    }

    /// The same in a folder that only its owner can enter.
    pub fn closed_policy(&self, level: Level) -> Policy {
        let mut policy = Policy::new(level);
        if policy.remaps() {
            policy.mount(self.path("stage"), "/build", Access::ReadWrite);
            policy.mount(self.path("prefix"), "/opt/prefix", Access::ReadWrite);
            policy.mount(self.path("dependency"), "/opt/dependency", Access::ReadOnly);
        } else {
            for (name, access) in [
                ("stage", Access::ReadWrite),
                ("prefix", Access::ReadWrite),
                ("dependency", Access::ReadOnly),
            ] {
                policy.mount(self.path(name), self.path(name), access);
            }
        }
        policy
    }

    pub fn start(&self, level: Level) -> Build {
        self.start_with(&self.policy(level)).unwrap()
    }

    pub fn start_with(&self, policy: &Policy) -> Result<Build, StartError> {
        let mounts = fs_err::read_to_string("/proc/thread-self/mountinfo").unwrap();
        let started = Sandbox::start(policy, &self.helper);
        // Started or not: nothing of ours may have changed.
        assert_eq!(fs_err::read_to_string("/proc/thread-self/mountinfo").unwrap(), mounts);
        let sandbox = started?;
        let inside = |name, inside| if policy.remaps() { PathBuf::from(inside) } else { self.path(name) };
        Ok(Build {
            sandbox,
            stage: inside("stage", "/build"),
            prefix: inside("prefix", "/opt/prefix"),
            dependency: inside("dependency", "/opt/dependency"),
            secret: self.path("home/.ssh/id"),
        })
    }
}

/// A running sandbox and the paths in it.
pub struct Build {
    pub sandbox: Sandbox,
    pub stage: PathBuf,
    pub prefix: PathBuf,
    pub dependency: PathBuf,
    pub secret: PathBuf,
}

impl Build {
    pub fn command<'a>(&self, argv: impl IntoIterator<Item = &'a str>) -> Command {
        Command::new(argv, &self.stage)
            .env("PATH", "/usr/local/bin:/usr/bin:/bin")
            .env("STAGE", &self.stage)
            .env("PREFIX", &self.prefix)
            .env("DEPENDENCY", &self.dependency)
            .env("SECRET", &self.secret)
            .env("LC_ALL", "C")
            .env("TMPDIR", &self.stage)
    }

    pub fn run(&self, command: &Command) -> Result<Ran, RunError> {
        let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
        let outcome = self.sandbox.run(command, &mut |stream, bytes| match stream {
            Stream::Stdout => stdout.extend_from_slice(bytes),
            Stream::Stderr => stderr.extend_from_slice(bytes),
        })?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Ok(Ran { outcome, stdout: text(&stdout), stderr: text(&stderr) })
    }

    pub fn shell(&self, script: &str) -> Ran {
        self.run(&self.command(["sh", "-c", script])).unwrap()
    }

    /// Compiles and runs a C program; its exit status says what it found.
    pub fn c(&self, program: &str) -> Ran {
        self.compile("probe", program);
        self.shell("./probe")
    }

    pub fn compile(&self, name: &str, program: &str) {
        let mut compile = self.command(["cc", "-w", "-x", "c", "-o", name, "-"]);
        compile.stdin = Some(program.as_bytes().to_vec());
        let ran = self.run(&compile).unwrap();
        assert!(ran.success(), "{}", ran.stderr);
    }
}

pub fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// Runs a test as whoever we are, and when that is root as an ordinary user, too.
pub fn everybody(test: &str, body: impl FnOnce()) {
    let again = std::env::var_os(AGAIN).is_some();
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o077));
    body();
    if is_root() && !again {
        start_again(test, true, missing::Walls::default());
    }
}

/// Whether this is the test that was started again.
pub fn is_again() -> bool {
    std::env::var_os(AGAIN).is_some()
}

/// As root, puts this thread and all that it starts into mounts of their own first. The sandbox changes mounts, and
/// these tests take walls away from it: a mistake must not reach the machine.
pub fn isolate() {
    thread_local! {
        static DONE: std::cell::Cell<bool> = const { std::cell::Cell::new(false) };
    }
    // What was started again was started behind this.
    if is_root() && !is_again() && !DONE.get() {
        let before = own_mounts();
        leave_the_machines_mounts();
        assert_ne!(own_mounts(), before);
        DONE.set(true);
    }
}

fn own_mounts() -> PathBuf {
    fs_err::read_link("/proc/thread-self/ns/mnt").unwrap()
}

#[expect(unsafe_code, reason = "the wrapper is unsafe for flags that are not used here")]
fn leave_the_machines_mounts() {
    use rustix::mount::{MountPropagationFlags, mount_change};
    // SAFETY: descriptors stay shared; only this thread's view of mounts changes.
    unsafe { rustix::thread::unshare_unsafe(rustix::thread::UnshareFlags::NEWNS) }.unwrap();
    mount_change("/", MountPropagationFlags::PRIVATE | MountPropagationFlags::REC).unwrap();
}

/// Runs one test of this program again, as an ordinary user or with walls missing.
pub fn start_again(test: &str, ordinary: bool, walls: missing::Walls) {
    start_changed(test, ordinary, &format!("{walls:?}"), |command| missing::refuse(command, walls));
}

/// Runs one test of this program again as root of a user namespace that has no other user, as `unshare -Ur` makes it.
pub fn start_alone(test: &str, ordinary: bool) {
    let user = if ordinary && is_root() { ORDINARY } else { rustix::process::geteuid().as_raw() };
    let group = if ordinary && is_root() { ORDINARY } else { rustix::process::getegid().as_raw() };
    start_changed(test, ordinary, "alone", |command| missing::enter_user_namespace(command, user, group));
}

fn start_changed(test: &str, ordinary: bool, how: &str, change: impl FnOnce(&mut std::process::Command)) {
    isolate();
    let folder = tempfile::tempdir().unwrap();
    fs_err::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    let program = folder.path().join("test");
    // The build folder may be closed to others.
    fs_err::copy(std::env::current_exe().unwrap(), &program).unwrap();
    fs_err::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    let mut command = std::process::Command::new(&program);
    command.args([test, "--exact", "--nocapture", "--test-threads=1"]).env(AGAIN, "1").current_dir("/");
    if ordinary && is_root() {
        command.uid(ORDINARY).gid(ORDINARY);
    }
    change(&mut command);
    let output = command.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && text.contains("1 passed"), "again ({how}): {text}\n{errors}");
}

/// Whether a process exists.
pub fn lives(pid: i32) -> bool {
    let Ok(status) = fs_err::read_to_string(format!("/proc/{pid}/stat")) else { return false };
    !status.rsplit_once(')').is_some_and(|(_, rest)| rest.trim_start().starts_with('Z'))
}

pub fn exists(path: &Path) -> bool {
    fs_err::symlink_metadata(path).is_ok()
}

/// Whether a program is there; where it must be, its absence fails the test.
pub fn require(program: &str) -> bool {
    let folders = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&folders).any(|folder| folder.join(program).is_file());
    assert!(found || std::env::var_os("SPACK_WASM_REQUIRE_ALL").is_none(), "needs {program}");
    if !found {
        eprintln!("skipped: needs {program}");
    }
    found
}
