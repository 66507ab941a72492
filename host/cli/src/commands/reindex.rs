//! `reindex`: the database, built again from the prefixes.

use std::path::{Path, PathBuf};

use serde::Serialize;
use spack_wasm_spec::DagHash;
use spack_wasm_store::{ReindexReport, Store, StoreOptions};

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
    let (report, damaged) = rebuild(session)?;
    if let Some(path) = &damaged {
        session.ui.warn(&format!("the database was damaged; it is now {}", path.display()));
    }
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
    let mut text = Text::header(&summary(&report, damaged.is_some()));
    session.ui.print(text.push("\n"));
    Ok(())
}

/// What was found, and where the old database is now if it was damaged.
fn rebuild(session: &Session) -> Result<(ReindexReport, Option<PathBuf>), CommandError> {
    if !session.has_store() {
        return Ok((ReindexReport::default(), None));
    }
    let rebuilt = Store::rebuild(&session.settings.store, StoreOptions::default())?;
    Ok((rebuilt.report, rebuilt.damaged))
}

fn summary(report: &ReindexReport, new: bool) -> String {
    let changes = match (report.added.len(), report.removed.len()) {
        _ if new => "the database is new".to_owned(),
        (0, 0) => "the database was right".to_owned(),
        (added, removed) => {
            format!("{added} were missing in the database, {removed} were in it without being there")
        }
    };
    format!("{}; {changes}", counted(report.installed, "installed package"))
}
