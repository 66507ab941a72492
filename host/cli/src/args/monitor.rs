use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{Globals, Scoped};

/// Where events are reported. Without `--monitor` the other options mean nothing, as in Spack.
#[derive(Clone, Debug, Default, PartialEq, Eq, Args)]
#[command(next_help_heading = "Monitor")]
pub(crate) struct MonitorArgs {
    /// Report to a Spackmon server; needs SPACKMON_USER and SPACKMON_TOKEN in the environment
    #[arg(long)]
    pub(crate) monitor: bool,
    /// The server [default: http://127.0.0.1]
    #[arg(long = "monitor-host", value_name = "URL")]
    pub(crate) host: Option<String>,
    /// The path of the server's interface [default: ms1]
    #[arg(long = "monitor-prefix", value_name = "PREFIX")]
    pub(crate) prefix: Option<String>,
    /// The server wants no credentials
    #[arg(long = "monitor-disable-auth", visible_alias = "monitor-no-auth")]
    pub(crate) disable_auth: bool,
    /// Go on building when a report fails; the first check of the server has to succeed all the same
    #[arg(long = "monitor-keep-going")]
    pub(crate) keep_going: bool,
    /// Tags of the builds, separated by commas
    #[arg(long = "monitor-tags", value_name = "TAGS")]
    pub(crate) tags: Option<String>,
    /// Save the reports in a folder instead of sending them; `monitor upload` sends them later
    #[arg(long = "monitor-save-local")]
    pub(crate) save_local: bool,
}

impl MonitorArgs {
    /// What was said in front of a subcommand, and behind it, which counts more.
    pub(crate) fn with(self, inner: Self) -> Self {
        Self {
            monitor: self.monitor || inner.monitor,
            host: inner.host.or(self.host),
            prefix: inner.prefix.or(self.prefix),
            disable_auth: self.disable_auth || inner.disable_auth,
            keep_going: self.keep_going || inner.keep_going,
            tags: inner.tags.or(self.tags),
            save_local: self.save_local || inner.save_local,
        }
    }

    /// Whether an option was given that means something with `--monitor` only.
    pub(crate) fn is_without_effect(&self) -> bool {
        !self.monitor && *self != Self::default()
    }
}

/// Arguments of `monitor`.
#[derive(Clone, Debug, Args)]
pub(crate) struct MonitorCommandArgs {
    /// Options in front of the subcommand.
    #[command(flatten)]
    pub(crate) monitor: MonitorArgs,
    /// The subcommand.
    #[command(subcommand)]
    pub(crate) command: MonitorCommand,
}

/// Subcommands of `monitor`.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum MonitorCommand {
    /// Send saved reports to a server
    Upload(Scoped<UploadArgs>),
}

/// Arguments of `monitor upload`.
#[derive(Clone, Debug, Args)]
pub(crate) struct UploadArgs {
    /// The folder of saved reports, or any folder above it
    #[arg(value_name = "DIR")]
    pub(crate) directory: PathBuf,
    /// Options behind the subcommand.
    #[command(flatten)]
    pub(crate) monitor: MonitorArgs,
}

impl MonitorCommand {
    /// What every command takes, said behind the subcommand.
    pub(crate) fn globals(&self) -> &Globals {
        let Self::Upload(command) = self;
        &command.globals
    }
}
