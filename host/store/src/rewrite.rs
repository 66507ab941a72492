//! Replacing paths in the text files of a prefix.

use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};

use cap_std::fs::Dir;
use memchr::memmem::Finder;
use rustix::fs::{AtFlags, FileType, Mode, OFlags, Stat, Timespec, Timestamps};

use crate::error::{At, FileError};
use crate::tree::{self, Entry};

/// A byte string and what takes its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replacement {
    /// What is looked for; not empty.
    pub from: Vec<u8>,
    /// What takes its place.
    pub to: Vec<u8>,
}

/// Larger files aren't taken for text: no script or settings file is.
const LARGEST: u64 = 64 * 1024 * 1024;

/// Replaces in every text file below `dir`, and says which were changed; modes, owners and times stay.
///
/// Where several strings match at one place, the longest counts.
pub(crate) fn rewrite(
    dir: &Dir,
    shown: &Path,
    replacements: &[Replacement],
) -> Result<Vec<PathBuf>, FileError> {
    let mut ordered: Vec<_> =
        replacements.iter().filter(|replacement| !replacement.from.is_empty()).collect();
    ordered.sort_by_key(|replacement| std::cmp::Reverse(replacement.from.len()));
    let finders: Vec<_> = ordered.into_iter().map(|found| (Finder::new(&found.from), found)).collect();
    let mut changed = Vec::new();
    tree::walk(dir, shown, &mut |entry| {
        if rewrite_entry(entry, &finders).at("rewrite", shown.join(entry.path))? {
            changed.push(entry.path.to_owned());
        }
        Ok::<_, FileError>(())
    })?;
    Ok(changed)
}

type Finders<'a> = [(Finder<'a>, &'a Replacement)];

fn rewrite_entry(entry: &Entry<'_>, finders: &Finders<'_>) -> io::Result<bool> {
    let size = u64::try_from(entry.stat.st_size).unwrap_or(0);
    if entry.kind() != FileType::RegularFile || size > LARGEST {
        return Ok(false);
    }
    let mut text = Vec::new();
    entry.open()?.read_to_end(&mut text)?;
    let Some(new) = replaced(&text, finders) else { return Ok(false) };
    let mut file = open_for_writing(entry)?;
    file.rewind()?;
    file.set_len(0)?;
    file.write_all(&new)?;
    restore(&file, &entry.stat)?;
    Ok(true)
}

/// The new text; none for a file that holds nothing to replace, or is no text.
fn replaced(text: &[u8], finders: &Finders<'_>) -> Option<Vec<u8>> {
    if memchr::memchr(0, text).is_some() || finders.iter().all(|(finder, _)| finder.find(text).is_none()) {
        return None;
    }
    let (mut new, mut rest) = (Vec::with_capacity(text.len()), text);
    // The first match; of several at one place that of the longest string, which comes first.
    while let Some((at, found)) = finders
        .iter()
        .filter_map(|(finder, found)| Some((finder.find(rest)?, found)))
        .min_by_key(|(at, _)| *at)
    {
        new.extend_from_slice(&rest[..at]);
        new.extend_from_slice(&found.to);
        rest = &rest[at + found.from.len()..];
    }
    new.extend_from_slice(rest);
    Some(new)
}

/// Opens a file that its owner may have made read-only.
fn open_for_writing(entry: &Entry<'_>) -> io::Result<File> {
    let open = || tree::open_file(entry.parent, entry.name, OFlags::WRONLY);
    match open() {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            let mode = Mode::from_raw_mode(entry.stat.st_mode) | Mode::WUSR;
            // The entry was seen to be no link, and the build has ended.
            rustix::fs::chmodat(entry.parent, entry.name, mode, AtFlags::empty())?;
            open()
        }
        result => result,
    }
}

fn restore(file: &File, stat: &Stat) -> io::Result<()> {
    rustix::fs::fchmod(file, Mode::from_raw_mode(stat.st_mode))?;
    let times = Timestamps {
        last_access: timespec(stat.st_atime, stat.st_atime_nsec),
        last_modification: timespec(stat.st_mtime, stat.st_mtime_nsec),
    };
    Ok(rustix::fs::futimens(file, &times)?)
}

fn timespec(seconds: impl TryInto<i64>, nanoseconds: impl TryInto<i64>) -> Timespec {
    Timespec {
        tv_sec: seconds.try_into().unwrap_or_default(),
        tv_nsec: nanoseconds.try_into().unwrap_or_default() as _,
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

    use cap_std::ambient_authority;

    use super::*;

    fn replace(from: &str, to: &str) -> Replacement {
        Replacement { from: from.into(), to: to.into() }
    }

    #[test]
    fn the_longest_string_counts_and_binaries_stay() {
        let folder = tempfile::tempdir().unwrap();
        let outside = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs_err::write(path("h5cc"), "CC=/w/cc\nCXX=/w/c++ /w/cc\nLD=/w/ccache\n").unwrap();
        fs_err::set_permissions(path("h5cc"), std::fs::Permissions::from_mode(0o555)).unwrap();
        fs_err::write(path("lib.so"), "\0/w/cc\0").unwrap();
        fs_err::write(outside.path().join("host"), "/w/cc").unwrap();
        symlink(outside.path().join("host"), path("link")).unwrap();
        let before = fs_err::metadata(path("h5cc")).unwrap();
        let dir = Dir::open_ambient_dir(folder.path(), ambient_authority()).unwrap();
        let rules = [
            replace("/w/cc", "/usr/bin/gcc"),
            replace("/w/ccache", "ccache"),
            replace("/w/c++", "/usr/bin/g++"),
        ];
        let changed = rewrite(&dir, folder.path(), &rules).unwrap();
        assert_eq!(changed, [PathBuf::from("h5cc")]);
        let text = fs_err::read_to_string(path("h5cc")).unwrap();
        assert_eq!(text, "CC=/usr/bin/gcc\nCXX=/usr/bin/g++ /usr/bin/gcc\nLD=ccache\n");
        let after = fs_err::metadata(path("h5cc")).unwrap();
        assert_eq!(
            (after.mode(), after.mtime(), after.mtime_nsec()),
            (before.mode(), before.mtime(), before.mtime_nsec())
        );
        assert_eq!(fs_err::read(path("lib.so")).unwrap(), b"\0/w/cc\0");
        assert_eq!(fs_err::read_to_string(outside.path().join("host")).unwrap(), "/w/cc");
    }
}
