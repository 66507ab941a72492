use spack_wasm_package::Package;
use spack_wasm_spec::{AbstractSpec, DependencyRequest, RequestedValue, VariantRequest, Version};

use crate::tables::{Name, Reason, Test, Wanted};
use crate::universe::Universe;

/// A name and which of its candidates are wanted.
pub(crate) type Atom = (Name, Test);

/// The package that a condition is about, as far as it is decided where the condition is looked at.
pub(crate) struct Subject<'a> {
    pub(crate) package: &'a str,
    /// `None`: the version is left to the search.
    pub(crate) version: Option<&'a Version>,
}

/// What is asked of a direct dependency.
pub(crate) enum Direct {
    /// A `depends_on` of this name whose condition holds.
    Edge(String),
    /// A virtual package that no `depends_on` names: it can't be one.
    Never,
    /// It is enough that it is there: `^name`, or a package such as a compiler that stands behind a virtual one.
    Anywhere,
}

impl Universe<'_> {
    /// Splits a condition of `subject`: `None` when it can't hold, else what the search has to decide.
    ///
    /// A directive's own name in its condition is the subject.
    pub(crate) fn condition(&self, subject: &Subject<'_>, when: &AbstractSpec) -> Option<Vec<Atom>> {
        if !self.facts.fits(when) || when.name.as_ref().is_some_and(|name| name != subject.package) {
            return None;
        }
        let mut atoms = Vec::new();
        match subject.version {
            Some(version) if !when.versions.contains(version) => return None,
            None if !when.versions.is_any() => {
                atoms
                    .push((Name::Package(subject.package.to_owned()), Test::Versions(when.versions.clone())));
            }
            _ => {}
        }
        atoms.extend(self.variants(subject.package, when));
        for dependency in &when.dependencies {
            atoms.extend(self.dependency(dependency));
            match self.direct(subject.package, dependency) {
                Direct::Edge(name) => atoms.push((Name::Edge(subject.package.to_owned(), name), Test::Any)),
                Direct::Never => return None,
                Direct::Anywhere => {}
            }
        }
        Some(atoms)
    }

    /// What a condition of a package asks of the direct dependency that it names with `%`.
    pub(crate) fn direct(&self, package: &str, dependency: &DependencyRequest) -> Direct {
        let Some(name) = dependency.spec.name.as_ref().filter(|_| dependency.direct) else {
            return Direct::Anywhere;
        };
        let package = self.package(package);
        let declares = |package: &Package| {
            package.dependencies.iter().any(|declared| declared.spec.name.as_ref() == Some(name))
        };
        match package {
            Some(package) if declares(&package) => Direct::Edge(name.clone()),
            Some(_) if self.is_virtual(name) => Direct::Never,
            _ => Direct::Anywhere,
        }
    }

    /// What has to be chosen so that `spec`, with a name, holds: package, version, variants, and its own `^` and `%`.
    pub(crate) fn demand(&self, spec: &AbstractSpec) -> Vec<Atom> {
        let Some(name) = &spec.name else { return Vec::new() };
        if !self.facts.fits(spec) {
            return vec![(Name::Never, Test::Nothing)];
        }
        let mut atoms = vec![self.presence(name, spec)];
        atoms.extend(self.variants(name, spec));
        atoms.extend(spec.dependencies.iter().flat_map(|dependency| self.dependency(dependency)));
        atoms
    }

    fn presence(&self, name: &str, spec: &AbstractSpec) -> Atom {
        if self.is_virtual(name) {
            let test = Test::Provider { package: None, versions: spec.versions.clone() };
            return (Name::Virtual(name.to_owned()), test);
        }
        let test = match self.package(name) {
            Some(_) => Test::Versions(spec.versions.clone()),
            None => Test::Externals(self.externals_without_recipe(name, spec)),
        };
        (Name::Package(name.to_owned()), test)
    }

    /// `^name` or `%name`: the package, and what it has to provide.
    pub(crate) fn dependency(&self, dependency: &DependencyRequest) -> Vec<Atom> {
        let mut atoms = self.demand(&dependency.spec);
        for name in &dependency.virtuals {
            let versions = spack_wasm_spec::VersionList::any();
            let test = Test::Provider { package: dependency.spec.name.clone(), versions };
            atoms.push((Name::Virtual(name.clone()), test));
        }
        atoms
    }

    fn variants(&self, name: &str, spec: &AbstractSpec) -> Vec<Atom> {
        let Some(package) = self.package(name) else { return Vec::new() };
        spec.variants.iter().flat_map(|(variant, request)| self.variant(&package, variant, request)).collect()
    }

    fn variant(&self, package: &Package, variant: &str, request: &VariantRequest) -> Vec<Atom> {
        let name = || Name::Variant(package.name.clone(), variant.to_owned());
        let value_name =
            |value: &str| Name::Value(package.name.clone(), variant.to_owned(), value.to_owned());
        let values = request.value.texts();
        for definition in package.definitions(variant) {
            self.mention(&package.name, definition, &values);
        }
        if request.value == RequestedValue::Any {
            return vec![(name(), Test::Any)];
        }
        if !package.definitions(variant).any(|definition| definition.multi) {
            let wanted: Vec<String> = values.iter().map(|value| (*value).to_owned()).collect();
            // One value is chosen, so two can't both hold.
            let test = if wanted.len() == 1 { Test::OneOf(wanted) } else { Test::Nothing };
            return vec![(name(), test)];
        }
        let mut atoms: Vec<Atom> = values.iter().map(|value| (value_name(value), Test::On)).collect();
        if request.exact {
            let others: Vec<String> = package
                .definitions(variant)
                .flat_map(|definition| self.values(&package.name, definition))
                .filter(|value| !values.contains(&value.as_str()))
                .collect();
            atoms.extend(others.iter().map(|value| (value_name(value), Test::Off)));
        }
        atoms
    }

    /// The wanted candidates of an atom, with a reason.
    pub(crate) fn want(&self, (name, test): Atom, reason: &Reason) -> resolvo::VersionSetId {
        let name = self.tables.name_id(name);
        self.tables.wanted_id(Wanted { name, test, or_absent: false, reason: reason.clone() })
    }

    /// A condition for `resolvo` that holds when all atoms do; `None` for the one that always holds.
    pub(crate) fn all_of(&self, atoms: Vec<Atom>) -> Option<resolvo::ConditionId> {
        let members: Vec<_> = atoms.into_iter().map(|atom| self.want(atom, &Reason::Silent)).collect();
        self.tables.conjunction(&members)
    }
}
