//! The command `spack-wasm`: arguments, configuration, terminal.
//!
//! Every other crate is a library that neither prints nor reads the environment. Here the two ends meet: `environment` is
//! the only module that reads what the process was given, `ui` and the sinks in `terminal` are the only ones that
//! print, and `error` decides what a failure looks like and which exit status it has.

mod args;
mod commands;
mod config;
mod environment;
mod error;
mod failed_logs;
mod json;
mod monitoring;
mod paths;
mod render;
mod repositories;
mod runtime;
mod selection;
mod session;
mod terminal;
mod text;
mod ui;

use std::process::ExitCode;

use clap::Parser;
use clap::error::ErrorKind as ClapErrorKind;

use args::Cli;
use environment::Environment;
use error::CommandError;
use ui::Ui;

/// Runs the command line that the process was started with. To be called first thing in `main`, before there is any
/// other thread.
pub fn main() -> ExitCode {
    let credentials = environment::take_credentials();
    // A second provider can only mean that one is there.
    let _ = rustls::crypto::ring::default_provider().install_default();
    environment::allow_open_files();
    let environment = Environment::of_process();
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return not_parsed(&error),
    };
    let ui = Ui::new(cli.globals().color_choice(), cli.globals().debug);
    match commands::run(cli, ui, environment, credentials) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failed(ui, &error),
    }
}

fn failed(ui: Ui, error: &CommandError) -> ExitCode {
    ui.error(error);
    ExitCode::from(error.kind.exit_status())
}

/// Help and version are no errors; everything else looks as every error does.
fn not_parsed(error: &clap::Error) -> ExitCode {
    let ui = Ui::new(anstream::ColorChoice::Auto, false);
    match error.kind() {
        ClapErrorKind::DisplayHelp | ClapErrorKind::DisplayVersion => {
            ui.print_bytes(error.render().ansi().to_string().as_bytes());
            ExitCode::SUCCESS
        }
        ClapErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            ui.say_bytes(error.render().ansi().to_string().as_bytes());
            ExitCode::from(error::ErrorKind::Usage.exit_status())
        }
        _ => {
            let message = error.render().to_string();
            failed(ui, &CommandError::usage(message.strip_prefix("error: ").unwrap_or(&message)))
        }
    }
}
