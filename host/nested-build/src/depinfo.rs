//! Tells the outer cargo on which files a product depends, from the `.d` file that the inner cargo leaves beside it.
//!
//! Its format is make's: `product: source source`, with spaces in names written as `\ `. It lists the sources of the
//! package and of all its path dependencies; manifests and the lock file are added here.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::NestedBuildError;

pub(crate) fn announce(depinfo: &Path) -> Result<(), NestedBuildError> {
    let text = fs_err::read_to_string(depinfo).map_err(NestedBuildError::DepInfo)?;
    let sources: BTreeSet<PathBuf> = text.lines().flat_map(sources_of_line).collect();
    let manifests: BTreeSet<PathBuf> = sources.iter().flat_map(|source| manifests_above(source)).collect();
    for path in sources.iter().chain(&manifests) {
        directive(path);
    }
    Ok(())
}

#[expect(clippy::print_stdout, reason = "a build script speaks to cargo on its standard output")]
fn directive(path: &Path) {
    println!("cargo::rerun-if-changed={}", path.display());
}

fn sources_of_line(line: &str) -> Vec<PathBuf> {
    let Some((_, sources)) = line.split_once(": ") else { return Vec::new() };
    sources
        .replace("\\ ", "\0")
        .split_whitespace()
        .map(|source| PathBuf::from(source.replace('\0', " ")))
        .collect()
}

/// Manifests and lock files of the source's package and workspace, ending at the workspace's root.
fn manifests_above(source: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for folder in source.ancestors().skip(1) {
        let manifest = folder.join("Cargo.toml");
        let lock = folder.join("Cargo.lock");
        found.extend(manifest.is_file().then_some(manifest));
        if lock.is_file() {
            found.push(lock);
            break;
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spaces_in_names_survive() {
        let sources = sources_of_line(r"/t/release/tool: /a/src/main.rs /b\ c/lib.rs");
        assert_eq!(sources, [PathBuf::from("/a/src/main.rs"), PathBuf::from("/b c/lib.rs")]);
    }

    #[test]
    fn manifests_end_at_the_lock_file() {
        let manifests = manifests_above(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src/lib.rs")));
        assert!(manifests.len() >= 3, "{manifests:?}");
        assert!(manifests.last().is_some_and(|last| last.ends_with("Cargo.lock")));
    }
}
