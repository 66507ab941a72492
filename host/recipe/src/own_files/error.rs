use std::io;
use std::path::PathBuf;

use super::read::{DEEPEST, MOST_BYTES, MOST_FILES};

/// Why a recipe's own files can't be had.
#[derive(Debug, thiserror::Error)]
pub enum FilesError {
    /// The operating system says no.
    #[error("the recipe's own files can't be read: {}", path.display())]
    Read {
        /// The file or folder.
        path: PathBuf,
        /// What the operating system says.
        #[source]
        source: io::Error,
    },
    /// A link that is not followed.
    #[error("the recipe's own file {} is a link that leads out of the recipe's folder or to a folder; put the file itself there", path.display())]
    Link {
        /// The link.
        path: PathBuf,
    },
    /// A device, a socket or the like.
    #[error("the recipe's own file {} is neither a file nor a folder", path.display())]
    Kind {
        /// The entry.
        path: PathBuf,
    },
    /// A name that is not fit to be shown.
    #[error("a recipe's own file in {} has a name that is not printable: {name:?}", folder.display())]
    Name {
        /// The folder that it is in.
        folder: PathBuf,
        /// The name.
        name: String,
    },
    /// More than a recipe may have.
    #[error(
        "the recipe in {} has too much beside it: {MOST_FILES} files, {} MiB and {DEEPEST} folders within each other are the most; keep other things out of its folder",
        folder.display(), MOST_BYTES >> 20
    )]
    TooMuch {
        /// The recipe's folder.
        folder: PathBuf,
    },
    /// They can't be written where the recipe is to see them.
    #[error("the recipe's own files can't be shown to it in {}", folder.display())]
    Show {
        /// The folder.
        folder: PathBuf,
        /// What the operating system says.
        #[source]
        source: io::Error,
    },
}
