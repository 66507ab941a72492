//! Unpacking archives that nobody vouches for.
//!
//! Everything is written beneath a directory handle, a path component at a time, never through a link; what an archive
//! may contain and how much is checked entry by entry, and an entry that breaks a rule ends the unpacking with its name.
//! The kind of an archive is told by its content.

mod budget;
mod decode;
mod name;
mod refusal;
mod sparse;
mod stage;
mod tar;
mod zip;

pub use budget::UnpackLimits;
pub use refusal::{Refusal, UnpackError};

pub(crate) use decode::looks_like_html;
pub(crate) use name::EntryPath;
pub(crate) use refusal::quote;

use budget::Budget;
use cap_std::fs::Dir;
use decode::{Content, buffered, content_of, decoder, peek};
use refusal::Failure;
use rustix::fs::Timespec;
use stage::{Attributes, Stage};
use std::io::{BufReader, Read, Seek};
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

const READ_CHUNK: usize = 256 << 10;

/// What was unpacked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unpacked {
    /// The folder that holds everything, if there is a single one and its name is UTF-8.
    pub top: Option<String>,
    /// Entries, folders and links included.
    pub entries: u64,
    /// Bytes of all files.
    pub bytes: u64,
}

/// Unpacks tar archives (V7, ustar, GNU, PAX; plain or compressed with gzip, bzip2, xz, zstd, lzip or lzma), zip
/// archives, and single files compressed with one of these, which get the name `single`.
///
/// Blocking, and busy for as long as it takes: for a thread of its own. After an error, `into` holds what was unpacked
/// before the entry that was refused.
pub fn unpack(
    archive: &Path,
    single: &str,
    into: &Dir,
    limits: &UnpackLimits,
) -> Result<Unpacked, UnpackError> {
    unpack_file(archive, single, into, limits).map_err(|failure| failure.in_archive(archive))
}

/// Copies a file that is not to be unpacked (Spack's `expand=False`) under that name.
pub fn place(file: &Path, name: &str, into: &Dir) -> Result<Unpacked, UnpackError> {
    let run = || {
        let (source, size, modified) = open(file)?;
        let limits = UnpackLimits { total_bytes: u64::MAX, ..UnpackLimits::default() };
        let mut budget = Budget::new(&limits, size);
        single_file(source, Some(size), name, modified, into, &mut budget)
    };
    run().map_err(|failure| failure.in_archive(file))
}

fn unpack_file(archive: &Path, single: &str, into: &Dir, limits: &UnpackLimits) -> Result<Unpacked, Failure> {
    let (mut file, size, modified) = open(archive)?;
    let (start, _) = peek(&mut file).map_err(Failure::archive)?;
    file.rewind().map_err(Failure::archive)?;
    let mut budget = Budget::new(limits, size);
    let mut stage = Stage::new(into);
    match content_of(&start) {
        Content::Tar => tar::unpack_tar(file, &mut stage, &mut budget)?,
        Content::Zip => zip::unpack_zip(file, &mut stage, &mut budget)?,
        Content::Compressed(compression) => {
            let decoded = buffered(decoder(compression, file).map_err(Failure::archive)?);
            let (start, decoded) =
                peek(decoded).map_err(|error| Failure::archive(refusal::from_read(error)))?;
            if content_of(&start) != Content::Tar {
                return single_file(decoded, None, single, modified, into, &mut budget);
            }
            tar::unpack_tar(decoded, &mut stage, &mut budget)?;
        }
        Content::Html => return Err(Failure::archive(Refusal::Html)),
        Content::Unsupported(what) => {
            return Err(Failure::archive(Refusal::Unsupported { what: what.to_owned() }));
        }
        Content::Unknown => return Err(Failure::archive(Refusal::NotAnArchive)),
    }
    let top = stage.finish()?;
    Ok(Unpacked { top, entries: budget.entries, bytes: budget.bytes })
}

type Source = BufReader<fs_err::File>;

/// The file, its size, and its time, which a single file in it inherits.
fn open(path: &Path) -> Result<(Source, u64, Timespec), Failure> {
    let file = fs_err::File::open(path).map_err(Failure::archive)?;
    let metadata = file.metadata().map_err(Failure::archive)?;
    let modified = metadata.modified().map_or(Timespec { tv_sec: 0, tv_nsec: 0 }, timespec);
    Ok((BufReader::with_capacity(READ_CHUNK, file), metadata.len(), modified))
}

fn timespec(time: SystemTime) -> Timespec {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    Timespec {
        tv_sec: i64::try_from(since.as_secs()).unwrap_or_default(),
        tv_nsec: since.subsec_nanos().into(),
    }
}

fn single_file(
    mut content: impl Read,
    size: Option<u64>,
    name: &str,
    modified: Timespec,
    into: &Dir,
    budget: &mut Budget<'_>,
) -> Result<Unpacked, Failure> {
    let mut run = || {
        budget.take_entry()?;
        let path = EntryPath::parse(name.as_bytes(), budget.limits)?;
        let attributes = Attributes { mode: 0o644, modified };
        Stage::new(into).file(&path, attributes, size, &mut content, budget)
    };
    run().map_err(|why| Failure::entry(name.as_bytes(), why))?;
    Ok(Unpacked { top: None, entries: budget.entries, bytes: budget.bytes })
}
