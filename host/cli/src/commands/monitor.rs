//! `monitor upload`: sends saved reports.

use std::path::{Path, PathBuf};

use spack_wasm_monitor::{UploadSummary, upload};

use super::MonitorCredentials;
use crate::args::{Format, MonitorArgs, MonitorCommand, MonitorCommandArgs};
use crate::error::{CommandError, ErrorKind};
use crate::monitoring;
use crate::runtime;
use crate::session::Session;
use crate::text::{Text, counted};

pub(super) fn run(
    session: &Session,
    args: MonitorCommandArgs,
    credentials: MonitorCredentials,
) -> Result<(), CommandError> {
    session.expect_format(&[Format::Text])?;
    let MonitorCommand::Upload(upload) = args.command;
    let monitor = args.monitor.with(upload.args.monitor);
    warn_of_useless(session, &monitor);
    let runtime = runtime::new()?;
    let directory = without_dots(&session.environment.working_directory.join(upload.args.directory));
    if !directory.is_dir() {
        let why = if directory.exists() { "is no folder" } else { "does not exist" };
        let message = format!("there are no saved reports: {} {why}", directory.display());
        return Err(CommandError::failure(message)
            .hinted(format!("they are saved in {}", session.settings.monitor_dir.display())));
    }
    let summary = runtime.block_on(async {
        let client = monitoring::connect(session, &monitor, credentials).await?;
        send(session, &directory, &client).await
    })?;
    report(session, &directory, &summary)
}

/// The path as it is shown: `/a/b` for `/a/./b`.
fn without_dots(path: &Path) -> PathBuf {
    path.components().collect()
}

fn warn_of_useless(session: &Session, monitor: &MonitorArgs) {
    if monitor.tags.is_some() {
        session.ui.warn("--monitor-tags means nothing here: the tags were saved with the builds");
    }
    if monitor.save_local || monitor.keep_going {
        session.ui.warn("--monitor-save-local and --monitor-keep-going mean nothing here");
    }
}

async fn send(
    session: &Session,
    directory: &Path,
    client: &spack_wasm_monitor::Client,
) -> Result<UploadSummary, CommandError> {
    let mut observer = |path: &Path| session.ui.debug(|| format!("uploading {}", path.display()));
    let summary = upload(directory, client, &mut observer).await;
    summary.map_err(|error| CommandError::failure(error.to_string()))
}

fn report(session: &Session, directory: &Path, summary: &UploadSummary) -> Result<(), CommandError> {
    for folder in &summary.unreadable {
        session.ui.warn(&format!("passed over: {}", folder.reason));
    }
    if summary.runs == 0 {
        session.ui.warn(&format!("there are no saved reports in {}", directory.display()));
        return Ok(());
    }
    let sent = format!("{} of {} sent", counted(summary.sent, "file"), counted(summary.runs, "saved run"));
    if summary.problems.is_empty() && summary.stopped.is_none() {
        session.ui.status(&sent);
        return Ok(());
    }
    let what = summary.stopped.clone().unwrap_or_else(|| "the server did not take everything".to_owned());
    let mut error = CommandError::new(ErrorKind::Monitor, format!("{what} ({sent})"));
    for problem in &summary.problems {
        let path = Text::plain(&format!("    {}: {}\n", problem.path.display(), problem.reason));
        error.details.append(&path);
    }
    Err(error
        .hinted("what was sent already is not harmed by sending it again: repeat the command".to_owned()))
}
