use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;

use crate::{DependencyTypes, TargetList, VersionList};

/// What a user or a recipe writes: constraints on a package and on what it depends on.
///
/// A condition (`when`) is one without a name: `@1.2: +mpi ^zlib@1.3`. Equality ignores where it was written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AbstractSpec {
    /// The repository of the package.
    pub namespace: Option<String>,
    /// The package's name; `None` in a condition.
    pub name: Option<String>,
    /// Which versions.
    pub versions: VersionList,
    /// Variants by name, `build_system` included.
    pub variants: BTreeMap<String, VariantRequest>,
    /// `platform=`.
    pub platform: Option<String>,
    /// `os=`.
    pub os: Option<String>,
    /// `target=`.
    pub target: Option<TargetList>,
    /// Compiler flags by kind, for example `cflags`.
    pub flags: BTreeMap<String, FlagRequest>,
    /// The beginning of a DAG hash.
    pub hash: Option<String>,
    /// `^` and `%`, as written.
    pub dependencies: Vec<DependencyRequest>,
    pub(crate) origin: Origin,
}

/// What is asked of one variant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VariantRequest {
    /// Which value.
    pub value: RequestedValue,
    /// `++mpi`, `api==v18`: also for all dependencies that have the variant.
    pub propagate: bool,
    /// `fabrics:=ofi`: these values and no others.
    pub exact: bool,
}

/// The value that is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RequestedValue {
    /// `+name` or `~name`.
    Bool(bool),
    /// `name=a,b`: at least these.
    Values(BTreeSet<String>),
    /// `name=*`: the variant exists.
    Any,
}

/// Compiler flags of one kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FlagRequest {
    /// The text between the quotes.
    pub text: String,
    /// `cflags==-O3`: also for all dependencies.
    pub propagate: bool,
}

/// A dependency in an [`AbstractSpec`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DependencyRequest {
    /// What is asked of the dependency.
    pub spec: AbstractSpec,
    /// `%`: a direct dependency, for example a compiler; `^` is one at any depth.
    pub direct: bool,
    /// `%%`: also for all dependencies.
    pub propagate: bool,
    /// `[deptypes=build,link]`; empty when not given.
    pub types: DependencyTypes,
    /// `[virtuals=mpi]`, or `^mpi=mpich`: what it must provide.
    pub virtuals: BTreeSet<String>,
    /// `[when='+mpi']`: only then.
    pub when: Option<Box<AbstractSpec>>,
}

/// A part of a spec that an error may point at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SpecPart {
    /// The package's name.
    Name,
    /// Everything behind `@`.
    Versions,
    /// The variant of this name, with its sigil or value.
    Variant(String),
    /// The value of the variant of this name.
    Value(String),
    /// The abstract hash.
    Hash,
    /// `platform`, `os` or `target`, with the value.
    Architecture(String),
}

/// Where a spec was written. All origins are equal, so that specs compare by meaning.
#[derive(Clone, Debug, Default)]
pub(crate) struct Origin {
    pub(crate) text: Option<Arc<str>>,
    pub(crate) marks: Vec<(SpecPart, Range<usize>)>,
}

impl PartialEq for Origin {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Origin {}

impl VariantRequest {
    /// `+name` or `~name`.
    pub fn boolean(value: bool) -> Self {
        Self { value: RequestedValue::Bool(value), propagate: false, exact: false }
    }

    /// `name=a,b`.
    pub fn values(values: impl IntoIterator<Item = impl Into<String>>) -> Self {
        let values = values.into_iter().map(Into::into).collect();
        Self { value: RequestedValue::Values(values), propagate: false, exact: false }
    }
}

impl RequestedValue {
    /// The values as text, a boolean as `true` or `false`; none for `*`.
    pub fn texts(&self) -> Vec<&str> {
        match self {
            Self::Bool(true) => vec!["true"],
            Self::Bool(false) => vec!["false"],
            Self::Values(values) => values.iter().map(String::as_str).collect(),
            Self::Any => Vec::new(),
        }
    }
}

impl AbstractSpec {
    /// A spec that asks for a package and nothing more.
    pub fn named(name: impl Into<String>) -> Self {
        Self { name: Some(name.into()), ..Self::default() }
    }

    /// The text that it was parsed from, with everything around it; `None` for a spec that was not parsed.
    pub fn source_text(&self) -> Option<&str> {
        self.origin.text.as_deref()
    }

    /// Where in [`Self::source_text`] a part was written, in bytes.
    pub fn span(&self, part: &SpecPart) -> Option<Range<usize>> {
        self.origin.marks.iter().find(|(marked, _)| marked == part).map(|(_, span)| span.clone())
    }

    /// Whether it restricts nothing, as the condition "always".
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The spec without its dependencies.
    #[must_use]
    pub fn without_dependencies(&self) -> Self {
        Self { dependencies: Vec::new(), ..self.clone() }
    }
}
