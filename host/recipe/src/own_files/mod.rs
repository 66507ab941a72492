//! A recipe's own files: those beside its component, such as patches.
//!
//! They are read once, with limits. What is hashed, applied to sources, shown to the recipe and kept in the prefix are the
//! same bytes, whatever happens to the folder meanwhile.

mod error;
mod kept;
mod read;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use cap_std::ambient_authority;
use cap_std::fs::{Dir, DirBuilder, DirBuilderExt, OpenOptions, OpenOptionsExt, Permissions, PermissionsExt};
use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};

pub use error::FilesError;
pub(crate) use kept::KeptFiles;

/// The time of every file that is shown to a recipe, in seconds since 1970: the first day of 1980, before which zip archives
/// know no time.
const TIME: Duration = Duration::from_secs(315_532_800);

/// The files of a recipe beside its component, by their paths below its folder.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RecipeFiles(Arc<BTreeMap<PathBuf, Cow<'static, [u8]>>>);

impl RecipeFiles {
    /// Files that are part of the program.
    pub(crate) fn embedded(files: &'static [(&'static str, &'static [u8])]) -> Self {
        let files = files.iter().map(|(path, contents)| (PathBuf::from(path), Cow::Borrowed(*contents)));
        Self(Arc::new(files.collect()))
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The contents of a file.
    pub fn get(&self, path: impl AsRef<Path>) -> Option<&[u8]> {
        self.0.get(path.as_ref()).map(AsRef::as_ref)
    }

    /// All of them, sorted by path.
    pub fn iter(&self) -> impl Iterator<Item = (&Path, &[u8])> {
        self.0.iter().map(|(path, contents)| (path.as_path(), contents.as_ref()))
    }

    /// SHA-256 over the paths, lengths and contents, in hexadecimal.
    pub fn digest(&self) -> String {
        let mut hasher = Sha256::new();
        for (path, contents) in self.iter() {
            hasher.update(format!("{}\0{}\0", path.display(), contents.len()));
            hasher.update(contents);
        }
        HEXLOWER.encode(&hasher.finalize())
    }

    /// Writes them into an empty folder: everybody may read them, whatever the umask is, and nobody write them.
    ///
    /// # Errors
    /// The folder can't be written.
    pub fn write(&self, folder: &Path) -> io::Result<()> {
        let folder = Dir::open_ambient_dir(folder, ambient_authority())?;
        for (path, contents) in self.iter() {
            let parents = path.ancestors().skip(1).filter(|parent| !parent.as_os_str().is_empty());
            for parent in parents.collect::<Vec<_>>().into_iter().rev() {
                make_folder(&folder, parent)?;
            }
            write_file(&folder, path, contents)?;
        }
        Ok(())
    }
}

fn make_folder(folder: &Dir, path: &Path) -> io::Result<()> {
    match folder.create_dir_with(path, DirBuilder::new().mode(0o755)) {
        Ok(()) => folder.set_permissions(path, Permissions::from_mode(0o755)),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error),
    }
}

fn write_file(folder: &Dir, path: &Path, contents: &[u8]) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true).mode(0o444);
    let mut file = folder.open_with(path, &options)?;
    file.write_all(contents)?;
    file.set_permissions(Permissions::from_mode(0o444))?;
    file.into_std().set_modified(SystemTime::UNIX_EPOCH + TIME)
}

#[cfg(test)]
mod tests {
    use super::*;

    static FILES: &[(&str, &[u8])] = &[("a.patch", b"a"), ("files/x/y", b"y")];

    #[test]
    fn files_are_written_for_everybody_to_read() {
        use std::os::unix::fs::MetadataExt;

        let folder = tempfile::tempdir().unwrap();
        let files = RecipeFiles::embedded(FILES);
        files.write(folder.path()).unwrap();
        let deep = fs_err::metadata(folder.path().join("files/x/y")).unwrap();
        assert_eq!((deep.mode() & 0o777, deep.mtime()), (0o444, 315_532_800));
        assert_eq!(fs_err::metadata(folder.path().join("files/x")).unwrap().mode() & 0o777, 0o755);
        assert_eq!(RecipeFiles::read(folder.path()).unwrap(), files);
        assert_eq!(files.get("a.patch"), Some(&b"a"[..]));
    }

    #[test]
    fn the_digest_tells_names_and_contents_apart() {
        static OTHERS: &[(&str, &[u8])] = &[("a.patch", b"b"), ("files/x/y", b"y")];
        static MOVED: &[(&str, &[u8])] = &[("a.patch", b"a"), ("files/x/z", b"y")];
        let digests: std::collections::BTreeSet<_> =
            [FILES, OTHERS, MOVED, &[]].map(|files| RecipeFiles::embedded(files).digest()).into();
        assert_eq!(digests.len(), 4);
        // A changed digest is another DAG hash of every recipe that has files.
        let pinned = "823f38db3176c35097c4e1d7356ddf6cacb1d5a1ce0455262dc08e9843e443bb";
        assert_eq!(RecipeFiles::embedded(FILES).digest(), pinned);
    }
}
