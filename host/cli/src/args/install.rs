use std::path::PathBuf;

use clap::{Args, ValueEnum};
use spack_wasm_sandbox::{Layer, Level};

use super::MonitorArgs;

/// Arguments of `install`.
#[derive(Clone, Debug, Args)]
pub(crate) struct InstallArgs {
    /// What to install, in Spack's syntax, for example `hdf5@1.10 +cxx ^zlib@1.2.13`
    #[arg(value_name = "SPEC", required_unless_present = "recipe")]
    pub(crate) specs: Vec<String>,
    /// How many jobs run at a time, over all builds
    #[arg(short, long, value_name = "N", allow_negative_numbers = true, value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) jobs: Option<u16>,
    /// Keep the build folders of builds that succeed, too
    #[arg(long)]
    pub(crate) keep_stage: bool,
    /// Stop everything when the first build fails
    #[arg(long)]
    pub(crate) fail_fast: bool,
    /// Build what was asked for again, even if it is installed
    #[arg(long)]
    pub(crate) overwrite: bool,
    /// Show the whole log of a build that fails
    #[arg(long)]
    pub(crate) show_log_on_error: bool,
    /// Show the plan, and do nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Answer every question with yes
    #[arg(short, long)]
    pub(crate) yes_to_all: bool,
    /// Run the packages' own tests
    #[arg(long, value_name = "WHICH")]
    pub(crate) test: Option<TestChoice>,
    /// Take archives for which the recipe has no checksum
    #[arg(short, long)]
    pub(crate) no_checksum: bool,
    /// Use this recipe for its package (can be repeated); without a spec, install it
    #[arg(long, value_name = "FILE.wasm")]
    pub(crate) recipe: Vec<PathBuf>,
    /// The walls around build tools.
    #[command(flatten)]
    pub(crate) sandbox: SandboxArgs,
    /// Where events are reported.
    #[command(flatten)]
    pub(crate) monitor: MonitorArgs,
}

/// Whose tests are run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum TestChoice {
    /// Of the packages that were asked for
    Root,
    /// Of all packages that are built
    All,
}

/// The walls around build tools.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Sandbox")]
pub(crate) struct SandboxArgs {
    /// Which walls: `namespaces` (all of them), `landlock` or `none`
    #[arg(long = "sandbox", value_name = "LEVEL")]
    pub(crate) level: Option<Level>,
    /// Build without this wall if the machine does not have it (can be repeated)
    #[arg(long = "sandbox-allow-missing", value_name = "LAYER", value_delimiter = ',')]
    pub(crate) allow_missing: Vec<Layer>,
    /// Insist on all walls, whatever other options and the configuration say
    #[arg(long = "require-sandbox")]
    pub(crate) required: bool,
    /// Name exactly what the sandbox refuses; slower
    #[arg(long = "sandbox-trace")]
    pub(crate) trace: bool,
}
