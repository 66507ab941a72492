//! What the configuration means.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use spack_wasm_sandbox::{Layer, Level};
use spack_wasm_source::{GitOptions, Mirror};

use super::ConfigError;
use super::packages::{self, Packages};
use super::sections::{GitSection, OneOrMany, SandboxSection, Scope};
use super::sources::RegistryMirror;
use super::variables::Variables;
use crate::paths::Paths;

/// The configuration with everything decided.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// The store's root.
    pub(crate) store: PathBuf,
    /// The folder of stages.
    pub(crate) stages: PathBuf,
    /// The folder of downloaded archives.
    pub(crate) source_cache: PathBuf,
    /// How many jobs run at a time.
    pub(crate) build_jobs: Option<u16>,
    /// Whether archives need a checksum.
    pub(crate) checksum: bool,
    /// Whether deprecated versions may be installed.
    pub(crate) deprecated: bool,
    /// Where reports are saved.
    pub(crate) monitor_dir: PathBuf,
    /// Whether credentials need TLS.
    pub(crate) require_tls: bool,
    /// The walls.
    pub(crate) sandbox: SandboxSettings,
    /// What recipes may have beyond their sandbox, by package.
    pub(crate) permissions: BTreeMap<String, BTreeSet<String>>,
    /// Folders of recipes, in the order in which they are searched.
    pub(crate) repositories: Vec<PathBuf>,
    /// How repositories are fetched.
    pub(crate) git: GitOptions,
    /// Mirrors of archives.
    pub(crate) mirrors: Vec<Mirror>,
    /// Whether the distribution's source packages are a mirror.
    pub(crate) apt: bool,
    /// `packages:`.
    pub(crate) packages: Packages,
}

/// `config:sandbox:` with everything decided.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct SandboxSettings {
    /// Which walls.
    pub(crate) level: Level,
    /// Layers that may be missing.
    pub(crate) allow_missing: BTreeSet<Layer>,
    /// The user of builds when the program runs as root.
    pub(crate) build_uid: Option<u32>,
    /// Further paths that builds may read.
    pub(crate) read: Vec<PathBuf>,
    /// Further paths that builds may write.
    pub(crate) write: Vec<PathBuf>,
}

/// Decides everything that the scopes leave open.
pub(super) fn resolve(scope: Scope, paths: &Paths) -> Result<Settings, ConfigError> {
    let Scope { config, monitor, repos, mirrors, packages } = scope;
    let variables = Variables::new(paths);
    let path = |key: &str, text: Option<&str>, default: &Path| match text {
        Some(text) => variables.path(text).map_err(|reason| ConfigError::value(key, reason)),
        None => Ok(default.to_owned()),
    };
    let stages = config.build_stage.map(OneOrMany::into_vec).unwrap_or_default();
    let registries = config.registry_mirrors.unwrap_or_else(|| vec![RegistryMirror::Apt]);
    let folders = repos.iter().flat_map(|repos| repos.folders());
    let repositories: Result<Vec<_>, _> = folders.map(|folder| variables.path(folder)).collect();
    let mirrors = mirrors.unwrap_or_default();
    let mirrors = mirrors.iter().filter_map(|(name, entry)| Some((name, entry.source_url()?)));
    Ok(Settings {
        store: path("config:install_tree:root", config.install_tree.root.as_deref(), &paths.store)?,
        stages: path("config:build_stage", stages.first().map(String::as_str), &paths.stages)?,
        source_cache: path("config:source_cache", config.source_cache.as_deref(), &paths.sources)?,
        build_jobs: positive("config:build_jobs", config.build_jobs)?,
        checksum: config.checksum.unwrap_or(true),
        deprecated: config.deprecated.unwrap_or(false),
        monitor_dir: path("config:monitor_dir", config.monitor_dir.as_deref(), &paths.reports)?,
        require_tls: monitor.require_tls.unwrap_or(false),
        sandbox: sandbox(config.sandbox, &variables)?,
        permissions: permissions(config.permissions.unwrap_or_default()),
        repositories: repositories.map_err(|reason| ConfigError::value("repos", reason))?,
        mirrors: mirrors.map(|(name, url)| mirror(name, url, &variables)).collect::<Result<_, _>>()?,
        git: git(config.git, &variables)?,
        apt: registries.contains(&RegistryMirror::Apt),
        packages: packages::resolve(packages.unwrap_or_default(), &variables)?,
    })
}

fn positive(key: &str, number: Option<u16>) -> Result<Option<u16>, ConfigError> {
    if number == Some(0) { Err(ConfigError::value(key, "0 jobs build nothing")) } else { Ok(number) }
}

fn mirror(name: &str, url: &str, variables: &Variables) -> Result<Mirror, ConfigError> {
    let key = || format!("mirrors:{name}");
    let url = if url.contains("://") {
        url.to_owned()
    } else {
        let path = variables.path(url).map_err(|reason| ConfigError::value(key(), reason))?;
        path.display().to_string()
    };
    Mirror::new(name, &url).map_err(|error| ConfigError::value("mirrors", error))
}

fn git(section: GitSection, variables: &Variables) -> Result<GitOptions, ConfigError> {
    let mut options = GitOptions::default();
    if let Some(program) = &section.program {
        options.program =
            variables.path(program).map_err(|reason| ConfigError::value("config:git:program", reason))?;
    }
    if let Some(protocols) = &section.protocols {
        options.protocols = protocols.iter().map(|protocol| protocol.scheme().to_owned()).collect();
    }
    Ok(options)
}

fn permissions(section: BTreeMap<String, OneOrMany<String>>) -> BTreeMap<String, BTreeSet<String>> {
    section.into_iter().map(|(name, allowed)| (name, allowed.into_vec().into_iter().collect())).collect()
}

fn sandbox(section: SandboxSection, variables: &Variables) -> Result<SandboxSettings, ConfigError> {
    let folders = |key: &str, texts: Option<Vec<String>>| {
        let paths: Result<Vec<_>, _> = texts.iter().flatten().map(|text| variables.path(text)).collect();
        paths.map_err(|reason| ConfigError::value(format!("config:sandbox:{key}"), reason))
    };
    if section.build_uid == Some(0) {
        return Err(ConfigError::value(
            "config:sandbox:build_uid",
            "builds never run as root: give another number",
        ));
    }
    Ok(SandboxSettings {
        level: section.level.unwrap_or_default(),
        allow_missing: section.allow_missing.into_iter().flatten().collect(),
        build_uid: section.build_uid,
        read: folders("read", section.read)?,
        write: folders("write", section.write)?,
    })
}
