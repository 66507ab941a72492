//! `reindex`: the database, built again from the prefixes.

use std::path::Path;

use serde::Serialize;
use spack_wasm_spec::DagHash;
use spack_wasm_store::ReindexReport;

use crate::args::Format;
use crate::error::CommandError;
use crate::session::Session;
use crate::text::{Text, counted};

#[derive(Serialize)]
struct Json<'a> {
    installed: usize,
    added: &'a [DagHash],
    removed: &'a [DagHash],
    skipped: Vec<&'a Path>,
}

pub(super) fn run(session: &Session) -> Result<(), CommandError> {
    session.expect_format(&[Format::Text, Format::Json])?;
    // A store that is not there has nothing to be found in it, and is not made for that.
    let report = if session.has_store() { session.store()?.reindex()? } else { ReindexReport::default() };
    for skipped in &report.skipped {
        session.ui.warn(&format!("{} {}", skipped.path.display(), skipped.reason));
    }
    if session.is_json(false) {
        return session.ui.print_json(&Json {
            installed: report.installed,
            added: &report.added,
            removed: &report.removed,
            skipped: report.skipped.iter().map(|skipped| skipped.path.as_path()).collect(),
        });
    }
    let mut text = Text::header(&summary(&report));
    session.ui.print(text.push("\n"));
    Ok(())
}

fn summary(report: &ReindexReport) -> String {
    let changes = match (report.added.len(), report.removed.len()) {
        (0, 0) => "the database was right".to_owned(),
        (added, removed) => {
            format!("{added} were missing in the database, {removed} were in it without being there")
        }
    };
    format!("{}; {changes}", counted(report.installed, "installed package"))
}
