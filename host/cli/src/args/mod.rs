//! The command line.

mod install;
mod monitor;
mod packages;
mod repo;
mod specs;

use anstream::ColorChoice;
use clap::builder::styling::{AnsiColor, Styles};
use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::error::EXIT_STATUSES;

pub(crate) use install::{InstallArgs, SandboxArgs, TestChoice};
pub(crate) use monitor::{MonitorArgs, MonitorCommand, MonitorCommandArgs};
pub(crate) use packages::{
    FindArgs, InfoArgs, ListArgs, LocationArgs, LogsArgs, ReindexArgs, SpecArgs, UninstallArgs,
};
pub(crate) use repo::{RepoArgs, RepoCommand};
pub(crate) use specs::{one_spec, specs};

const STYLES: Styles = Styles::styled()
    .header(AnsiColor::Blue.on_default().bold())
    .usage(AnsiColor::Blue.on_default().bold())
    .literal(AnsiColor::Cyan.on_default());

/// Build scientific software from source, without trusting its recipes.
#[derive(Debug, Parser)]
#[command(name = "spack-wasm", version, styles = STYLES, after_help = exit_statuses(), max_term_width = 100)]
#[command(disable_help_subcommand = true)]
pub(crate) struct Cli {
    /// What is said before the command.
    #[command(flatten)]
    pub(crate) globals: Globals,
    /// The command.
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What every command takes, before or behind its name.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Options of every command")]
pub(crate) struct Globals {
    /// Set a configuration value, for example `config:build_jobs:4` (can be repeated)
    #[arg(short = 'c', long = "config", value_name = "SECTION:KEY:VALUE")]
    pub(crate) config: Vec<String>,
    /// Say more about what is done
    #[arg(short, long)]
    pub(crate) debug: bool,
    /// When to use colours
    #[arg(long, value_name = "WHEN")]
    pub(crate) color: Option<Color>,
    /// How results are written
    #[arg(long, value_name = "FORMAT")]
    pub(crate) format: Option<Format>,
}

/// When to use colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    /// On a terminal, unless NO_COLOR is set
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// How results are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people
    #[default]
    Text,
    /// One JSON value
    Json,
    /// One JSON value a line, each as soon as it is known
    Ndjson,
}

impl Globals {
    /// What was said in front of the command's name, and behind it, which counts more.
    pub(crate) fn with(mut self, inner: Self) -> Self {
        self.config.extend(inner.config);
        Self {
            config: self.config,
            debug: self.debug || inner.debug,
            color: inner.color.or(self.color),
            format: inner.format.or(self.format),
        }
    }

    /// When to use colours.
    pub(crate) fn color_choice(&self) -> ColorChoice {
        match self.color {
            None | Some(Color::Auto) => ColorChoice::Auto,
            Some(Color::Always) => ColorChoice::Always,
            Some(Color::Never) => ColorChoice::Never,
        }
    }
}

/// A command's own arguments, with those that every command takes.
#[derive(Clone, Debug, Args)]
pub(crate) struct Scoped<A: Args> {
    /// The command's own.
    #[command(flatten)]
    pub(crate) args: A,
    /// What every command takes.
    #[command(flatten)]
    pub(crate) globals: Globals,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Build and install packages
    Install(Scoped<InstallArgs>),
    /// List installed packages
    // As in Spack, `-d` is for dependencies behind `find`, and for debugging in front of it.
    #[command(mut_arg("debug", |argument| argument.short(None::<char>)))]
    Find(Scoped<FindArgs>),
    /// Print the folder of an installed package
    Location(Scoped<LocationArgs>),
    /// Remove installed packages
    Uninstall(Scoped<UninstallArgs>),
    /// Show what would be installed, down to the last dependency
    Spec(Scoped<SpecArgs>),
    /// Show what a recipe says of its package
    Info(Scoped<InfoArgs>),
    /// List the packages that there are recipes for
    List(Scoped<ListArgs>),
    /// Print the log of a package's build
    Logs(Scoped<LogsArgs>),
    /// Build the database of installed packages again
    Reindex(Scoped<ReindexArgs>),
    /// Manage folders of recipes
    Repo(Scoped<RepoArgs>),
    /// Talk to a Spackmon server
    Monitor(Scoped<MonitorCommandArgs>),
}

impl Command {
    /// What every command takes, said behind the command's name or its subcommand's.
    fn globals(&self) -> Globals {
        match self {
            Self::Install(command) => command.globals.clone(),
            Self::Find(command) => command.globals.clone(),
            Self::Location(command) => command.globals.clone(),
            Self::Uninstall(command) => command.globals.clone(),
            Self::Spec(command) => command.globals.clone(),
            Self::Info(command) => command.globals.clone(),
            Self::List(command) => command.globals.clone(),
            Self::Logs(command) => command.globals.clone(),
            Self::Reindex(command) => command.globals.clone(),
            Self::Repo(command) => command.globals.clone().with(command.args.command.globals().clone()),
            Self::Monitor(command) => command.globals.clone().with(command.args.command.globals().clone()),
        }
    }
}

impl Cli {
    /// What every command takes, wherever it was said.
    pub(crate) fn globals(&self) -> Globals {
        self.globals.clone().with(self.command.globals())
    }
}

fn exit_statuses() -> String {
    let rows = EXIT_STATUSES.map(|(status, meaning)| format!("  {status:>3}  {meaning}"));
    format!("Exit statuses:\n{}", rows.join("\n"))
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
