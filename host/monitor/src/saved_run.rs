use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::wire::{BuildId, BuildRequest, BuildStatus};

/// The files of one saved run, by what they hold, each kind in the order in which it is sent.
#[derive(Debug, Default)]
pub(crate) struct SavedRun {
    pub(crate) specs: Vec<PathBuf>,
    pub(crate) metadata: Vec<PathBuf>,
    pub(crate) phases: Vec<PathBuf>,
    pub(crate) statuses: Vec<PathBuf>,
}

impl SavedRun {
    /// Every folder at or below `directory` that holds a saved run, sorted by path.
    ///
    /// Links to folders are not followed, so there are no circles. `unreadable` is told the folders below that can't be
    /// listed.
    pub(crate) fn find(
        directory: &Path,
        unreadable: &mut dyn FnMut(PathBuf, io::Error),
    ) -> io::Result<Vec<Self>> {
        let (mut found, mut folders) = (Vec::new(), vec![directory.to_owned()]);
        while let Some(folder) = folders.pop() {
            let (run, mut below) = match Self::list(&folder) {
                Err(error) if folder != directory => {
                    unreadable(folder, error);
                    continue;
                }
                listed => listed?,
            };
            found.extend(run);
            below.sort_by(|a, b| b.cmp(a));
            folders.append(&mut below);
        }
        Ok(found)
    }

    /// The run that `folder` itself holds, and the folders in it.
    fn list(folder: &Path) -> io::Result<(Option<Self>, Vec<PathBuf>)> {
        let (mut run, mut below, mut phases) = (Self::default(), Vec::new(), Vec::new());
        for entry in fs_err::read_dir(folder)? {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                below.push(entry.path());
                continue;
            }
            match Kind::of(&entry.file_name().to_string_lossy()) {
                Some(Kind::Spec) => run.specs.push(entry.path()),
                Some(Kind::Metadata) => run.metadata.push(entry.path()),
                Some(Kind::Phase) => phases.push((modified(&entry), entry.path())),
                Some(Kind::Status) => run.statuses.push(entry.path()),
                None => {}
            }
        }
        run.specs.sort();
        run.metadata.sort();
        run.statuses.sort();
        // A phase's file is written when the phase ends; the name decides where a copy has lost the times.
        phases.sort();
        run.phases = phases.into_iter().map(|(_, path)| path).collect();
        // A store, too, has files that begin with `spec`.
        let any = !run.metadata.is_empty() || run.specs.iter().any(|path| is_saved_spec(path));
        Ok((any.then_some(run), below))
    }
}

/// A run whose concretization failed has nothing else.
fn is_saved_spec(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    name.starts_with("spec-") && name.ends_with("-config.json")
}

fn modified(entry: &fs_err::DirEntry) -> Option<SystemTime> {
    entry.metadata().and_then(|metadata| metadata.modified()).ok()
}

enum Kind {
    Spec,
    Metadata,
    Phase,
    Status,
}

impl Kind {
    /// By the patterns that Spack's own upload uses.
    fn of(name: &str) -> Option<Self> {
        if !name.ends_with(".json") {
            None
        } else if name.starts_with("spec") {
            Some(Self::Spec)
        } else if name.starts_with("build-metadata") {
            Some(Self::Metadata)
        } else if name.starts_with("build") && name.contains("phase") {
            Some(Self::Phase)
        } else if name.starts_with("build") && name.contains("status") {
            Some(Self::Status)
        } else {
            None
        }
    }
}

/// The local id in the name of a metadata file.
pub(crate) fn id_of_metadata(path: &Path) -> Option<String> {
    let name = path.file_name()?.to_str()?;
    let id = name.strip_prefix("build-metadata-")?.strip_suffix(".json")?;
    Some(id.to_owned())
}

/// A saved spec, checked for what the server needs.
pub(crate) struct SavedSpec {
    /// The file as it is.
    pub(crate) text: Vec<u8>,
    /// What each node depends on directly, by `full_hash`.
    pub(crate) edges: BTreeMap<String, Vec<String>>,
}

impl SavedSpec {
    pub(crate) fn read(path: &Path) -> Result<Self, String> {
        let text = read(path)?;
        let value: Value = parse(&text)?;
        filled(&value, "spack_version")?;
        let spec = value.get("spec").ok_or("there is no `spec` in it")?;
        // A stored `spec.json` has one more level.
        let spec = spec.get("spec").unwrap_or(spec);
        let nodes =
            spec.get("nodes").and_then(Value::as_array).ok_or("there is no list `nodes` in its `spec`")?;
        let edges = nodes.iter().map(edges_of).collect::<Result<_, _>>()?;
        Ok(Self { text, edges })
    }
}

fn edges_of(node: &Value) -> Result<(String, Vec<String>), String> {
    filled(node, "name")?;
    filled(node, "hash")?;
    let hash = filled(node, "full_hash")?.to_owned();
    let dependencies = node.get("dependencies").and_then(Value::as_array).into_iter().flatten();
    let below = dependencies.filter_map(|edge| edge.get("full_hash")?.as_str().map(str::to_owned));
    Ok((hash, below.collect()))
}

/// A saved request for a build, checked for what the server needs.
pub(crate) struct SavedBuild {
    /// The file as it is.
    pub(crate) text: Vec<u8>,
    /// Which spec it is a build of.
    pub(crate) full_hash: String,
}

impl SavedBuild {
    pub(crate) fn read(path: &Path) -> Result<Self, String> {
        let text = read(path)?;
        let request: BuildRequest = parse(&text)?;
        if let Some((name, _)) = request.required().iter().find(|(_, value)| value.is_empty()) {
            return Err(format!("`{name}` is empty"));
        }
        Ok(Self { text, full_hash: request.full_hash })
    }
}

/// A saved update of a phase or status; everything but the id is sent as it is.
#[derive(Deserialize, Serialize)]
pub(crate) struct SavedUpdate {
    pub(crate) build_id: BuildId,
    #[serde(flatten)]
    rest: Map<String, Value>,
}

impl SavedUpdate {
    pub(crate) fn read_phase(path: &Path) -> Result<Self, String> {
        let update: Self = parse(&read(path)?)?;
        update.field("phase_name")?;
        update.field("status")?;
        Ok(update)
    }

    pub(crate) fn read_status(path: &Path) -> Result<Self, String> {
        let update: Self = parse(&read(path)?)?;
        let status = update.field("status")?;
        match serde_json::from_value::<BuildStatus>(status.into()) {
            Ok(_) => Ok(update),
            Err(_) => Err(format!("`{status}` is no status of a build")),
        }
    }

    fn field(&self, name: &str) -> Result<&str, String> {
        text_of(self.rest.get(name), name)
    }
}

fn filled<'a>(value: &'a Value, name: &str) -> Result<&'a str, String> {
    text_of(value.get(name), name)
}

fn text_of<'a>(value: Option<&'a Value>, name: &str) -> Result<&'a str, String> {
    let text = value.and_then(Value::as_str).filter(|text| !text.is_empty());
    text.ok_or_else(|| format!("`{name}` is missing or no text"))
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    // The path stands beside the reason already.
    fs_err::read(path).map_err(|error| error.kind().to_string())
}

fn parse<T: DeserializeOwned>(text: &[u8]) -> Result<T, String> {
    serde_json::from_slice(text).map_err(|error| error.to_string())
}

/// All specs of a run, each after everything that depends on it: the order in which the states of builds are sent,
/// since the real server changes those of the dependencies with each one.
pub(crate) fn dependents_first(edges: &BTreeMap<String, Vec<String>>) -> Vec<&str> {
    let (mut order, mut seen) = (Vec::new(), BTreeSet::new());
    let mut stack: Vec<(&str, bool)> = edges.keys().map(|hash| (hash.as_str(), false)).collect();
    while let Some((hash, below_done)) = stack.pop() {
        if below_done {
            order.push(hash);
        } else if seen.insert(hash) {
            stack.push((hash, true));
            let below = edges.get(hash).into_iter().flatten();
            stack.extend(below.map(|hash| (hash.as_str(), false)));
        }
    }
    order.reverse();
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dependents_come_before_what_they_depend_on() {
        let edges = |list: &[(&str, &[&str])]| -> BTreeMap<String, Vec<String>> {
            let owned = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
            list.iter().map(|(hash, below)| ((*hash).to_owned(), owned(below))).collect()
        };
        let chain = edges(&[("a", &["c"]), ("b", &["a", "c"]), ("c", &["d"])]);
        assert_eq!(dependents_first(&chain), ["b", "a", "c", "d"]);
        let circle = edges(&[("a", &["b"]), ("b", &["a"])]);
        assert_eq!(dependents_first(&circle).len(), 2);
    }
}
