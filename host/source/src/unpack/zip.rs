//! Zip archives.

use super::budget::Budget;
use super::name::EntryPath;
use super::refusal::{Failure, Refusal, from_read};
use super::stage::{Attributes, Stage};
use rustix::fs::{FileType, Timespec};
use std::io::{Read, Seek};
use zip::System;
use zip::extra_fields::ExtraField;
use zip::read::ZipFile;
use zip::result::ZipError;

/// Unpacks the entries that the central directory lists.
pub(crate) fn unpack_zip(
    file: impl Read + Seek,
    stage: &mut Stage<'_>,
    budget: &mut Budget<'_>,
) -> Result<(), Failure> {
    let mut archive = zip::ZipArchive::new(file).map_err(|error| Failure::archive(from_zip(error)))?;
    if archive.has_duplicate_names() {
        let reason = "it lists two entries of the same name".to_owned();
        return Err(Failure::archive(Refusal::Malformed { reason }));
    }
    for index in 0..archive.len() {
        let name = archive.name_for_index(index).and_then(Result::ok).unwrap_or_default().into_owned();
        let mut unpack = || {
            budget.take_entry()?;
            let mut entry = archive.by_index(index).map_err(from_zip)?;
            place(&mut entry, stage, budget)
        };
        unpack().map_err(|why| Failure::entry(name.as_bytes(), why))?;
    }
    Ok(())
}

fn place<R: Read>(
    entry: &mut ZipFile<'_, R>,
    stage: &mut Stage<'_>,
    budget: &mut Budget<'_>,
) -> Result<(), Refusal> {
    if entry.encrypted() {
        return Err(Refusal::Unsupported { what: "encryption".to_owned() });
    }
    let name = entry.name().map_err(from_zip)?.into_owned();
    let path = EntryPath::parse(name.as_bytes(), budget.limits)?;
    let unix = unix_mode(entry);
    let attributes = Attributes { mode: unix & 0o7777, modified: modified(entry) };
    match FileType::from_raw_mode(unix) {
        FileType::Symlink => {
            let target = link_target(entry, budget)?;
            stage.symlink(&path, &target, attributes.modified, budget.limits)
        }
        FileType::Directory => stage.folder(&path, attributes),
        FileType::RegularFile | FileType::Unknown if name.ends_with('/') => stage.folder(&path, attributes),
        // Archives made on other systems have no type.
        kind if kind == FileType::RegularFile || unix >> 12 == 0 => {
            let size = entry.size();
            stage.file(&path, attributes, Some(size), entry, budget)
        }
        kind => Err(Refusal::Kind { kind: kind_name(kind).to_owned() }),
    }
}

/// The mode with its file type. The library's own takes the set-uid, set-gid and sticky bits off, silently.
fn unix_mode<R: Read>(entry: &ZipFile<'_, R>) -> u32 {
    let mode = entry.unix_mode().unwrap_or(0);
    if entry.system() == System::Unix { mode | (entry.external_attributes() >> 16) } else { mode }
}

fn kind_name(kind: FileType) -> &'static str {
    match kind {
        FileType::Fifo => "FIFO",
        FileType::Socket => "socket",
        FileType::CharacterDevice => "character device",
        FileType::BlockDevice => "block device",
        _ => "zip entry of unknown type",
    }
}

/// A link's content is its target.
fn link_target<R: Read>(entry: &mut ZipFile<'_, R>, budget: &Budget<'_>) -> Result<Vec<u8>, Refusal> {
    let limit = budget.limits.path_length;
    let mut target = Vec::new();
    entry.by_ref().take(limit as u64 + 1).read_to_end(&mut target).map_err(from_read)?;
    if target.len() > limit { Err(Refusal::PathTooLong { limit }) } else { Ok(target) }
}

/// The extended timestamp where there is one; DOS times are local time of an unknown place and are taken as UTC.
fn modified<R: Read>(entry: &ZipFile<'_, R>) -> Timespec {
    let extended = entry.extra_data_fields().find_map(|field| match field {
        ExtraField::ExtendedTimestamp(stamp) => stamp.mod_time(),
        _ => None,
    });
    let seconds = extended.map(i64::from).or_else(|| entry.last_modified().and_then(dos_seconds));
    Timespec { tv_sec: seconds.unwrap_or_default(), tv_nsec: 0 }
}

fn dos_seconds(time: zip::DateTime) -> Option<i64> {
    let small = |part: u8| i8::try_from(part).ok();
    let date =
        jiff::civil::Date::new(i16::try_from(time.year()).ok()?, small(time.month())?, small(time.day())?)
            .ok()?;
    let clock =
        jiff::civil::Time::new(small(time.hour())?, small(time.minute())?, small(time.second())?, 0).ok()?;
    let instant = jiff::tz::TimeZone::UTC.to_timestamp(date.to_datetime(clock)).ok()?;
    Some(instant.as_second())
}

fn from_zip(error: ZipError) -> Refusal {
    match error {
        ZipError::Io(error) => from_read(error),
        ZipError::UnsupportedArchive(what) => Refusal::Unsupported { what: what.to_string() },
        other => Refusal::Malformed { reason: other.to_string() },
    }
}
