//! The registry mirror `apt`: archives out of the distribution's own source packages, found by checksum.
//!
//! Sites without internet often have a mirror of their distribution. Debian and its descendants keep upstream's
//! archive byte for byte wherever they can, so that the checksum of a recipe is found in their source index. All is
//! done with apt's own programs, keys, transports and proxies, unprivileged, in a folder of ours; no file of the system
//! is touched.

mod command;
mod index;
mod sources;

use crate::checksum::{Algorithm, Checksum};
pub(crate) use command::AptError;
use command::Programs;
use index::{Index, Located};
use std::convert::Infallible;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::sync::Mutex;

const PROGRESS_EVERY: Duration = Duration::from_millis(200);

/// How apt is used.
#[derive(Debug, Clone)]
pub struct AptOptions {
    /// Folder for package lists, index and configuration; absolute; made where it is missing.
    pub state_dir: PathBuf,
    /// Folder of apt's configuration, for the sources that the machine uses: `/etc/apt`.
    pub etc: PathBuf,
    /// The program `apt-get`.
    pub apt_get: PathBuf,
    /// The program `apt-helper`.
    pub apt_helper: PathBuf,
    /// How old the index may be before an archive that is not in it, or cannot be fetched, makes it be built anew.
    pub max_age: Duration,
    /// For one run of a program: reading the lists, or downloading an archive.
    pub timeout: Duration,
}

impl AptOptions {
    /// What Debian and its descendants have.
    pub fn new(state_dir: PathBuf) -> Self {
        AptOptions {
            state_dir,
            etc: "/etc/apt".into(),
            apt_get: "/usr/bin/apt-get".into(),
            apt_helper: "/usr/lib/apt/apt-helper".into(),
            max_age: Duration::from_secs(60 * 60),
            timeout: Duration::from_secs(30 * 60),
        }
    }
}

/// The mirror. One index is read by all fetches of a run.
pub(crate) struct Apt {
    options: AptOptions,
    programs: Programs,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    index: Option<Index>,
    /// Whether this run has built the index, or has tried to; with the reason why that failed.
    refreshed: Option<Result<(), String>>,
}

/// An archive that apt has brought.
pub(crate) struct Brought {
    pub(crate) uri: String,
}

impl Apt {
    pub(crate) fn new(options: AptOptions) -> Self {
        Apt { programs: Programs::new(&options), options, state: Mutex::default() }
    }

    /// Whether the machine has apt.
    pub(crate) fn is_here(&self) -> bool {
        self.programs.check().is_ok()
    }

    /// Downloads the archive with that checksum to a path. Progress is told as (bytes, size).
    pub(crate) async fn fetch(
        &self,
        checksum: &Checksum,
        to: &Path,
        progress: &(dyn Fn(u64, u64) + Send + Sync),
    ) -> Result<Brought, AptError> {
        if checksum.algorithm() != Algorithm::Sha256 {
            return Err(AptError::NotSha256);
        }
        self.programs.check()?;
        let found = self.locate(checksum).await?;
        match self.download_any(&found, checksum, to, progress).await {
            Err(_) if self.refresh_if_old().await? => {
                let found = self.locate(checksum).await?;
                self.download_any(&found, checksum, to, progress).await
            }
            outcome => outcome,
        }
    }

    /// Where the archive is, from the index as it is, or else from a fresh one.
    async fn locate(&self, checksum: &Checksum) -> Result<Vec<Located>, AptError> {
        let found = self.look_up(checksum).await?;
        if !found.is_empty() {
            return Ok(found);
        }
        let found = if self.refresh_if_old().await? { self.look_up(checksum).await? } else { found };
        if found.is_empty() { Err(AptError::NotListed) } else { Ok(found) }
    }

    async fn look_up(&self, checksum: &Checksum) -> Result<Vec<Located>, AptError> {
        let mut state = self.state.lock().await;
        if state.index.is_none() {
            state.index = Index::open(&self.options.state_dir)?;
        }
        if state.index.is_none() {
            self.refresh(&mut state).await?;
        }
        state.index.as_ref().map_or(Ok(Vec::new()), |index| index.find(checksum))
    }

    /// Builds the index anew, unless that was done in this run or the index is young.
    async fn refresh_if_old(&self) -> Result<bool, AptError> {
        let mut state = self.state.lock().await;
        let young = state.index.as_ref().is_some_and(|index| index.age() < self.options.max_age);
        if young || state.refreshed.is_some() {
            return Ok(false);
        }
        self.refresh(&mut state).await.map(|()| true)
    }

    async fn refresh(&self, state: &mut State) -> Result<(), AptError> {
        if let Some(Err(reason)) = &state.refreshed {
            return Err(AptError::Index(reason.clone()));
        }
        state.index = None;
        let built = index::build(&self.programs, &self.options).await;
        state.refreshed = Some(built.as_ref().map(|_| ()).map_err(ToString::to_string));
        state.index = Some(built?);
        Ok(())
    }

    async fn download_any(
        &self,
        found: &[Located],
        checksum: &Checksum,
        to: &Path,
        progress: &(dyn Fn(u64, u64) + Send + Sync),
    ) -> Result<Brought, AptError> {
        let mut last = AptError::NotListed;
        for located in found {
            let download = self.programs.download(&located.uri, to, checksum);
            let outcome = tokio::select! {
                outcome = download => outcome,
                never = watch(to, located.size, progress) => match never {},
            };
            match outcome {
                Ok(()) => return Ok(Brought { uri: located.uri.clone() }),
                Err(error) => last = error,
            }
        }
        Err(last)
    }
}

/// Tells how far the file has grown, for as long as it is polled.
async fn watch(file: &Path, size: u64, progress: &(dyn Fn(u64, u64) + Send + Sync)) -> Infallible {
    loop {
        tokio::time::sleep(PROGRESS_EVERY).await;
        progress(fs_err::metadata(file).map_or(0, |file| file.len()), size);
    }
}
