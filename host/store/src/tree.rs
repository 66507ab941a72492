//! Walking and removing folders beneath a handle, never through a link.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use cap_fs_ext::DirExt;
use cap_std::fs::Dir;
use rustix::fs::{AtFlags, FileType, Mode, OFlags, Stat};
use rustix::io::Errno;

use crate::error::{At, FileError};

/// One entry of a walk.
pub(crate) struct Entry<'a> {
    /// The folder that holds it.
    pub(crate) parent: &'a Dir,
    /// Its name in that folder.
    pub(crate) name: &'a OsStr,
    /// Its path beneath the folder that is walked.
    pub(crate) path: &'a Path,
    /// What it is, links not followed.
    pub(crate) stat: Stat,
}

impl Entry<'_> {
    pub(crate) fn kind(&self) -> FileType {
        FileType::from_raw_mode(self.stat.st_mode)
    }

    /// Opens it for reading when it is a regular file.
    ///
    /// Neither follows a link nor waits for the other end of a fifo that took the file's place.
    pub(crate) fn open(&self) -> io::Result<File> {
        open_file(self.parent, self.name, OFlags::RDONLY)
    }

    /// Where a link points to.
    pub(crate) fn read_link(&self) -> io::Result<PathBuf> {
        let target = rustix::fs::readlinkat(self.parent, self.name, Vec::new())?;
        Ok(PathBuf::from(OsStr::from_bytes(target.as_bytes())))
    }
}

/// Opens a file by its name in `parent`.
pub(crate) fn open_file(parent: &Dir, name: &OsStr, access: OFlags) -> io::Result<File> {
    let flags = access | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC | OFlags::NOCTTY;
    Ok(File::from(rustix::fs::openat(parent, name, flags, Mode::empty())?))
}

/// What an entry of `parent` is, links not followed.
pub(crate) fn stat(parent: &Dir, name: impl AsRef<Path>) -> io::Result<Stat> {
    Ok(rustix::fs::statat(parent, name.as_ref(), AtFlags::SYMLINK_NOFOLLOW)?)
}

/// Whether `parent` has an entry of that name.
pub(crate) fn exists(parent: &Dir, name: impl AsRef<Path>) -> io::Result<bool> {
    match stat(parent, name) {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// Names in a folder, sorted.
pub(crate) fn names(folder: &Dir) -> io::Result<Vec<OsString>> {
    let names: io::Result<Vec<_>> = folder.entries()?.map(|entry| Ok(entry?.file_name())).collect();
    let mut names = names?;
    names.sort();
    Ok(names)
}

/// Visits everything below `root`, each folder before what it holds; `shown` is the root's path in messages.
///
/// One folder is open at a time, however deep they are nested.
pub(crate) fn walk<E: From<FileError>>(
    root: &Dir,
    shown: &Path,
    visit: &mut dyn FnMut(&Entry<'_>) -> Result<(), E>,
) -> Result<(), E> {
    let mut folders = vec![PathBuf::new()];
    while let Some(folder) = folders.pop() {
        let full = shown.join(&folder);
        let parent = open_folder(root, &folder).at("open the folder", &full)?;
        for name in names(&parent).at("list", &full)? {
            let path = folder.join(&name);
            let stat = stat(&parent, &name).at("look at", full.join(&name))?;
            let entry = Entry { parent: &parent, name: &name, path: &path, stat };
            visit(&entry)?;
            if entry.kind() == FileType::Directory {
                folders.push(path);
            }
        }
    }
    Ok(())
}

/// Opens the folder at `path` beneath `root`, or `root` again for the empty path.
///
/// The handle can be synced and given another owner; those that cap-std opens are only places to start from.
pub(crate) fn open_folder(root: &Dir, path: impl AsRef<Path>) -> io::Result<Dir> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let path = path.as_ref();
    let folder = if path.as_os_str().is_empty() {
        rustix::fs::openat(root, ".", flags, Mode::empty())?
    } else {
        rustix::fs::openat(root.open_dir_nofollow(path)?, ".", flags, Mode::empty())?
    };
    Ok(Dir::from_std_file(File::from(folder)))
}

/// How deep folders are removed in place; what lies deeper is moved up first, so that descriptors don't run out.
const DEPTH: usize = 64;

/// Removes `name` in `parent` with all that it holds, also where folders aren't writable; nothing there is fine.
///
/// Deep folders are first moved into `parent` under names that begin with `name`.
pub(crate) fn remove(parent: &Dir, name: &OsStr) -> io::Result<()> {
    let mut queue = vec![name.to_owned()];
    let mut moved = 0_usize;
    while let Some(top) = queue.pop() {
        remove_below(parent, &top, 0, &mut |folder, deep| {
            moved += 1;
            let mut up = name.to_owned();
            up.push(format!(".{moved}"));
            rustix::fs::renameat(folder, deep, parent, &up)?;
            queue.push(up);
            Ok(())
        })?;
    }
    Ok(())
}

fn remove_below(
    parent: &Dir,
    name: &OsStr,
    depth: usize,
    move_up: &mut dyn FnMut(&Dir, &OsStr) -> io::Result<()>,
) -> io::Result<()> {
    match rustix::fs::unlinkat(parent, name, AtFlags::empty()) {
        Ok(()) | Err(Errno::NOENT) => return Ok(()),
        Err(Errno::ISDIR | Errno::PERM) => {}
        Err(errno) => return Err(errno.into()),
    }
    let folder = open_writable(parent, name)?;
    if depth == DEPTH {
        return move_up(parent, name);
    }
    for child in names(&folder)? {
        remove_below(&folder, &child, depth + 1, move_up)?;
    }
    Ok(rustix::fs::unlinkat(parent, name, AtFlags::REMOVEDIR)?)
}

/// Opens a folder whose entries shall be removed, giving its owner the rights to do so.
fn open_writable(parent: &Dir, name: &OsStr) -> io::Result<Dir> {
    let mode = Mode::from_raw_mode(stat(parent, name)?.st_mode);
    if !mode.contains(Mode::RWXU) {
        // The entry was seen to be no link, and nobody else writes in a prefix that is being removed.
        rustix::fs::chmodat(parent, name, mode | Mode::RWXU, AtFlags::empty())?;
    }
    parent.open_dir_nofollow(name)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use cap_std::ambient_authority;

    use super::*;

    #[test]
    fn a_folder_is_removed_with_read_only_folders_and_links_are_not_followed() {
        let base = tempfile::tempdir().unwrap();
        let outside = tempfile::tempdir().unwrap();
        fs_err::write(outside.path().join("kept"), "x").unwrap();
        let locked = base.path().join("doomed/a/locked");
        fs_err::create_dir_all(&locked).unwrap();
        fs_err::write(locked.join("file"), "x").unwrap();
        symlink(outside.path(), locked.join("link")).unwrap();
        fs_err::set_permissions(&locked, std::fs::Permissions::from_mode(0o000)).unwrap();
        let dir = Dir::open_ambient_dir(base.path(), ambient_authority()).unwrap();
        remove(&dir, "doomed".as_ref()).unwrap();
        assert!(names(&dir).unwrap().is_empty());
        assert!(outside.path().join("kept").exists());
        remove(&dir, "doomed".as_ref()).unwrap();
    }

    #[test]
    fn very_deep_folders_are_removed() {
        let base = tempfile::tempdir().unwrap();
        let dir = Dir::open_ambient_dir(base.path(), ambient_authority()).unwrap();
        let mut folder = dir.try_clone().unwrap();
        for _ in 0..3000 {
            folder.create_dir("d").unwrap();
            folder = folder.open_dir("d").unwrap();
        }
        remove(&dir, "d".as_ref()).unwrap();
        assert!(names(&dir).unwrap().is_empty());
    }
}
