//! `location`: where a package is.

use std::path::Path;

use serde::Serialize;
use spack_wasm_spec::{DagHash, Version};
use spack_wasm_store::Installed;

use crate::args::{Format, LocationArgs, one_spec};
use crate::error::CommandError;
use crate::selection;
use crate::session::Session;

#[derive(Serialize)]
struct Location<'a> {
    name: &'a str,
    version: &'a Version,
    hash: &'a DagHash,
    prefix: &'a Path,
}

pub(super) fn run(session: &Session, args: &LocationArgs) -> Result<(), CommandError> {
    session.expect_format(&[Format::Text, Format::Json])?;
    let store = session.store_for_reading()?;
    let installed = selection::one(store.as_ref(), &one_spec(&args.spec)?)?;
    if session.is_json(false) {
        let Installed { name, version, hash, prefix, .. } = &installed;
        return session.ui.print_json(&Location { name, version, hash, prefix });
    }
    // Bytes as they are: a script gives them to other programs.
    let mut line = installed.prefix.into_os_string().into_encoded_bytes();
    line.push(b'\n');
    session.ui.print_bytes(&line);
    Ok(())
}
