//! `packages:`, as far as it is used.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use serde::Deserialize;
use serde::de::IgnoredAny;
use spack_wasm_solve::{ExternalPackage, Preferences};
use spack_wasm_spec::{AbstractSpec, Version, VersionElement, VersionList};

use super::ConfigError;
use super::requirements::{self, Entry, Requirements};
use super::sections::OneOrMany;
use super::variables::Variables;

/// The section of one package, or of `all`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct PackageSection {
    buildable: Option<bool>,
    version: Option<Vec<VersionText>>,
    variants: Option<OneOrMany<String>>,
    providers: Option<BTreeMap<String, Vec<String>>>,
    externals: Option<Vec<ExternalEntry>>,
    require: Option<OneOrMany<Entry>>,
    prefer: Option<OneOrMany<Entry>>,
    conflict: Option<OneOrMany<Entry>>,
    compiler: Option<IgnoredAny>,
    package_attributes: Option<IgnoredAny>,
    permissions: Option<IgnoredAny>,
    target: Option<IgnoredAny>,
}

/// A version, which YAML may take for a number.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged, expecting = "a version is expected")]
enum VersionText {
    Text(String),
    Integer(i64),
    Number(f64),
}

/// One package that something else installed.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ExternalEntry {
    spec: String,
    prefix: String,
    #[serde(default)]
    extra_attributes: ExtraAttributes,
    #[serde(default, rename = "modules")]
    _modules: Option<IgnoredAny>,
    #[serde(default, rename = "id")]
    _id: Option<IgnoredAny>,
    #[serde(default, rename = "dependencies")]
    _dependencies: Option<IgnoredAny>,
}

/// What else is known of an external.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct ExtraAttributes {
    /// Executables of a compiler by language.
    compilers: BTreeMap<String, String>,
}

/// What `packages:` says to the concretizer.
#[derive(Clone, Debug, Default)]
pub(crate) struct Packages {
    /// Packages that something else installed.
    pub(crate) externals: Vec<ExternalPackage>,
    /// What is preferred.
    pub(crate) preferences: Preferences,
    /// What is required, and what is in conflict.
    pub(crate) requirements: Requirements,
    /// What all packages are required to be built for.
    pub(crate) target: Option<String>,
}

impl PackageSection {
    /// Puts this section over one that counts less.
    pub(super) fn over(self, lower: Self) -> Self {
        let externals = match (self.externals, lower.externals) {
            (Some(mut upper), Some(lower)) => {
                upper.extend(lower);
                Some(upper)
            }
            (upper, lower) => upper.or(lower),
        };
        Self {
            buildable: self.buildable.or(lower.buildable),
            version: self.version.or(lower.version),
            variants: self.variants.or(lower.variants),
            providers: self.providers.or(lower.providers),
            externals,
            require: self.require.or(lower.require),
            prefer: self.prefer.or(lower.prefer),
            conflict: self.conflict.or(lower.conflict),
            ..Self::default()
        }
    }
}

/// Reads what the texts in the sections mean.
pub(super) fn resolve(
    sections: BTreeMap<String, PackageSection>,
    variables: &Variables,
) -> Result<Packages, ConfigError> {
    let mut packages = Packages::default();
    for (name, section) in sections {
        add(&mut packages, &name, section, variables)?;
    }
    Ok(packages)
}

fn add(
    packages: &mut Packages,
    name: &str,
    section: PackageSection,
    variables: &Variables,
) -> Result<(), ConfigError> {
    let key = |key: &str| format!("packages:{name}:{key}");
    let preferences = &mut packages.preferences;
    if section.buildable == Some(false) {
        preferences.not_buildable.insert(name.to_owned());
    }
    if let Some(versions) = section.version {
        let versions: Result<Vec<VersionList>, _> =
            versions.iter().map(|version| version.text().parse()).collect();
        let versions = versions.map_err(|error| ConfigError::value(key("version"), error))?;
        preferences.versions.insert(name.to_owned(), versions);
    }
    if let Some(variants) = section.variants {
        let spec = AbstractSpec::parse(&variants.into_vec().join(" "))
            .map_err(|error| ConfigError::value(key("variants"), error))?;
        preferences.variants.insert(name.to_owned(), spec);
    }
    preferences.providers.extend(section.providers.unwrap_or_default());
    let wishes = |kind: &str, entries: Option<OneOrMany<Entry>>| -> Result<_, ConfigError> {
        let read = entries.map(|entries| requirements::read(name, entries)).transpose();
        Ok(read.map_err(|reason| ConfigError::value(key(kind), reason))?.unwrap_or_default())
    };
    let (preferred, required) = (wishes("prefer", section.prefer)?, wishes("require", section.require)?);
    preferred.iter().rev().chain(required.iter().rev()).for_each(|wish| wish.prefer(preferences));
    let requirements = &mut packages.requirements;
    packages.target =
        packages.target.take().or_else(|| required.iter().find_map(|wish| wish.target().map(str::to_owned)));
    requirements.required.extend(required);
    requirements.conflicts.extend(wishes("conflict", section.conflict)?);
    for entry in section.externals.unwrap_or_default() {
        let external = external(name, entry, variables)
            .map_err(|reason| ConfigError::value(key("externals"), reason))?;
        packages.externals.push(external);
    }
    Ok(())
}

fn external(name: &str, entry: ExternalEntry, variables: &Variables) -> Result<ExternalPackage, String> {
    let ExternalEntry { spec: text, prefix, extra_attributes, .. } = entry;
    let spec = AbstractSpec::parse(&text).map_err(|error| error.to_string())?;
    if spec.name.as_deref() != Some(name) {
        return Err(format!("`{text}` is no spec of {name}"));
    }
    let version = single(&spec.versions);
    let version = version
        .ok_or_else(|| format!("`{text}` does not say which version it is: write `{name}@VERSION`"))?;
    let executables: BTreeMap<String, PathBuf> = extra_attributes
        .compilers
        .into_iter()
        .map(|(role, path)| Ok((role, variables.path(&path)?)))
        .collect::<Result<_, String>>()?;
    let languages =
        ["c", "cxx", "fortran"].into_iter().filter(|language| executables.contains_key(*language));
    let virtuals: BTreeSet<String> = languages.map(str::to_owned).collect();
    Ok(ExternalPackage {
        name: name.to_owned(),
        version: version.clone(),
        variants: spec.variants.clone(),
        prefix: variables.path(&prefix)?,
        executables,
        virtuals,
    })
}

/// The one version of an external; Spack takes `@1.2` for exactly that here.
fn single(versions: &VersionList) -> Option<&Version> {
    match versions.elements() {
        [VersionElement::Exact(version)] => Some(version),
        [VersionElement::Range(range)] if range.low() == range.high() => range.low(),
        _ => None,
    }
}

impl VersionText {
    fn text(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Integer(number) => number.to_string(),
            Self::Number(number) => number.to_string(),
        }
    }
}
