use std::collections::{BTreeMap, BTreeSet};

use spack_wasm_package::Package;
use spack_wasm_spec::{AbstractSpec, Dag, DagBuilder, DependencyType, DraftIndex, External, NodeFacts};

use crate::assignment::{Assignment, Chosen};
use crate::order::{Edges, NoDag, Order, active, built};
use crate::universe::Universe;

/// Makes the DAG of what a search chose, with notes for the user.
pub(crate) fn assemble(
    universe: &Universe<'_>,
    assignment: &Assignment,
) -> Result<(Dag, Vec<String>), NoDag> {
    let roots: Vec<&str> = universe
        .roots
        .iter()
        .map(|root| assignment.package_of(root.name.as_deref().unwrap_or_default()))
        .collect();
    let order = Order::of(universe, assignment, &roots)?;
    let mut assembly = Assembly {
        universe,
        assignment,
        builder: DagBuilder::new(),
        drafts: BTreeMap::new(),
        below: BTreeMap::new(),
        at_run_time: BTreeMap::new(),
        patches: BTreeMap::new(),
        notes: Vec::new(),
    };
    assembly.patches = assembly.dependents_patches();
    for (name, edges) in order.packages {
        assembly.add(&name, edges);
    }
    let indices = roots.iter().filter_map(|root| assembly.drafts.get(*root).copied()).collect::<Vec<_>>();
    Ok((assembly.builder.finish(indices), assembly.notes))
}

struct Assembly<'a> {
    universe: &'a Universe<'a>,
    assignment: &'a Assignment,
    builder: DagBuilder,
    drafts: BTreeMap<String, DraftIndex>,
    /// What `^` sees from each package that was added: direct dependencies, and what they need at run time or link against.
    below: BTreeMap<String, BTreeSet<String>>,
    /// What each package links against or needs at run time, directly or through others.
    at_run_time: BTreeMap<String, BTreeSet<String>>,
    /// Patches that dependents apply, by dependency.
    patches: BTreeMap<String, Vec<String>>,
    notes: Vec<String>,
}

impl Assembly<'_> {
    /// Adds a package whose dependencies were added before.
    fn add(&mut self, name: &str, edges: Edges) {
        let Some(chosen) = self.assignment.packages.get(name) else { return };
        let mut drafts = Vec::new();
        let mut below = BTreeSet::new();
        let mut at_run_time = BTreeSet::new();
        for (dependency, (types, virtuals)) in edges {
            drafts.extend(self.drafts.get(&dependency).map(|draft| (*draft, types, virtuals)));
            if types.intersects([DependencyType::Link, DependencyType::Run].into_iter().collect()) {
                at_run_time.extend(self.at_run_time.get(&dependency).into_iter().flatten().cloned());
                at_run_time.insert(dependency.clone());
            }
            below.insert(dependency);
        }
        below.extend(at_run_time.iter().cloned());
        self.below.insert(name.to_owned(), below);
        self.at_run_time.insert(name.to_owned(), at_run_time);
        let facts = self.node(name, chosen);
        let draft = self.builder.add(facts, drafts);
        self.drafts.insert(name.to_owned(), draft);
    }

    fn holds(&self, name: &str, when: &AbstractSpec) -> bool {
        self.universe.facts.fits(when) && self.assignment.holds(self.universe, name, when)
    }

    /// A dependent's patches are part of the dependency's node.
    fn dependents_patches(&self) -> BTreeMap<String, Vec<String>> {
        let mut patches: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (name, chosen) in &self.assignment.packages {
            let Some(package) = built(self.universe, name, chosen) else { continue };
            for dependency in active(self.universe, self.assignment, &package) {
                let named = dependency.spec.name.as_deref().unwrap_or_default();
                let target = self.assignment.package_of(named).to_owned();
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
        if self.patches.get(&facts.name).is_some_and(|patches| !patches.is_empty()) {
            let name = &external.name;
            self.notes
                .push(format!("{name} from {prefix} has none of the patches that its dependents put on it"));
        }
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
