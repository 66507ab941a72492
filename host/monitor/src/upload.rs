use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use crate::saved_run::{SavedBuild, SavedRun, SavedSpec, SavedUpdate, dependents_first, id_of_metadata};
use crate::wire::BuildId;
use crate::{Client, RequestError};

/// What an upload did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UploadSummary {
    /// Saved runs that were found.
    pub runs: usize,
    /// Files that the server took.
    pub sent: usize,
    /// Files that it did not get, in the order of finding out.
    pub problems: Vec<UploadProblem>,
    /// Folders that can't be listed; there may be saved runs in them.
    pub unreadable: Vec<UploadProblem>,
    /// Why the upload ended early: without a server or its permission, trying the other files is no use.
    pub stopped: Option<String>,
}

/// Why the content of one file is not on the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UploadProblem {
    /// The file.
    pub path: PathBuf,
    /// Why.
    pub reason: String,
}

/// Why an upload could not start.
#[derive(Debug, thiserror::Error)]
pub enum UploadError {
    /// There is no such folder. The message is Spack's.
    #[error("{} does not exist.", path.display())]
    Missing {
        /// Its absolute path.
        path: PathBuf,
    },
    /// It is a file.
    #[error("{} is no folder", path.display())]
    NoFolder {
        /// Its absolute path.
        path: PathBuf,
    },
    /// The folder could not be listed.
    #[error("the saved runs could not be listed: {0}")]
    List(#[from] io::Error),
}

/// Sends every run that is saved at or below `directory`, at whatever level that is. `observer` is told each file
/// before it is read.
///
/// Uploading twice changes nothing on the server, and nothing is deleted here.
///
/// # Errors
/// The folder is not there or cannot be read. A bad file or folder below is no error: it is named in the summary, and
/// the rest goes on.
pub async fn upload(
    directory: &Path,
    client: &Client,
    observer: &mut (dyn FnMut(&Path) + Send),
) -> Result<UploadSummary, UploadError> {
    if !directory.is_dir() {
        let path = std::path::absolute(directory)?;
        let is_file = path.exists();
        return Err(if is_file { UploadError::NoFolder { path } } else { UploadError::Missing { path } });
    }
    let mut summary = UploadSummary::default();
    let runs = SavedRun::find(directory, &mut |path, error| {
        summary.unreadable.push(UploadProblem { path, reason: error.to_string() });
    })?;
    summary.runs = runs.len();
    for run in runs {
        let mut upload = Upload { client, observer: &mut *observer, summary: &mut summary };
        if let Err(Stop(reason)) = upload.run(&run).await {
            summary.stopped = Some(reason);
            break;
        }
    }
    Ok(summary)
}

/// The server is gone, or wants nothing from us.
struct Stop(String);

struct Upload<'a> {
    client: &'a Client,
    observer: &'a mut (dyn FnMut(&Path) + Send),
    summary: &'a mut UploadSummary,
}

/// What the server calls the builds of one run.
#[derive(Default)]
struct Builds {
    /// By the id in the files.
    ids: BTreeMap<String, BuildId>,
    /// The spec of each, by the id in the files.
    specs: BTreeMap<String, String>,
}

impl Upload<'_> {
    async fn run(&mut self, run: &SavedRun) -> Result<(), Stop> {
        let edges = self.specs(&run.specs).await?;
        let builds = self.builds(&run.metadata).await?;
        for path in &run.phases {
            let update = self.read(path, SavedUpdate::read_phase);
            self.update(path, update, &builds, "builds/phases/update/").await?;
        }
        for (path, update) in self.statuses(&run.statuses, &edges, &builds) {
            self.update(&path, Some(update), &builds, "builds/update/").await?;
        }
        Ok(())
    }

    /// Gives what depends on what.
    async fn specs(&mut self, paths: &[PathBuf]) -> Result<BTreeMap<String, Vec<String>>, Stop> {
        let mut edges = BTreeMap::new();
        for path in paths {
            let Some(spec) = self.read(path, SavedSpec::read) else { continue };
            let answer = self.client.new_spec_text(spec.text).await;
            self.settle(path, answer)?;
            edges.extend(spec.edges);
        }
        Ok(edges)
    }

    async fn builds(&mut self, paths: &[PathBuf]) -> Result<Builds, Stop> {
        let mut builds = Builds::default();
        for path in paths {
            let (Some(id), Some(build)) = (id_of_metadata(path), self.read(path, SavedBuild::read)) else {
                continue;
            };
            let answer = self.client.new_build_text(build.text).await;
            if let Some(known) = self.settle(path, answer)? {
                builds.ids.insert(id.clone(), known);
            }
            builds.specs.insert(id, build.full_hash);
        }
        Ok(builds)
    }

    /// The states of the builds, those of dependents first: with each one, the real server makes CANCELLED of what
    /// its dependencies had.
    fn statuses(
        &mut self,
        paths: &[PathBuf],
        edges: &BTreeMap<String, Vec<String>>,
        builds: &Builds,
    ) -> Vec<(PathBuf, SavedUpdate)> {
        let order = dependents_first(edges);
        let rank = |update: &SavedUpdate| {
            let spec = builds.specs.get(&update.build_id.to_string());
            spec.and_then(|spec| order.iter().position(|hash| hash == spec))
        };
        let read = |path: &PathBuf| Some((path.clone(), self.read(path, SavedUpdate::read_status)?));
        let mut updates: Vec<_> = paths.iter().filter_map(read).collect();
        updates.sort_by_key(|(_, update)| rank(update));
        updates
    }

    async fn update(
        &mut self,
        path: &Path,
        update: Option<SavedUpdate>,
        builds: &Builds,
        endpoint: &str,
    ) -> Result<(), Stop> {
        let Some(mut update) = update else { return Ok(()) };
        let local = update.build_id.to_string();
        let Some(id) = builds.ids.get(&local) else {
            self.problem(
                path,
                format!("its build is unknown: build-metadata-{local}.json is missing or was not sent"),
            );
            return Ok(());
        };
        update.build_id = id.clone();
        let answer = self.client.post(endpoint, &update).await.map(drop);
        self.settle(path, answer).map(drop)
    }

    fn read<T>(&mut self, path: &Path, read: impl FnOnce(&Path) -> Result<T, String>) -> Option<T> {
        (self.observer)(path);
        read(path).map_err(|reason| self.problem(path, reason)).ok()
    }

    /// Counts what was sent, and decides whether what failed ends the upload.
    fn settle<T>(&mut self, path: &Path, answer: Result<T, RequestError>) -> Result<Option<T>, Stop> {
        match answer {
            Ok(value) => {
                self.summary.sent += 1;
                Ok(Some(value))
            }
            Err(error) => {
                self.problem(path, error.to_string());
                if error.is_answer() { Ok(None) } else { Err(Stop(error.to_string())) }
            }
        }
    }

    fn problem(&mut self, path: &Path, reason: String) {
        self.summary.problems.push(UploadProblem { path: path.to_owned(), reason });
    }
}
