use std::collections::BTreeSet;

use resolvo::conflict::{Conflict, ConflictCause, ConflictEdge, ConflictNode};
use resolvo::{Requirement, Solver, VersionSetId};
use spack_wasm_package::by_preference;
use spack_wasm_spec::AbstractSpec;

use crate::SolveError;
use crate::tables::{Name, Reason, Test, Wanted};
use crate::universe::Universe;

/// How many versions an explanation lists.
const LISTED_VERSIONS: usize = 6;

/// The texts of the roots, one behind the other.
pub(crate) fn root_texts(roots: &[AbstractSpec]) -> String {
    roots.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
}

/// Says in words why the search found nothing.
pub(crate) fn explain(solver: &Solver<Universe<'_>>, conflict: &Conflict) -> SolveError {
    let universe = solver.provider();
    let mut story =
        Story { universe, told: BTreeSet::new(), reasons: Vec::new(), ends: Vec::new(), missing: None };
    story.follow(solver, conflict);
    let Story { mut reasons, ends, missing, .. } = story;
    if let Some((name, needed_by)) = missing {
        return SolveError::Missing { name, needed_by, reasons };
    }
    reasons.extend(ends);
    SolveError::Unsatisfiable { roots: root_texts(universe.roots), reasons }
}

struct Story<'a, 'u> {
    universe: &'a Universe<'u>,
    told: BTreeSet<String>,
    reasons: Vec<String>,
    /// What can't be, told last.
    ends: Vec<String>,
    /// A name that nobody knows, and who needs it.
    missing: Option<(String, String)>,
}

impl Story<'_, '_> {
    /// Walks the conflict from the root, breadth first, and tells each directive once.
    fn follow(&mut self, solver: &Solver<Universe<'_>>, conflict: &Conflict) {
        let conflict = conflict.graph(solver);
        let (graph, mut queue) = (&conflict.graph, vec![conflict.root_node]);
        let mut position = 0;
        while position < queue.len() {
            let node = queue[position];
            position += 1;
            let mut next: Vec<_> = graph.neighbors(node).collect();
            next.sort();
            next.dedup();
            for target in next {
                let dead_end = graph[target] == ConflictNode::UnresolvedDependency;
                for edge in graph.edges_connecting(node, target) {
                    self.tell_edge(edge.weight(), dead_end);
                }
                if !queue.contains(&target) {
                    queue.push(target);
                }
            }
        }
    }

    fn tell_edge(&mut self, edge: &ConflictEdge, dead_end: bool) {
        match edge {
            ConflictEdge::Requires(Requirement::Single(wanted)) if dead_end => self.tell_dead_end(*wanted),
            ConflictEdge::Requires(Requirement::Single(wanted))
            | ConflictEdge::Conflict(ConflictCause::Constrains(wanted)) => {
                let text = words(&self.universe.tables.wanted(*wanted).reason);
                self.tell(text);
            }
            _ => {}
        }
    }

    fn tell(&mut self, text: Option<String>) {
        if let Some(text) = text
            && self.told.insert(text.clone())
        {
            self.reasons.push(text);
        }
    }

    fn tell_dead_end(&mut self, wanted: VersionSetId) {
        let Wanted { name, test, reason, .. } = self.universe.tables.wanted(wanted);
        let name = self.universe.tables.name(name);
        self.tell(words(&reason));
        if let Name::Package(package) = &name
            && self.universe.candidates(&name).len() == 1
        {
            let needed_by = match reason {
                Reason::Directive { subject, .. } => subject,
                Reason::Root(text) => text,
                Reason::Silent => package.clone(),
            };
            self.missing.get_or_insert((package.clone(), needed_by));
        } else if let Some(end) = self.end(&name, &test)
            && self.told.insert(end.clone())
        {
            self.ends.push(end);
        }
    }

    /// Why no candidate of a name will do.
    fn end(&self, name: &Name, test: &Test) -> Option<String> {
        match (name, test) {
            (Name::Package(package), Test::Versions(versions)) => {
                Some(self.no_version(package, &versions.to_string()))
            }
            (Name::Package(package), Test::Externals(_)) => {
                let externals = self.universe.facts.externals_of(package);
                let found: Vec<String> =
                    externals.map(|(_, external)| format!("{package}@{}", external.version)).collect();
                Some(format!("there is no recipe for {package}, and found was only {}", found.join(", ")))
            }
            (Name::Variant(package, variant), Test::OneOf(values)) => {
                Some(format!("{package} has no `{variant}={}`", values.join(",")))
            }
            (Name::Variant(package, variant), _) => Some(format!("{package} has no variant `{variant}`")),
            (Name::Value(package, variant, value), _) => {
                Some(format!("{package} has no `{variant}={value}`"))
            }
            (Name::Virtual(name), Test::Provider { package: Some(package), .. }) => {
                Some(format!("{package} does not provide `{name}`"))
            }
            (Name::Virtual(name), _) => Some(format!("no package provides `{name}` as it is needed")),
            _ => None,
        }
    }

    fn no_version(&self, name: &str, versions: &str) -> String {
        let Universe { facts, .. } = self.universe;
        let package = self.universe.package(name);
        let declared = package.as_ref().map(|package| by_preference(&package.versions)).unwrap_or_default();
        let mut known: Vec<String> = facts
            .externals_of(name)
            .map(|(_, external)| format!("{} (external)", external.version))
            .collect();
        if !facts.preferences.not_buildable.contains(name) {
            let usable = declared.iter().filter(|declared| facts.allow_deprecated || !declared.deprecated);
            known.extend(usable.take(LISTED_VERSIONS).map(|declared| declared.version.to_string()));
        }
        format!("this version does not exist: {name}@{versions}; there are {}", known.join(", "))
    }
}

fn words(reason: &Reason) -> Option<String> {
    match reason {
        Reason::Root(text) => Some(format!("`{text}` was asked for")),
        Reason::Directive { text, message: Some(message), .. } => Some(format!("{text}: {message}")),
        Reason::Directive { text, .. } => Some(text.clone()),
        Reason::Silent => None,
    }
}
