use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use spack_wasm_package::{Package, Repository, VariantDefinition};
use spack_wasm_spec::AbstractSpec;

use crate::conditions::Atom;
use crate::facts::Facts;
use crate::tables::{Candidate, Reason, Tables};

/// Virtual packages that only compilers provide; they are externals, and never built in order to compile.
pub(crate) const LANGUAGES: [&str; 3] = ["c", "cxx", "fortran"];

/// Values of open variants that some spec mentions, by package and variant: the search sees no others.
pub(crate) type Mentions = BTreeMap<(String, String), BTreeSet<String>>;

/// What is to be solved.
#[derive(Clone, Copy)]
pub(crate) struct Problem<'a> {
    pub(crate) roots: &'a [AbstractSpec],
    pub(crate) repository: &'a dyn Repository,
    pub(crate) facts: &'a Facts,
    /// Circles of dependencies that earlier searches ran into.
    pub(crate) cuts: &'a [Cut],
    /// Candidates that packages have if they are part of the answer.
    pub(crate) pins: &'a [Pin],
    /// Whether nobody waits for the answer any more.
    pub(crate) interrupted: &'a dyn Fn() -> bool,
}

/// The candidate that a package has if it is part of the answer.
#[derive(Clone, Debug)]
pub(crate) struct Pin {
    pub(crate) package: String,
    pub(crate) candidate: Candidate,
}

/// Conditions that together make packages depend on each other in a circle.
#[derive(Clone, Debug)]
pub(crate) struct Cut {
    pub(crate) atoms: Vec<Atom>,
    pub(crate) text: String,
}

/// Everything that one search looks at, loaded when it is first asked for.
pub(crate) struct Universe<'a> {
    pub(crate) roots: &'a [AbstractSpec],
    pub(crate) repository: &'a dyn Repository,
    pub(crate) facts: &'a Facts,
    pub(crate) tables: Tables,
    /// Directives and wishes that count; `None`: all.
    kept: Option<&'a BTreeSet<Reason>>,
    pub(crate) cuts: &'a [Cut],
    pub(crate) pins: &'a [Pin],
    pub(crate) interrupted: &'a dyn Fn() -> bool,
    packages: RefCell<HashMap<String, Option<Arc<Package>>>>,
    virtuals: RefCell<HashMap<String, bool>>,
    mentions: RefCell<Mentions>,
    /// A value was mentioned after the candidates of its variant had been listed: the search must be run again.
    stale: Cell<bool>,
    listed: RefCell<BTreeSet<(String, String)>>,
}

impl<'a> Universe<'a> {
    pub(crate) fn new(problem: Problem<'a>, mentions: Mentions, kept: Option<&'a BTreeSet<Reason>>) -> Self {
        let Problem { roots, repository, facts, cuts, pins, interrupted } = problem;
        Self {
            roots,
            repository,
            facts,
            cuts,
            pins,
            interrupted,
            tables: Tables::default(),
            kept,
            packages: RefCell::default(),
            virtuals: RefCell::default(),
            mentions: RefCell::new(mentions),
            stale: Cell::new(false),
            listed: RefCell::default(),
        }
    }

    /// Whether what is wanted for this reason is left out, so as to see whether it matters.
    pub(crate) fn is_dropped(&self, reason: &Reason) -> bool {
        *reason != Reason::Silent && self.kept.is_some_and(|kept| !kept.contains(reason))
    }

    pub(crate) fn package(&self, name: &str) -> Option<Arc<Package>> {
        let known = self.packages.borrow().get(name).cloned();
        known.unwrap_or_else(|| {
            let package = self.repository.package(name);
            self.packages.borrow_mut().insert(name.to_owned(), package.clone());
            package
        })
    }

    /// Whether `name` is a virtual package: of the repositories, of an external, or a language.
    pub(crate) fn is_virtual(&self, name: &str) -> bool {
        if LANGUAGES.contains(&name) {
            return true;
        }
        let known = self.virtuals.borrow().get(name).copied();
        known.unwrap_or_else(|| {
            let answer = self.package(name).is_none()
                && self.facts.externals_of(name).next().is_none()
                && (self.facts.externals.iter().any(|external| external.virtuals.contains(name))
                    || !self.repository.providers(name).is_empty());
            self.virtuals.borrow_mut().insert(name.to_owned(), answer);
            answer
        })
    }

    /// Notes that a spec names values of a variant.
    pub(crate) fn mention(&self, package: &str, definition: &VariantDefinition, values: &[&str]) {
        let listed = definition.listed_values();
        let key = (package.to_owned(), definition.name.clone());
        for value in values.iter().filter(|value| !listed.contains(value) && definition.allows(value)) {
            let new = self.mentions.borrow_mut().entry(key.clone()).or_default().insert((*value).to_owned());
            if new && self.listed.borrow().contains(&key) {
                self.stale.set(true);
            }
        }
    }

    /// The values of a definition that the search may choose.
    pub(crate) fn values(&self, package: &str, definition: &VariantDefinition) -> Vec<String> {
        let key = (package.to_owned(), definition.name.clone());
        let mut values: Vec<String> = definition.listed_values().into_iter().map(str::to_owned).collect();
        let mentions = self.mentions.borrow();
        let mentioned = mentions.get(&key).into_iter().flatten();
        values.extend(
            mentioned
                .filter(|value| {
                    !definition.listed_values().contains(&value.as_str()) && definition.allows(value)
                })
                .cloned(),
        );
        self.listed.borrow_mut().insert(key);
        values
    }

    /// The mentions of a finished search, if it missed some of them.
    pub(crate) fn missed_mentions(&self) -> Option<Mentions> {
        self.stale.get().then(|| self.mentions.borrow().clone())
    }
}
