use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use fs_err as fs;
use tempfile::TempDir;

use super::RecipeFiles;

/// Where a recipe's own files lie on the disk, for its instances to see.
#[derive(Clone, Debug)]
pub(crate) enum KeptFiles {
    /// In the user's cache, under their digest.
    Cached(PathBuf),
    /// In a folder that goes with the recipe: the host keeps nothing.
    Passing(Arc<TempDir>),
}

impl KeptFiles {
    /// Files in a cache that only the user can write. What is there already is compared.
    pub(crate) fn in_cache(cache: &Path, files: &RecipeFiles) -> io::Result<Self> {
        let place = cache.join(format!("{}.files", files.digest()));
        if has(&place, files) {
            return Ok(Self::Cached(place));
        }
        let fresh = tempfile::Builder::new().prefix(".files-").tempdir_in(cache)?;
        files.write(fresh.path())?;
        if place.exists() {
            fs::remove_dir_all(&place)?;
        }
        match fs::rename(fresh.path(), &place) {
            Ok(()) => drop(fresh.keep()),
            // Another process was faster.
            Err(_) if has(&place, files) => {}
            Err(error) => return Err(error),
        }
        Ok(Self::Cached(place))
    }

    /// Files in a folder of their own.
    pub(crate) fn passing(files: &RecipeFiles) -> io::Result<Self> {
        let folder = tempfile::Builder::new().prefix("spack-wasm-recipe-").tempdir_in("/tmp")?;
        files.write(folder.path())?;
        Ok(Self::Passing(Arc::new(folder)))
    }

    pub(crate) fn folder(&self) -> &Path {
        match self {
            Self::Cached(folder) => folder,
            Self::Passing(folder) => folder.path(),
        }
    }
}

fn has(place: &Path, files: &RecipeFiles) -> bool {
    RecipeFiles::read(place).is_ok_and(|found| found == *files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_written_once_and_put_right_when_somebody_changed_them() {
        static FILES: &[(&str, &[u8])] = &[("files/x", b"x")];
        let cache = tempfile::tempdir().unwrap();
        let files = RecipeFiles::embedded(FILES);
        let kept = KeptFiles::in_cache(cache.path(), &files).unwrap();
        let file = kept.folder().join("files/x");
        let written = |file: &Path| fs::metadata(file).unwrap().created().unwrap();
        let first = written(&file);
        KeptFiles::in_cache(cache.path(), &files).unwrap();
        assert_eq!(written(&file), first);

        fs::remove_file(&file).unwrap();
        fs::write(&file, "evil").unwrap();
        KeptFiles::in_cache(cache.path(), &files).unwrap();
        assert_eq!(fs::read(&file).unwrap(), b"x");
        assert_eq!(fs::read_dir(cache.path()).unwrap().count(), 1, "nothing is left behind");
    }
}
