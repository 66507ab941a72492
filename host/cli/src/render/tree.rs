//! A concrete DAG as a tree, as `spec` and the plan show it.

use std::collections::BTreeSet;

use spack_wasm_spec::{Dag, DagHash, Node};

use super::node::concrete;
use crate::text::{DIM, GOOD, Text};

/// What is known of a node besides its spec.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    /// It is in the store.
    Installed,
    /// Something else installed it.
    External,
    /// It is not there.
    Absent,
    /// It is not there, and nothing needs it now.
    Unneeded,
}

/// How much of a hash is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HashLength {
    /// Nothing.
    None,
    /// Seven characters.
    Short,
    /// All characters.
    Full,
}

impl HashLength {
    /// What the flags `-l` and `-L` mean.
    pub(crate) fn of_flags(long: bool, very_long: bool) -> Self {
        match (long, very_long) {
            (_, true) => Self::Full,
            (true, false) => Self::Short,
            (false, false) => Self::None,
        }
    }

    /// That much of a hash, with spaces behind it.
    pub(crate) fn column(self, hash: &DagHash) -> String {
        match self {
            Self::None => String::new(),
            Self::Short => format!("{} ", hash.short()),
            Self::Full => format!("{hash} "),
        }
    }
}

/// A DAG below one of its roots, each node once where it is first met, dependencies indented behind `^`.
pub(crate) fn tree(dag: &Dag, root: &Node, hashes: HashLength, status: &dyn Fn(&Node) -> Status) -> Text {
    let mut text = Text::new();
    for (node, depth) in nested(dag, root) {
        line(&mut text, node, depth, hashes, status(node));
    }
    text
}

/// The nodes below a root, each once where it is first met, with how deep it is.
pub(crate) fn nested<'a>(dag: &'a Dag, root: &'a Node) -> Vec<(&'a Node, usize)> {
    let mut nodes = Vec::new();
    let mut seen = BTreeSet::new();
    let mut stack = vec![(&root.hash, 0)];
    while let Some((hash, depth)) = stack.pop() {
        let Some(node) = dag.get(hash).filter(|_| seen.insert(hash)) else { continue };
        stack.extend(node.dependencies.iter().rev().map(|edge| (&edge.hash, depth + 1)));
        nodes.push((node.as_ref(), depth));
    }
    nodes
}

fn line(text: &mut Text, node: &Node, depth: usize, hashes: HashLength, status: Status) {
    match status {
        Status::Installed => text.styled(GOOD, "[+]"),
        Status::External => text.styled(GOOD, "[e]"),
        Status::Absent | Status::Unneeded => text.push(if status == Status::Absent { " - " } else { "   " }),
    };
    text.push("  ").styled(DIM, &hashes.column(&node.hash)).push(&"    ".repeat(depth));
    text.push(if depth > 0 { "^" } else { "" }).push(&concrete(node)).push("\n");
}
