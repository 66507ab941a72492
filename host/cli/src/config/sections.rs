//! What may stand in the files, as it is written.

use std::collections::BTreeMap;
use std::fmt;

use indexmap::IndexMap;
use serde::de::value::MapAccessDeserializer;
use serde::de::{IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use spack_wasm_sandbox::{Layer, Level};

use super::packages::PackageSection;
use super::sources::{GitProtocol, MirrorEntry, RegistryMirror};

/// One scope: all sections that were written in it.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Scope {
    #[serde(deserialize_with = "or_nothing")]
    pub(super) config: ConfigSection,
    #[serde(deserialize_with = "or_nothing")]
    pub(super) monitor: MonitorSection,
    pub(super) repos: Option<Repositories>,
    pub(super) mirrors: Option<IndexMap<String, MirrorEntry>>,
    pub(super) packages: Option<BTreeMap<String, PackageSection>>,
}

/// A section behind whose name nothing stands, as where all its lines are comments, says nothing.
fn or_nothing<'de, T, D>(deserializer: D) -> Result<T, D::Error>
where
    T: Default + Deserialize<'de>,
    D: Deserializer<'de>,
{
    Option::deserialize(deserializer).map(Option::unwrap_or_default)
}

/// `config:`. Fields of type [`IgnoredAny`] are Spack's and mean nothing here.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct ConfigSection {
    #[serde(deserialize_with = "install_tree")]
    pub(super) install_tree: InstallTree,
    pub(super) build_stage: Option<OneOrMany<String>>,
    pub(super) source_cache: Option<String>,
    pub(super) build_jobs: Option<u16>,
    pub(super) checksum: Option<bool>,
    pub(super) monitor_dir: Option<String>,
    pub(super) deprecated: Option<bool>,
    pub(super) registry_mirrors: Option<Vec<RegistryMirror>>,
    #[serde(deserialize_with = "or_nothing")]
    pub(super) git: GitSection,
    #[serde(deserialize_with = "or_nothing")]
    pub(super) sandbox: SandboxSection,
    pub(super) permissions: Option<BTreeMap<String, OneOrMany<String>>>,
    aliases: Option<IgnoredAny>,
    allow_sgid: Option<IgnoredAny>,
    binary_index_root: Option<IgnoredAny>,
    binary_index_ttl: Option<IgnoredAny>,
    build_language: Option<IgnoredAny>,
    ccache: Option<IgnoredAny>,
    concurrent_packages: Option<IgnoredAny>,
    connect_timeout: Option<IgnoredAny>,
    db_lock_timeout: Option<IgnoredAny>,
    debug: Option<IgnoredAny>,
    develop_stage_link: Option<IgnoredAny>,
    dirty: Option<IgnoredAny>,
    environments_root: Option<IgnoredAny>,
    extensions: Option<IgnoredAny>,
    flags: Option<IgnoredAny>,
    install_hash_length: Option<IgnoredAny>,
    install_missing_compilers: Option<IgnoredAny>,
    install_path_scheme: Option<IgnoredAny>,
    install_status: Option<IgnoredAny>,
    installer: Option<IgnoredAny>,
    license_dir: Option<IgnoredAny>,
    locks: Option<IgnoredAny>,
    misc_cache: Option<IgnoredAny>,
    module_roots: Option<IgnoredAny>,
    package_lock_timeout: Option<IgnoredAny>,
    shared_linking: Option<IgnoredAny>,
    ssl_certs: Option<IgnoredAny>,
    stage_name: Option<IgnoredAny>,
    suppress_gpg_warnings: Option<IgnoredAny>,
    template_dirs: Option<IgnoredAny>,
    test_stage: Option<IgnoredAny>,
    url_fetch_method: Option<IgnoredAny>,
    verify_ssl: Option<IgnoredAny>,
}

/// `config:install_tree:`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct InstallTree {
    pub(super) root: Option<String>,
    padded_length: Option<IgnoredAny>,
    projections: Option<IgnoredAny>,
}

/// Also in its old form, which is the root alone.
fn install_tree<'de, D: Deserializer<'de>>(deserializer: D) -> Result<InstallTree, D::Error> {
    deserializer.deserialize_any(InstallTreeVisitor)
}

struct InstallTreeVisitor;

impl<'de> Visitor<'de> for InstallTreeVisitor {
    type Value = InstallTree;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a folder, or keys such as `root`")
    }

    fn visit_str<E: serde::de::Error>(self, root: &str) -> Result<InstallTree, E> {
        Ok(InstallTree { root: Some(root.to_owned()), ..InstallTree::default() })
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<InstallTree, E> {
        Ok(InstallTree::default())
    }

    fn visit_none<E: serde::de::Error>(self) -> Result<InstallTree, E> {
        Ok(InstallTree::default())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, _: A) -> Result<InstallTree, A::Error> {
        Err(serde::de::Error::custom("a folder is expected, or keys such as `root`"))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<InstallTree, A::Error> {
        InstallTree::deserialize(MapAccessDeserializer::new(map))
    }
}

/// `config:git:`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct GitSection {
    pub(super) program: Option<String>,
    pub(super) protocols: Option<Vec<GitProtocol>>,
}

/// `config:sandbox:`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct SandboxSection {
    pub(super) level: Option<Level>,
    pub(super) allow_missing: Option<Vec<Layer>>,
    pub(super) build_uid: Option<u32>,
    pub(super) read: Option<Vec<String>>,
    pub(super) write: Option<Vec<String>>,
}

/// `monitor:`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub(super) struct MonitorSection {
    pub(super) require_tls: Option<bool>,
}

/// `repos:`, a list of folders or, as in Spack 1.0, folders by name.
#[derive(Debug, Deserialize)]
#[serde(untagged, expecting = "a list of folders is expected, or folders by name")]
pub(crate) enum Repositories {
    /// A list.
    List(Vec<String>),
    /// By name.
    Named(IndexMap<String, RepositoryEntry>),
}

/// A repository that has a name.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum RepositoryEntry {
    /// A folder.
    Folder(String),
    /// One of Spack's that is fetched by git, which holds no recipes for us.
    Fetched(IgnoredAny),
}

/// One value, or a list.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged, expecting = "one text is expected, or a list of texts")]
pub(super) enum OneOrMany<T> {
    /// One.
    One(T),
    /// A list.
    Many(Vec<T>),
}

impl<T> OneOrMany<T> {
    pub(super) fn into_vec(self) -> Vec<T> {
        match self {
            Self::One(value) => vec![value],
            Self::Many(values) => values,
        }
    }
}

impl Repositories {
    /// The folders, as they are written.
    pub(crate) fn folders(&self) -> Vec<&str> {
        match self {
            Self::List(folders) => folders.iter().map(String::as_str).collect(),
            Self::Named(entries) => entries
                .values()
                .filter_map(|entry| match entry {
                    RepositoryEntry::Folder(folder) => Some(folder.as_str()),
                    RepositoryEntry::Fetched(_) => None,
                })
                .collect(),
        }
    }
}

/// Takes each field from the upper value, or else from the lower one.
macro_rules! over {
    ($upper:ident, $lower:ident, $($field:ident),+ $(,)?) => {
        Self { $($field: $upper.$field.or($lower.$field),)+ ..Self::default() }
    };
}

impl Scope {
    /// Puts this scope over one that counts less: single values are replaced, lists and maps of names are joined.
    pub(super) fn over(self, lower: Self) -> Self {
        Self {
            config: self.config.over(lower.config),
            monitor: MonitorSection { require_tls: self.monitor.require_tls.or(lower.monitor.require_tls) },
            repos: both(self.repos, lower.repos, |upper, lower| {
                let folders = upper.folders().into_iter().chain(lower.folders());
                Repositories::List(folders.map(str::to_owned).collect())
            }),
            mirrors: both(self.mirrors, lower.mirrors, |mut upper, lower| {
                for (name, mirror) in lower {
                    upper.entry(name).or_insert(mirror);
                }
                upper
            }),
            packages: both(self.packages, lower.packages, |upper, mut lower| {
                for (name, section) in upper {
                    let below = lower.remove(&name).unwrap_or_default();
                    lower.insert(name, section.over(below));
                }
                lower
            }),
        }
    }
}

/// Joins two values where both are there.
fn both<T>(upper: Option<T>, lower: Option<T>, join: impl FnOnce(T, T) -> T) -> Option<T> {
    match (upper, lower) {
        (Some(upper), Some(lower)) => Some(join(upper, lower)),
        (upper, lower) => upper.or(lower),
    }
}

impl ConfigSection {
    fn over(self, lower: Self) -> Self {
        let install_tree = InstallTree {
            root: self.install_tree.root.or(lower.install_tree.root),
            ..InstallTree::default()
        };
        let sandbox = self.sandbox.over(lower.sandbox);
        let git = self.git.over(lower.git);
        let permissions = both(self.permissions, lower.permissions, |upper, mut lower| {
            lower.extend(upper);
            lower
        });
        Self {
            install_tree,
            git,
            sandbox,
            permissions,
            ..over!(
                self,
                lower,
                build_stage,
                source_cache,
                build_jobs,
                checksum,
                monitor_dir,
                deprecated,
                registry_mirrors,
            )
        }
    }
}

impl GitSection {
    fn over(self, lower: Self) -> Self {
        Self { program: self.program.or(lower.program), protocols: self.protocols.or(lower.protocols) }
    }
}

impl SandboxSection {
    fn over(self, lower: Self) -> Self {
        Self {
            level: self.level.or(lower.level),
            allow_missing: self.allow_missing.or(lower.allow_missing),
            build_uid: self.build_uid.or(lower.build_uid),
            read: self.read.or(lower.read),
            write: self.write.or(lower.write),
        }
    }
}
