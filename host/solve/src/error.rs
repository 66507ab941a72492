use std::fmt;
use std::ops::Range;

use spack_wasm_spec::{AbstractSpec, Architecture, Caret, SpecPart};

use crate::universe::LANGUAGES;

/// Where in the text of a root something was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The whole text.
    pub text: String,
    /// The word, in bytes.
    pub span: Range<usize>,
}

impl Place {
    /// Where `spec` wrote `part`, or else its name; `None` for a spec that was not parsed.
    pub(crate) fn of(spec: &AbstractSpec, part: &SpecPart) -> Option<Box<Self>> {
        let span = spec.span(part).or_else(|| spec.span(&SpecPart::Name))?;
        Some(Box::new(Self { text: spec.source_text()?.to_owned(), span }))
    }
}

/// Why there is no concrete DAG. `Display` tells it in full, with a caret under the word, over several lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SolveError {
    /// No repository has the package, and no external was found.
    UnknownPackage {
        /// What was asked for.
        name: String,
        /// Names that may be meant.
        near: Vec<String>,
        /// The compilers that there are, where one may be meant.
        compilers: Vec<String>,
        /// Where.
        place: Option<Box<Place>>,
    },
    /// The package is found in another namespace than the one that was asked for.
    OtherNamespace {
        /// The package.
        package: String,
        /// The namespace that was asked for.
        asked: String,
        /// The namespace of the repository that has it, the first one in the order of search.
        namespace: String,
        /// Where.
        place: Option<Box<Place>>,
    },
    /// The package has no such version.
    UnknownVersion {
        /// The package.
        package: String,
        /// What was asked for.
        versions: String,
        /// The nearest versions that there are.
        known: Vec<String>,
        /// Whether only deprecated versions would do.
        deprecated: bool,
        /// Where.
        place: Option<Box<Place>>,
    },
    /// The package has no such variant.
    UnknownVariant {
        /// The package.
        package: String,
        /// What was asked for.
        variant: String,
        /// Names that may be meant.
        near: Vec<String>,
        /// All variants of the package.
        known: Vec<String>,
        /// Where.
        place: Option<Box<Place>>,
    },
    /// The variant has no such value.
    UnknownValue {
        /// The package.
        package: String,
        /// The variant.
        variant: String,
        /// What was asked for.
        value: String,
        /// The values that there are.
        known: Vec<String>,
        /// Where.
        place: Option<Box<Place>>,
    },
    /// A dependency is in no repository, and no external was found.
    Missing {
        /// The package or virtual package.
        name: String,
        /// Who needs it, with the condition, for example `hdf5 +mpi`.
        needed_by: String,
        /// How it became needed.
        reasons: Vec<String>,
    },
    /// The root doesn't depend on what was asked for behind `^` or `%`.
    NotADependency {
        /// The root's name.
        root: String,
        /// The dependency's name.
        dependency: String,
        /// Where.
        place: Option<Box<Place>>,
    },
    /// A root has no name, or a hash that no installed package has.
    NoPackage {
        /// What is wrong.
        message: String,
        /// Where.
        place: Option<Box<Place>>,
    },
    /// The roots are for different architectures, or for another one than the machine's.
    Architecture {
        /// The root.
        root: String,
        /// What is built for.
        built_for: String,
        /// Where.
        place: Option<Box<Place>>,
    },
    /// The wishes exclude each other.
    Unsatisfiable {
        /// The roots.
        roots: String,
        /// Why, a chain of facts in plain words; the last one is where it ends.
        reasons: Vec<String>,
    },
    /// The caller wanted no answer any more.
    Interrupted,
}

impl SolveError {
    pub(crate) fn architecture(root: &AbstractSpec, architecture: &Architecture) -> Self {
        let keys = ["target", "platform", "os", "arch"].map(|key| SpecPart::Architecture(key.to_owned()));
        let key = keys.iter().find(|key| root.span(key).is_some()).unwrap_or(&SpecPart::Name);
        let place = Place::of(root, key);
        Self::Architecture { root: root.to_string(), built_for: architecture.to_string(), place }
    }

    /// Where the user wrote what is wrong.
    pub fn place(&self) -> Option<&Place> {
        match self {
            Self::UnknownPackage { place, .. }
            | Self::OtherNamespace { place, .. }
            | Self::UnknownVersion { place, .. }
            | Self::UnknownVariant { place, .. }
            | Self::UnknownValue { place, .. }
            | Self::NotADependency { place, .. }
            | Self::NoPackage { place, .. }
            | Self::Architecture { place, .. } => place.as_deref(),
            Self::Missing { .. } | Self::Unsatisfiable { .. } | Self::Interrupted => None,
        }
    }

    /// What is wrong, in one sentence without a full stop.
    pub fn message(&self) -> String {
        match self {
            Self::UnknownPackage { name, .. } => format!("there is no package `{name}`"),
            Self::OtherNamespace { package, asked, namespace, .. } => {
                format!("`{asked}.{package}` can't be had: {package} comes from the namespace `{namespace}`")
            }
            Self::UnknownVersion { package, versions, deprecated: true, .. } => {
                format!("{package}@{versions} is deprecated, and deprecated versions are not allowed")
            }
            Self::UnknownVersion { package, versions, .. } => {
                format!("this version does not exist: {package}@{versions}")
            }
            Self::UnknownVariant { package, variant, .. } => format!("{package} has no variant `{variant}`"),
            Self::UnknownValue { package, variant, value, .. } => {
                format!("the variant `{variant}` of {package} has no value `{value}`")
            }
            Self::Missing { name, needed_by, .. } => format!(
                "`{name}` is needed by {needed_by}, but no recipe provides it yet and no external was found"
            ),
            Self::NotADependency { root, dependency, .. } => {
                format!("{root} does not depend on {dependency}")
            }
            Self::NoPackage { message, .. } => message.clone(),
            Self::Architecture { root, built_for, .. } => format!("`{root}` can't be built for {built_for}"),
            Self::Unsatisfiable { roots, .. } => format!("`{roots}` can't be had"),
            Self::Interrupted => "interrupted while looking for a solution".to_owned(),
        }
    }

    /// What leads to it, one fact each.
    pub fn reasons(&self) -> &[String] {
        match self {
            Self::Missing { reasons, .. } | Self::Unsatisfiable { reasons, .. } => reasons,
            _ => &[],
        }
    }

    /// What to do next.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::UnknownPackage { near, .. } if !near.is_empty() => {
                Some(format!("did you mean {}?", list(near, "or")))
            }
            Self::UnknownPackage { compilers, .. } if !compilers.is_empty() => {
                Some(format!("the compilers are {}", list(compilers, "and")))
            }
            Self::OtherNamespace { package, namespace, .. } => Some(format!(
                "write `{namespace}.{package}`; `spack-wasm repo list` shows the repositories in their order"
            )),
            Self::UnknownPackage { .. } => {
                Some("`spack-wasm list` shows the packages that there are".to_owned())
            }
            Self::UnknownVersion { known, deprecated: false, .. } if !known.is_empty() => {
                Some(format!("there are {}", list(known, "and")))
            }
            Self::UnknownVariant { near, .. } if !near.is_empty() => {
                Some(format!("did you mean {}?", list(near, "or")))
            }
            Self::UnknownVariant { known, .. } if !known.is_empty() => {
                Some(format!("its variants are {}", list(known, "and")))
            }
            Self::UnknownVariant { package, .. } => {
                Some(format!("name a provider behind `^` if `{package}` is a virtual package"))
            }
            Self::UnknownValue { value, .. } if value.contains(['~', '+', '^', '%']) => {
                Some("a space is needed in front of `+`, `~`, `^` and `%` behind a value".to_owned())
            }
            Self::UnknownValue { known, .. } => Some(format!("its values are {}", list(known, "and"))),
            Self::Missing { name, .. } if LANGUAGES.contains(&name.as_str()) => {
                Some(format!("`{name}` is a language: install a compiler for it, for example gcc"))
            }
            Self::Missing { name, .. } => Some(format!(
                "install `{name}` and name it as an external, or add a repository with a recipe for it"
            )),
            _ => None,
        }
    }
}

/// `a`, `a or b`, `a, b or c`, each in backticks.
fn list(words: &[String], conjunction: &str) -> String {
    let quoted: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
    match quoted.as_slice() {
        [] => String::new(),
        [only] => only.clone(),
        [most @ .., last] => format!("{} {conjunction} {last}", most.join(", ")),
    }
}

impl fmt::Display for SolveError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message())?;
        if let Some(Place { text, span }) = self.place() {
            write!(f, "\n{}", Caret { text, span: span.clone() })?;
        }
        for reason in self.reasons() {
            write!(f, "\n  - {reason}")?;
        }
        match self.hint() {
            Some(hint) => write!(f, "\nhint: {hint}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for SolveError {}
