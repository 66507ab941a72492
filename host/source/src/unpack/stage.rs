//! The folder that an archive is unpacked into. Every write goes through here, beneath a directory handle, one path
//! component at a time and never through a link.

use super::budget::{Budget, UnpackLimits};
use super::name::{EntryPath, LinkTarget, check_link_target};
use super::refusal::{Failure, Refusal, from_read, quote};
use cap_fs_ext::DirExt;
use cap_std::fs::{Dir, DirBuilder, DirBuilderExt, File, OpenOptions, OpenOptionsExt, PermissionsExt};
use rustix::fs::{AtFlags, Timespec, Timestamps, UTIME_OMIT};
use std::ffi::{OsStr, OsString};
use std::io::{self, Read, Write};
use std::os::unix::ffi::OsStrExt;

const COPY_BUFFER: usize = 128 << 10;
const FILE_MODE: u32 = 0o644;
const EXECUTABLE_MODE: u32 = 0o755;
const FOLDER_MODE: u32 = 0o755;
const SET_GID: u32 = 0o2000;

/// Mode and time of an entry, as the archive has them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Attributes {
    pub(crate) mode: u32,
    pub(crate) modified: Timespec,
}

/// See the module. Modes are those of a fresh checkout whatever the archive and the umask say: 0755 for folders and
/// for files that anybody may execute, else 0644. Times are kept: `make` decides by them what to build again.
pub(crate) struct Stage<'a> {
    root: &'a Dir,
    /// The folder in use, with its parents: archives are mostly sorted, so that the next entry shares them.
    open: Vec<(OsString, Dir)>,
    folder_times: Vec<(EntryPath, Timespec)>,
    unresolved: Vec<EntryPath>,
    top: Top,
    buffer: Vec<u8>,
}

impl<'a> Stage<'a> {
    pub(crate) fn new(root: &'a Dir) -> Self {
        Stage {
            root,
            open: Vec::new(),
            folder_times: Vec::new(),
            unresolved: Vec::new(),
            top: Top::Nothing,
            buffer: vec![0; COPY_BUFFER],
        }
    }

    pub(crate) fn folder(&mut self, path: &EntryPath, attributes: Attributes) -> Result<(), Refusal> {
        // Set-gid on a folder is a frequent leftover of maintainers' shared machines; it goes like the write bits.
        refuse_mode_bits(attributes.mode & !SET_GID)?;
        let Some((parents, _)) = path.split() else { return Ok(()) };
        self.top.see(path, true);
        self.enter(parents)?;
        self.enter(path.components()).map_err(as_replacement)?;
        self.folder_times.push((path.clone(), attributes.modified));
        Ok(())
    }

    /// Writes a file. `size` is what the archive declares, if it does; a content of another size is a truncated
    /// archive.
    pub(crate) fn file(
        &mut self,
        path: &EntryPath,
        attributes: Attributes,
        size: Option<u64>,
        content: &mut dyn Read,
        budget: &mut Budget<'_>,
    ) -> Result<(), Refusal> {
        refuse_mode_bits(attributes.mode)?;
        let (parents, name) = path.split().ok_or(Refusal::EmptyName)?;
        budget.check(size.unwrap_or(0))?;
        self.top.see(path, false);
        let mut buffer = std::mem::take(&mut self.buffer);
        let mut file = create_file(self.enter(parents)?, name)?;
        let written = copy(content, &mut file, &mut buffer, budget);
        self.buffer = buffer;
        let written = written?;
        if size.is_some_and(|size| size != written) {
            return Err(Refusal::Truncated);
        }
        let mode = if attributes.mode & 0o111 == 0 { FILE_MODE } else { EXECUTABLE_MODE };
        file.set_permissions(cap_std::fs::Permissions::from_mode(mode))?;
        rustix::fs::futimens(&file, &times(attributes.modified)).map_err(io::Error::from)?;
        Ok(())
    }

    pub(crate) fn symlink(
        &mut self,
        path: &EntryPath,
        target: &[u8],
        modified: Timespec,
        limits: &UnpackLimits,
    ) -> Result<(), Refusal> {
        let (parents, name) = path.split().ok_or(Refusal::EmptyName)?;
        let verdict = check_link_target(target, parents.len(), limits)?;
        self.top.see(path, false);
        let folder = self.enter(parents)?;
        let target = OsStr::from_bytes(target);
        match existing(folder, name)? {
            None => folder.symlink(target, name)?,
            Some("link") if folder.read_link(name)?.as_os_str() == target => {}
            Some(existing) => return Err(Refusal::Replaces { existing }),
        }
        rustix::fs::utimensat(folder, name, &times(modified), AtFlags::SYMLINK_NOFOLLOW)
            .map_err(io::Error::from)?;
        if verdict == LinkTarget::Resolve {
            self.unresolved.push(path.clone());
        }
        Ok(())
    }

    /// Links to a file that was unpacked before, never to or through a symbolic link.
    pub(crate) fn hard_link(&mut self, path: &EntryPath, target: &EntryPath) -> Result<(), Refusal> {
        let refuse =
            |reason| Refusal::HardLink { target: quote(target.to_path().as_os_str().as_bytes()), reason };
        let (parents, name) = path.split().ok_or(Refusal::EmptyName)?;
        let (target_parents, target_name) = target.split().ok_or_else(|| refuse("is a folder"))?;
        let from =
            descend(self.root, target_parents).map_err(|_| refuse("is not in the archive before it"))?;
        match existing(&from, target_name)? {
            Some("file") => {}
            Some(_) => return Err(refuse("is not a file")),
            None => return Err(refuse("is not in the archive before it")),
        }
        if path == target {
            return Ok(());
        }
        self.top.see(path, false);
        let folder = self.enter(parents)?;
        make_room(folder, name)?;
        from.hard_link(target_name, folder, name)?;
        Ok(())
    }

    /// Sets the folders' times, which every entry in them has changed, and resolves the links that could not be
    /// judged as text. Returns the single top-level folder, if there is one.
    pub(crate) fn finish(mut self) -> Result<Option<String>, Failure> {
        for path in &self.unresolved {
            let name = path.to_path();
            let leaves = match self.root.canonicalize(&name) {
                Ok(_) => false,
                Err(error) => error.kind() == io::ErrorKind::PermissionDenied,
            };
            if leaves {
                let target = self.root.read_link(&name).unwrap_or_default();
                let why = Refusal::LinkLeaves { target: quote(target.as_os_str().as_bytes()) };
                return Err(Failure::entry(name.as_os_str().as_bytes(), why));
            }
        }
        for (path, modified) in std::mem::take(&mut self.folder_times).iter().rev() {
            self.set_folder_time(path, *modified)
                .map_err(|why| Failure::entry(path.to_path().as_os_str().as_bytes(), why))?;
        }
        Ok(self.top.into_name())
    }

    fn set_folder_time(&mut self, path: &EntryPath, modified: Timespec) -> Result<(), Refusal> {
        let Some((parents, name)) = path.split() else { return Ok(()) };
        let folder = self.enter(parents)?;
        rustix::fs::utimensat(folder, name, &times(modified), AtFlags::SYMLINK_NOFOLLOW)
            .map_err(io::Error::from)?;
        Ok(())
    }

    /// The folder with these components, made where it is missing. A link on the way is refused.
    fn enter(&mut self, components: &[OsString]) -> Result<&Dir, Refusal> {
        let shared =
            self.open.iter().zip(components).take_while(|((open, _), wanted)| open == *wanted).count();
        self.open.truncate(shared);
        for name in &components[shared..] {
            let next = open_or_make(self.here(), name)?;
            self.open.push((name.clone(), next));
        }
        Ok(self.here())
    }

    fn here(&self) -> &Dir {
        self.open.last().map_or(self.root, |(_, folder)| folder)
    }
}

/// The single top-level folder of an archive, as far as it has been seen.
enum Top {
    Nothing,
    Folder(OsString),
    Many,
}

impl Top {
    fn see(&mut self, path: &EntryPath, is_folder: bool) {
        let Some(first) = path.components().first() else { return };
        let in_folder = is_folder || path.components().len() > 1;
        match self {
            Top::Nothing if in_folder => *self = Top::Folder(first.clone()),
            Top::Folder(known) if in_folder && known == first => {}
            _ => *self = Top::Many,
        }
    }

    fn into_name(self) -> Option<String> {
        match self {
            Top::Folder(name) => name.into_string().ok(),
            Top::Nothing | Top::Many => None,
        }
    }
}

fn refuse_mode_bits(mode: u32) -> Result<(), Refusal> {
    if mode & 0o7000 == 0 { Ok(()) } else { Err(Refusal::ModeBits { mode: mode & 0o7777 }) }
}

/// A folder entry that meets a link or a file of its own name would replace it rather than lie beneath it.
fn as_replacement(why: Refusal) -> Refusal {
    match why {
        Refusal::ThroughLink { .. } => Refusal::Replaces { existing: "link" },
        Refusal::BeneathFile { .. } => Refusal::Replaces { existing: "file" },
        other => other,
    }
}

fn open_or_make(parent: &Dir, name: &OsStr) -> Result<Dir, Refusal> {
    match parent.open_dir_nofollow(name) {
        Ok(folder) => Ok(folder),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            parent.create_dir_with(name, DirBuilder::new().mode(FOLDER_MODE))?;
            // The umask has taken bits off; nothing else can have put a link here since.
            rustix::fs::chmodat(parent, name, FOLDER_MODE.into(), AtFlags::empty())
                .map_err(io::Error::from)?;
            Ok(parent.open_dir_nofollow(name)?)
        }
        Err(error) => Err(explain(parent, name, error)),
    }
}

/// The folder with these components, none of which is made.
fn descend(root: &Dir, components: &[OsString]) -> Result<Dir, Refusal> {
    components.iter().try_fold(root.try_clone()?, |folder, name| Ok(folder.open_dir_nofollow(name)?))
}

/// Why a component could not be opened as a folder.
fn explain(parent: &Dir, name: &OsStr, error: io::Error) -> Refusal {
    let shown = || name.to_string_lossy().into_owned();
    match existing(parent, name) {
        Ok(Some("link")) => Refusal::ThroughLink { link: shown() },
        Ok(Some("file")) => Refusal::BeneathFile { file: shown() },
        _ => Refusal::Io(error),
    }
}

/// What has that name already, without following it.
fn existing(folder: &Dir, name: &OsStr) -> Result<Option<&'static str>, Refusal> {
    let metadata = match folder.symlink_metadata(name) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    Ok(Some(match metadata.file_type() {
        kind if kind.is_symlink() => "link",
        kind if kind.is_dir() => "folder",
        _ => "file",
    }))
}

/// A file that comes twice is replaced, as `tar` does; it is unlinked first, so that nothing is written through a
/// hard link.
fn make_room(folder: &Dir, name: &OsStr) -> Result<(), Refusal> {
    match existing(folder, name)? {
        None => Ok(()),
        Some("file") => Ok(folder.remove_file(name)?),
        Some(existing) => Err(Refusal::Replaces { existing }),
    }
}

fn create_file(folder: &Dir, name: &OsStr) -> Result<File, Refusal> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true).mode(FILE_MODE);
    match folder.open_with(name, &options) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            make_room(folder, name)?;
            Ok(folder.open_with(name, &options)?)
        }
        opened => Ok(opened?),
    }
}

fn copy(
    content: &mut dyn Read,
    file: &mut File,
    buffer: &mut [u8],
    budget: &mut Budget<'_>,
) -> Result<u64, Refusal> {
    let mut written = 0;
    loop {
        let count = match content.read(buffer) {
            Ok(0) => return Ok(written),
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(from_read(error)),
        };
        budget.take_bytes(count as u64)?;
        file.write_all(&buffer[..count])?;
        written += count as u64;
    }
}

fn times(modified: Timespec) -> Timestamps {
    Timestamps { last_access: Timespec { tv_sec: 0, tv_nsec: UTIME_OMIT }, last_modification: modified }
}
