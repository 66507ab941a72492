use spack_wasm_package::{Package, VariantDefinition};
use spack_wasm_spec::{Version, VersionList};

use crate::tables::{Candidate, Name, ProvidedBy, Test};
use crate::universe::{LANGUAGES, Universe};

impl Universe<'_> {
    /// The candidates of a name, the best one first; `Absent` is the last one.
    pub(crate) fn candidates(&self, name: &Name) -> Vec<Candidate> {
        let mut candidates = match name {
            Name::Package(package) => self.versions(package),
            Name::Variant(package, variant) => self.definitions(package, variant),
            Name::Value(package, variant, value) => self.switches(package, variant, value),
            Name::Virtual(name) => self.providers(name),
            Name::Choice(package, index) => self.choices(package, *index),
            Name::Never => Vec::new(),
            Name::Always | Name::Edge(..) => vec![Candidate::Yes],
        };
        candidates.push(Candidate::Absent);
        candidates
    }

    fn versions(&self, name: &str) -> Vec<Candidate> {
        let mut externals: Vec<_> = self.facts.externals_of(name).collect();
        externals.sort_by(|(_, a), (_, b)| b.version.cmp(&a.version));
        let mut candidates: Vec<Candidate> =
            externals.into_iter().map(|(index, _)| Candidate::External(index)).collect();
        if let Some(package) = self.package(name)
            && !self.facts.preferences.not_buildable.contains(name)
        {
            candidates.extend(self.preferred_versions(&package).into_iter().map(Candidate::Version));
        }
        candidates
    }

    fn definitions(&self, package: &str, variant: &str) -> Vec<Candidate> {
        let Some(package) = self.package(package) else { return Vec::new() };
        let mut candidates = Vec::new();
        for (index, definition) in numbered(&package, variant) {
            if definition.multi {
                candidates.push(Candidate::Several { definition: index });
            } else {
                let values = self.preferred_values(&package, definition).into_iter();
                candidates.extend(values.map(|value| Candidate::Single { definition: index, value }));
            }
        }
        candidates
    }

    fn switches(&self, package: &str, variant: &str, value: &str) -> Vec<Candidate> {
        let Some(package) = self.package(package) else { return Vec::new() };
        let mut candidates = Vec::new();
        for (index, definition) in numbered(&package, variant) {
            if self.values(&package.name, definition).iter().any(|known| known == value) {
                let on = self.prefers_value(&package, definition, value);
                candidates.push(Candidate::Value { definition: index, on });
                candidates.push(Candidate::Value { definition: index, on: !on });
            }
        }
        candidates
    }

    fn providers(&self, name: &str) -> Vec<Candidate> {
        let externals = self.facts.externals.iter().enumerate();
        let mut known: Vec<_> = externals.filter(|(_, external)| external.virtuals.contains(name)).collect();
        known.sort_by_key(|(_, external)| !self.is_named(&external.name));
        let mut candidates: Vec<Candidate> = known
            .into_iter()
            .map(|(index, external)| provider(&external.name, ProvidedBy::External(index)))
            .collect();
        for package in self.preferred_providers(name) {
            candidates.extend(self.directives(&package, name));
        }
        candidates
    }

    /// The `provides` of a package for a virtual one; first those that its best version has.
    fn directives(&self, package: &str, name: &str) -> Vec<Candidate> {
        let built = !LANGUAGES.contains(&name);
        let external = self.facts.externals_of(package).next().is_some();
        let Some(package) = self.package(package).filter(|_| built || external) else { return Vec::new() };
        let package_name = Name::Package(package.name.clone());
        let versions: Vec<_> = self
            .versions(&package.name)
            .iter()
            .filter_map(|candidate| self.version_of(&package_name, candidate))
            .collect();
        let numbered = package.provides.iter().enumerate();
        let mut fitting: Vec<_> = numbered.filter(|(_, provided)| provided.name() == Some(name)).collect();
        fitting.sort_by_key(|(_, provided)| {
            let fits = |version: &Version| provided.when.versions.contains(version);
            versions.iter().position(fits).unwrap_or(versions.len())
        });
        let by =
            |index| if built { ProvidedBy::Directive(index) } else { ProvidedBy::DirectiveOfExternal(index) };
        fitting.into_iter().map(|(index, _)| provider(&package.name, by(index))).collect()
    }

    fn choices(&self, package: &str, index: usize) -> Vec<Candidate> {
        let Some(package) = self.package(package) else { return Vec::new() };
        let specs = package.requirements.get(index).map(|requirement| requirement.specs.as_slice());
        let mut choices: Vec<_> = specs.unwrap_or_default().iter().enumerate().collect();
        choices.sort_by_key(|(_, spec)| self.unpreferred_variants(&package, spec));
        choices.into_iter().map(|(choice, _)| Candidate::Choice(choice)).collect()
    }

    /// Whether a candidate of `name` is wanted by `test`.
    pub(crate) fn passes(&self, name: &Name, candidate: &Candidate, test: &Test) -> bool {
        match (test, candidate) {
            (_, Candidate::Absent) | (Test::Nothing, _) => false,
            (Test::Any, _)
            | (Test::On, Candidate::Value { on: true, .. })
            | (Test::Off, Candidate::Value { on: false, .. }) => true,
            (Test::Among(wanted), candidate) => wanted.contains(candidate),
            (Test::Built(versions), Candidate::Version(_))
            | (Test::Versions(versions), Candidate::Version(_) | Candidate::External(_)) => {
                self.version_of(name, candidate).is_some_and(|version| versions.contains(&version))
            }
            (Test::Externals(accepted), Candidate::External(index)) => accepted.contains(index),
            (Test::OneOf(values), Candidate::Single { value, .. }) => values.contains(value),
            (
                Test::DefinitionFrom(first),
                Candidate::Single { definition, .. } | Candidate::Several { definition },
            ) => definition >= first,
            (
                Test::Definition(wanted),
                Candidate::Single { definition, .. }
                | Candidate::Several { definition }
                | Candidate::Value { definition, .. },
            ) => definition == wanted,
            (Test::Provider { package, versions }, Candidate::Provider { package: by, .. }) => {
                package.as_ref().is_none_or(|package| package == by)
                    && self.offered(candidate).intersects(versions)
            }
            _ => false,
        }
    }

    /// The version of a package's candidate.
    pub(crate) fn version_of(&self, name: &Name, candidate: &Candidate) -> Option<Version> {
        match (name, candidate) {
            (Name::Package(package), Candidate::Version(index)) => {
                self.package(package)?.versions.get(*index).map(|declared| declared.version.clone())
            }
            (_, Candidate::External(index)) => {
                self.facts.externals.get(*index).map(|external| external.version.clone())
            }
            _ => None,
        }
    }

    /// The versions of the interface that a provider offers.
    fn offered(&self, candidate: &Candidate) -> VersionList {
        let Candidate::Provider {
            package,
            by: ProvidedBy::Directive(index) | ProvidedBy::DirectiveOfExternal(index),
        } = candidate
        else {
            return VersionList::any();
        };
        let package = self.package(package);
        let provided = package.as_ref().and_then(|package| package.provides.get(*index));
        provided.map(|provided| provided.spec.versions.clone()).unwrap_or_default()
    }
}

fn provider(package: &str, by: ProvidedBy) -> Candidate {
    Candidate::Provider { package: package.to_owned(), by }
}

/// The definitions of a variant with their places in the package's list.
pub(crate) fn numbered<'a>(
    package: &'a Package,
    variant: &'a str,
) -> impl Iterator<Item = (usize, &'a VariantDefinition)> {
    package.variants.iter().enumerate().filter(move |(_, definition)| definition.name == variant)
}
