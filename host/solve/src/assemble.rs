use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use spack_wasm_package::{Dependency, Package};
use spack_wasm_spec::{
    AbstractSpec, Dag, DagBuilder, DependencyType, DependencyTypes, DraftIndex, External, NodeFacts,
};

use crate::assignment::{Assignment, Chosen};
use crate::conditions::Subject;
use crate::tables::{Name, Test};
use crate::universe::{Cut, Universe};

/// An edge before its node is known: types and the virtual packages that are provided on it.
type Edges = BTreeMap<String, (DependencyTypes, Vec<String>)>;

/// Why a choice is no DAG.
pub(crate) enum NoDag {
    /// Packages depend on each other in a circle; the first one stands again at the end.
    Circle(Vec<String>),
    /// A package depends on one that was not chosen.
    Gap { name: String, needed_by: String },
}

/// Makes the DAG of what a search chose, with notes for the user.
pub(crate) fn assemble(
    universe: &Universe<'_>,
    assignment: &Assignment,
) -> Result<(Dag, Vec<String>), NoDag> {
    let mut assembly = Assembly {
        universe,
        assignment,
        builder: DagBuilder::new(),
        drafts: BTreeMap::new(),
        path: Vec::new(),
        below: BTreeMap::new(),
        patches: BTreeMap::new(),
        notes: Vec::new(),
    };
    assembly.patches = assembly.dependents_patches();
    let mut indices = Vec::new();
    for root in universe.roots {
        let name = root.name.as_deref().unwrap_or_default();
        let name = assignment.virtuals.get(name).map_or(name, String::as_str);
        indices.push(assembly.add(name)?);
    }
    Ok((assembly.builder.finish(indices), assembly.notes))
}

/// The conditions under which the packages of a circle depend on each other, so that another search avoids them.
pub(crate) fn cut(universe: &Universe<'_>, assignment: &Assignment, circle: &[String]) -> Cut {
    let mut atoms = Vec::new();
    for pair in circle.windows(2) {
        let Some(package) = universe.package(&pair[0]) else { continue };
        let mut active = active(universe, assignment, &package);
        let edge = active.find(|dependency| assignment.chosen_for(dependency) == pair[1]);
        let Some(dependency) = edge else { continue };
        atoms.push((Name::Package(package.name.clone()), Test::Built(dependency.when.versions.clone())));
        let subject = Subject { package: &package.name, version: None };
        atoms.extend(universe.condition(&subject, &dependency.when).unwrap_or_default());
    }
    Cut { atoms, text: format!("these packages would depend on each other: {}", circle.join(" -> ")) }
}

/// The dependencies of a package whose condition holds, without those for tests alone.
fn active<'a>(
    universe: &'a Universe<'_>,
    assignment: &'a Assignment,
    package: &'a Package,
) -> impl Iterator<Item = &'a Dependency> {
    package.dependencies.iter().filter(move |dependency| {
        let when = &dependency.when;
        let holds = universe.facts.fits(when) && assignment.holds(universe, &package.name, when);
        holds && !without_test(dependency.types).is_empty()
    })
}

struct Assembly<'a> {
    universe: &'a Universe<'a>,
    assignment: &'a Assignment,
    builder: DagBuilder,
    drafts: BTreeMap<String, DraftIndex>,
    /// The packages that are being added, from a root down.
    path: Vec<String>,
    /// Everything that is reached from each package that was added.
    below: BTreeMap<String, BTreeSet<String>>,
    /// Patches that dependents apply, by dependency.
    patches: BTreeMap<String, Vec<String>>,
    notes: Vec<String>,
}

impl Assembly<'_> {
    fn add(&mut self, name: &str) -> Result<DraftIndex, NoDag> {
        if let Some(draft) = self.drafts.get(name) {
            return Ok(*draft);
        }
        if let Some(start) = self.path.iter().position(|open| open == name) {
            let mut names = self.path[start..].to_vec();
            names.push(name.to_owned());
            return Err(NoDag::Circle(names));
        }
        let Some(chosen) = self.assignment.packages.get(name) else {
            let needed_by = self.path.last().cloned().unwrap_or_default();
            return Err(NoDag::Gap { name: name.to_owned(), needed_by });
        };
        self.path.push(name.to_owned());
        let mut edges = Vec::new();
        let mut below = BTreeSet::new();
        for (dependency, (types, virtuals)) in self.edges(name, chosen) {
            edges.push((self.add(&dependency)?, types, virtuals));
            below.extend(self.below.get(&dependency).into_iter().flatten().cloned());
            below.insert(dependency);
        }
        self.path.pop();
        self.below.insert(name.to_owned(), below);
        let facts = self.node(name, chosen);
        let draft = self.builder.add(facts, edges);
        self.drafts.insert(name.to_owned(), draft);
        Ok(draft)
    }

    /// The recipe of a package that is built.
    fn built(&self, name: &str, chosen: &Chosen) -> Option<Arc<Package>> {
        if chosen.external.is_some() { None } else { self.universe.package(name) }
    }

    /// The dependencies whose condition holds, by the package that was chosen for each.
    fn edges(&self, name: &str, chosen: &Chosen) -> Edges {
        let mut edges = Edges::new();
        let Some(package) = self.built(name, chosen) else { return edges };
        for dependency in active(self.universe, self.assignment, &package) {
            let wanted = dependency.spec.name.as_deref().unwrap_or_default();
            let target = self.assignment.chosen_for(dependency);
            let (types, virtuals) = edges.entry(target.to_owned()).or_default();
            *types = types.union(without_test(dependency.types));
            if target != wanted && !virtuals.iter().any(|known| known == wanted) {
                virtuals.push(wanted.to_owned());
            }
        }
        edges
    }

    fn holds(&self, name: &str, when: &AbstractSpec) -> bool {
        self.universe.facts.fits(when) && self.assignment.holds(self.universe, name, when)
    }

    /// A dependent's patches are part of the dependency's node.
    fn dependents_patches(&self) -> BTreeMap<String, Vec<String>> {
        let mut patches: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (name, chosen) in &self.assignment.packages {
            let Some(package) = self.built(name, chosen) else { continue };
            for dependency in active(self.universe, self.assignment, &package) {
                let target = dependency.spec.name.clone().unwrap_or_default();
                let applying = dependency.patches.iter().filter(|patch| self.holds(&target, &patch.when));
                let hashes: Vec<String> = applying.map(|patch| patch.sha256.clone()).collect();
                patches.entry(target).or_default().extend(hashes);
            }
        }
        patches
    }

    fn node(&mut self, name: &str, chosen: &Chosen) -> NodeFacts {
        let package = self.universe.package(name);
        let namespace = package.as_ref().map_or("external", |package| &package.namespace);
        let facts = NodeFacts {
            name: name.to_owned(),
            version: chosen.version.clone(),
            architecture: self.universe.facts.architecture.clone(),
            namespace: namespace.to_owned(),
            variants: chosen.variants.clone(),
            flags: BTreeMap::new(),
            patches: Vec::new(),
            package_hash: String::new(),
            external: None,
        };
        match (chosen.external, package) {
            (Some(index), package) => self.external_node(facts, index, package.is_some()),
            (None, Some(package)) => NodeFacts {
                flags: self.flags(name),
                patches: self.node_patches(&package),
                package_hash: package.package_hash.clone(),
                ..facts
            },
            (None, None) => facts,
        }
    }

    fn external_node(&mut self, mut facts: NodeFacts, index: usize, has_recipe: bool) -> NodeFacts {
        let external = &self.universe.facts.externals[index];
        let prefix = external.prefix.display();
        self.notes.push(format!("{}@{} is used from {prefix}", external.name, external.version));
        if !has_recipe {
            let stated = external.variants.iter();
            facts.variants =
                stated.filter_map(|(name, request)| Some((name.clone(), request.to_value()?))).collect();
        }
        let (path, executables) = (external.prefix.clone(), external.executables.clone());
        NodeFacts { external: Some(External { path, executables }), ..facts }
    }

    fn node_patches(&self, package: &Package) -> Vec<String> {
        let own = package.patches.iter().filter(|patch| {
            self.holds(&package.name, &patch.when) && self.is_below(&package.name, &patch.when)
        });
        let mut hashes: Vec<String> = own.map(|patch| patch.sha256.clone()).collect();
        for hash in self.patches.get(&package.name).into_iter().flatten() {
            if !hashes.contains(hash) {
                hashes.push(hash.clone());
            }
        }
        hashes
    }

    /// Whether what a condition names behind `^` is reached from a package, and not only elsewhere in the DAG.
    fn is_below(&self, name: &str, when: &AbstractSpec) -> bool {
        let below = self.below.get(name);
        when.dependencies.iter().filter_map(|dependency| dependency.spec.name.as_ref()).all(|wanted| {
            let package = self.assignment.virtuals.get(wanted).unwrap_or(wanted);
            below.is_some_and(|below| below.contains(package))
        })
    }

    /// The compiler flags that a root asks for: for itself, for what it names behind `^`, or with `==` for everything.
    fn flags(&self, name: &str) -> BTreeMap<String, Vec<String>> {
        let below =
            self.universe.roots.iter().flat_map(|root| &root.dependencies).map(|dependency| &dependency.spec);
        let mut flags: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for spec in self.universe.roots.iter().chain(below) {
            let wanted = |propagate: bool| propagate || spec.name.as_deref() == Some(name);
            for (kind, request) in spec.flags.iter().filter(|(_, request)| wanted(request.propagate)) {
                let words = request.text.split_whitespace().map(str::to_owned);
                flags.entry(kind.clone()).or_default().extend(words);
            }
        }
        flags
    }
}

fn without_test(types: DependencyTypes) -> DependencyTypes {
    types.iter().filter(|kind| *kind != DependencyType::Test).collect()
}
