//! Working folders of builds.
//!
//! A stage lies wherever `config:build_stage` says, which several stores may share, so that no store's lock says who
//! uses it. A note beside each stage names its process instead; a stage without a note was kept for the user.

use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Path, PathBuf};

use cap_std::ambient_authority;
use cap_std::fs::Dir;
use rustix::fs::{AtFlags, Mode};
use rustix::process::{Gid, Uid, geteuid};
use spack_wasm_spec::Node;

use crate::error::{At, FileError};
use crate::layout::file_name;
use crate::open::make_folder;
use crate::pending::{BuildIdentity, unique_name};
use crate::process::{Liveness, ProcessIdentity};
use crate::{metadata, tree};

/// How the names of stages begin.
const PREFIX: &str = "spack-wasm-stage-";
/// How the names of notes end.
const NOTE: &str = ".owner";

/// A folder that holds stages.
#[derive(Debug)]
pub struct StageArea {
    path: PathBuf,
    dir: Dir,
}

/// A working folder; removed on drop unless it is kept.
#[derive(Debug)]
pub struct Stage {
    area: PathBuf,
    parent: Dir,
    dir: Dir,
    name: String,
    kept: bool,
}

impl StageArea {
    /// Opens the folder for stages at `path`, made where it isn't there.
    ///
    /// # Errors
    /// It can't be made, or it belongs to another user, who could exchange what is built in it.
    pub fn open(path: &Path) -> Result<Self, FileError> {
        if fs_err::metadata(path).is_err() {
            fs_err::create_dir_all(path).at("make the folder for stages", path)?;
            rustix::fs::chmod(path, Mode::from_raw_mode(0o755)).at("set the mode of", path)?;
        }
        let path = fs_err::canonicalize(path).at("open the folder for stages", path)?;
        let dir =
            Dir::open_ambient_dir(&path, ambient_authority()).at("open the folder for stages", &path)?;
        let owner = tree::stat(&dir, ".").at("look at", &path)?.st_uid;
        if owner != geteuid().as_raw() {
            let why = format!("it belongs to user {owner}; set config:build_stage to a folder of your own");
            return Err(io::Error::new(io::ErrorKind::PermissionDenied, why))
                .at("use the folder for stages", path);
        }
        Ok(Self { path, dir })
    }

    /// Makes an empty stage for a build of `node`, which belongs to the build's user where there is one. Stages that were
    /// kept of earlier builds of the same spec go, so that at most the newest stays.
    ///
    /// # Errors
    /// It can't be made.
    pub fn create(&self, node: &Node, identity: Option<BuildIdentity>) -> Result<Stage, FileError> {
        let spec = file_name(&format!("{}-{}", node.facts.name, node.facts.version));
        // What can't be removed is no reason not to build.
        drop(self.remove_kept(&format!("{PREFIX}{spec}-{}-", node.hash)));
        let name = format!("{PREFIX}{spec}-{}", unique_name(&node.hash));
        let full = self.path.join(&name);
        let owner = serde_json::to_vec(&ProcessIdentity::current()?).map_err(io::Error::other);
        let parent = self.dir.try_clone().at("open", &self.path)?;
        owner
            .and_then(|owner| metadata::write_file(&parent, note_of(&name).as_ref(), &owner))
            .at("write beside", &full)?;
        make_folder(&parent, &name, Mode::from_raw_mode(0o755)).at("make the stage", &full)?;
        let dir = tree::open_folder(&parent, &name).at("open the stage", &full)?;
        let stage = Stage { area: self.path.clone(), parent, dir, name, kept: false };
        if let Some(BuildIdentity { uid, gid }) = identity {
            rustix::fs::fchown(&stage.dir, Some(Uid::from_raw(uid)), Some(Gid::from_raw(gid)))
                .at("give away", full)?;
        }
        Ok(stage)
    }

    /// Removes the stages with this beginning that were kept for the user: those without a note.
    fn remove_kept(&self, beginning: &str) -> io::Result<()> {
        let names = tree::names(&self.dir)?;
        let of_spec = |name: &&OsString| {
            name.to_str().is_some_and(|name| name.starts_with(beginning) && stage_of(name).is_none())
        };
        for name in names.iter().filter(of_spec) {
            // Asked now and not of the list: a stage's note is there before and behind its folder.
            let mut note = name.clone();
            note.push(NOTE);
            if !tree::exists(&self.dir, &note)? {
                tree::remove(&self.dir, name)?;
            }
        }
        Ok(())
    }

    /// Removes the stages of dead processes, and says which; to be called when a command starts.
    ///
    /// # Errors
    /// One can't be removed.
    pub fn collect_leftovers(&self) -> Result<Vec<PathBuf>, FileError> {
        let mut removed = Vec::new();
        for note in tree::names(&self.dir).at("list", &self.path)? {
            let Some(stage) = note.to_str().and_then(stage_of) else { continue };
            if self.is_dead(&note)? {
                remove(&self.dir, stage).at("remove", self.path.join(stage))?;
                removed.push(self.path.join(stage));
            }
        }
        Ok(removed)
    }

    /// Whether the process that a note names has ended; a note that can't be read was being written when it did.
    fn is_dead(&self, note: &OsStr) -> Result<bool, FileError> {
        let path = self.path.join(note);
        let text = match self.dir.read(note) {
            // Its process has just removed it.
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            text => text.at("read", path)?,
        };
        match serde_json::from_slice::<ProcessIdentity>(&text) {
            Ok(owner) => Ok(owner.liveness()? == Liveness::Dead),
            Err(_) => self.is_old(note),
        }
    }

    /// Whether a torn note can't be one that a living process is writing right now.
    fn is_old(&self, note: &OsStr) -> Result<bool, FileError> {
        let metadata = self.dir.symlink_metadata(note).at("look at", self.path.join(note))?;
        let age = metadata.modified().ok().and_then(|time| time.into_std().elapsed().ok());
        Ok(age.is_some_and(|age| age.as_secs() > 60))
    }
}

impl Stage {
    /// Where it is.
    pub fn path(&self) -> PathBuf {
        self.area.join(&self.name)
    }

    /// The folder, as a handle that can't be left.
    pub fn dir(&self) -> &Dir {
        &self.dir
    }

    /// Leaves the stage to the user, and says where it is.
    ///
    /// # Errors
    /// The note beside it can't be removed; then the next command removes the stage.
    pub fn keep(mut self) -> Result<PathBuf, FileError> {
        let path = self.path();
        self.kept = true;
        rustix::fs::unlinkat(&self.parent, note_of(&self.name), AtFlags::empty()).at("keep", &path)?;
        Ok(path)
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        if !self.kept {
            // What can't be removed now is removed by the next command.
            drop(remove(&self.parent, &self.name));
        }
    }
}

/// Removes a stage, then its note.
fn remove(parent: &Dir, stage: &str) -> io::Result<()> {
    tree::remove(parent, OsStr::new(stage))?;
    tree::remove(parent, OsStr::new(&note_of(stage)))
}

fn note_of(stage: &str) -> String {
    format!("{stage}{NOTE}")
}

/// The stage that a note of this name is about.
fn stage_of(note: &str) -> Option<&str> {
    note.strip_suffix(NOTE).filter(|stage| stage.starts_with(PREFIX))
}
