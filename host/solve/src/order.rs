use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use spack_wasm_package::{Dependency, Package};
use spack_wasm_spec::{DependencyType, DependencyTypes};

use crate::assignment::{Assignment, Chosen};
use crate::conditions::Subject;
use crate::tables::{Name, Test};
use crate::universe::{Cut, Universe};

/// The dependencies of a package by name: types, and the virtual packages that are provided.
pub(crate) type Edges = BTreeMap<String, (DependencyTypes, Vec<String>)>;

/// Why a choice is no DAG.
pub(crate) enum NoDag {
    /// Packages depend on each other in a circle; the first one stands again at the end.
    Circle(Vec<String>),
    /// A package depends on one that was not chosen.
    Gap { name: String, needed_by: String },
}

/// The packages that are reached from the roots, each after its dependencies.
pub(crate) struct Order {
    pub(crate) packages: Vec<(String, Edges)>,
}

/// A package whose dependencies are being placed.
struct Open {
    name: String,
    edges: Edges,
    /// Dependencies that were not looked at yet, the next one last.
    remaining: Vec<String>,
}

impl Order {
    /// Places packages without recursion: a chain of dependencies may be longer than the stack is deep.
    pub(crate) fn of(
        universe: &Universe<'_>,
        assignment: &Assignment,
        roots: &[&str],
    ) -> Result<Self, NoDag> {
        let mut order = Self { packages: Vec::new() };
        let mut placed = BTreeSet::new();
        for root in roots {
            order.place(universe, assignment, root, &mut placed)?;
        }
        Ok(order)
    }

    fn place(
        &mut self,
        universe: &Universe<'_>,
        assignment: &Assignment,
        root: &str,
        placed: &mut BTreeSet<String>,
    ) -> Result<(), NoDag> {
        if placed.contains(root) {
            return Ok(());
        }
        let mut path = vec![open(universe, assignment, root, "")?];
        while let Some(top) = path.last_mut() {
            let Some(next) = top.remaining.pop() else {
                placed.insert(top.name.clone());
                self.packages.extend(path.pop().map(|done| (done.name, done.edges)));
                continue;
            };
            if placed.contains(&next) {
                continue;
            }
            if let Some(start) = path.iter().position(|open| open.name == next) {
                let mut names: Vec<String> = path[start..].iter().map(|open| open.name.clone()).collect();
                names.push(next);
                return Err(NoDag::Circle(names));
            }
            let needed_by = path.last().map_or("", |open| &open.name);
            path.push(open(universe, assignment, &next, needed_by)?);
        }
        Ok(())
    }
}

fn open(
    universe: &Universe<'_>,
    assignment: &Assignment,
    name: &str,
    needed_by: &str,
) -> Result<Open, NoDag> {
    let Some(chosen) = assignment.packages.get(name) else {
        return Err(NoDag::Gap { name: name.to_owned(), needed_by: needed_by.to_owned() });
    };
    let edges = edges(universe, assignment, name, chosen);
    let remaining = edges.keys().rev().cloned().collect();
    Ok(Open { name: name.to_owned(), edges, remaining })
}

/// The dependencies whose condition holds, by the package that was chosen for each.
fn edges(universe: &Universe<'_>, assignment: &Assignment, name: &str, chosen: &Chosen) -> Edges {
    let mut edges = Edges::new();
    let Some(package) = built(universe, name, chosen) else { return edges };
    for dependency in active(universe, assignment, &package) {
        let wanted = dependency.spec.name.as_deref().unwrap_or_default();
        let target = assignment.package_of(wanted);
        let (types, virtuals) = edges.entry(target.to_owned()).or_default();
        *types = types.union(without_test(dependency.types));
        if target != wanted && !virtuals.iter().any(|known| known == wanted) {
            virtuals.push(wanted.to_owned());
        }
    }
    edges
}

/// The recipe of a package that is built.
pub(crate) fn built(universe: &Universe<'_>, name: &str, chosen: &Chosen) -> Option<Arc<Package>> {
    if chosen.external.is_some() { None } else { universe.package(name) }
}

/// The dependencies of a package whose condition holds, without those for tests alone.
pub(crate) fn active<'a>(
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

fn without_test(types: DependencyTypes) -> DependencyTypes {
    types.iter().filter(|kind| *kind != DependencyType::Test).collect()
}

/// The conditions under which the packages of a circle depend on each other, so that another search avoids them.
pub(crate) fn cut(universe: &Universe<'_>, assignment: &Assignment, circle: &[String]) -> Cut {
    let mut atoms = Vec::new();
    for pair in circle.windows(2) {
        let Some(package) = universe.package(&pair[0]) else { continue };
        let mut active = active(universe, assignment, &package);
        let target = |dependency: &Dependency| {
            assignment.package_of(dependency.spec.name.as_deref().unwrap_or_default()) == pair[1]
        };
        let Some(dependency) = active.find(|dependency| target(dependency)) else { continue };
        atoms.push((Name::Package(package.name.clone()), Test::Built(dependency.when.versions.clone())));
        let subject = Subject { package: &package.name, version: None };
        atoms.extend(universe.condition(&subject, &dependency.when).unwrap_or_default());
    }
    Cut { atoms, text: format!("these packages would depend on each other: {}", circle.join(" -> ")) }
}
