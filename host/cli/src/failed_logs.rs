//! Finding the logs of failed builds again: a folder with one file for each node whose last build failed.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use spack_wasm_build::Failure;
use spack_wasm_spec::{AbstractSpec, Dag, DagHash};

use crate::paths::make_private;

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

/// The log of the newest failed build of a package that a spec fits, if it is still there.
pub(crate) fn find(folder: &Path, spec: &AbstractSpec) -> Option<PathBuf> {
    let entries = fs_err::read_dir(folder).ok()?.filter_map(|entry| Some(entry.ok()?.path()));
    let mut logs: Vec<_> = entries
        .filter_map(|path| {
            let record: Record = serde_json::from_slice(&fs_err::read(&path).ok()?).ok()?;
            let dag = Dag::from_json(&record.spec).ok()?;
            let wanted = dag.roots().any(|node| spec.satisfied_by(&dag, node));
            let written = fs_err::metadata(&record.log).ok()?.modified().ok()?;
            wanted.then_some((written, record.log))
        })
        .collect();
    logs.sort();
    logs.pop().map(|(_, log)| log)
}

fn file(folder: &Path, hash: &DagHash) -> PathBuf {
    folder.join(format!("{hash}.json"))
}
