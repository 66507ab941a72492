use std::collections::BTreeSet;

use spack_wasm_package::by_preference;
use spack_wasm_spec::AbstractSpec;

use crate::SolveError;
use crate::provider::{DeadEnd, NoAssignment, dead_ends, search};
use crate::tables::{Name, Reason, Test};
use crate::universe::Problem;

/// How many versions an explanation lists.
const LISTED_VERSIONS: usize = 6;

/// How many searches look for what does not matter; after that the explanation is longer than it has to be.
const SEARCHES: usize = 200;

/// Says in words why a search found nothing: the fewest directives and wishes that can't be had together.
pub(crate) fn explain(problem: Problem<'_>, met: Vec<Reason>) -> SolveError {
    let core = Core { problem };
    let met = core.reduce(met);
    let dead_ends = dead_ends(problem, &met.iter().cloned().collect());
    if (problem.interrupted)() {
        return SolveError::Interrupted;
    }
    if let Some((name, needed_by)) = core.missing(&dead_ends) {
        return SolveError::Missing { name, needed_by, reasons: chain(&met) };
    }
    let ends = dead_ends.iter().filter_map(|dead_end| core.end(dead_end));
    let (absent, others): (Vec<String>, Vec<String>) = ends.partition(|end| end.starts_with(NO_VERSION));
    let mut reasons = absent;
    for reason in chain(&met).into_iter().chain(others) {
        if !reasons.contains(&reason) {
            reasons.push(reason);
        }
    }
    SolveError::Unsatisfiable { roots: texts(problem.roots), reasons }
}

/// How a reason begins that is told first.
const NO_VERSION: &str = "this version does not exist";

/// The texts of the roots, one behind the other.
pub(crate) fn texts(roots: &[AbstractSpec]) -> String {
    roots.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
}

/// What the user asked for, then the directives in the order in which the search met them.
fn chain(reasons: &[Reason]) -> Vec<String> {
    let is_root = |reason: &&Reason| matches!(reason, Reason::Root(_));
    let (asked, directives): (Vec<&Reason>, Vec<&Reason>) = reasons.iter().partition(is_root);
    asked.into_iter().chain(directives).filter_map(words).collect()
}

fn words(reason: &Reason) -> Option<String> {
    match reason {
        Reason::Root(text) => Some(format!("`{text}` was asked for")),
        Reason::Directive { text, message: Some(message), .. } => Some(format!("{text}: {message}")),
        Reason::Directive { text, .. } => Some(text.clone()),
        Reason::Silent => None,
    }
}

struct Core<'a> {
    problem: Problem<'a>,
}

impl Core<'_> {
    /// Leaves out what does not matter: first halves, then smaller and smaller parts, then one at a time. What a search
    /// that still fails did not even meet goes too.
    fn reduce(&self, mut met: Vec<Reason>) -> Vec<Reason> {
        let mut size = met.len().div_ceil(2);
        let mut searches = 0;
        loop {
            let mut start = 0;
            while start < met.len() {
                if searches == SEARCHES || (self.problem.interrupted)() {
                    return met;
                }
                searches += 1;
                let end = (start + size).min(met.len());
                match self.without(&met, start..end) {
                    Some(fewer) => met = fewer,
                    None => start = end,
                }
            }
            if size <= 1 {
                return met;
            }
            size = size.div_ceil(2);
        }
    }

    /// What a search meets without some of the reasons, if it still fails.
    fn without(&self, met: &[Reason], left_out: std::ops::Range<usize>) -> Option<Vec<Reason>> {
        let outside =
            |(index, reason): (usize, &Reason)| (!left_out.contains(&index)).then(|| reason.clone());
        let kept: BTreeSet<Reason> = met.iter().enumerate().filter_map(outside).collect();
        let Err(NoAssignment::Failed(fewer)) = search(self.problem, Some(&kept)) else { return None };
        // In the order of the first search, which is the one that the user sees.
        let fewer: BTreeSet<Reason> = fewer.into_iter().collect();
        Some(met.iter().filter(|reason| fewer.contains(reason)).cloned().collect())
    }

    /// A package that no recipe and no external is, or a virtual one that nobody provides, and who needs it.
    fn missing(&self, dead_ends: &[DeadEnd]) -> Option<(String, String)> {
        dead_ends.iter().find_map(|DeadEnd { name, test, reason }| {
            let missing = match (name, test) {
                (Name::Package(name), _) if !self.is_known(name) => name,
                (Name::Virtual(name), Test::Provider { package: None, versions }) if versions.is_any() => {
                    name
                }
                _ => return None,
            };
            match reason {
                Reason::Directive { subject, .. } => Some((missing.clone(), subject.clone())),
                Reason::Root(text) => Some((missing.clone(), text.clone())),
                Reason::Silent => None,
            }
        })
    }

    fn is_known(&self, name: &str) -> bool {
        let Problem { repository, facts, .. } = self.problem;
        repository.package(name).is_some() || facts.externals_of(name).next().is_some()
    }

    /// Why no candidate of a name will do.
    fn end(&self, DeadEnd { name, test, .. }: &DeadEnd) -> Option<String> {
        match (name, test) {
            (Name::Package(package), Test::Versions(versions)) => {
                Some(self.no_version(package, &versions.to_string()))
            }
            (Name::Package(package), Test::Externals(_)) => {
                let externals = self.problem.facts.externals_of(package);
                let found: Vec<String> =
                    externals.map(|(_, external)| format!("{package}@{}", external.version)).collect();
                Some(format!("there is no recipe for {package}, and found was only {}", found.join(", ")))
            }
            (Name::Variant(package, variant), Test::OneOf(values)) => self.no_value(package, variant, values),
            (Name::Variant(package, variant), _) => Some(format!("{package} has no variant `{variant}`")),
            (Name::Value(package, variant, value), _) => {
                self.no_value(package, variant, std::slice::from_ref(value))
            }
            (Name::Virtual(name), Test::Provider { package: Some(package), .. }) => {
                Some(format!("{package} does not provide `{name}`"))
            }
            (Name::Virtual(name), Test::Provider { versions, .. }) => {
                Some(format!("no package provides `{name}@{versions}`"))
            }
            _ => None,
        }
    }

    fn no_value(&self, package: &str, variant: &str, values: &[String]) -> Option<String> {
        let known = self.problem.repository.package(package)?;
        if known.definitions(variant).next().is_none() {
            return Some(format!("{package} has no variant `{variant}`"));
        }
        Some(format!("the variant `{variant}` of {package} has no value `{}`", values.join(",")))
    }

    fn no_version(&self, name: &str, versions: &str) -> String {
        let package = self.problem.repository.package(name);
        let declared = package.as_ref().map(|package| by_preference(&package.versions)).unwrap_or_default();
        let externals = self.problem.facts.externals_of(name);
        let mut known: Vec<String> =
            externals.map(|(_, external)| format!("{} (external)", external.version)).collect();
        if !self.problem.facts.preferences.not_buildable.contains(name) {
            let usable = declared
                .iter()
                .filter(|declared| self.problem.facts.allow_deprecated || !declared.deprecated);
            known.extend(usable.take(LISTED_VERSIONS).map(|declared| declared.version.to_string()));
        }
        format!("{NO_VERSION}: {name}@{versions}; there are {}", known.join(", "))
    }
}
