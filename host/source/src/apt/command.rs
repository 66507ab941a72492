//! Runs apt's programs with a configuration and an environment of ours.

use super::AptOptions;
use crate::checksum::Checksum;
use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use tokio::process::{Child, Command};
use tokio::time::timeout;

/// Why apt could not help. The texts end a sentence that begins with `apt`.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AptError {
    /// Another distribution.
    #[error("not available on this machine: no {}", .0.display())]
    NotHere(PathBuf),
    /// The index is by SHA-256.
    #[error("can look an archive up by its sha256 only, and the recipe states another checksum")]
    NotSha256,
    /// No source package has that archive.
    #[error("no source package has an archive with this checksum")]
    NotListed,
    /// The machine's sources cannot be read.
    #[error("no package source is configured in {}", .0.display())]
    NoSources(PathBuf),
    /// The lists or the index made of them.
    #[error("the source index could not be built: {0}")]
    Index(String),
    /// A program failed.
    #[error("{program} failed: {reason}")]
    Program {
        /// Its name.
        program: String,
        /// Its own last words.
        reason: String,
    },
    /// A program took too long.
    #[error("{program} was not done after {} s", .after.as_secs())]
    TooSlow {
        /// Its name.
        program: String,
        /// The limit.
        after: Duration,
    },
    /// Our own folder.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// Our own index.
    #[error("the source index cannot be read: {0}")]
    Database(#[from] rusqlite::Error),
}

/// The programs, and what they are run with.
#[derive(Debug, Clone)]
pub(super) struct Programs {
    apt_get: PathBuf,
    apt_helper: PathBuf,
    pub(super) configuration: PathBuf,
    home: PathBuf,
    timeout: Duration,
}

impl Programs {
    pub(super) fn new(options: &AptOptions) -> Self {
        Programs {
            apt_get: options.apt_get.clone(),
            apt_helper: options.apt_helper.clone(),
            configuration: options.state_dir.join("apt.conf"),
            home: options.state_dir.clone(),
            timeout: options.timeout,
        }
    }

    /// Whether they are there.
    pub(super) fn check(&self) -> Result<(), AptError> {
        match [&self.apt_get, &self.apt_helper].into_iter().find(|program| !program.is_file()) {
            Some(missing) => Err(AptError::NotHere(missing.clone())),
            None => Ok(()),
        }
    }

    pub(super) async fn update(&self) -> Result<(), AptError> {
        self.run(&self.apt_get, ["update", "-q"]).await.map(drop)
    }

    /// `FILE<tab>REPOSITORY` for each source list that was read.
    pub(super) async fn index_targets(&self) -> Result<String, AptError> {
        let format = "$(FILENAME)\t$(REPO_URI)";
        self.run(&self.apt_get, ["indextargets", "--format", format, "Created-By: Sources"]).await
    }

    /// Starts writing a list, decompressed, to its standard output.
    pub(super) fn cat(&self, list: &str) -> Result<Child, AptError> {
        let mut command = self.command(&self.apt_helper, ["cat-file", list]);
        Ok(command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?)
    }

    pub(super) async fn download(&self, uri: &str, to: &Path, checksum: &Checksum) -> Result<(), AptError> {
        crate::cache::remove_if_there(to)?;
        let sum = format!("SHA256:{}", checksum.hex());
        let arguments = [OsStr::new("download-file"), OsStr::new(uri), to.as_os_str(), OsStr::new(&sum)];
        self.run(&self.apt_helper, arguments).await.map(drop)
    }

    /// Runs to the end and returns what was printed.
    async fn run<A: AsRef<OsStr>>(
        &self,
        program: &Path,
        arguments: impl IntoIterator<Item = A>,
    ) -> Result<String, AptError> {
        let name = || program.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let mut command = self.command(program, arguments);
        let output = timeout(self.timeout, command.output()).await;
        let output = output.map_err(|_| AptError::TooSlow { program: name(), after: self.timeout })??;
        let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
        if output.status.success() {
            return Ok(stdout);
        }
        let stderr = String::from_utf8_lossy(&output.stderr);
        Err(AptError::Program { program: name(), reason: last_words(&stdout, &stderr) })
    }

    /// Nothing is inherited: proxies and credentials for the mirror are in apt's own configuration.
    fn command<A: AsRef<OsStr>>(&self, program: &Path, arguments: impl IntoIterator<Item = A>) -> Command {
        let mut command = Command::new(program);
        command
            .env_clear()
            .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
            .env("HOME", &self.home)
            .env("LC_ALL", "C")
            .arg("-c")
            .arg(&self.configuration)
            .args(arguments)
            .current_dir("/")
            .stdin(Stdio::null())
            .kill_on_drop(true);
        command
    }
}

/// The line that says what was wrong: a status of the server, or else the first error.
fn last_words(stdout: &str, stderr: &str) -> String {
    let status = stdout.lines().rev().map(str::trim).find(|line| {
        line.split(' ').next().is_some_and(|word| word.len() == 3 && word.parse::<u16>().is_ok())
    });
    let error = || stderr.lines().find_map(|line| line.strip_prefix("E: "));
    let line = status.or_else(error).or_else(|| stderr.lines().last()).unwrap_or("no reason given");
    line.split(" [IP:").next().unwrap_or(line).trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reason_is_found_in_what_apt_prints() {
        let stdout = "Ign:1 http://deb.example.org/x.tar.gz\nErr:1 http://deb.example.org/x.tar.gz\n  404  Not Found [IP: 192.0.2.1 80]\n";
        assert_eq!(last_words(stdout, "E: Download Failed\n"), "404  Not Found");
        assert_eq!(
            last_words("", "W: careful\nE: Could not resolve 'deb.example.org'\n"),
            "Could not resolve 'deb.example.org'"
        );
        assert_eq!(last_words("", ""), "no reason given");
    }
}
