//! How much an archive may unpack to, and the count of what it has unpacked so far.

use super::refusal::Refusal;

/// Output below this size is never judged by its ratio: small archives of zeros are harmless and common in test data.
const RATIO_FREE_BYTES: u64 = 64 << 20;

/// The bounds within which an archive is unpacked. Whatever passes one of them is a decompression bomb or no source
/// archive at all.
#[derive(Debug, Clone)]
pub struct UnpackLimits {
    /// Bytes of all files together, holes of sparse files included.
    pub total_bytes: u64,
    /// Number of entries, directories and links included.
    pub entries: u64,
    /// Unpacked bytes for each byte of the archive file, judged once 64 MiB are unpacked. Deflate cannot pass 1,032.
    pub ratio: u64,
    /// Bytes of an entry's whole path.
    pub path_length: usize,
    /// Components of an entry's path.
    pub path_depth: usize,
}

impl Default for UnpackLimits {
    /// Twice what the largest source archives need (LLVM and its tests: 2 GB, 200,000 files, 12 levels).
    fn default() -> Self {
        UnpackLimits {
            total_bytes: 32 << 30,
            entries: 1_000_000,
            ratio: 400,
            path_length: 2048,
            path_depth: 64,
        }
    }
}

/// The limits beside what has been used of them.
#[derive(Debug)]
pub(crate) struct Budget<'a> {
    pub(crate) limits: &'a UnpackLimits,
    archive_bytes: u64,
    pub(crate) entries: u64,
    pub(crate) bytes: u64,
}

impl<'a> Budget<'a> {
    pub(crate) fn new(limits: &'a UnpackLimits, archive_bytes: u64) -> Self {
        Budget { limits, archive_bytes: archive_bytes.max(1), entries: 0, bytes: 0 }
    }

    pub(crate) fn take_entry(&mut self) -> Result<(), Refusal> {
        self.entries += 1;
        if self.entries > self.limits.entries {
            return Err(Refusal::TooManyEntries { limit: self.limits.entries });
        }
        Ok(())
    }

    /// Counts bytes that are about to be written.
    pub(crate) fn take_bytes(&mut self, count: u64) -> Result<(), Refusal> {
        self.check(count)?;
        self.bytes += count;
        Ok(())
    }

    /// Whether that many more bytes would pass a limit: asked with an entry's declared size before anything of it is
    /// written.
    pub(crate) fn check(&self, more: u64) -> Result<(), Refusal> {
        let total = self.bytes.saturating_add(more);
        if total > self.limits.total_bytes {
            return Err(Refusal::TooManyBytes { limit: self.limits.total_bytes });
        }
        if total > RATIO_FREE_BYTES && total / self.archive_bytes > self.limits.ratio {
            return Err(Refusal::RatioTooHigh { limit: self.limits.ratio });
        }
        Ok(())
    }
}
