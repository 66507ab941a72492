//! The folders of one build on the host: what the tools see as `/build`, and beside it what they must not write.

use std::io;
use std::path::{Path, PathBuf};

use cap_std::ambient_authority;
use cap_std::fs::Dir;
use rustix::fs::{AtFlags, FileType};
use rustix::process::{Gid, Uid};
use spack_wasm_recipe_host::RecipeFiles;
use spack_wasm_spec::Node;
use spack_wasm_store::{BuildIdentity, Stage, StageArea};

use crate::error::BuildError;

/// Where tools and recipe see the stage, where paths can be chosen.
pub(crate) const STAGE: &str = "/build";

/// The folder of the sources in the stage, as in Spack's stages.
pub(crate) const SOURCE: &str = "spack-src";

/// The folders of one build.
pub(crate) struct Workspace {
    stage: Stage,
    /// What tools see as the stage.
    pub(crate) build: PathBuf,
    /// The compiler wrapper's folder.
    pub(crate) wrapper: PathBuf,
    /// The job server's FIFO, where there is one.
    pub(crate) jobserver: PathBuf,
    /// The recipe's own files; none where it has none.
    pub(crate) recipe: Option<PathBuf>,
    /// The log.
    pub(crate) log: PathBuf,
}

impl Workspace {
    pub(crate) fn create(area: &StageArea, node: &Node, files: &RecipeFiles) -> Result<Self, BuildError> {
        let stage = area.create(node, None)?;
        let path = stage.path();
        let workspace = Self {
            build: path.join("build"),
            wrapper: path.join("compiler-wrapper"),
            jobserver: path.join("jobserver"),
            recipe: (!files.is_empty()).then(|| path.join("recipe")),
            log: path.join("spack-build-out.txt"),
            stage,
        };
        for folder in [&workspace.build, &workspace.wrapper].into_iter().chain(&workspace.recipe) {
            make_folder(folder).map_err(|source| BuildError::Stage { path: folder.clone(), source })?;
        }
        if let Some(path) = &workspace.recipe {
            files.write(path).map_err(|source| BuildError::Stage { path: path.clone(), source })?;
        }
        Ok(workspace)
    }

    /// The stage, as a handle that can't be left.
    pub(crate) fn open(&self) -> Result<Dir, BuildError> {
        Dir::open_ambient_dir(&self.build, ambient_authority()).map_err(|source| self.error(source))
    }

    /// Gives the stage and everything in it to the build's user.
    pub(crate) fn give_to(&self, identity: Option<BuildIdentity>) -> Result<(), BuildError> {
        let Some(identity) = identity else { return Ok(()) };
        let dir = self.open()?;
        give(&dir, identity).map_err(|source| self.error(source))
    }

    /// The newest time of a file in the stage, in seconds since 1970: the date of the sources.
    pub(crate) fn newest(&self) -> Result<u64, BuildError> {
        newest(&self.open()?).map_err(|source| self.error(source))
    }

    /// Leaves the folders to the user, and says where they are.
    pub(crate) fn keep(self) -> Option<PathBuf> {
        self.stage.keep().ok()
    }

    fn error(&self, source: io::Error) -> BuildError {
        BuildError::Stage { path: self.build.clone(), source }
    }
}

/// A folder that everybody may enter, whatever the umask is: the build's user is somebody else.
fn make_folder(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;

    fs_err::create_dir(path)?;
    fs_err::set_permissions(path, std::fs::Permissions::from_mode(0o755))
}

fn give(dir: &Dir, identity: BuildIdentity) -> io::Result<()> {
    let (uid, gid) = (Some(Uid::from_raw(identity.uid)), Some(Gid::from_raw(identity.gid)));
    // By name: the handle is one that can only be walked from (`O_PATH`).
    rustix::fs::chownat(dir, ".", uid, gid, AtFlags::SYMLINK_NOFOLLOW)?;
    for entry in dir.entries()? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            give(&entry.open_dir()?, identity)?;
        } else {
            rustix::fs::chownat(dir, entry.file_name(), uid, gid, AtFlags::SYMLINK_NOFOLLOW)?;
        }
    }
    Ok(())
}

fn newest(dir: &Dir) -> io::Result<u64> {
    let mut latest = 0;
    for entry in dir.entries()? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            latest = latest.max(newest(&entry.open_dir()?)?);
            continue;
        }
        let stat = rustix::fs::statat(dir, entry.file_name(), AtFlags::SYMLINK_NOFOLLOW)?;
        if FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile {
            latest = latest.max(u64::try_from(stat.st_mtime).unwrap_or(0));
        }
    }
    Ok(latest)
}
