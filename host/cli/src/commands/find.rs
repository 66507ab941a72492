//! `find`: installed packages.

use serde::Serialize;
use spack_wasm_build::chain;
use spack_wasm_spec::Node;
use spack_wasm_store::{Query, Store};

use crate::args::{FindArgs, Format, specs};
use crate::error::CommandError;
use crate::render::find::{Look, list};
use crate::render::tree::HashLength;
use crate::selection::{Found, matching};
use crate::session::Session;

/// An installed package as JSON: its node of `spec.json`, and what the store knows.
#[derive(Serialize)]
struct JsonPackage<'a> {
    #[serde(flatten)]
    node: &'a Node,
    prefix: &'a std::path::Path,
    explicit: bool,
}

pub(super) fn run(session: &Session, args: &FindArgs) -> Result<(), CommandError> {
    session.expect_format(&[Format::Text, Format::Json])?;
    let found = found(session, session.store_for_reading()?.as_ref(), args)?;
    if session.is_json(args.json) {
        let packages: Vec<_> = found.iter().filter_map(json).collect();
        return session.ui.print_json(&packages);
    }
    if found.is_empty() && !args.specs.is_empty() {
        return Err(CommandError::failure(format!("no installed package is `{}`", args.specs.join(" "))));
    }
    let hashes = HashLength::of_flags(args.long, args.very_long);
    let look = Look {
        hashes,
        variants: args.variants,
        paths: args.paths,
        dependencies: args.deps,
        width: session.ui.columns(),
    };
    session.ui.print(&list(&found, look));
    Ok(())
}

fn found(session: &Session, store: Option<&Store>, args: &FindArgs) -> Result<Vec<Found>, CommandError> {
    let specs = specs(&args.specs)?;
    let Some(store) = store else { return Ok(Vec::new()) };
    let mut found: Vec<Found> = Vec::new();
    for spec in &specs {
        for package in matching(store, spec)? {
            if !found.iter().any(|known| known.installed.hash == package.installed.hash) {
                found.push(package);
            }
        }
    }
    if specs.is_empty() {
        for installed in store.find(&Query::default())? {
            match store.dag(&installed) {
                Ok(dag) => found.push(Found { dag, installed }),
                // The others are there all the same.
                Err(error) => session.ui.warn(&format!("{installed} is left out: {}", chain(&error))),
            }
        }
    }
    let wanted = |explicit: bool| (explicit || !args.explicit) && (!explicit || !args.implicit);
    found.retain(|package| wanted(package.installed.explicit));
    Ok(found)
}

fn json(found: &Found) -> Option<JsonPackage<'_>> {
    let node = found.dag.roots().next()?;
    Some(JsonPackage { node, prefix: &found.installed.prefix, explicit: found.installed.explicit })
}
