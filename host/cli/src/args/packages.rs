use clap::Args;

/// Arguments of `find`.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct FindArgs {
    /// Only packages that satisfy one of these specs
    #[arg(value_name = "SPEC")]
    pub(crate) specs: Vec<String>,
    /// Show the hashes
    #[arg(short, long)]
    pub(crate) long: bool,
    /// Show the hashes in full
    #[arg(short = 'L', long)]
    pub(crate) very_long: bool,
    /// Show the variants
    #[arg(short, long)]
    pub(crate) variants: bool,
    /// Show the folders
    #[arg(short, long)]
    pub(crate) paths: bool,
    /// Show what each package depends on
    #[arg(short, long)]
    pub(crate) deps: bool,
    /// Only packages that were asked for
    #[arg(short = 'x', long, conflicts_with = "implicit")]
    pub(crate) explicit: bool,
    /// Only packages that others needed
    #[arg(short = 'X', long)]
    pub(crate) implicit: bool,
    /// The same as `--format json`
    #[arg(long)]
    pub(crate) json: bool,
}

/// Arguments of `location`.
#[derive(Clone, Debug, Args)]
pub(crate) struct LocationArgs {
    /// An installed package: a spec, or `/` and the beginning of its hash
    #[arg(value_name = "SPEC", required = true)]
    pub(crate) spec: Vec<String>,
    /// Print the folder that it is installed in, which is also the default
    #[arg(short, long)]
    pub(crate) install_dir: bool,
}

/// Arguments of `uninstall`.
#[derive(Clone, Debug, Args)]
pub(crate) struct UninstallArgs {
    /// Installed packages: specs, or `/` and the beginning of a hash
    #[arg(value_name = "SPEC", required = true)]
    pub(crate) specs: Vec<String>,
    /// Remove all packages that a spec fits, and not only a single one
    #[arg(short, long)]
    pub(crate) all: bool,
    /// Remove packages although others need them, which then are broken
    #[arg(short, long)]
    pub(crate) force: bool,
    /// Remove what depends on them, too
    #[arg(short = 'R', long)]
    pub(crate) dependents: bool,
    /// Do not ask
    #[arg(short, long)]
    pub(crate) yes_to_all: bool,
}

/// Arguments of `spec`.
#[derive(Clone, Debug, Args)]
pub(crate) struct SpecArgs {
    /// What to concretize, in Spack's syntax
    #[arg(value_name = "SPEC", required = true)]
    pub(crate) specs: Vec<String>,
    /// Show the hashes
    #[arg(short, long)]
    pub(crate) long: bool,
    /// Show the hashes in full
    #[arg(short = 'L', long)]
    pub(crate) very_long: bool,
    /// The same as `--format json`
    #[arg(short, long)]
    pub(crate) json: bool,
}

/// Arguments of `info`.
#[derive(Clone, Debug, Args)]
pub(crate) struct InfoArgs {
    /// The package
    #[arg(value_name = "PACKAGE")]
    pub(crate) name: String,
}

/// Arguments of `list`.
#[derive(Clone, Debug, Args)]
pub(crate) struct ListArgs {
    /// Only packages whose name contains one of these texts; `*` and `?` stand for other characters
    #[arg(value_name = "PATTERN")]
    pub(crate) patterns: Vec<String>,
}

/// Arguments of `logs`.
#[derive(Clone, Debug, Args)]
pub(crate) struct LogsArgs {
    /// A package that is installed, or whose build failed
    #[arg(value_name = "SPEC", required = true)]
    pub(crate) spec: Vec<String>,
}

/// Arguments of `reindex`.
#[derive(Clone, Debug, Args)]
pub(crate) struct ReindexArgs {}
