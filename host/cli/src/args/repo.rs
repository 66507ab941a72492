use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{Globals, Scoped};

/// Arguments of `repo`.
#[derive(Clone, Debug, Args)]
pub(crate) struct RepoArgs {
    /// The subcommand.
    #[command(subcommand)]
    pub(crate) command: RepoCommand,
}

/// Subcommands of `repo`.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum RepoCommand {
    /// Search a folder of recipes before all others
    Add(Scoped<RepoAddArgs>),
    /// List the folders in the order in which they are searched
    #[command(alias = "ls")]
    List(Scoped<RepoListArgs>),
    /// Search a folder no more
    #[command(alias = "rm")]
    Remove(Scoped<RepoRemoveArgs>),
}

/// Arguments of `repo add`.
#[derive(Clone, Debug, Args)]
pub(crate) struct RepoAddArgs {
    /// A folder with `repo.yaml` and `packages/<name>/recipe.wasm`
    #[arg(value_name = "DIR")]
    pub(crate) directory: PathBuf,
}

/// Arguments of `repo list`.
#[derive(Clone, Debug, Args)]
pub(crate) struct RepoListArgs {}

/// Arguments of `repo remove`.
#[derive(Clone, Debug, Args)]
pub(crate) struct RepoRemoveArgs {
    /// The folder, or the namespace of its recipes
    #[arg(value_name = "DIR|NAMESPACE")]
    pub(crate) repository: String,
}

impl RepoCommand {
    /// What every command takes, said behind the subcommand.
    pub(crate) fn globals(&self) -> &Globals {
        match self {
            Self::Add(command) => &command.globals,
            Self::List(command) => &command.globals,
            Self::Remove(command) => &command.globals,
        }
    }
}
