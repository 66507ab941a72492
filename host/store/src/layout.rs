//! Where things lie beneath the root of a store.

use std::path::{Path, PathBuf};

use spack_wasm_spec::{DagHash, Node};

/// Prefixes that are being built, markers and trash: nothing in it is installed.
pub(crate) const BUILDING: &str = ".building";
/// The index, its locks, and who holds them.
pub(crate) const DATABASE_FOLDER: &str = ".spack-wasm-db";
/// The folder in each prefix that says what the prefix is; its name is Spack's.
pub(crate) const METADATA: &str = ".spack";
/// The folder in it in which a build keeps what the package's stand-alone tests need, as in Spack.
pub(crate) const TEST_SOURCES: &str = "test";

/// The index.
pub(crate) const DATABASE_FILE: &str = "index.sqlite";
/// One byte of this file's range stands for each prefix.
pub(crate) const LOCK_FILE: &str = "prefix_lock";
/// Locked as a whole by the run that replaces installed packages, and names it.
pub(crate) const REPLACE_LOCK: &str = "replace_lock";
/// Who holds a prefix exclusively, a file a hash.
pub(crate) const HOLDERS: &str = "holders";

/// The path of a node's prefix beneath the root: `<platform>-<target>/<name>-<version>-<hash>`.
///
/// As in Spack, a character that can't stand in a file name becomes `_`; the hash keeps the path unique.
pub(crate) fn relative_prefix(node: &Node) -> PathBuf {
    let facts = &node.facts;
    let arch = format!("{}-{}", facts.architecture.platform, facts.architecture.target);
    let name = format!("{}-{}-{}", facts.name, facts.version, node.hash);
    Path::new(&file_name(&arch)).join(file_name(&name))
}

/// `text` as one file name that is neither hidden nor special.
pub(crate) fn file_name(text: &str) -> String {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "._+=@~-".contains(c);
    let mut name: String = text.chars().map(|c| if allowed(c) { c } else { '_' }).collect();
    if name.starts_with('.') {
        name.replace_range(..1, "_");
    }
    name
}

/// Entries of `.building`, by the hash that they belong to.
///
/// Whoever holds the exclusive lock of that hash owns them; when nobody does, their process is dead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum BuildingEntry {
    /// `<hash>-<id>`: a prefix that is being built.
    Pending(DagHash),
    /// `<hash>.incomplete`: the prefix at the final path is being built in place; holds that path.
    Incomplete(DagHash),
    /// `<hash>.publishing`: the prefix is moved to its final path and is not in the index yet; holds that path.
    Publishing(DagHash),
    /// `trash-<hash>-<id>`: a prefix that was uninstalled and is being deleted.
    Trash(DagHash),
}

impl BuildingEntry {
    /// What the entry with this name is; nothing of ours where it can't be read.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        let hash = |text: &str| text.parse().ok();
        if let Some(rest) = name.strip_prefix("trash-") {
            return Some(Self::Trash(hash(rest.split_once('-')?.0)?));
        }
        if let Some(text) = name.strip_suffix(".incomplete") {
            return Some(Self::Incomplete(hash(text)?));
        }
        if let Some(text) = name.strip_suffix(".publishing") {
            return Some(Self::Publishing(hash(text)?));
        }
        Some(Self::Pending(hash(name.split_once('-')?.0)?))
    }

    /// Which prefix it belongs to.
    pub(crate) fn hash(&self) -> &DagHash {
        match self {
            Self::Pending(hash) | Self::Incomplete(hash) | Self::Publishing(hash) | Self::Trash(hash) => hash,
        }
    }
}

/// The name of a marker in `.building`.
pub(crate) fn incomplete_marker(hash: &DagHash) -> String {
    format!("{hash}.incomplete")
}

/// The name of the note that a prefix is about to be moved.
pub(crate) fn publishing_note(hash: &DagHash) -> String {
    format!("{hash}.publishing")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hostile_version_stays_one_file_name() {
        assert_eq!(file_name("zlib-git.a/../../b\n=1.2-hash"), "zlib-git.a_.._.._b_=1.2-hash");
        assert_eq!(file_name("../x"), "_._x");
    }

    #[test]
    fn entries_of_building_are_told_apart() {
        let hash: DagHash = "a".repeat(32).parse().unwrap();
        let kinds = [
            (format!("{hash}-12-0"), BuildingEntry::Pending(hash.clone())),
            (incomplete_marker(&hash), BuildingEntry::Incomplete(hash.clone())),
            (publishing_note(&hash), BuildingEntry::Publishing(hash.clone())),
            (format!("trash-{hash}-12-0.1"), BuildingEntry::Trash(hash.clone())),
        ];
        for (name, kind) in kinds {
            assert_eq!(BuildingEntry::parse(&name), Some(kind));
        }
        assert_eq!(BuildingEntry::parse("notes.txt"), None);
    }
}
