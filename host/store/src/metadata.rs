//! The `.spack` folder of a prefix: written before it is published, read when the index is built again.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use cap_std::fs::Dir;
use rustix::fs::{AtFlags, Mode, OFlags};
use serde::Serialize;
use sha2::{Digest, Sha256};
use spack_wasm_spec::{Dag, Node};

use crate::error::{At, FileError, StoreError};
use crate::index::PrefixFacts;
use crate::layout::{METADATA, file_name};
use crate::open::make_folder;
use crate::record::{InstallRecord, RECORD_FORMAT, RecordFile, to_seconds};
use crate::tree;

/// The concrete spec.
pub(crate) const SPEC: &str = "spec.json";
/// Our own record.
pub(crate) const RECORD: &str = "spack-wasm.json";
/// Spack's list of all entries.
pub(crate) const MANIFEST: &str = "install_manifest.json";
/// An empty file that is there when the user asked for the package.
pub(crate) const EXPLICIT: &str = "explicit";

/// What may change after an installation, and the manifest itself, which can't hold its own hash.
pub(crate) fn not_in_manifest() -> [PathBuf; 2] {
    [MANIFEST, EXPLICIT].map(|name| Path::new(METADATA).join(name))
}

/// Writes the whole folder but the manifest; the spec last, since a prefix with a spec counts as complete.
pub(crate) fn write(prefix: &Dir, shown: &Path, dag: &Dag, record: &InstallRecord) -> Result<(), FileError> {
    let folder = Folder::make(prefix, METADATA.as_ref(), shown)?;
    let provenance = record.provenance.clone();
    let installed_at = to_seconds(record.installed_at);
    folder.json(RECORD, &RecordFile { format: RECORD_FORMAT, installed_at, provenance })?;
    folder.json("install_environment.json", &record.environment)?;
    folder.json("install_times.json", &record.times)?;
    folder.text("spack-build-env.txt", &record.environment_changes)?;
    if let Some(arguments) = &record.configure_args {
        folder.text("spack-configure-args.txt", arguments)?;
    }
    if let Some(log) = &record.build_log {
        folder.copy("spack-build-out.txt", log)?;
    }
    if record.explicit {
        folder.text(EXPLICIT, "")?;
    }
    dag.roots().try_for_each(|node| write_recipe(&folder, node, record))?;
    folder.text(SPEC, &dag.to_json())
}

/// Writes the recipe where Spack has it: `repos/<namespace>/packages/<name>`.
fn write_recipe(folder: &Folder, node: &Node, record: &InstallRecord) -> Result<(), FileError> {
    let facts = &node.facts;
    let path = ["repos", &facts.namespace, "packages", &facts.name];
    let mut recipe = folder.same()?;
    for part in path {
        // Namespace and name come out of a recipe.
        recipe = Folder::make(&recipe.dir, Path::new(&file_name(part)), &recipe.shown)?;
    }
    recipe.bytes("recipe.wasm".as_ref(), &record.recipe.component)?;
    let digest = data_encoding::HEXLOWER.encode(&Sha256::digest(&record.recipe.component));
    recipe.text("recipe.wasm.sha256", &format!("{digest}  recipe.wasm\n"))?;
    for (path, contents) in &record.recipe.files {
        let mut at = recipe.same()?;
        for part in path.parent().into_iter().flat_map(Path::components) {
            at = Folder::make(&at.dir, part.as_ref(), &at.shown)?;
        }
        let name =
            path.file_name().ok_or(io::ErrorKind::InvalidFilename).at("write", recipe.shown.join(path))?;
        at.bytes(name.as_ref(), contents)?;
    }
    Ok(())
}

/// A folder that is written.
struct Folder {
    dir: Dir,
    shown: PathBuf,
}

impl Folder {
    fn make(parent: &Dir, name: &Path, parent_shown: &Path) -> Result<Self, FileError> {
        let shown = parent_shown.join(name);
        let make = || {
            make_folder(parent, name, Mode::from_raw_mode(0o755))?;
            tree::open_folder(parent, name)
        };
        Ok(Self { dir: make().at("make the folder", &shown)?, shown })
    }

    fn same(&self) -> Result<Self, FileError> {
        let dir = self.dir.try_clone().at("open the folder", &self.shown)?;
        Ok(Self { dir, shown: self.shown.clone() })
    }

    fn bytes(&self, name: &Path, contents: &[u8]) -> Result<(), FileError> {
        write_file(&self.dir, name, contents).at("write", self.shown.join(name))
    }

    fn text(&self, name: &str, text: &str) -> Result<(), FileError> {
        self.bytes(name.as_ref(), text.as_bytes())
    }

    fn json(&self, name: &str, value: &impl Serialize) -> Result<(), FileError> {
        let text = serde_json::to_string_pretty(value).map_err(io::Error::other);
        self.text(name, &text.at("write", self.shown.join(name))?)
    }

    /// Copies a file from outside the prefix.
    fn copy(&self, name: &str, from: &Path) -> Result<(), FileError> {
        let mut source = fs_err::File::open(from).at("read", from)?;
        let mut target = create(&self.dir, name.as_ref()).at("write", self.shown.join(name))?;
        io::copy(&mut source, &mut target).at("write", self.shown.join(name))?;
        Ok(())
    }
}

/// Makes a new file that everybody may read, whatever the umask is.
fn create(dir: &Dir, name: &Path) -> io::Result<File> {
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let mode = Mode::from_raw_mode(0o644);
    let file = rustix::fs::openat(dir, name, flags, mode)?;
    rustix::fs::fchmod(&file, mode)?;
    Ok(File::from(file))
}

/// Writes a new file.
pub(crate) fn write_file(dir: &Dir, name: &Path, contents: &[u8]) -> io::Result<()> {
    create(dir, name)?.write_all(contents)
}

/// Makes or removes the mark of a package that the user asked for.
pub(crate) fn set_explicit(metadata: &Dir, explicit: bool) -> io::Result<()> {
    let there = tree::exists(metadata, EXPLICIT)?;
    match (explicit, there) {
        (true, false) => write_file(metadata, EXPLICIT.as_ref(), b""),
        (false, true) => Ok(rustix::fs::unlinkat(metadata, EXPLICIT, AtFlags::empty())?),
        _ => Ok(()),
    }
}

/// Reads a prefix's concrete spec.
pub(crate) fn read_dag(path: &Path) -> Result<Dag, StoreError> {
    // Bytes that are no text are no spec either, and no trouble with the file.
    let bytes = fs_err::read(path).at("read", path)?;
    let text = String::from_utf8_lossy(&bytes);
    Dag::from_json(&text).map_err(|cause| StoreError::Spec { path: path.to_owned(), cause })
}

/// Reads our own record of a prefix.
pub(crate) fn read_record(path: &Path) -> Result<RecordFile, StoreError> {
    let text = fs_err::read_to_string(path).at("read", path)?;
    serde_json::from_str(&text).map_err(|cause| StoreError::Record { path: path.to_owned(), cause })
}

/// Whether a file is there with something in it: one of a machine that lost power may be empty.
pub(crate) fn is_written(path: &Path) -> bool {
    fs_err::metadata(path).is_ok_and(|file| file.is_file() && file.len() > 0)
}

/// Reads from a prefix what the index has of it; none where its spec has no root.
pub(crate) fn read_facts(root: &Path, prefix: &Path) -> Result<Option<PrefixFacts>, StoreError> {
    let folder = root.join(prefix).join(METADATA);
    let dag = read_dag(&folder.join(SPEC))?;
    let Some(node) = dag.roots().next() else { return Ok(None) };
    let installed_at = installed_at(&folder)?;
    let explicit = fs_err::symlink_metadata(folder.join(EXPLICIT)).is_ok();
    Ok(Some(PrefixFacts { node: Node::clone(node), prefix: prefix.to_owned(), explicit, installed_at }))
}

/// When a prefix was installed; a record that can't be read, which only a loss of power explains, costs no more than
/// this time's exactness.
fn installed_at(folder: &Path) -> Result<i64, FileError> {
    if let Ok(record) = read_record(&folder.join(RECORD)) {
        return Ok(record.installed_at);
    }
    let spec = folder.join(SPEC);
    let written = fs_err::metadata(&spec).and_then(|file| file.modified()).at("look at", &spec)?;
    Ok(to_seconds(written))
}
