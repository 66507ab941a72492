//! Finding the logs of failed builds again: a folder with one file for each node whose last build failed.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use serde::{Deserialize, Serialize};
use spack_wasm_build::Failure;
use spack_wasm_spec::{AbstractSpec, Dag, DagHash};

use crate::paths::make_private;

/// A build that has ended and whose log can be read. Later ones are greater.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Logged {
    /// When it ended.
    pub(crate) ended: SystemTime,
    /// Whether it failed.
    pub(crate) failed: bool,
    /// The package, as `name@version/hash`.
    pub(crate) package: String,
    /// Its log.
    pub(crate) log: PathBuf,
}

/// What is kept of a failed build.
#[derive(Serialize, Deserialize)]
struct Record {
    log: PathBuf,
    /// The text of a `spec.json`.
    spec: String,
}

/// Remembers where the log of a failed build is. What can't be remembered is only harder to find.
pub(crate) fn remember(folder: &Path, dag: &Dag, failure: &Failure) {
    let (Some(log), Some(spec)) = (&failure.log, dag.subdag(&failure.node.hash)) else { return };
    let record = Record { log: log.clone(), spec: spec.to_json() };
    if let (Ok(()), Ok(text)) = (make_private(folder), serde_json::to_vec(&record)) {
        let _ = fs_err::write(file(folder, &failure.node.hash), text);
    }
}

/// Forgets a failure, since the package is installed now.
pub(crate) fn forget(folder: &Path, hash: &DagHash) {
    let _ = fs_err::remove_file(file(folder, hash));
}

/// The failed builds of packages that a spec fits whose logs are still there.
pub(crate) fn find(folder: &Path, spec: &AbstractSpec) -> Vec<Logged> {
    let Ok(entries) = fs_err::read_dir(folder) else { return Vec::new() };
    entries.filter_map(|entry| read(&entry.ok()?.path(), spec)).collect()
}

/// One that the spec does not fit, and whatever is no record, is passed over.
fn read(path: &Path, spec: &AbstractSpec) -> Option<Logged> {
    let record: Record = serde_json::from_slice(&fs_err::read(path).ok()?).ok()?;
    let dag = Dag::from_json(&record.spec).ok()?;
    let node = dag.roots().find(|node| spec.satisfied_by(&dag, node))?;
    let ended = fs_err::metadata(&record.log).ok()?.modified().ok()?;
    let package = format!("{}/{}", node.name_version(), node.hash.short());
    Some(Logged { ended, failed: true, package, log: record.log })
}

fn file(folder: &Path, hash: &DagHash) -> PathBuf {
    folder.join(format!("{hash}.json"))
}
