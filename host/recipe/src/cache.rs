use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::io::Write;
use std::path::{Path, PathBuf};

use wasmtime::Engine;
use wasmtime::component::Component;

use crate::own_files::KeptFiles;
use crate::{FilesError, LoadError, RecipeFiles};

/// Compiled components on disk, by the digest of their bytes and the engine's configuration.
///
/// Whoever can write the folder can make the host run any code, so it has to be the user's own (mode 0700).
#[derive(Debug)]
pub(crate) struct Cache {
    folder: Option<PathBuf>,
}

impl Cache {
    /// A cache in `folder`, or one that keeps nothing.
    pub(crate) fn open(folder: Option<&Path>) -> Result<Self, LoadError> {
        if let Some(folder) = folder {
            private_folder(folder)
                .map_err(|source| LoadError::Cache { folder: folder.to_owned(), source })?;
        }
        Ok(Self { folder: folder.map(Path::to_owned) })
    }

    /// A recipe's own files, where its instances can see them; none where it has none.
    pub(crate) fn own_files(&self, files: &RecipeFiles) -> Result<Option<KeptFiles>, LoadError> {
        if files.is_empty() {
            return Ok(None);
        }
        let kept = match &self.folder {
            Some(folder) => KeptFiles::in_cache(folder, files),
            None => KeptFiles::passing(files),
        };
        let folder = self.folder.clone().unwrap_or_else(|| "/tmp".into());
        kept.map(Some).map_err(|source| FilesError::Show { folder, source }.into())
    }

    /// The component of `bytes`, compiled now or earlier.
    pub(crate) fn component(
        &self,
        engine: &Engine,
        digest: &str,
        bytes: &[u8],
    ) -> Result<Component, LoadError> {
        let compile = || compile(engine, bytes);
        let Some(folder) = &self.folder else { return compile() };
        let path = folder.join(format!("{digest}-{}.cwasm", configuration(engine)));
        if let Some(component) = load(engine, &path) {
            return Ok(component);
        }
        let component = compile()?;
        keep(folder, &path, &component)
            .map_err(|source| LoadError::Cache { folder: folder.clone(), source })?;
        Ok(component)
    }
}

fn compile(engine: &Engine, bytes: &[u8]) -> Result<Component, LoadError> {
    Component::from_binary(engine, bytes).map_err(|error| LoadError::Compile { reason: format!("{error:#}") })
}

/// A short name for everything that makes a compiled component fit an engine.
pub(crate) fn configuration(engine: &Engine) -> String {
    let mut hasher = DefaultHasher::new();
    engine.precompile_compatibility_hash().hash(&mut hasher);
    format!("{:016x}", hasher.finish())
}

/// A file that does not fit or is damaged counts as absent: it is compiled again and replaced.
fn load(engine: &Engine, path: &Path) -> Option<Component> {
    if !path.is_file() {
        return None;
    }
    #[expect(unsafe_code, reason = "wasmtime has no safe way to map compiled code")]
    // SAFETY: the file lies in a folder that only this user can write, and was written whole by `keep`.
    unsafe { Component::deserialize_file(engine, path) }.ok()
}

fn keep(folder: &Path, path: &Path, component: &Component) -> std::io::Result<()> {
    let compiled = component.serialize().map_err(std::io::Error::other)?;
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(&compiled)?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}

fn private_folder(folder: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::{DirBuilderExt, MetadataExt};

    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    let metadata = fs_err::metadata(folder)?;
    let ours = metadata.uid() == rustix::process::geteuid().as_raw() && metadata.mode() & 0o022 == 0;
    if ours { Ok(()) } else { Err(std::io::Error::other("others can write the folder")) }
}
