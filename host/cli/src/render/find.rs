//! The list of installed packages, as Spack's `find` shows it.

use std::collections::BTreeMap;

use spack_wasm_spec::Node;

use super::node::{compilers, variants};
use super::tree::{HashLength, nested};
use crate::selection::Found;
use crate::text::{BOLD, DIM, HINT, Text, counted};

/// How wide the line above a group is at most.
const WIDTH: usize = 80;

/// How many spaces are between two columns.
const GAP: usize = 2;

/// What is shown of each package, and how.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Look {
    /// The hash.
    pub(crate) hashes: HashLength,
    /// The variants.
    pub(crate) variants: bool,
    /// The prefix.
    pub(crate) paths: bool,
    /// The dependencies below each package.
    pub(crate) dependencies: bool,
    /// How wide a terminal is, which is filled in columns; one package a line where there is none.
    pub(crate) width: Option<usize>,
}

/// Packages in groups of the same architecture and compilers, and how many there are.
pub(crate) fn list(packages: &[Found], look: Look) -> Text {
    let mut groups: BTreeMap<(String, String), Vec<&Found>> = BTreeMap::new();
    for found in packages {
        let compilers = found.dag.roots().next().map(|node| compilers(node, &found.dag)).unwrap_or_default();
        groups.entry((found.installed.architecture.to_string(), compilers)).or_default().push(found);
    }
    let mut text = Text::new();
    for ((architecture, compilers), members) in groups {
        title(&mut text, &architecture, &compilers, look.width.unwrap_or(WIDTH).min(WIDTH));
        group(&mut text, &members, look);
        text.push("\n");
    }
    text.append(Text::header(&counted(packages.len(), "installed package")).push("\n"));
    text
}

fn title(text: &mut Text, architecture: &str, compilers: &str, width: usize) {
    let used = architecture.len() + compilers.len() + 7;
    text.push("-- ").styled(BOLD, architecture).push(" / ").styled(BOLD, compilers).push(" ");
    text.push(&"-".repeat(width.saturating_sub(used).max(2))).push("\n");
}

fn group(text: &mut Text, members: &[&Found], look: Look) {
    if look.dependencies {
        members.iter().for_each(|found| with_dependencies(text, found, look));
    } else if look.paths {
        with_paths(text, members, look);
    } else {
        let cells: Vec<Text> = members.iter().map(|found| cell(found, look)).collect();
        columns(text, &cells, look.width.unwrap_or(0));
    }
}

fn cell(found: &Found, look: Look) -> Text {
    let mut text = Text::new();
    if let Some(node) = found.dag.roots().next() {
        package(&mut text, node, look);
    }
    text
}

fn package(text: &mut Text, node: &Node, look: Look) {
    text.styled(DIM, &look.hashes.column(&node.hash)).push(&node.name_version());
    text.push(&if look.variants { variants(node) } else { String::new() });
}

/// Names in front of a column of folders.
fn with_paths(text: &mut Text, members: &[&Found], look: Look) {
    let cells: Vec<Text> = members.iter().map(|found| cell(found, look)).collect();
    let width = cells.iter().map(Text::width).max().unwrap_or(0);
    for (cell, found) in cells.iter().zip(members) {
        text.append(cell).push(&" ".repeat(width + GAP - cell.width()));
        text.styled(HINT, &found.installed.prefix.display().to_string()).push("\n");
    }
}

fn with_dependencies(text: &mut Text, found: &Found, look: Look) {
    let Some(root) = found.dag.roots().next() else { return };
    for (node, depth) in nested(&found.dag, root) {
        text.styled(DIM, &look.hashes.column(&node.hash)).push(&"    ".repeat(depth));
        text.push(if depth > 0 { "^" } else { "" });
        package(text, node, Look { hashes: HashLength::None, ..look });
        if look.paths && depth == 0 {
            text.push("  ").styled(HINT, &found.installed.prefix.display().to_string());
        }
        text.push("\n");
    }
}

/// Cells in as many columns as there is room for, to be read from top to bottom.
fn columns(text: &mut Text, cells: &[Text], width: usize) {
    let widths: Vec<usize> = cells.iter().map(Text::width).collect();
    let rows = (1..=cells.len()).find(|rows| total(&widths, *rows) <= width).unwrap_or(cells.len());
    let widest: Vec<usize> = widths.chunks(rows.max(1)).map(maximum).collect();
    for row in 0..rows {
        let mut padding = 0;
        for (index, cell) in cells.iter().enumerate().skip(row).step_by(rows) {
            text.push(&" ".repeat(padding)).append(cell);
            padding = widest[index / rows] + GAP - widths[index];
        }
        text.push("\n");
    }
}

/// How wide columns of so many rows are together.
fn total(widths: &[usize], rows: usize) -> usize {
    let columns = widths.chunks(rows);
    columns.len().saturating_sub(1) * GAP + columns.map(maximum).sum::<usize>()
}

fn maximum(widths: &[usize]) -> usize {
    widths.iter().copied().max().unwrap_or(0)
}
