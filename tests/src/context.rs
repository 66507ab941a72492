//! A user with an empty home, who runs the binary.

use std::ffi::{OsStr, OsString};
use std::io::{self, Read};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use fs_err::os::unix::fs::chown;
use rustix::process::{Pid, Signal, kill_process_group};
use tempfile::TempDir;

use crate::{Output, User, filters};

/// Long enough for a real build on two busy cores.
const TIME: Duration = Duration::from_secs(15 * 60);
/// Where a user's programs are; nothing of the tester's own.
const PATH: &str = "/usr/local/bin:/usr/bin:/bin";

/// A user with a home of their own, hence a store, caches, configuration and saved monitor runs of their own; and with an
/// environment that has nothing of the tester's. All of it is removed at the end.
#[derive(Debug)]
pub struct TestContext {
    folder: TempDir,
    binary: PathBuf,
    user: User,
    variables: Vec<(OsString, OsString)>,
    time: Duration,
}

impl TestContext {
    /// For the user who runs the tests. `binary` is `env!("CARGO_BIN_EXE_spack-wasm")`.
    ///
    /// # Panics
    ///
    /// When the folders cannot be made.
    pub fn new(binary: impl AsRef<Path>) -> Self {
        Self::of(User::Current, binary)
    }

    /// For a user. The home is closed to all others, as a careful administrator has it.
    ///
    /// # Panics
    ///
    /// When the folders cannot be made.
    pub fn of(user: User, binary: impl AsRef<Path>) -> Self {
        let folder = tempfile::Builder::new().prefix("spack-wasm-e2e-").tempdir().unwrap();
        set_mode(folder.path(), 0o755);
        // The build folder may be closed to the other user.
        let own = folder.path().join("spack-wasm");
        let binary = match user.other() {
            Some(_) => copy_program(binary.as_ref(), own),
            None => binary.as_ref().to_owned(),
        };
        let context = Self { folder, binary, user, variables: Vec::new(), time: TIME };
        for path in [context.home(), context.work(), context.temporary()] {
            context.make_folder(&path);
        }
        context
    }

    /// Sets an environment variable for all commands to come.
    #[must_use]
    pub fn env(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Self {
        self.variables.push((name.as_ref().to_owned(), value.as_ref().to_owned()));
        self
    }

    /// How long a command may take before it is killed and the test fails.
    #[must_use]
    pub fn within(mut self, time: Duration) -> Self {
        self.time = time;
        self
    }

    /// Lets the sources come from a folder in the layout of a Spack mirror, so that several tests fetch an archive once.
    ///
    /// # Panics
    ///
    /// When the configuration cannot be written.
    #[must_use]
    pub fn with_mirror(self, mirror: &Path) -> Self {
        self.configure("mirrors.yaml", &format!("mirrors:\n  shared: file://{}\n", mirror.display()))
    }

    /// Writes a file of the user's configuration, for example `config.yaml`.
    ///
    /// # Panics
    ///
    /// When it cannot be written.
    #[must_use]
    pub fn configure(self, name: &str, content: &str) -> Self {
        self.make_folder(&self.home().join(".spack"));
        let path = self.home().join(".spack").join(name);
        fs_err::write(&path, content).unwrap();
        self.give(&path);
        self
    }

    /// The folder that has everything of this context.
    pub fn root(&self) -> &Path {
        self.folder.path()
    }

    /// The home, mode 0700.
    pub fn home(&self) -> PathBuf {
        self.root().join("home")
    }

    /// The working directory of commands, empty at first.
    pub fn work(&self) -> PathBuf {
        self.root().join("work")
    }

    /// The default root of the store; not there before something is installed.
    pub fn store(&self) -> PathBuf {
        self.home().join(".spack-wasm/store")
    }

    /// Where runs are saved by default; not there before one is.
    pub fn monitor(&self) -> PathBuf {
        self.home().join(".spack/reports/monitor")
    }

    /// The binary, for [`TestContext::command`]; a copy where another user could not reach the original.
    pub fn binary(&self) -> &Path {
        &self.binary
    }

    /// Runs `spack-wasm` as a user who keeps their files to themselves.
    ///
    /// # Panics
    ///
    /// When it cannot be started or takes too long.
    pub fn run_with_umask(&self, umask: &str, arguments: &[&str]) -> Output {
        let script = format!("umask {umask}; exec \"$0\" \"$@\"");
        let mut command = self.command("sh");
        command.args(["-c", &script]).arg(&self.binary).args(arguments);
        self.finish(command)
    }

    /// Settings of `insta` under which what this user is told is the same in each run.
    pub fn snapshots(&self) -> insta::Settings {
        filters::settings(&self.root().to_string_lossy())
    }

    /// Runs `spack-wasm` without input and waits for its end.
    ///
    /// # Panics
    ///
    /// When it cannot be started or takes too long.
    pub fn run(&self, arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Output {
        let mut command = self.command(&self.binary);
        command.args(arguments);
        self.finish(command)
    }

    /// Runs another program as the same user with the same environment: something that was installed.
    ///
    /// # Panics
    ///
    /// When it cannot be started or takes too long.
    pub fn run_program(
        &self,
        program: impl AsRef<OsStr>,
        arguments: impl IntoIterator<Item = impl AsRef<OsStr>>,
    ) -> Output {
        let mut command = self.command(program);
        command.args(arguments);
        self.finish(command)
    }

    /// A command of this user, ready to be started by tests that signal it or talk with it. It leads a process group.
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command
            .env_clear()
            .env("HOME", self.home())
            .env("PATH", PATH)
            .env("LANG", "C.UTF-8")
            .env("TMPDIR", self.temporary())
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .current_dir(self.work())
            .stdin(Stdio::null())
            .process_group(0);
        if let Some(id) = self.user.other() {
            command.uid(id).gid(id);
        }
        command
    }

    fn temporary(&self) -> PathBuf {
        self.root().join("tmp")
    }

    fn finish(&self, mut command: Command) -> Output {
        let start = Instant::now();
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let stdout = reader(child.stdout.take());
        let stderr = reader(child.stderr.take());
        let status = wait(&mut child, start + self.time);
        let [stdout, stderr] = [stdout, stderr].map(|reader| reader.join().unwrap());
        match status {
            Some(status) => Output { status, stdout, stderr },
            None => panic!("{command:?} took more than {:?}\n{stdout}\n{stderr}", self.time),
        }
    }

    fn make_folder(&self, path: &Path) {
        fs_err::create_dir_all(path).unwrap();
        set_mode(path, 0o700);
        self.give(path);
    }

    /// Gives a file or folder that the test has made to the user.
    ///
    /// # Panics
    ///
    /// When the system refuses.
    pub fn give(&self, path: &Path) {
        if let Some(id) = self.user.other() {
            chown(path, Some(id), Some(id)).unwrap();
        }
    }
}

/// By another process: what other tests start meanwhile would inherit a descriptor of ours that is open for writing, and the
/// program would be busy.
fn copy_program(from: &Path, to: PathBuf) -> PathBuf {
    assert!(Command::new("cp").arg(from).arg(&to).status().unwrap().success());
    to
}

fn set_mode(path: &Path, mode: u32) {
    fs_err::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

/// Reads to the end beside the other stream, so that neither fills up.
fn reader(stream: Option<impl Read + Send + 'static>) -> thread::JoinHandle<String> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        stream.map(|mut stream| stream.read_to_end(&mut bytes)).transpose().unwrap();
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

/// The status, or `None` when the time was up and the whole process group has been killed.
fn wait(child: &mut Child, deadline: Instant) -> Option<ExitStatus> {
    while Instant::now() < deadline {
        if let Some(status) = child.try_wait().unwrap() {
            return Some(status);
        }
        thread::sleep(Duration::from_millis(10));
    }
    kill_group(child).unwrap();
    child.wait().unwrap();
    None
}

fn kill_group(child: &Child) -> io::Result<()> {
    Ok(kill_process_group(Pid::from_child(child), Signal::KILL)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(context: &TestContext, script: &str) -> Output {
        context.run_program("sh", ["-c", script])
    }

    #[test]
    fn the_environment_has_nothing_of_the_testers() {
        for user in User::everybody() {
            let context = TestContext::of(user, "/bin/true").env("OWN", "1");
            let output = shell(&context, "env -u PWD -u _ -u SHLVL | sort; pwd").succeeded();
            crate::assert_output!(context, output, @"
            exit status: 0
            ----- stdout -----
            HOME=[HOME]
            LANG=C.UTF-8
            OWN=1
            PATH=/usr/local/bin:/usr/bin:/bin
            TMPDIR=[ROOT]/tmp
            [ROOT]/work
            ");
        }
    }

    #[test]
    fn each_user_owns_a_closed_home() {
        for user in User::everybody() {
            let context = TestContext::of(user, "/bin/true").configure("config.yaml", "config: {}\n");
            let script = "test -O ~ && test -O ~/.spack/config.yaml && touch ~/new new && stat -c %a ~";
            assert_eq!(shell(&context, script).succeeded().stdout, "700\n");
            assert_eq!(shell(&context, "id -u").stdout == "0\n", user == User::Current && geteuid() == 0);
        }
    }

    fn geteuid() -> u32 {
        rustix::process::geteuid().as_raw()
    }

    #[test]
    fn the_binary_is_found_by_every_user() {
        for user in User::everybody() {
            assert_eq!(TestContext::of(user, "/bin/echo").run(["hello"]).succeeded().stdout, "hello\n");
        }
    }

    #[test]
    fn much_output_on_both_streams_is_read() {
        let context = TestContext::new("/bin/true");
        let output = shell(&context, "seq 100000; seq 100000 >&2; exit 3").failed_with(3);
        assert_eq!((output.stdout.len(), output.stderr.len()), (588_895, 588_895));
    }

    #[test]
    #[should_panic(expected = "took more than")]
    fn a_command_that_hangs_is_killed_with_its_children() {
        let context = TestContext::new("/bin/true").within(Duration::from_millis(200));
        shell(&context, "sleep 1000 & sleep 1000");
    }
}
