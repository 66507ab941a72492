//! Applying a recipe's patches, as `patch -p<level>` would: unified diffs, plain or from git, and context diffs, with offsets and
//! fuzz.
//!
//! All of a patch is applied in memory before the first file is written, so that a patch that does not fit changes
//! nothing. Every file operation goes beneath a directory handle.

mod context;
mod error;
mod hunks;
mod names;
mod tree;

pub use error::PatchError;

use cap_std::fs::Dir;
use error::Fault;
use flickzeug::{Diff, FileChangeKind, ParserConfig, Patch};
use names::{Names, show};
use std::path::PathBuf;
use tree::Tree;

/// Largest patch that is read.
const MAX_BYTES: usize = 64 << 20;
const EXECUTABLE: u32 = 0o755;
const PLAIN: u32 = 0o644;

/// How a patch is applied: the arguments of Spack's `patch` directive.
#[derive(Debug, Clone)]
pub struct PatchOptions<'a> {
    /// Leading path components taken off each name (`-p`).
    pub level: u32,
    /// Folder beneath the handle that the names are relative to.
    pub working_dir: &'a str,
    /// Whether the patch is taken back.
    pub reverse: bool,
}

impl Default for PatchOptions<'_> {
    fn default() -> Self {
        PatchOptions { level: 1, working_dir: ".", reverse: false }
    }
}

/// Applies a patch and returns the files that it changed, made, renamed or removed, sorted.
pub fn apply(dir: &Dir, patch: &[u8], options: &PatchOptions<'_>) -> Result<Vec<PathBuf>, PatchError> {
    if patch.len() > MAX_BYTES {
        return Err(PatchError::Unsupported { what: "more than 64 MiB" });
    }
    let patch = context::to_unified(patch)?;
    let diffs = parse(&patch)?;
    let folder = dir
        .open_dir(options.working_dir)
        .map_err(|error| PatchError::WorkingDir { path: options.working_dir.to_owned(), source: error })?;
    let mut tree = Tree::new(folder);
    for diff in &diffs {
        if options.reverse {
            apply_diff(&mut tree, &diff.reverse(), options.level)?;
        } else {
            apply_diff(&mut tree, diff, options.level)?;
        }
    }
    tree.write()
}

fn parse(patch: &[u8]) -> Result<Vec<Diff<'_, [u8]>>, PatchError> {
    const UNSUPPORTED: [(&[u8], &str); 2] =
        [(b"GIT binary patch", "a binary patch of git"), (b"copy from ", "a copy of git")];
    for line in patch.split(|byte| *byte == b'\n') {
        if let Some((_, what)) = UNSUPPORTED.iter().find(|(start, _)| line.starts_with(start)) {
            return Err(PatchError::Unsupported { what });
        }
    }
    let config = ParserConfig { strip_ab_prefix: false, ..ParserConfig::default() };
    let parsed = Patch::from_bytes_with_config(patch, config)
        .map_err(|error| PatchError::Malformed { line: error.line(), reason: error.kind().to_string() })?;
    if parsed.is_empty() {
        return Err(PatchError::Empty);
    }
    Ok(parsed.into_diffs())
}

fn apply_diff(tree: &mut Tree, diff: &Diff<'_, [u8]>, level: u32) -> Result<(), PatchError> {
    let names = Names::of(diff, level)?;
    let kind = kind(diff);
    let file = match kind {
        FileChangeKind::Create => names.after()?,
        FileChangeKind::Rename => names.before()?,
        FileChangeKind::Modify | FileChangeKind::Delete => names.existing(tree)?,
    };
    let at = |fault| PatchError::File { file: show(file), fault };
    let (before, mode) = before(tree, file, kind).map_err(at)?;
    let after = patched(&before, diff).map_err(at)?;
    let mode = match diff.metadata().new_mode {
        Some(mode) if mode & 0o170_000 == 0o120_000 => return Err(at(Fault::MakesLink)),
        Some(mode) if mode & 0o111 != 0 => EXECUTABLE,
        Some(_) => PLAIN,
        None => mode,
    };
    match kind {
        FileChangeKind::Delete if !after.is_empty() => return Err(at(Fault::NotEmptied)),
        FileChangeKind::Delete => tree.remove(file),
        FileChangeKind::Rename => {
            let to = names.after()?;
            if to != file
                && tree.read(to).map_err(|fault| PatchError::File { file: show(to), fault })?.is_some()
            {
                return Err(PatchError::File { file: show(to), fault: Fault::Exists });
            }
            tree.remove(file);
            tree.put(to, after, mode);
        }
        FileChangeKind::Create | FileChangeKind::Modify => tree.put(file, after, mode),
    }
    Ok(())
}

/// Without git's headers, a diff that starts from nothing makes a file.
fn kind(diff: &Diff<'_, [u8]>) -> FileChangeKind {
    match (diff.metadata().kind, diff.hunks()) {
        (FileChangeKind::Modify, [hunk]) if hunk.old_range().is_empty() && hunk.old_range().start() == 0 => {
            FileChangeKind::Create
        }
        (kind, _) => kind,
    }
}

fn before(tree: &Tree, file: &names::FileName, kind: FileChangeKind) -> Result<(Vec<u8>, u32), Fault> {
    match (tree.read(file)?, kind) {
        (Some((content, _)), FileChangeKind::Create) if !content.is_empty() => Err(Fault::Exists),
        (Some(found), _) => Ok(found),
        (None, FileChangeKind::Create) => Ok((Vec::new(), PLAIN)),
        (None, _) => Err(Fault::Missing),
    }
}

fn patched(before: &[u8], diff: &Diff<'_, [u8]>) -> Result<Vec<u8>, Fault> {
    let metadata = diff.metadata();
    let has_mode = metadata.old_mode.is_some() || metadata.new_mode.is_some();
    if diff.hunks().is_empty() && metadata.kind == FileChangeKind::Modify && !has_mode {
        return Err(Fault::NothingToDo);
    }
    hunks::apply(before, diff.hunks()).map_err(|number| Fault::Hunk {
        hunk: number + 1,
        of: diff.hunks().len(),
        line: diff.hunks()[number].old_range().start(),
        already: hunks::apply(before, diff.reverse().hunks()).is_ok(),
    })
}
