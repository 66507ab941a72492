use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use jiff::ZonedDateTime;
use serde::Serialize;
use spack_wasm_spec::Dag;

use crate::offline_id::local_id;
use crate::report::{Report, Reporter};
use crate::wire::{BuildId, PhaseRequest, SpecRequest, StatusRequest};
use crate::{Event, MonitorIdentity, Sink, SinkError, json};

/// Why the monitor's files could not be written. The message names the path.
#[derive(Debug, thiserror::Error)]
#[error("the monitor's data could not be saved: {0}")]
pub struct OfflineError(#[from] io::Error);

/// One folder of saved requests, in the layout of Spack's `--monitor-save-local`.
#[derive(Debug)]
pub(crate) struct OfflineDirectory {
    path: PathBuf,
    identity: Arc<MonitorIdentity>,
    specs: Vec<(PathBuf, Arc<SpecRequest>)>,
    /// When the last file was written.
    last: SystemTime,
}

impl OfflineDirectory {
    /// Makes `<base>/<stamp>/`. Two runs that start in the same second get two folders.
    pub(crate) fn create(
        base: &Path,
        now: &ZonedDateTime,
        identity: Arc<MonitorIdentity>,
    ) -> Result<Self, OfflineError> {
        fs_err::create_dir_all(base)?;
        let stamp = format!("{}-{}", now.strftime("%Y-%m-%d-%H-%M-%S"), now.timestamp().as_second());
        let mut path = base.join(&stamp);
        let mut number = 1;
        while let Err(error) = fs_err::create_dir(&path) {
            if error.kind() != io::ErrorKind::AlreadyExists {
                return Err(error.into());
            }
            number += 1;
            path = base.join(format!("{stamp}-{number}"));
        }
        Ok(Self { path, identity, specs: Vec::new(), last: SystemTime::UNIX_EPOCH })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Saves one report. A later one of the same build and kind replaces it.
    pub(crate) fn save(&mut self, report: &Report) -> Result<(), OfflineError> {
        match report {
            Report::Spec(spec) => {
                let path = self.spec_path(spec);
                self.write(&path, spec.as_ref())
            }
            Report::Build { node } => {
                let request = self.identity.build(node);
                let path = self.file(&format!("build-metadata-{}", local_id(&request)));
                self.write(&path, &request)
            }
            Report::Phase { node, phase, status, output } => {
                let id = local_id(&self.identity.build(node));
                let path = self.file(&format!("build-{id}-phase-{}", file_safe(phase)));
                let (output, phase_name) = (Some(output.text()), phase.clone());
                let build_id = BuildId::Text(id);
                self.write(&path, &PhaseRequest { build_id, status: *status, output, phase_name })
            }
            Report::Status { node, status } => {
                let id = local_id(&self.identity.build(node));
                let path = self.file(&format!("build-{id}-status"));
                self.write(&path, &StatusRequest { build_id: BuildId::Text(id), status: *status })
            }
        }
    }

    /// Removes the folder again when nothing is in it.
    pub(crate) fn remove_if_empty(&self) {
        // The system refuses to remove a folder with files in it, which is what is wanted.
        drop(fs_err::remove_dir(&self.path));
    }

    fn file(&self, name: &str) -> PathBuf {
        self.path.join(format!("{name}.json"))
    }

    /// Spack's name for the file; a second spec of the same name and version gets a number.
    fn spec_path(&mut self, spec: &Arc<SpecRequest>) -> PathBuf {
        if let Some((path, _)) = self.specs.iter().find(|(_, known)| known == spec) {
            return path.clone();
        }
        let stem = format!("spec-{}-{}", file_safe(spec.spec.name()), file_safe(spec.spec.version()));
        let mut path = self.file(&format!("{stem}-config"));
        let mut number = 1;
        while self.specs.iter().any(|(taken, _)| taken == &path) {
            number += 1;
            path = self.file(&format!("{stem}-{number}-config"));
        }
        self.specs.push((path.clone(), Arc::clone(spec)));
        path
    }

    /// The file appears whole or not at all, whenever the process is killed. Its time of change is later than that of
    /// the file before, by which an upload keeps the order of the phases.
    fn write<T: Serialize>(&mut self, path: &Path, value: &T) -> Result<(), OfflineError> {
        let text = json::to_ascii(value).map_err(io::Error::from)?;
        let mode = std::fs::Permissions::from_mode(0o666);
        let mut file = tempfile::Builder::new().prefix(".tmp").permissions(mode).tempfile_in(&self.path)?;
        self.last = SystemTime::now().max(self.last + Duration::from_micros(1));
        file.write_all(&text)
            .and_then(|()| file.as_file().set_modified(self.last))
            .map_err(|error| with_path(path, &error))?;
        file.persist(path).map_err(|error| with_path(path, &error.error))?;
        Ok(())
    }
}

fn with_path(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

/// A name that stays one file in one folder.
fn file_safe(name: &str) -> String {
    name.chars().map(|c| if matches!(c, '/' | '\0') { '_' } else { c }).collect()
}

/// Saves what a Spackmon server would have been told: `--monitor-save-local`.
#[derive(Debug)]
pub struct OfflineSink {
    reporter: Reporter,
    directory: OfflineDirectory,
    failure: Option<OfflineError>,
}

impl OfflineSink {
    /// Makes `<base>/<stamp>/`, where `now` gives the stamp in the user's time zone.
    ///
    /// # Errors
    /// The folder cannot be made.
    pub fn create(base: &Path, now: &ZonedDateTime, identity: MonitorIdentity) -> Result<Self, OfflineError> {
        let identity = Arc::new(identity);
        let directory = OfflineDirectory::create(base, now, Arc::clone(&identity))?;
        let reporter = Reporter::new(identity, directory.path().to_owned());
        Ok(Self { reporter, directory, failure: None })
    }

    /// The folder of this run.
    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    fn save(&mut self, reports: Vec<Report>) {
        for report in reports {
            // One file that cannot be written does not keep the others from being; the first reason is reported.
            let failure = self.directory.save(&report).err();
            self.failure = self.failure.take().or(failure);
        }
    }
}

impl Sink for OfflineSink {
    fn accept(&mut self, event: &Event) {
        let reports = self.reporter.accept(event);
        self.save(reports);
    }

    fn concretized(&mut self, dag: &Arc<Dag>) {
        let reports = self.reporter.concretized(dag);
        self.save(reports);
    }

    fn finish(mut self: Box<Self>) -> Result<(), SinkError> {
        let reports = self.reporter.finish();
        self.save(reports);
        self.directory.remove_if_empty();
        self.failure.map_or(Ok(()), |error| Err(error.into()))
    }
}
