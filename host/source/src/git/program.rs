//! Runs git with a configuration and an environment of ours.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::time::Duration;

use fs_err as fs;
use rustix::process::{Pid, Signal, kill_process_group};
use tokio::process::Command;

use super::{Git, GitError};

/// How often the size of what comes is looked at.
const LOOK: Duration = Duration::from_millis(500);

/// Settings in front of each subcommand: no hooks, no helper that knows credentials, no other repository, and a transfer that
/// stalls ends.
const SETTINGS: [&str; 6] = [
    "core.hooksPath=/dev/null",
    "credential.helper=",
    "protocol.allow=never",
    "http.lowSpeedLimit=1000",
    "http.lowSpeedTime=30",
    "gc.auto=0",
];

/// The program, for one repository in a folder of its own.
#[derive(Debug, Clone)]
pub(crate) struct Program {
    program: PathBuf,
    pub(crate) folder: PathBuf,
    protocols: String,
    proxies: Vec<(&'static str, String)>,
    timeout: Duration,
    max_bytes: u64,
}

impl Program {
    pub(crate) fn new(git: &Git<'_>, folder: &Path) -> Result<Self, GitError> {
        let options = git.options;
        if !options.program.is_file() {
            return Err(GitError::NotHere(options.program.clone()));
        }
        fs::create_dir_all(folder)?;
        let proxy = git.proxy;
        let proxies = [
            ("http_proxy", proxy.http.as_ref().map(ToString::to_string)),
            ("https_proxy", proxy.https.as_ref().map(ToString::to_string)),
            ("no_proxy", proxy.direct.clone()),
        ];
        Ok(Self {
            program: options.program.clone(),
            folder: folder.to_owned(),
            protocols: options.protocols.join(":"),
            proxies: proxies.into_iter().filter_map(|(name, value)| Some((name, value?))).collect(),
            timeout: options.timeout,
            max_bytes: git.max_bytes,
        })
    }

    /// Runs to the end, and returns what was printed without the line's end.
    pub(crate) async fn run<A: AsRef<OsStr>>(
        &self,
        subcommand: &str,
        arguments: impl IntoIterator<Item = A>,
    ) -> Result<String, GitError> {
        let output = self.output(subcommand, arguments).await?;
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).trim_end().to_owned());
        }
        let reason = last_words(&String::from_utf8_lossy(&output.stderr));
        Err(GitError::Failed { command: subcommand.to_owned(), reason })
    }

    async fn output<A: AsRef<OsStr>>(
        &self,
        subcommand: &str,
        arguments: impl IntoIterator<Item = A>,
    ) -> Result<Output, GitError> {
        let mut command = self.command(subcommand, arguments);
        let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
        let group = child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?));
        let killed = KillGroup(group);
        let running = child.wait_with_output();
        tokio::pin!(running);
        let started = tokio::time::Instant::now();
        loop {
            if let Ok(output) = tokio::time::timeout(LOOK, &mut running).await {
                killed.done();
                return Ok(output?);
            }
            if started.elapsed() > self.timeout {
                return Err(GitError::TooSlow { command: subcommand.to_owned(), after: self.timeout });
            }
            if size(&self.folder) > self.max_bytes {
                return Err(GitError::TooLarge { limit: self.max_bytes });
            }
        }
    }

    /// Nothing is inherited, and no file of configuration is read: not the machine's, not the user's.
    fn command<A: AsRef<OsStr>>(&self, subcommand: &str, arguments: impl IntoIterator<Item = A>) -> Command {
        let mut command = Command::new(&self.program);
        command
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("HOME", &self.folder)
            .env("LC_ALL", "C")
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_CONFIG_SYSTEM", "/dev/null")
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_ATTR_NOSYSTEM", "1")
            .env("GIT_TERMINAL_PROMPT", "0")
            .env("GIT_ASKPASS", "/bin/false")
            .env("SSH_ASKPASS", "/bin/false")
            .env("GIT_SSH_COMMAND", "ssh -oBatchMode=yes")
            .env("GIT_ALLOW_PROTOCOL", &self.protocols)
            .envs(self.proxies.iter().map(|(name, value)| (name, value)))
            .args(SETTINGS.iter().flat_map(|setting| ["-c", setting]))
            .arg("--git-dir")
            .arg(self.folder.join("repository"))
            .arg(subcommand)
            .args(arguments)
            .current_dir(&self.folder)
            .stdin(Stdio::null())
            .process_group(0)
            .kill_on_drop(true);
        command
    }
}

/// Ends git with the helpers that it has started, unless it is done.
struct KillGroup(Option<Pid>);

impl KillGroup {
    fn done(mut self) {
        self.0 = None;
    }
}

impl Drop for KillGroup {
    fn drop(&mut self) {
        if let Some(group) = self.0 {
            // It may have ended by itself meanwhile.
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}

/// Bytes of all files in a folder; one that goes away meanwhile counts as nothing.
fn size(folder: &Path) -> u64 {
    let Ok(entries) = fs::read_dir(folder) else { return 0 };
    let sizes = entries.filter_map(Result::ok).map(|entry| match entry.file_type() {
        Ok(kind) if kind.is_dir() => size(&entry.path()),
        _ => entry.metadata().map_or(0, |metadata| metadata.len()),
    });
    sizes.sum()
}

/// The line that says what was wrong.
fn last_words(stderr: &str) -> String {
    let fatal = stderr
        .lines()
        .rev()
        .find_map(|line| line.strip_prefix("fatal: ").or_else(|| line.strip_prefix("error: ")));
    let line = fatal.or_else(|| stderr.lines().last()).unwrap_or("no reason given");
    line.chars().filter(|c| !c.is_control()).take(300).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reason_is_found_in_what_git_prints() {
        assert_eq!(last_words("warning: x\nfatal: repository 'y' not found\n"), "repository 'y' not found");
        assert_eq!(last_words("odd\u{1b}[31m\n"), "odd[31m");
        assert_eq!(last_words(""), "no reason given");
    }
}
