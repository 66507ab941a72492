//! WASI's ways to open a file, as far as they could wait for somebody else.
//!
//! A tool can make a FIFO in the stage, and a process that it left behind can put one in a file's place at any time. Opening
//! one waits for its other end; in the host, where no deadline of the guest counts. So files are opened without waiting,
//! and looked at before the guest gets them.

use std::io;
use std::os::fd::AsRawFd;
use std::time::{SystemTime, UNIX_EPOCH};

use cap_fs_ext::{FollowSymlinks, OpenOptionsFollowExt, OpenOptionsSyncExt};
use cap_std::fs::{OpenOptions, OpenOptionsExt};
use rustix::fs::{AtFlags, CWD, OFlags, Timespec, Timestamps, UTIME_OMIT, utimensat};
use wasmtime::StoreContextMut;
use wasmtime::component::{Linker, Resource, ResourceTable};
use wasmtime_wasi::OpenMode;
use wasmtime_wasi::filesystem::{Descriptor, Dir, File, WasiFilesystemView};
use wasmtime_wasi::p2::bindings::filesystem::types::ErrorCode as Code;
use wasmtime_wasi::p2::bindings::sync::filesystem::types::{
    DescriptorFlags, ErrorCode, HostDescriptor, NewTimestamp, OpenFlags, PathFlags,
};
use wasmtime_wasi::p2::{FsError, FsResult};

use crate::state::State;

/// The interface under the version that `wasmtime_wasi` defines it with; the end-to-end tests notice another one.
const INTERFACE: &str = "wasi:filesystem/types@0.2.12";

type Answer<T> = wasmtime::Result<(Result<T, ErrorCode>,)>;

/// Takes the place of WASI's own functions.
pub(super) fn add_to_linker(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    let mut interface = linker.instance(INTERFACE)?;
    interface.func_wrap(
        "[method]descriptor.open-at",
        |mut store: StoreContextMut<'_, State>,
         (folder, path_flags, path, open_flags, flags): (
            Resource<Descriptor>,
            PathFlags,
            String,
            OpenFlags,
            DescriptorFlags,
        )|
         -> Answer<Resource<Descriptor>> {
            let state = store.data_mut();
            if !state.open_files.have_room() {
                if let Some(line) = state.open_files.refusal() {
                    state.services.log(false, &line);
                }
                return Ok((Err(ErrorCode::Quota),));
            }
            let opening = Opening { path_flags, path, open_flags, flags };
            let opened = open_at(&mut state.table, &folder, &opening);
            if let Ok(opened) = &opened {
                state.open_files.note(state.table.get(opened)?);
            }
            answer(opened)
        },
    )?;
    interface.func_wrap(
        "[method]descriptor.set-times-at",
        |mut store: StoreContextMut<'_, State>,
         (folder, path_flags, path, accessed, modified): (
            Resource<Descriptor>,
            PathFlags,
            String,
            NewTimestamp,
            NewTimestamp,
        )|
         -> Answer<()> {
            let state = store.data_mut();
            if !path_flags.contains(PathFlags::SYMLINK_FOLLOW) {
                let mut wasi = state.filesystem();
                return answer(wasi.set_times_at(folder, path_flags, path, accessed, modified));
            }
            answer(set_times_at(&state.table, &folder, &path, [accessed, modified]))
        },
    )
}

fn answer<T>(result: FsResult<T>) -> Answer<T> {
    match result {
        Ok(value) => Ok((Ok(value),)),
        Err(error) => Ok((Err(error.downcast()?.into()),)),
    }
}

/// What a guest asks for.
struct Opening {
    path_flags: PathFlags,
    path: String,
    open_flags: OpenFlags,
    flags: DescriptorFlags,
}

impl Opening {
    /// By the rules of WASI: who asks for neither reading nor writing may read.
    fn mode(&self) -> OpenMode {
        let creates = self.open_flags.intersects(OpenFlags::CREATE | OpenFlags::TRUNCATE);
        let mut mode = OpenMode::empty();
        mode.set(OpenMode::WRITE, creates || self.flags.contains(DescriptorFlags::WRITE));
        let reads =
            self.flags.contains(DescriptorFlags::READ) || !self.flags.contains(DescriptorFlags::WRITE);
        mode.set(OpenMode::READ, reads);
        mode
    }

    fn check(&self, folder: &Dir) -> FsResult<()> {
        let synchronized = DescriptorFlags::FILE_INTEGRITY_SYNC
            | DescriptorFlags::DATA_INTEGRITY_SYNC
            | DescriptorFlags::REQUESTED_WRITE_SYNC;
        if self.flags.intersects(synchronized) {
            return Err(Code::Unsupported.into());
        }
        let makes_a_file = OpenFlags::CREATE | OpenFlags::EXCLUSIVE | OpenFlags::TRUNCATE;
        if self.open_flags.contains(OpenFlags::DIRECTORY) && self.open_flags.intersects(makes_a_file) {
            return Err(Code::Invalid.into());
        }
        if folder.perms.write_not_permitted() && self.mode().contains(OpenMode::WRITE) {
            return Err(Code::NotPermitted.into());
        }
        Ok(())
    }

    fn options(&self) -> OpenOptions {
        let (mode, flags) = (self.mode(), self.open_flags);
        let exclusive = flags.contains(OpenFlags::CREATE | OpenFlags::EXCLUSIVE);
        let follows = self.path_flags.contains(PathFlags::SYMLINK_FOLLOW);
        let mut options = OpenOptions::new();
        options
            .read(mode.contains(OpenMode::READ))
            .write(mode.contains(OpenMode::WRITE))
            .create(flags.contains(OpenFlags::CREATE) && !exclusive)
            .create_new(exclusive)
            .truncate(flags.contains(OpenFlags::TRUNCATE))
            .follow(if follows { FollowSymlinks::Yes } else { FollowSymlinks::No })
            .nonblock(true);
        options
    }
}

fn open_at(
    table: &mut ResourceTable,
    folder: &Resource<Descriptor>,
    opening: &Opening,
) -> FsResult<Resource<Descriptor>> {
    let folder = folder_of(table, folder)?;
    opening.check(folder)?;
    let opened = handle(folder)?.open_with(&opening.path, &opening.options());
    let file = opened.map_err(without_waiting)?.into_std();
    let kind = file.metadata()?.file_type();
    let (mode, permissions) = (opening.mode(), folder.perms);
    let opened = if kind.is_dir() {
        Descriptor::Dir(Dir::new(file, permissions, mode, true))
    } else if opening.open_flags.contains(OpenFlags::DIRECTORY) {
        return Err(Code::NotDirectory.into());
    } else if kind.is_file() {
        Descriptor::File(File::new(file, permissions, mode, true))
    } else {
        return Err(Code::Unsupported.into());
    };
    Ok(table.push(opened)?)
}

/// Of what a link points to. Without opening it: WASI's own tries to write first.
fn set_times_at(
    table: &ResourceTable,
    folder: &Resource<Descriptor>,
    path: &str,
    times: [NewTimestamp; 2],
) -> FsResult<()> {
    let folder = folder_of(table, folder)?;
    if folder.perms.write_not_permitted() {
        return Err(Code::NotPermitted.into());
    }
    let mut options = OpenOptions::new();
    options.read(true).custom_flags(OFlags::PATH.bits().cast_signed());
    let named = handle(folder)?.open_with(path, &options)?;
    let [last_access, last_modification] = times.map(timespec);
    let times = Timestamps { last_access: last_access?, last_modification: last_modification? };
    let path = format!("/proc/self/fd/{}", named.as_raw_fd());
    Ok(utimensat(CWD, path, &times, AtFlags::empty()).map_err(io::Error::from)?)
}

fn timespec(time: NewTimestamp) -> FsResult<Timespec> {
    let seconds = |seconds: u64| i64::try_from(seconds).map_err(|_| Code::Overflow);
    Ok(match time {
        NewTimestamp::NoChange => Timespec { tv_sec: 0, tv_nsec: UTIME_OMIT },
        NewTimestamp::Now => {
            let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
            Timespec { tv_sec: seconds(now.as_secs())?, tv_nsec: now.subsec_nanos().into() }
        }
        NewTimestamp::Timestamp(time) => {
            let more = u64::from(time.nanoseconds / 1_000_000_000);
            let whole = time.seconds.checked_add(more).ok_or(Code::Overflow)?;
            Timespec { tv_sec: seconds(whole)?, tv_nsec: (time.nanoseconds % 1_000_000_000).into() }
        }
    })
}

/// A FIFO that nobody reads is not opened for writing without waiting.
fn without_waiting(error: io::Error) -> FsError {
    match rustix::io::Errno::from_io_error(&error) {
        Some(rustix::io::Errno::NXIO) => Code::Unsupported.into(),
        _ => error.into(),
    }
}

fn folder_of<'a>(table: &'a ResourceTable, descriptor: &Resource<Descriptor>) -> FsResult<&'a Dir> {
    match table.get(descriptor)? {
        Descriptor::Dir(folder) => Ok(folder),
        Descriptor::File(_) => Err(Code::NotDirectory.into()),
    }
}

fn handle(folder: &Dir) -> io::Result<cap_std::fs::Dir> {
    Ok(cap_std::fs::Dir::from_std_file(folder.dir.try_clone()?))
}

#[cfg(test)]
mod tests {
    use rustix::fs::{FileType, Mode, mknodat};
    use wasmtime_wasi::FsPerms;

    use super::*;

    fn folder_with_a_fifo() -> (tempfile::TempDir, ResourceTable, Resource<Descriptor>) {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe");
        mknodat(CWD, &pipe, FileType::Fifo, Mode::from_raw_mode(0o600), 0).unwrap();
        fs_err::write(folder.path().join("file"), "text").unwrap();
        let handle = fs_err::File::open(folder.path()).unwrap().into_file();
        let mut table = ResourceTable::new();
        let descriptor = Descriptor::Dir(Dir::new(handle, FsPerms::ReadWrite, OpenMode::all(), true));
        let descriptor = table.push(descriptor).unwrap();
        (folder, table, descriptor)
    }

    fn opening(path: &str, flags: DescriptorFlags) -> Opening {
        Opening {
            path_flags: PathFlags::SYMLINK_FOLLOW,
            path: path.to_owned(),
            open_flags: OpenFlags::empty(),
            flags,
        }
    }

    #[test]
    fn a_fifo_is_never_waited_for() {
        let (_folder, mut table, folder) = folder_with_a_fifo();
        let (read, write) = (DescriptorFlags::READ, DescriptorFlags::WRITE);
        for flags in [read, write, read | write] {
            let error = open_at(&mut table, &folder, &opening("pipe", flags)).unwrap_err();
            assert!(matches!(error.downcast().unwrap(), Code::Unsupported));
            open_at(&mut table, &folder, &opening("file", flags)).unwrap();
        }
        open_at(&mut table, &folder, &opening(".", read)).unwrap();
    }

    #[test]
    fn times_are_set_without_opening() {
        let (path, table, folder) = folder_with_a_fifo();
        let day =
            wasmtime_wasi::p2::bindings::clocks::wall_clock::Datetime { seconds: 86_400, nanoseconds: 0 };
        set_times_at(&table, &folder, "pipe", [NewTimestamp::NoChange, NewTimestamp::Timestamp(day)])
            .unwrap();
        let modified = fs_err::metadata(path.path().join("pipe")).unwrap().modified().unwrap();
        assert_eq!(modified.duration_since(UNIX_EPOCH).unwrap().as_secs(), 86_400);
    }

    #[test]
    fn what_leads_out_or_writes_where_only_reading_is_allowed_is_refused() {
        let (path, mut table, folder) = folder_with_a_fifo();
        assert!(open_at(&mut table, &folder, &opening("../x", DescriptorFlags::READ)).is_err());
        fs_err::os::unix::fs::symlink("/etc/passwd", path.path().join("link")).unwrap();
        assert!(open_at(&mut table, &folder, &opening("link", DescriptorFlags::READ)).is_err());
        assert!(set_times_at(&table, &folder, "link", [NewTimestamp::Now, NewTimestamp::Now]).is_err());
        let handle = fs_err::File::open(path.path()).unwrap().into_file();
        let closed = Descriptor::Dir(Dir::new(handle, FsPerms::ReadOnly, OpenMode::READ, true));
        let closed = table.push(closed).unwrap();
        open_at(&mut table, &closed, &opening("file", DescriptorFlags::READ)).unwrap();
        for flags in [DescriptorFlags::WRITE, DescriptorFlags::READ | DescriptorFlags::WRITE] {
            let error = open_at(&mut table, &closed, &opening("file", flags)).unwrap_err();
            assert!(matches!(error.downcast().unwrap(), Code::NotPermitted));
        }
        let creating = Opening { open_flags: OpenFlags::CREATE, ..opening("new", DescriptorFlags::READ) };
        assert!(open_at(&mut table, &closed, &creating).is_err() && !path.path().join("new").exists());
    }
}
