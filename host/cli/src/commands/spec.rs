//! `spec`: what would be installed.

use spack_wasm_spec::{AbstractSpec, Dag, Node};
use spack_wasm_store::Store;

use super::solving::concretize;
use crate::args::{Format, SpecArgs, specs};
use crate::error::CommandError;
use crate::render::tree::{HashLength, Status, tree};
use crate::selection::by_hash;
use crate::session::Session;

pub(super) fn run(session: &Session, args: &SpecArgs) -> Result<(), CommandError> {
    session.expect_format(&[Format::Text, Format::Json])?;
    let specs = specs(&args.specs)?;
    let dag = match by_hash(session, &specs)? {
        Some(dag) => dag,
        None => solved(session, &specs)?,
    };
    if session.is_json(args.json) {
        session.ui.print_bytes(format!("{}\n", dag.to_json()).as_bytes());
        return Ok(());
    }
    let hashes = HashLength::of_flags(args.long, args.very_long);
    print(session, &dag, hashes, session.store_for_reading()?.as_ref())
}

fn solved(session: &Session, specs: &[AbstractSpec]) -> Result<Dag, CommandError> {
    let (catalog, _) = session.catalog(&[])?;
    let facts = session.facts(&session.machine())?;
    // Nothing has to be put in order when a signal ends this.
    Ok(concretize(session, specs, &catalog, &facts, &|| false)?.dag)
}

fn print(
    session: &Session,
    dag: &Dag,
    hashes: HashLength,
    store: Option<&Store>,
) -> Result<(), CommandError> {
    let mut installed = std::collections::BTreeSet::new();
    for node in dag.nodes() {
        if store.map_or(Ok(false), |store| store.installed(&node.hash))? {
            installed.insert(node.hash.clone());
        }
    }
    let status = |node: &Node| {
        if node.is_external() {
            Status::External
        } else if installed.contains(&node.hash) {
            Status::Installed
        } else {
            Status::Absent
        }
    };
    for root in dag.roots() {
        session.ui.print(&tree(dag, root, hashes, &status));
    }
    Ok(())
}
