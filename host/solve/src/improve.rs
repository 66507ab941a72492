use std::collections::BTreeSet;

use spack_wasm_package::Package;
use spack_wasm_spec::{AbstractSpec, Version};

use crate::answer::Answer;
use crate::order::active;
use crate::tables::Candidate;
use crate::universe::{Mentions, Pin, Problem, Universe};

/// How many better versions are tried of one package.
const TRIES: usize = 2;

/// How many searches are made in all: in a large DAG each takes long, and a better version is a nicety.
const SEARCHES: usize = 32;

/// Tries whether packages can have a better version than the one that a search came upon.
///
/// A search that runs into a conflict changes what it chose last, and that may be the version of a package where a variant of
/// another one could give way to a dependent's wish. From the roots down, each package that is built gets the best version
/// that those who need it allow, unless a provider or a variant that nobody asked for would change, or a package that was
/// looked at before would get another version.
pub(crate) fn improve(problem: Problem<'_>, mut answer: Answer) -> Answer {
    let mut pins: Vec<Pin> = Vec::new();
    let mut searches = 0;
    let names: Vec<String> =
        answer.dag.topological().iter().rev().map(|node| node.name().to_owned()).collect();
    for name in names {
        for version in better_versions(problem, &answer, &name) {
            if searches == SEARCHES || (problem.interrupted)() {
                return answer;
            }
            searches += 1;
            pins.push(Pin { package: name.clone(), candidate: Candidate::Version(version) });
            let found = Answer::find(Problem { pins: &pins, ..problem }).ok();
            pins.pop();
            if let Some(better) = found.filter(|found| is_no_worse(problem, &answer, found)) {
                answer = better;
                break;
            }
        }
        pins.extend(pin(problem, &answer, &name));
    }
    answer
}

/// The version that a built package has by now.
fn pin(problem: Problem<'_>, answer: &Answer, name: &str) -> Option<Pin> {
    let chosen = answer.assignment.packages.get(name).filter(|chosen| chosen.external.is_none())?;
    let package = problem.repository.package(name)?;
    let index = package.versions.iter().position(|declared| declared.version == chosen.version)?;
    Some(Pin { package: name.to_owned(), candidate: Candidate::Version(index) })
}

fn is_no_worse(problem: Problem<'_>, old: &Answer, new: &Answer) -> bool {
    let provider = |(name, package): (&String, &String)| {
        new.assignment.virtuals.get(name).is_none_or(|other| other == package)
    };
    let universe = Universe::new(problem, Mentions::new(), None);
    old.assignment.virtuals.iter().all(provider)
        && unasked(&universe, new).is_subset(&unasked(&universe, old))
}

/// The variants of built packages that have another value than the preferred one without anybody asking for it.
fn unasked(universe: &Universe<'_>, answer: &Answer) -> BTreeSet<(String, String)> {
    let asked = asked_variants(universe, answer);
    let mut unasked = BTreeSet::new();
    for node in answer.dag.nodes().filter(|node| !node.is_external()) {
        let Some(package) = universe.package(node.name()) else { continue };
        let variants = node.facts.variants.iter();
        let other = variants.filter(|(name, value)| !universe.prefers(&package, name, &value.values()));
        unasked.extend(other.map(|(name, _)| (node.name().to_owned(), name.clone())));
    }
    unasked.difference(&asked).cloned().collect()
}

/// The variants that a root or a dependent asks for, by package.
fn asked_variants(universe: &Universe<'_>, answer: &Answer) -> BTreeSet<(String, String)> {
    let mut asked = BTreeSet::new();
    let mut ask = |spec: &AbstractSpec| {
        let package = answer.assignment.package_of(spec.name.as_deref().unwrap_or_default());
        asked.extend(spec.variants.keys().map(|variant| (package.to_owned(), variant.clone())));
    };
    for root in universe.roots {
        ask(root);
        root.dependencies.iter().for_each(|dependency| ask(&dependency.spec));
    }
    for node in answer.dag.nodes().filter(|node| !node.is_external()) {
        if let Some(dependent) = universe.package(node.name()) {
            active(universe, &answer.assignment, &dependent).for_each(|dependency| ask(&dependency.spec));
        }
    }
    asked
}

/// The versions of a built package, by their places in its recipe, that are preferred to the chosen one and that no
/// dependent in the answer forbids.
fn better_versions(problem: Problem<'_>, answer: &Answer, name: &str) -> Vec<usize> {
    let universe = Universe::new(problem, Mentions::new(), None);
    let chosen = answer.assignment.packages.get(name).filter(|chosen| chosen.external.is_none());
    let (Some(chosen), Some(package)) = (chosen, universe.package(name)) else { return Vec::new() };
    let preferred = universe.preferred_versions(&package).into_iter();
    let version = |index: &usize| package.versions.get(*index).map(|declared| &declared.version);
    let better = preferred.take_while(|index| version(index) != Some(&chosen.version));
    let allowed = |index: &usize| {
        version(index).is_some_and(|version| dependents_allow(&universe, answer, &package, version))
    };
    better.filter(allowed).take(TRIES).collect()
}

fn dependents_allow(universe: &Universe<'_>, answer: &Answer, package: &Package, version: &Version) -> bool {
    let is_package = |name: &Option<String>| name.as_ref() == Some(&package.name);
    let asked = universe
        .roots
        .iter()
        .chain(universe.roots.iter().flat_map(|root| &root.dependencies).map(|dependency| &dependency.spec));
    let roots = asked.filter(|spec| is_package(&spec.name)).all(|spec| spec.versions.contains(version));
    roots
        && answer.dag.nodes().filter(|node| !node.is_external()).all(|node| {
            let Some(dependent) = universe.package(node.name()) else { return true };
            active(universe, &answer.assignment, &dependent)
                .filter(|dependency| is_package(&dependency.spec.name))
                .all(|dependency| dependency.spec.versions.contains(version))
        })
}
