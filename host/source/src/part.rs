//! A download under way: a file that grows, is hashed as it grows, and outlives a break.

use crate::cache::{Workplace, remove_if_there};
use crate::checksum::{Algorithm, Checksum, Hasher};
use fs_err as fs;
use serde::{Deserialize, Serialize};
use std::io::{self, Write};

/// Bytes kept from the start, to tell what a file is.
const HEAD: usize = 512;

/// Where a partial file came from, and what tells whether the server still has the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Notes {
    pub(crate) url: String,
    /// A strong `ETag`, or else a `Last-Modified`: what `If-Range` takes (RFC 9110, 13.1.5).
    pub(crate) validator: String,
}

/// A partial file that can be gone on with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Resumable {
    pub(crate) length: u64,
    pub(crate) validator: String,
}

/// What there is to go on with from that address.
pub(crate) fn resumable(place: &Workplace, url: &str) -> Option<Resumable> {
    let notes: Notes = serde_json::from_slice(&fs::read(place.notes()).ok()?).ok()?;
    let length = fs::metadata(place.part()).ok()?.len();
    (notes.url == url && length > 0).then_some(Resumable { length, validator: notes.validator })
}

/// Removes the file and what is known of it.
pub(crate) fn discard(place: &Workplace) -> io::Result<()> {
    remove_if_there(&place.notes())?;
    remove_if_there(&place.part())
}

/// The growing file.
pub(crate) struct Part {
    file: fs::File,
    hasher: Hasher,
    head: Vec<u8>,
    pub(crate) length: u64,
    pub(crate) resumed: bool,
}

impl Part {
    /// An empty file. Without notes it cannot be gone on with later.
    pub(crate) fn fresh(place: &Workplace, algorithm: Algorithm, notes: Option<&Notes>) -> io::Result<Self> {
        discard(place)?;
        let file = fs::OpenOptions::new().write(true).create_new(true).open(place.part())?;
        if let Some(notes) = notes {
            fs::write(place.notes(), serde_json::to_vec(notes)?)?;
        }
        Ok(Part { file, hasher: algorithm.hasher(), head: Vec::new(), length: 0, resumed: false })
    }

    /// The file as an earlier download left it, hashed so far.
    pub(crate) fn resume(place: &Workplace, algorithm: Algorithm) -> io::Result<Self> {
        let mut hasher = algorithm.hasher();
        let mut file = fs::OpenOptions::new().read(true).append(true).open(place.part())?;
        let length = hasher.read(&mut file)?;
        Ok(Part { file, hasher, head: Vec::new(), length, resumed: true })
    }

    pub(crate) fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all(bytes)?;
        self.hasher.update(bytes);
        self.length += bytes.len() as u64;
        if self.head.len() < HEAD {
            let missing = HEAD - self.head.len();
            self.head.extend_from_slice(&bytes[..bytes.len().min(missing)]);
        }
        Ok(())
    }

    /// The first bytes, unless the file was resumed.
    pub(crate) fn head(&self) -> &[u8] {
        &self.head
    }

    pub(crate) fn finish(self) -> Checksum {
        self.hasher.finish()
    }
}
