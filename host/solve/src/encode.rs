use resolvo::{ConditionId, ConditionalRequirement, KnownDependencies, Requirement, VersionSetUnionId};
use spack_wasm_package::{
    Conflict, Dependency, Package, Requirement as Requires, RequirementPolicy, VariantValues,
};
use spack_wasm_spec::{AbstractSpec, DependencyType, DependencyTypes, Version};

use crate::conditions::{Atom, Subject};
use crate::tables::{Candidate, Name, ProvidedBy, Reason, Test, Wanted};
use crate::universe::Universe;

/// What a candidate needs, while it is put together.
#[derive(Default)]
pub(crate) struct Needs {
    known: KnownDependencies,
}

impl Needs {
    pub(crate) fn finish(self) -> KnownDependencies {
        self.known
    }

    /// All `atoms`, where `condition` holds.
    pub(crate) fn require(
        &mut self,
        universe: &Universe<'_>,
        condition: Option<ConditionId>,
        atoms: Vec<Atom>,
        reason: &Reason,
    ) {
        if universe.is_dropped(reason) {
            return;
        }
        for atom in atoms {
            let every = Requirement::Union(universe.every_candidate(&atom.0));
            let wanted = Requirement::Single(universe.want(atom, reason));
            let requirements =
                [every, wanted].map(|requirement| ConditionalRequirement { condition, requirement });
            self.known.requirements.extend(requirements);
        }
    }

    fn constrain(&mut self, universe: &Universe<'_>, (name, test): Atom, reason: &Reason) {
        if universe.is_dropped(reason) {
            return;
        }
        let name = universe.tables.name_id(name);
        let wanted = Wanted { name, test, or_absent: true, reason: reason.clone() };
        self.known.constrains.push(universe.tables.wanted_id(wanted));
    }
}

impl Universe<'_> {
    /// A requirement that always holds and names every candidate.
    ///
    /// `resolvo` forbids a second candidate of a name only for those that a requirement named before the first one was
    /// chosen; a condition that names another one later would stay undecided, and what it asks for would be forgotten.
    fn every_candidate(&self, name: &Name) -> VersionSetUnionId {
        let id = self.tables.name_id(name.clone());
        let every = Wanted { name: id, test: Test::Any, or_absent: true, reason: Reason::Silent };
        let always = self.want((Name::Always, Test::Any), &Reason::Silent);
        self.tables.union_id(vec![self.tables.wanted_id(every), always])
    }

    /// What the user asked for.
    pub(crate) fn root_needs(&self) -> KnownDependencies {
        let mut needs = Needs::default();
        needs.require(self, None, vec![(Name::Always, Test::Any)], &Reason::Silent);
        for root in self.roots {
            let text = root.without_dependencies();
            let reason = Reason::Root(text.to_string());
            needs.require(self, None, self.demand(&text), &reason);
            needs.require(self, None, self.built(root), &reason);
            for dependency in &root.dependencies {
                let reason = Reason::Root(dependency.to_string());
                let subject = Subject { package: root.name.as_deref().unwrap_or_default(), version: None };
                let condition = dependency.when.as_ref().map(|when| self.condition(&subject, when));
                let Some(when) = condition.unwrap_or_else(|| Some(Vec::new())) else { continue };
                needs.require(self, self.all_of(when), self.dependency(dependency), &reason);
            }
        }
        for cut in self.cuts {
            needs.require(self, self.all_of(cut.atoms.clone()), never(), &plain("", cut.text.clone()));
        }
        for pin in self.pins {
            let among = Test::Among(vec![pin.candidate.clone()]);
            needs.constrain(self, (Name::Package(pin.package.clone()), among), &Reason::Silent);
        }
        needs.finish()
    }

    /// A root with flags or with wishes for its dependencies is built: an external has neither.
    fn built(&self, root: &AbstractSpec) -> Vec<Atom> {
        let name = root.name.as_deref().filter(|name| self.package(name).is_some());
        let wishes = !root.dependencies.is_empty() || !root.flags.is_empty();
        let atom = |name: &str| (Name::Package(name.to_owned()), Test::Built(root.versions.clone()));
        name.filter(|_| wishes).map(atom).into_iter().collect()
    }

    /// What a candidate needs.
    pub(crate) fn needs(&self, name: &Name, candidate: &Candidate) -> KnownDependencies {
        let mut needs = Needs::default();
        match (name, candidate) {
            (Name::Package(package), Candidate::Version(_)) => {
                self.version_needs(&mut needs, package, candidate)
            }
            (Name::Package(package), Candidate::External(index)) => {
                self.external_needs(&mut needs, package, candidate, *index);
            }
            (Name::Variant(package, _), Candidate::Single { definition, value }) => {
                self.value_needs(&mut needs, package, *definition, value);
            }
            (Name::Variant(package, variant), Candidate::Several { definition }) => {
                self.several_needs(&mut needs, package, variant, *definition);
            }
            (Name::Value(package, _, value), Candidate::Value { definition, on: true }) => {
                self.value_needs(&mut needs, package, *definition, value);
            }
            (Name::Virtual(name), Candidate::Provider { package, by }) => {
                self.provider_needs(&mut needs, name, package, by);
            }
            (Name::Choice(package, index), Candidate::Choice(choice)) => {
                self.choice_needs(&mut needs, package, *index, *choice);
            }
            _ => {}
        }
        needs.finish()
    }

    fn version_needs(&self, needs: &mut Needs, name: &str, candidate: &Candidate) {
        let version = self.version_of(&Name::Package(name.to_owned()), candidate);
        let (Some(package), Some(version)) = (self.package(name), version) else { return };
        let subject = Subject { package: name, version: Some(&version) };
        self.variants_exist(needs, &package, &subject);
        for dependency in &package.dependencies {
            self.depends_on(needs, &package, &version, dependency);
        }
        for conflict in &package.conflicts {
            self.conflicts(needs, &package, &version, conflict);
        }
        for (index, requirement) in package.requirements.iter().enumerate() {
            self.requires(needs, &package, &version, index, requirement);
        }
    }

    /// A variant exists where the condition of one of its definitions holds, and the last such definition counts.
    fn variants_exist(&self, needs: &mut Needs, package: &Package, subject: &Subject<'_>) {
        for (index, definition) in package.variants.iter().enumerate() {
            let Some(when) = self.condition(subject, &definition.when) else { continue };
            let name = Name::Variant(package.name.clone(), definition.name.clone());
            let atoms = vec![(name, Test::DefinitionFrom(index))];
            needs.require(self, self.all_of(when), atoms, &Reason::Silent);
        }
    }

    fn depends_on(&self, needs: &mut Needs, package: &Package, version: &Version, dependency: &Dependency) {
        if dependency.types == DependencyTypes::from(DependencyType::Test) {
            return;
        }
        let subject = Subject { package: &package.name, version: Some(version) };
        let Some(when) = self.condition(&subject, &dependency.when) else { return };
        let reason = directive(package, "depends on", &dependency.spec, &dependency.when, None);
        let condition = self.all_of(when);
        needs.require(self, condition, self.demand(&dependency.spec), &reason);
        let target = dependency.spec.name.clone().unwrap_or_default();
        needs.require(
            self,
            condition,
            vec![(Name::Edge(package.name.clone(), target), Test::Any)],
            &Reason::Silent,
        );
    }

    fn conflicts(&self, needs: &mut Needs, package: &Package, version: &Version, conflict: &Conflict) {
        let subject = Subject { package: &package.name, version: Some(version) };
        let Some(mut both) = self.condition(&subject, &conflict.when) else { return };
        let Some(spec) = self.condition(&subject, &conflict.spec) else { return };
        both.extend(spec);
        let reason =
            directive(package, "conflicts with", &conflict.spec, &conflict.when, conflict.message.clone());
        needs.require(self, self.all_of(both), never(), &reason);
    }

    fn requires(
        &self,
        needs: &mut Needs,
        package: &Package,
        version: &Version,
        index: usize,
        requirement: &Requires,
    ) {
        let subject = Subject { package: &package.name, version: Some(version) };
        let Some(when) = self.condition(&subject, &requirement.when) else { return };
        let reason = requires_reason(package, requirement);
        let atoms = match requirement.specs.as_slice() {
            [only] => self.condition(&subject, only).unwrap_or_else(never),
            _ => vec![(Name::Choice(package.name.clone(), index), Test::Any)],
        };
        needs.require(self, self.all_of(when), atoms, &reason);
    }

    /// The chosen spec, and with `one_of` none of the others.
    fn choice_needs(&self, needs: &mut Needs, name: &str, index: usize, choice: usize) {
        let Some(package) = self.package(name) else { return };
        let Some(requirement) = package.requirements.get(index) else { return };
        let subject = Subject { package: name, version: None };
        let reason = requires_reason(&package, requirement);
        for (other, spec) in requirement.specs.iter().enumerate() {
            let atoms = self.condition(&subject, spec);
            if other == choice {
                needs.require(self, None, atoms.unwrap_or_else(never), &reason);
            } else if let (RequirementPolicy::OneOf, Some(atoms)) = (requirement.policy, atoms) {
                needs.require(self, self.all_of(atoms), never(), &reason);
            }
        }
    }

    /// The variants of an external are fixed.
    fn external_needs(&self, needs: &mut Needs, name: &str, candidate: &Candidate, index: usize) {
        let version = self.version_of(&Name::Package(name.to_owned()), candidate);
        let (Some(package), Some(version)) = (self.package(name), version) else { return };
        self.variants_exist(needs, &package, &Subject { package: name, version: Some(&version) });
        let reason = plain(name, format!("{name}@{version} is installed already and can't be changed"));
        for variant in package.variant_names() {
            for atom in self.fixed(&package, variant, &self.facts.externals[index]) {
                needs.constrain(self, atom, &reason);
            }
        }
    }

    /// A value, or a switch that is on: its definition's condition and its own.
    fn value_needs(&self, needs: &mut Needs, package: &str, definition: usize, value: &str) {
        let Some(package) = self.package(package) else { return };
        let Some(definition) = package.variants.get(definition) else { return };
        let name = &definition.name;
        self.variant_condition(needs, &package, &definition.when, &format!("has the variant `{name}`"));
        if let Some(when) = definition.value_condition(value) {
            self.variant_condition(needs, &package, when, &format!("takes `{name}={value}`"));
        }
    }

    fn several_needs(&self, needs: &mut Needs, package: &str, variant: &str, index: usize) {
        let Some(package) = self.package(package) else { return };
        let Some(definition) = package.variants.get(index) else { return };
        self.variant_condition(needs, &package, &definition.when, &format!("has the variant `{variant}`"));
        let switch = |value: &String| Name::Value(package.name.clone(), variant.to_owned(), value.clone());
        let values = self.values(&package.name, definition);
        let members: Vec<_> =
            values.iter().map(|value| self.want((switch(value), Test::On), &Reason::Silent)).collect();
        let all = values.iter().map(|value| (switch(value), Test::Definition(index))).collect();
        needs.require(self, None, all, &Reason::Silent);
        let at_least_one = Requirement::Union(self.tables.union_id(members));
        needs.known.requirements.push(ConditionalRequirement { condition: None, requirement: at_least_one });
        if let VariantValues::DisjointSets(sets) = &definition.values {
            self.disjoint(needs, &package, variant, sets);
        }
    }

    fn disjoint(&self, needs: &mut Needs, package: &Package, variant: &str, sets: &[Vec<String>]) {
        let text = format!("the values of `{variant}` have to come from one of its sets");
        let reason = plain(&package.name, text);
        let switch =
            |value: &String| (Name::Value(package.name.clone(), variant.to_owned(), value.clone()), Test::On);
        for (index, set) in sets.iter().enumerate() {
            for (one, other) in
                set.iter().flat_map(|one| sets[index + 1..].iter().flatten().map(move |other| (one, other)))
            {
                needs.require(self, self.all_of(vec![switch(one), switch(other)]), never(), &reason);
            }
        }
    }

    fn variant_condition(&self, needs: &mut Needs, package: &Package, when: &AbstractSpec, what: &str) {
        let subject = Subject { package: &package.name, version: None };
        let atoms = self.condition(&subject, when).unwrap_or_else(never);
        let text = format!("{} {what} only when `{when}`", package.name);
        let reason = plain(&package.name, text);
        needs.require(self, None, atoms, &reason);
    }

    /// The provider itself, under the condition of its directive, and what it provides together.
    fn provider_needs(&self, needs: &mut Needs, name: &str, package: &str, by: &ProvidedBy) {
        let package_name = Name::Package(package.to_owned());
        let (ProvidedBy::Directive(index) | ProvidedBy::DirectiveOfExternal(index)) = by else {
            let ProvidedBy::External(index) = by else { return };
            let text = format!("{package} provides `{name}`");
            needs.require(
                self,
                None,
                vec![(package_name, Test::Externals(vec![*index]))],
                &plain(package, text),
            );
            return;
        };
        let Some(package) = self.package(package) else { return };
        let Some(provided) = package.provides.get(*index) else { return };
        let subject = Subject { package: &package.name, version: None };
        let presence = match by {
            ProvidedBy::DirectiveOfExternal(_) => {
                Test::Externals(self.facts.externals_of(&package.name).map(|(index, _)| index).collect())
            }
            _ => Test::Any,
        };
        let mut atoms = vec![(package_name, presence)];
        atoms.extend(self.condition(&subject, &provided.when).unwrap_or_else(never));
        let text = format!("{} provides `{}`{}", package.name, provided.spec, when_text(&provided.when));
        needs.require(self, None, atoms, &plain(&package.name, text));
        self.provided_together(needs, &package, name);
    }

    fn provided_together(&self, needs: &mut Needs, package: &Package, name: &str) {
        for together in &package.provides_together {
            for other in together.sets.iter().filter(|set| set.iter().any(|member| member == name)).flatten()
            {
                let test =
                    Test::Provider { package: Some(package.name.clone()), versions: Default::default() };
                let text = format!("{} provides `{name}` and `{other}` only together", package.name);
                let reason = plain(&package.name, text);
                needs.constrain(self, (Name::Virtual(other.clone()), test), &reason);
            }
        }
    }
}

/// What can't be had.
fn never() -> Vec<Atom> {
    vec![(Name::Never, Test::Nothing)]
}

fn when_text(when: &AbstractSpec) -> String {
    if when.is_empty() { String::new() } else { format!(" when `{when}`") }
}

fn directive(
    package: &Package,
    verb: &str,
    spec: &AbstractSpec,
    when: &AbstractSpec,
    message: Option<String>,
) -> Reason {
    let text = format!("{} {verb} `{spec}`{}", package.name, when_text(when));
    let subject = format!("{} {when}", package.name).trim().to_owned();
    Reason::Directive { subject, text, message }
}

fn plain(package: &str, text: String) -> Reason {
    Reason::Directive { subject: package.to_owned(), text, message: None }
}

fn requires_reason(package: &Package, requirement: &Requires) -> Reason {
    let specs: Vec<String> = requirement.specs.iter().map(|spec| format!("`{spec}`")).collect();
    let text = format!("{} requires {}{}", package.name, specs.join(" or "), when_text(&requirement.when));
    Reason::Directive { subject: package.name.clone(), text, message: requirement.message.clone() }
}
