//! One command a file.

mod find;
mod info;
mod install;
mod list;
mod location;
mod logs;
mod monitor;
mod reindex;
mod repo;
mod solving;
mod spec;
mod uninstall;

use spack_wasm_monitor::{Credentials, CredentialsError};

use crate::args::{Cli, Command};
use crate::environment::Environment;
use crate::error::CommandError;
use crate::session::Session;
use crate::ui::Ui;

/// The credentials of the monitor, or why there are none.
pub(crate) type MonitorCredentials = Result<Credentials, CredentialsError>;

/// Runs the command of a command line.
///
/// # Errors
/// It failed.
pub(crate) fn run(
    cli: Cli,
    ui: Ui,
    environment: Environment,
    credentials: MonitorCredentials,
) -> Result<(), CommandError> {
    let globals = cli.globals();
    let session = Session::new(ui, environment, &globals).inspect_err(|error| {
        if matches!(cli.command, Command::Install(_)) {
            install::not_started(globals.format.unwrap_or_default(), error);
        }
    })?;
    match cli.command {
        Command::Install(command) => install::run(&session, &command.args, credentials),
        Command::Find(command) => find::run(&session, &command.args),
        Command::Location(command) => location::run(&session, &command.args),
        Command::Uninstall(command) => uninstall::run(&session, &command.args),
        Command::Spec(command) => spec::run(&session, &command.args),
        Command::Info(command) => info::run(&session, &command.args),
        Command::List(command) => list::run(&session, &command.args),
        Command::Logs(command) => logs::run(&session, &command.args),
        Command::Reindex(_) => reindex::run(&session),
        Command::Repo(command) => repo::run(&session, command.args.command),
        Command::Monitor(command) => monitor::run(&session, command.args, credentials),
    }
}
