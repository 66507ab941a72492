use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use cap_std::ambient_authority;
use cap_std::fs::Dir;

use super::{FilesError, RecipeFiles};

/// More files than any recipe of Spack's has, many times over.
pub(super) const MOST_FILES: usize = 2048;
/// Bytes of all files together.
pub(super) const MOST_BYTES: u64 = 64 << 20;
/// How deep folders may be.
pub(super) const DEEPEST: usize = 16;

/// What is not a file of the recipe's own: the component, and its checksum as a prefix has it.
const COMPONENT: [&str; 2] = ["recipe.wasm", "recipe.wasm.sha256"];

impl RecipeFiles {
    /// Everything in a folder that is the recipe's alone, as `packages/<name>` of a repository is. Names that begin with a dot
    /// are an editor's or a version control system's.
    ///
    /// # Errors
    /// Something in it can't be read or is no file, a link leads out of it, or there is too much.
    pub fn read(folder: &Path) -> Result<Self, FilesError> {
        Reader::read(folder, |path| !COMPONENT.iter().any(|name| path == Path::new(name)))
    }

    /// What belongs to a recipe by its name, in a folder that other things may be in too: patches (`*.patch`, `*.diff`) beside the
    /// component, and all that is in `files` and `patches`.
    ///
    /// # Errors
    /// As [`RecipeFiles::read`].
    pub fn read_by_name(folder: &Path) -> Result<Self, FilesError> {
        Reader::read(folder, belongs)
    }
}

fn belongs(path: &Path) -> bool {
    let named = path.starts_with("files") || path.starts_with("patches");
    let is_patch = path.extension().is_some_and(|extension| extension == "patch" || extension == "diff");
    named || (is_patch && path.components().count() == 1)
}

struct Reader<'a> {
    shown: &'a Path,
    root: Dir,
    belongs: fn(&Path) -> bool,
    files: BTreeMap<PathBuf, Cow<'static, [u8]>>,
    bytes: u64,
}

impl<'a> Reader<'a> {
    fn read(shown: &'a Path, belongs: fn(&Path) -> bool) -> Result<RecipeFiles, FilesError> {
        let root = Dir::open_ambient_dir(shown, ambient_authority())
            .map_err(|source| FilesError::Read { path: shown.to_owned(), source })?;
        let mut reader = Self { shown, root, belongs, files: BTreeMap::new(), bytes: 0 };
        reader.folder(Path::new(""), 0)?;
        Ok(RecipeFiles(Arc::new(reader.files)))
    }

    fn folder(&mut self, below: &Path, depth: usize) -> Result<(), FilesError> {
        let here = if below.as_os_str().is_empty() { Path::new(".") } else { below };
        let entries = self.root.read_dir(here).map_err(|source| self.error(below, source))?;
        for entry in entries {
            let entry = entry.map_err(|source| self.error(below, source))?;
            let name = entry.file_name();
            if name.as_encoded_bytes().starts_with(b".") {
                continue;
            }
            let path = below.join(&name);
            if !(self.belongs)(&path) {
                continue;
            }
            if !name.to_str().is_some_and(is_printable) {
                let name = name.to_string_lossy().into_owned();
                return Err(FilesError::Name { folder: self.shown.join(below), name });
            }
            let kind = entry.file_type().map_err(|source| self.error(&path, source))?;
            match kind {
                kind if kind.is_dir() && depth < DEEPEST => self.folder(&path, depth + 1)?,
                kind if kind.is_dir() => return Err(self.too_much()),
                kind if kind.is_symlink() => self.link(path)?,
                kind if kind.is_file() => self.file(path)?,
                _ => return Err(FilesError::Kind { path: self.shown.join(path) }),
            }
        }
        Ok(())
    }

    /// A link counts as the file that it leads to, within the folder.
    fn link(&mut self, path: PathBuf) -> Result<(), FilesError> {
        match self.root.metadata(&path) {
            Ok(target) if target.is_file() => self.file(path),
            Ok(_) => Err(FilesError::Link { path: self.shown.join(path) }),
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                Err(FilesError::Link { path: self.shown.join(path) })
            }
            Err(source) => Err(self.error(&path, source)),
        }
    }

    fn file(&mut self, path: PathBuf) -> Result<(), FilesError> {
        let left = MOST_BYTES - self.bytes;
        let mut contents = Vec::new();
        let opened = self.root.open(&path);
        let read = opened.and_then(|file| file.take(left + 1).read_to_end(&mut contents));
        self.bytes += read.map_err(|source| self.error(&path, source))? as u64;
        if self.bytes > MOST_BYTES || self.files.len() == MOST_FILES {
            return Err(self.too_much());
        }
        self.files.insert(path, Cow::Owned(contents));
        Ok(())
    }

    fn too_much(&self) -> FilesError {
        FilesError::TooMuch { folder: self.shown.to_owned() }
    }

    fn error(&self, path: &Path, source: io::Error) -> FilesError {
        FilesError::Read { path: self.shown.join(path), source }
    }
}

fn is_printable(name: &str) -> bool {
    !name.chars().any(char::is_control)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (path, contents) in files {
            let path = folder.path().join(path);
            fs_err::create_dir_all(path.parent().unwrap()).unwrap();
            fs_err::write(path, contents).unwrap();
        }
        folder
    }

    fn paths(files: &RecipeFiles) -> Vec<&str> {
        files.iter().map(|(path, _)| path.to_str().unwrap()).collect()
    }

    #[test]
    fn a_folder_of_its_own_belongs_to_the_recipe_whole() {
        let folder = folder(&[
            ("recipe.wasm", ""),
            ("recipe.wasm.sha256", ""),
            (".git/config", ""),
            ("notes.txt", "n"),
            ("deep/recipe.wasm", "d"),
        ]);
        assert_eq!(paths(&RecipeFiles::read(folder.path()).unwrap()), ["deep/recipe.wasm", "notes.txt"]);
    }

    #[test]
    fn in_another_folder_names_decide() {
        let folder = folder(&[
            ("recipe_x.wasm", ""),
            ("secret.txt", ""),
            ("one.patch", ""),
            ("deps/other.patch", ""),
            ("files/data.txt", ""),
            ("patches/two.diff", ""),
        ]);
        let files = RecipeFiles::read_by_name(folder.path()).unwrap();
        assert_eq!(paths(&files), ["files/data.txt", "one.patch", "patches/two.diff"]);
    }

    #[test]
    fn links_count_within_the_folder_only() {
        use std::os::unix::fs::symlink;

        let outside = folder(&[("secret", "s")]);
        let folder = folder(&[("a/real", "r")]);
        symlink("../a/real", folder.path().join("a/link")).unwrap();
        let files = RecipeFiles::read(folder.path()).unwrap();
        assert_eq!(files.get("a/link"), Some(&b"r"[..]));
        for target in [outside.path().join("secret"), "a".into(), "../../etc/passwd".into()] {
            let link = folder.path().join("out");
            symlink(target, &link).unwrap();
            let error = RecipeFiles::read(folder.path()).unwrap_err();
            assert!(matches!(&error, FilesError::Link { path } if *path == link), "{error:?}");
            fs_err::remove_file(link).unwrap();
        }
    }

    #[test]
    fn what_is_no_file_is_refused() {
        let folder = folder(&[]);
        let fifo = folder.path().join("fifo");
        rustix::fs::mknodat(
            rustix::fs::CWD,
            &fifo,
            rustix::fs::FileType::Fifo,
            rustix::fs::Mode::from_raw_mode(0o600),
            0,
        )
        .unwrap();
        assert!(matches!(RecipeFiles::read(folder.path()), Err(FilesError::Kind { path }) if path == fifo));
    }

    #[test]
    fn too_much_is_refused() {
        let folder = folder(&[]);
        for number in 0..=MOST_FILES {
            fs_err::write(folder.path().join(number.to_string()), "").unwrap();
        }
        let error = RecipeFiles::read(folder.path()).unwrap_err().to_string();
        assert!(error.contains("2048 files, 64 MiB and 16 folders"), "{error}");
        let folder = tempfile::tempdir().unwrap();
        let large = fs_err::File::create(folder.path().join("large")).unwrap();
        large.set_len(MOST_BYTES + 1).unwrap();
        assert!(matches!(RecipeFiles::read(folder.path()), Err(FilesError::TooMuch { .. })));
        let deep = vec!["d"; DEEPEST + 1].join("/");
        let folder = self::folder(&[(&format!("{deep}/x"), "")]);
        assert!(matches!(RecipeFiles::read(folder.path()), Err(FilesError::TooMuch { .. })));
    }
}
