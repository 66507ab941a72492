use std::collections::{BTreeMap, BTreeSet};

use resolvo::SolvableId;
use spack_wasm_package::VariantValues;
use spack_wasm_spec::{AbstractSpec, DependencyRequest, VariantValue, Version};

use crate::conditions::Direct;
use crate::tables::{Candidate, Name};
use crate::universe::Universe;

/// What a search chose, by name.
#[derive(Clone, Debug, Default)]
pub(crate) struct Assignment {
    pub(crate) packages: BTreeMap<String, Chosen>,
    /// The provider of each virtual package that something needs.
    pub(crate) virtuals: BTreeMap<String, String>,
    /// What each package depends on directly, as its `depends_on` names it.
    edges: BTreeSet<(String, String)>,
}

/// What was chosen of one package.
#[derive(Clone, Debug)]
pub(crate) struct Chosen {
    pub(crate) version: Version,
    /// Its place in the facts.
    pub(crate) external: Option<usize>,
    pub(crate) variants: BTreeMap<String, VariantValue>,
}

impl Assignment {
    pub(crate) fn of(universe: &Universe<'_>, chosen: &[SolvableId]) -> Self {
        let mut assignment = Self::default();
        let mut variants: BTreeMap<String, BTreeMap<String, VariantValue>> = BTreeMap::new();
        for id in chosen {
            let (name, candidate) = universe.tables.candidate(*id);
            let name = universe.tables.name(name);
            match (&name, &candidate) {
                (Name::Package(package), Candidate::Version(_) | Candidate::External(_)) => {
                    assignment.add_package(universe, &name, package, &candidate);
                }
                (Name::Virtual(name), Candidate::Provider { package, .. }) => {
                    assignment.virtuals.insert(name.clone(), package.clone());
                }
                (Name::Edge(package, target), Candidate::Yes) => {
                    assignment.edges.insert((package.clone(), target.clone()));
                }
                (Name::Variant(package, variant), Candidate::Single { definition, value }) => {
                    let value = single(universe, package, *definition, value);
                    variants.entry(package.clone()).or_default().insert(variant.clone(), value);
                }
                (Name::Value(package, variant, value), Candidate::Value { on: true, .. }) => {
                    let package = variants.entry(package.clone()).or_default();
                    let values = package
                        .entry(variant.clone())
                        .or_insert_with(|| VariantValue::Multi(BTreeSet::new()));
                    if let VariantValue::Multi(values) = values {
                        values.insert(value.clone());
                    }
                }
                _ => {}
            }
        }
        for (name, package) in &mut assignment.packages {
            package.variants = variants.remove(name).unwrap_or_default();
        }
        assignment
    }

    fn add_package(&mut self, universe: &Universe<'_>, name: &Name, package: &str, candidate: &Candidate) {
        let Some(version) = universe.version_of(name, candidate) else { return };
        let external = match candidate {
            Candidate::External(index) => Some(*index),
            _ => None,
        };
        self.packages.insert(package.to_owned(), Chosen { version, external, variants: BTreeMap::new() });
    }

    /// The package that was chosen for a name: itself, or the provider of a virtual one.
    pub(crate) fn package_of<'a>(&'a self, name: &'a str) -> &'a str {
        self.virtuals.get(name).map_or(name, String::as_str)
    }

    /// Whether a condition of the package `subject` holds. Architecture is left to the caller.
    pub(crate) fn holds(&self, universe: &Universe<'_>, subject: &str, when: &AbstractSpec) -> bool {
        let Some(chosen) = self.packages.get(subject) else { return false };
        when.name.as_ref().is_none_or(|name| name == subject)
            && chosen.is(when)
            && when
                .dependencies
                .iter()
                .all(|dependency| self.has(dependency) && self.is_direct(universe, subject, dependency))
    }

    fn is_direct(&self, universe: &Universe<'_>, subject: &str, dependency: &DependencyRequest) -> bool {
        match universe.direct(subject, dependency) {
            Direct::Edge(name) => self.edges.contains(&(subject.to_owned(), name)),
            Direct::Never => false,
            Direct::Anywhere => true,
        }
    }

    fn has(&self, dependency: &DependencyRequest) -> bool {
        let Some(name) = &dependency.spec.name else { return false };
        let provider = self.virtuals.get(name);
        let package = provider.unwrap_or(name);
        let provides =
            dependency.virtuals.iter().all(|virtual_name| self.virtuals.get(virtual_name) == Some(package));
        // The search saw to the versions of an interface.
        let spec = &dependency.spec;
        let fits = provider.is_some() || self.packages.get(package).is_some_and(|chosen| chosen.is(spec));
        provides && fits && spec.dependencies.iter().all(|below| self.has(below))
    }
}

impl Chosen {
    fn is(&self, spec: &AbstractSpec) -> bool {
        spec.versions.contains(&self.version)
            && spec
                .variants
                .iter()
                .all(|(name, request)| self.variants.get(name).is_some_and(|value| request.accepts(value)))
    }
}

fn single(universe: &Universe<'_>, package: &str, definition: usize, value: &str) -> VariantValue {
    let package = universe.package(package);
    let boolean = package
        .and_then(|package| package.variants.get(definition).map(|definition| definition.values.clone()))
        .is_some_and(|values| values == VariantValues::Bool);
    if boolean { VariantValue::Bool(value == "true") } else { VariantValue::Single(value.to_owned()) }
}
