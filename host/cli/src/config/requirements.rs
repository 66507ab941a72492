//! `require`, `prefer` and `conflict` in `packages:`.
//!
//! What is required and preferred steers the concretizer as a preference. What it chose is then held against what is
//! required and what is in conflict, so that neither is ever passed over in silence.

use serde::Deserialize;
use spack_wasm_solve::Preferences;
use spack_wasm_spec::{AbstractSpec, Dag, Node, VersionList};

use super::sections::OneOrMany;

/// Stands for all packages that have no requirement of their own.
const ALL: &str = "all";
/// What compilers provide.
const LANGUAGES: [&str; 3] = ["c", "cxx", "fortran"];

/// One wish, as it is written.
#[derive(Clone, Debug, Deserialize)]
#[serde(
    untagged,
    expecting = "a spec is expected, or one of `spec`, `one_of` and `any_of` with `when` and `message`"
)]
pub(super) enum Entry {
    /// A spec.
    Text(String),
    /// With a condition, or with a choice.
    Fields(Fields),
}

/// One wish with a condition, or with a choice.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Fields {
    spec: Option<String>,
    one_of: Option<Vec<String>>,
    any_of: Option<Vec<String>>,
    when: Option<String>,
    message: Option<String>,
}

/// One wish of the configuration.
#[derive(Clone, Debug)]
pub(crate) struct Wish {
    /// The package, a virtual package, or `all`.
    package: String,
    /// One of these holds; more than one only where `exclusive` does not.
    choices: Vec<AbstractSpec>,
    exclusive: bool,
    when: AbstractSpec,
    message: Option<String>,
}

/// What is required, and what is in conflict.
#[derive(Clone, Debug, Default)]
pub(crate) struct Requirements {
    /// `require`.
    pub(super) required: Vec<Wish>,
    /// `conflict`.
    pub(super) conflicts: Vec<Wish>,
}

/// Reads the wishes for one package, or for a virtual one.
pub(super) fn read(package: &str, entries: OneOrMany<Entry>) -> Result<Vec<Wish>, String> {
    entries.into_vec().into_iter().map(|entry| Wish::read(package, entry)).collect()
}

impl Wish {
    fn read(package: &str, entry: Entry) -> Result<Self, String> {
        let fields = match entry {
            Entry::Text(text) => Fields { spec: Some(text), ..Fields::default() },
            Entry::Fields(fields) => fields,
        };
        let parse = |text: &String| AbstractSpec::parse(text).map_err(|error| error.to_string());
        let exclusive = fields.one_of.is_some();
        let texts: Vec<_> = fields.spec.into_iter().chain(fields.one_of.into_iter().flatten()).collect();
        let texts = texts.into_iter().chain(fields.any_of.into_iter().flatten());
        let choices = texts.map(|text| parse(&text)).collect::<Result<Vec<_>, _>>()?;
        if choices.is_empty() {
            return Err("there is no spec in it".to_owned());
        }
        let when = fields.when.as_ref().map(parse).transpose()?.unwrap_or_default();
        Ok(Self { package: package.to_owned(), choices, exclusive, when, message: fields.message })
    }

    /// Makes the first choice the preferred one, in front of what is preferred already.
    pub(super) fn prefer(&self, preferences: &mut Preferences) {
        let Some(first) = self.choices.first().filter(|_| self.when.is_empty()) else { return };
        let provider = first.name.as_ref().filter(|name| **name != self.package && self.package != ALL);
        let package = provider.unwrap_or(&self.package).clone();
        if let Some(provider) = provider {
            preferences.providers.entry(self.package.clone()).or_default().insert(0, provider.clone());
        }
        if first.versions != VersionList::any() {
            preferences.versions.entry(package.clone()).or_default().insert(0, first.versions.clone());
        }
        let variants = &mut preferences.variants.entry(package).or_default().variants;
        variants.extend(first.variants.clone());
    }

    /// The target that all packages are required to be built for.
    pub(super) fn target(&self) -> Option<&str> {
        let only = self.choices.first().filter(|_| self.package == ALL && self.choices.len() == 1)?;
        only.target.as_ref()?.as_exact()
    }

    /// How many choices hold for a node; `None` where the wish is not about it.
    fn holding(&self, dag: &Dag, node: &Node) -> Option<usize> {
        let applies = self.when.satisfied_by(dag, node);
        let holds = |choice: &&AbstractSpec| {
            if self.package == ALL {
                as_far_as_possible(choice, node).satisfied_by(dag, node)
            } else {
                choice.satisfied_by(dag, node)
            }
        };
        applies.then(|| self.choices.iter().filter(holds).count())
    }

    fn text(&self) -> String {
        let choices: Vec<_> =
            self.choices.iter().map(|choice| format!("`{}`", choice.to_string().trim())).collect();
        let message = self.message.iter().map(|message| format!(" ({message})"));
        choices.join(" or ") + &message.collect::<String>()
    }
}

/// A wish for all packages is about the variants that a package has, and about compilers where there is one.
fn as_far_as_possible(wish: &AbstractSpec, node: &Node) -> AbstractSpec {
    let mut wish = wish.clone();
    wish.variants.retain(|name, _| node.facts.variants.contains_key(name));
    if !LANGUAGES.iter().any(|language| node.provider_of(language).is_some()) {
        wish.dependencies.clear();
    }
    wish
}

impl Requirements {
    /// What is wrong with a concrete DAG by the configuration.
    pub(crate) fn violation(&self, dag: &Dag) -> Option<String> {
        dag.nodes().find_map(|node| self.violation_of(dag, node))
    }

    fn violation_of(&self, dag: &Dag, node: &Node) -> Option<String> {
        let of_node = about(&self.required, dag, node);
        let missed = of_node.into_iter().find(|wish| {
            wish.holding(dag, node).is_some_and(|held| held == 0 || (wish.exclusive && held > 1))
        });
        let missed = missed.map(|wish| ("require", "is not", wish));
        let met = || {
            let conflicts = about(&self.conflicts, dag, node).into_iter();
            let mut met = conflicts.filter(|wish| wish.holding(dag, node).is_some_and(|held| held > 0));
            met.next().map(|wish| ("conflict", "is", wish))
        };
        let (key, verb, wish) = missed.or_else(met)?;
        Some(format!(
            "{} {verb} {}, against `packages:{}:{key}` of the configuration",
            node.name_version(),
            wish.text(),
            wish.package
        ))
    }
}

/// The wishes about a node: those about its name or what it provides, or else those about all packages. What is not
/// built has no compiler and no target of ours.
fn about<'a>(wishes: &'a [Wish], dag: &Dag, node: &Node) -> Vec<&'a Wish> {
    let provides = |name: &str| {
        let edges = dag.nodes().filter_map(|above| above.provider_of(name));
        edges.map(|edge| &edge.hash).any(|hash| *hash == node.hash)
    };
    let own: Vec<_> =
        wishes.iter().filter(|wish| wish.package == node.name() || provides(&wish.package)).collect();
    if !own.is_empty() || node.facts.external.is_some() {
        return own;
    }
    wishes.iter().filter(|wish| wish.package == ALL).collect()
}
