//! Why a patch could not be applied.

use std::io;

/// A patch that was not applied; no file was changed, unless writing one failed.
#[derive(Debug, thiserror::Error)]
pub enum PatchError {
    /// No diff in it.
    #[error("the patch has no diff in it")]
    Empty,
    /// A form that is not read.
    #[error("the patch is {what}, which cannot be applied; write it as a unified diff")]
    Unsupported {
        /// The form.
        what: &'static str,
    },
    /// A broken diff.
    #[error("the patch is malformed in line {line}: {reason}")]
    Malformed {
        /// Line of the patch, from 1.
        line: usize,
        /// What is wrong there.
        reason: String,
    },
    /// The folder to patch in.
    #[error("the patch's working_dir {path:?} cannot be entered: {source}")]
    WorkingDir {
        /// As the recipe names it.
        path: String,
        /// Why.
        source: io::Error,
    },
    /// A name that cannot be a file of the source tree.
    #[error("the patch names the file {name}, which with level {level} {reason}")]
    Name {
        /// As the patch has it, quoted.
        name: String,
        /// Path components to take off.
        level: u32,
        /// What is wrong with it.
        reason: String,
    },
    /// A diff without any name.
    #[error("the patch has a diff that names no file")]
    NoName,
    /// One file could not be patched.
    #[error("{file} {fault}")]
    File {
        /// Path beneath the working directory, quoted.
        file: String,
        /// What is wrong.
        fault: Fault,
    },
}

/// What is wrong with one file. The text continues a sentence that begins with its name.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// Not there.
    #[error("is to be patched and is not there; does `level` fit the patch?")]
    Missing,
    /// There, where it is to be made.
    #[error("is to be made by the patch and is there already")]
    Exists,
    /// A folder, a link or something else.
    #[error("is not a regular file")]
    NotAFile,
    /// A hunk that fits nowhere.
    #[error(
        "does not fit hunk {hunk} of {of} (at line {line}){}",
        if *.already { "; the patch seems to be applied already" } else { "" }
    )]
    Hunk {
        /// From 1.
        hunk: usize,
        /// Hunks for this file.
        of: usize,
        /// Line of the file that the hunk states, from 1.
        line: usize,
        /// Whether the file looks as if the diff had been applied before.
        already: bool,
    },
    /// A deletion that leaves something.
    #[error("is to be removed by the patch and has lines that the patch does not know")]
    NotEmptied,
    /// A header and nothing more.
    #[error("has a header in the patch, but no hunk")]
    NothingToDo,
    /// A symbolic link.
    #[error("is to become a symbolic link, which patches may not make")]
    MakesLink,
    /// Reading or writing failed.
    #[error("cannot be read or written: {0}")]
    Io(#[from] io::Error),
}
