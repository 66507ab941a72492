//! Tar archives: V7, ustar, GNU and PAX, sparse files of all of them.

use super::budget::Budget;
use super::name::EntryPath;
use super::refusal::{Failure, Refusal, from_read};
use super::sparse::{PaxSparse, SparseReader};
use super::stage::{Attributes, Stage};
use rustix::fs::Timespec;
use std::cell::Cell;
use std::io::{self, Read};
use std::rc::Rc;
use tar::EntryType;

/// What long names, PAX records and sparse maps of one entry may take. `tar` reads them into memory at whatever size
/// the archive states.
const HEADER_ALLOWANCE: u64 = 1 << 20;
/// Latest time that is taken from an archive, the end of the year 9999; a later one is garbage.
const LAST_SECOND: i64 = 253_402_300_799;

/// Unpacks a tar stream to its end mark.
pub(crate) fn unpack_tar(
    stream: impl Read,
    stage: &mut Stage<'_>,
    budget: &mut Budget<'_>,
) -> Result<(), Failure> {
    let gate = Gate::default();
    let mut archive = tar::Archive::new(gate.guard(stream));
    let mut entries = archive.entries().map_err(Failure::archive)?;
    loop {
        gate.close();
        let Some(entry) = entries.next() else { break };
        let entry = entry.map_err(|error| Failure::archive(gate.explain(error)))?;
        gate.open();
        unpack_entry(entry, stage, budget)?;
    }
    if gate.ended.get() {
        return Err(Failure::archive(Refusal::Truncated));
    }
    gate.open();
    drain(&mut archive.into_inner(), budget).map_err(Failure::archive)
}

fn unpack_entry<R: Read>(
    mut entry: tar::Entry<'_, R>,
    stage: &mut Stage<'_>,
    budget: &mut Budget<'_>,
) -> Result<(), Failure> {
    let raw_name = entry.path_bytes().into_owned();
    let mut run = || {
        budget.take_entry()?;
        let records = Records::read(&mut entry)?;
        place(&mut entry, &records, stage, budget)?;
        drain(&mut entry, budget)
    };
    run().map_err(|why| Failure::entry(&raw_name, why))
}

/// Reads to the end, counting, so that checks behind the data (sums, trailers) are made.
fn drain(reader: &mut dyn Read, budget: &mut Budget<'_>) -> Result<(), Refusal> {
    let mut buffer = [0; 8192];
    loop {
        match reader.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(count) => budget.take_bytes(count as u64)?,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(from_read(error)),
        }
    }
}

fn place<R: Read>(
    entry: &mut tar::Entry<'_, R>,
    records: &Records,
    stage: &mut Stage<'_>,
    budget: &mut Budget<'_>,
) -> Result<(), Refusal> {
    let kind = entry.header().entry_type();
    if matches!(kind, EntryType::XGlobalHeader) || kind.as_byte() == b'V' {
        return Ok(());
    }
    let name = records.sparse.name().map_or_else(|| entry.path_bytes().into_owned(), <[u8]>::to_vec);
    let path = EntryPath::parse(&name, budget.limits)?;
    let attributes = Attributes { mode: mode(entry)?, modified: records.modified };
    match kind {
        EntryType::Directory => stage.folder(&path, attributes),
        // Archives from before ustar have no type for folders.
        EntryType::Regular if name.ends_with(b"/") => stage.folder(&path, attributes),
        EntryType::Regular | EntryType::Continuous | EntryType::GNUSparse => {
            file(entry, &path, attributes, records, stage, budget)
        }
        EntryType::Symlink => stage.symlink(&path, &link_name(entry), attributes.modified, budget.limits),
        EntryType::Link => {
            let target = EntryPath::parse(&link_name(entry), budget.limits)?;
            stage.hard_link(&path, &target)
        }
        other => Err(Refusal::Kind { kind: kind_name(other) }),
    }
}

fn file<R: Read>(
    entry: &mut tar::Entry<'_, R>,
    path: &EntryPath,
    attributes: Attributes,
    records: &Records,
    stage: &mut Stage<'_>,
    budget: &mut Budget<'_>,
) -> Result<(), Refusal> {
    let size = entry.size();
    if !records.sparse.is_sparse() {
        return stage.file(path, attributes, Some(size), entry, budget);
    }
    let mut content = SparseReader::new(&records.sparse, size, entry)?;
    stage.file(path, attributes, Some(content.size()), &mut content, budget)
}

fn link_name<R: Read>(entry: &tar::Entry<'_, R>) -> Vec<u8> {
    entry.link_name_bytes().unwrap_or_default().into_owned()
}

fn mode<R: Read>(entry: &tar::Entry<'_, R>) -> Result<u32, Refusal> {
    entry.header().mode().map_err(|error| Refusal::Malformed { reason: error.to_string() })
}

fn kind_name(kind: EntryType) -> String {
    match kind {
        EntryType::Char => "character device".to_owned(),
        EntryType::Block => "block device".to_owned(),
        EntryType::Fifo => "FIFO".to_owned(),
        other => format!("tar entry of type {:?}", char::from(other.as_byte())),
    }
}

/// What the PAX records of an entry say beside the name and link target, which `tar` applies.
struct Records {
    modified: Timespec,
    sparse: PaxSparse,
}

impl Records {
    fn read<R: Read>(entry: &mut tar::Entry<'_, R>) -> Result<Self, Refusal> {
        let malformed = |error: io::Error| Refusal::Malformed { reason: error.to_string() };
        let stated = entry.header().mtime().unwrap_or_default();
        let mut records = Records { modified: whole_second(stated), sparse: PaxSparse::default() };
        let Some(extensions) = entry.pax_extensions().map_err(malformed)? else { return Ok(records) };
        for extension in extensions {
            let extension = extension.map_err(malformed)?;
            match extension.key_bytes() {
                b"mtime" => records.modified = decimal_time(extension.value_bytes())?,
                key => records.sparse.take(key, extension.value_bytes())?,
            }
        }
        Ok(records)
    }
}

fn whole_second(stated: u64) -> Timespec {
    let tv_sec = i64::try_from(stated).ok().filter(|second| *second <= LAST_SECOND).unwrap_or_default();
    Timespec { tv_sec, tv_nsec: 0 }
}

/// PAX states times as decimal fractions of seconds.
fn decimal_time(value: &[u8]) -> Result<Timespec, Refusal> {
    let malformed = || Refusal::Malformed { reason: "its PAX mtime is no number".to_owned() };
    let text = std::str::from_utf8(value).map_err(|_| malformed())?;
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let seconds: i64 = whole.parse().map_err(|_| malformed())?;
    if !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(malformed());
    }
    let digits = format!("{fraction:0<9}");
    let nanoseconds = digits[..9].parse().map_err(|_| malformed())?;
    if !(0..=LAST_SECOND).contains(&seconds) {
        return Ok(whole_second(0));
    }
    Ok(Timespec { tv_sec: seconds, tv_nsec: nanoseconds })
}

/// Lets only so many bytes through while `tar` reads headers, and notes when the stream has ended.
#[derive(Default, Clone)]
struct Gate {
    allowance: Rc<Cell<u64>>,
    ended: Rc<Cell<bool>>,
}

impl Gate {
    fn guard<R: Read>(&self, inner: R) -> Guarded<R> {
        Guarded { inner, gate: self.clone() }
    }

    fn close(&self) {
        self.allowance.set(HEADER_ALLOWANCE);
    }

    fn open(&self) {
        self.allowance.set(u64::MAX);
    }

    /// `tar` words an early end of the stream in several ways, and some of them as if it were another error.
    fn explain(&self, error: io::Error) -> Refusal {
        if self.ended.get() {
            return Refusal::Truncated;
        }
        match from_read(error) {
            Refusal::Io(error) => Refusal::Malformed { reason: error.to_string() },
            other => other,
        }
    }
}

struct Guarded<R> {
    inner: R,
    gate: Gate,
}

impl<R: Read> Read for Guarded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let allowance = self.gate.allowance.get();
        if allowance == 0 {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "its headers take more than 1 MiB"));
        }
        let fits = usize::try_from(allowance).unwrap_or(usize::MAX).min(buffer.len());
        let count = self.inner.read(&mut buffer[..fits])?;
        if allowance != u64::MAX {
            self.gate.allowance.set(allowance - count as u64);
        }
        if count == 0 && !buffer.is_empty() {
            self.gate.ended.set(true);
        }
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pax_times() {
        let time = |text: &[u8]| decimal_time(text).map(|t| (t.tv_sec, t.tv_nsec)).map_err(|e| e.to_string());
        assert_eq!(time(b"1700000000.25").unwrap(), (1_700_000_000, 250_000_000));
        assert_eq!(time(b"5").unwrap(), (5, 0));
        assert_eq!(time(b"1.1234567899").unwrap(), (1, 123_456_789));
        assert_eq!(time(b"-1.5").unwrap(), (0, 0));
        assert_eq!(time(b"999999999999999").unwrap(), (0, 0));
        assert!(time(b"now").is_err() && time(b"1.x").is_err() && time(b"\xff").is_err());
    }
}
