//! The list of installed packages, as Spack's `find` shows it.

use std::collections::BTreeMap;

use super::node::{compilers, variants};
use super::tree::HashLength;
use crate::selection::Found;
use crate::text::{BOLD, DIM, HINT, Text, counted};

/// How wide the line above a group is.
const WIDTH: usize = 80;

/// Which columns there are.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Columns {
    /// The hash.
    pub(crate) hashes: HashLength,
    /// The variants.
    pub(crate) variants: bool,
    /// The prefix.
    pub(crate) paths: bool,
}

/// Packages in groups of the same architecture and compilers, and how many there are.
pub(crate) fn list(packages: &[Found], columns: Columns) -> Text {
    let mut groups: BTreeMap<(String, String), Vec<&Found>> = BTreeMap::new();
    for found in packages {
        let compilers = found.dag.roots().next().map(|node| compilers(node, &found.dag)).unwrap_or_default();
        groups.entry((found.installed.architecture.to_string(), compilers)).or_default().push(found);
    }
    let mut text = Text::new();
    for ((architecture, compilers), members) in groups {
        title(&mut text, &architecture, &compilers);
        for found in members {
            line(&mut text, found, columns);
        }
        text.push("\n");
    }
    text.append(Text::header(&counted(packages.len(), "installed package")).push("\n"));
    text
}

fn title(text: &mut Text, architecture: &str, compilers: &str) {
    let used = architecture.len() + compilers.len() + 7;
    text.push("-- ").styled(BOLD, architecture).push(" / ").styled(BOLD, compilers).push(" ");
    text.push(&"-".repeat(WIDTH.saturating_sub(used).max(2))).push("\n");
}

fn line(text: &mut Text, found: &Found, columns: Columns) {
    let Found { installed, dag } = found;
    text.styled(DIM, &columns.hashes.column(&installed.hash));
    text.push(&format!("{}@{}", installed.name, installed.version));
    if let Some(node) = dag.roots().next().filter(|_| columns.variants) {
        text.push(&variants(node));
    }
    if columns.paths {
        text.push("  ").styled(HINT, &installed.prefix.display().to_string());
    }
    text.push("\n");
}
