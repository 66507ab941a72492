//! Why an archive, or one entry of it, is not unpacked.

use std::io;
use std::path::{Path, PathBuf};

/// An archive that was not unpacked. What had been unpacked before stays in the folder, for the caller to remove.
#[derive(Debug, thiserror::Error)]
pub enum UnpackError {
    /// One entry was refused.
    #[error("{}: the entry {entry} {why}", archive.display())]
    Entry {
        /// The archive file.
        archive: PathBuf,
        /// The entry's name as the archive has it, quoted, with control characters escaped.
        entry: String,
        /// What is wrong with it.
        why: Refusal,
    },
    /// The archive as a whole was refused.
    #[error("{}: the archive {why}", archive.display())]
    Archive {
        /// The archive file.
        archive: PathBuf,
        /// What is wrong with it.
        why: Refusal,
    },
}

impl UnpackError {
    /// What is wrong, without archive and entry.
    pub fn refusal(&self) -> &Refusal {
        match self {
            UnpackError::Entry { why, .. } | UnpackError::Archive { why, .. } => why,
        }
    }
}

/// What is wrong with an archive or an entry. The text continues a sentence that begins with its name.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// A name that starts at the root of the file system.
    #[error("has an absolute path")]
    AbsolutePath,
    /// A name with `..` in it.
    #[error("has `..` in its path")]
    ParentDirectory,
    /// A name without any component.
    #[error("has an empty name")]
    EmptyName,
    /// A NUL, newline, escape or another control character.
    #[error("has a control character in its {part}")]
    ControlCharacter {
        /// `name` or `link target`.
        part: &'static str,
    },
    /// A path of more bytes than the limit.
    #[error("has a path of more than {limit} bytes")]
    PathTooLong {
        /// The limit in bytes.
        limit: usize,
    },
    /// A path of more components than the limit.
    #[error("lies more than {limit} folders deep")]
    PathTooDeep {
        /// The limit in components.
        limit: usize,
    },
    /// A folder of the path is a link.
    #[error("would be written through the link `{link}`")]
    ThroughLink {
        /// Name of the link.
        link: String,
    },
    /// A folder of the path is a file.
    #[error("lies beneath `{file}`, which is not a folder")]
    BeneathFile {
        /// Name of the file.
        file: String,
    },
    /// Something else has that name already.
    #[error("would replace the {existing} of the same name")]
    Replaces {
        /// `link`, `folder` or `file`.
        existing: &'static str,
    },
    /// A symbolic link to a path outside.
    #[error("is a link that leaves the folder it is unpacked into: {target}")]
    LinkLeaves {
        /// Its target, quoted.
        target: String,
    },
    /// A hard link to something that is no file of the archive.
    #[error("is a hard link to {target}, which {reason}")]
    HardLink {
        /// Its target, quoted.
        target: String,
        /// Why it cannot be linked to.
        reason: &'static str,
    },
    /// A device, FIFO, socket or an unknown kind of entry.
    #[error("is a {kind}; only files, folders and links are unpacked")]
    Kind {
        /// The kind.
        kind: String,
    },
    /// Set-uid, set-gid or sticky bit.
    #[error("has mode {mode:04o}: set-uid, set-gid and sticky bits are refused")]
    ModeBits {
        /// The permission bits.
        mode: u32,
    },
    /// More entries than the limit.
    #[error("is one more than the {limit} entries that an archive may have")]
    TooManyEntries {
        /// The limit.
        limit: u64,
    },
    /// More bytes than the limit.
    #[error("would unpack to more than {limit} bytes in all (a decompression bomb?)")]
    TooManyBytes {
        /// The limit in bytes.
        limit: u64,
    },
    /// More bytes for each byte of the archive than the limit.
    #[error("would unpack to more than {limit} times the archive's size (a decompression bomb?)")]
    RatioTooHigh {
        /// The limit.
        limit: u64,
    },
    /// A header that does not describe an entry.
    #[error("has a malformed header: {reason}")]
    Malformed {
        /// What is malformed.
        reason: String,
    },
    /// The data ends before the end.
    #[error("is truncated")]
    Truncated,
    /// Encryption or a compression that is not read.
    #[error("uses {what}, which cannot be unpacked")]
    Unsupported {
        /// What it uses.
        what: String,
    },
    /// A web page in place of an archive.
    #[error("is an HTML page and no archive: the server sent an error or login page in its place")]
    Html,
    /// Content of no known kind.
    #[error(
        "is no tar or zip archive and not a compressed file; to have it copied as it is, set expand=False"
    )]
    NotAnArchive,
    /// Reading or writing failed.
    #[error("failed: {0}")]
    Io(#[from] io::Error),
}

/// A refusal with the entry it is about, before the archive's name is known.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) entry: Option<String>,
    pub(crate) why: Refusal,
}

impl Failure {
    pub(crate) fn entry(name: &[u8], why: Refusal) -> Self {
        Failure { entry: Some(quote(name)), why }
    }

    pub(crate) fn archive(why: impl Into<Refusal>) -> Self {
        Failure { entry: None, why: why.into() }
    }

    pub(crate) fn in_archive(self, archive: &Path) -> UnpackError {
        let archive = archive.to_owned();
        match self.entry {
            Some(entry) => UnpackError::Entry { archive, entry, why: self.why },
            None => UnpackError::Archive { archive, why: self.why },
        }
    }
}

/// A name as it may be shown to a person: quoted, control characters escaped, cut where it is endless.
pub(crate) fn quote(name: &[u8]) -> String {
    const SHOWN: usize = 200;
    let cut = &name[..name.len().min(SHOWN)];
    let dots = if name.len() > SHOWN { "…" } else { "" };
    format!("`{}{dots}`", String::from_utf8_lossy(cut).escape_debug())
}

/// Errors of the decoders below tell a truncated stream by this kind.
pub(crate) fn from_read(error: io::Error) -> Refusal {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => Refusal::Truncated,
        io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput => {
            Refusal::Malformed { reason: error.to_string() }
        }
        _ => Refusal::Io(error),
    }
}
