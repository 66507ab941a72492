//! The concretizer: abstract specs to a concrete DAG, with explanations.
//!
//! [`solve`] takes what a user asked for, a [`Repository`] of packages and [`Facts`] of the machine, and
//! answers a [`Dag`] or says in plain words why there is none. The search is `resolvo`'s; the encoding is ours:
//!
//! | thing | name in the search | its candidates |
//! | --- | --- | --- |
//! | package | its name | its versions, and the externals that were found |
//! | variant with one value | package and variant | each value of each definition |
//! | variant with several values | package, variant and value | on and off |
//! | virtual package | its name | one a `provides` of a provider |
//! | `requires` with choices | package and directive | one a choice |
//!
//! A candidate is tried in the order of `prefer`; what it needs is in `encode`; a condition (`when`) is split in
//! `conditions` into what the version alone decides and what the search decides. One name has one candidate: a package occurs once
//! in a DAG. The same input gives the same DAG.
//!
//! What Spack's own concretizer does and this one does not yet:
//!
//! - a package twice in one DAG, as Spack has it for build tools and compilers;
//! - an optimum: candidates are tried in the order of preference, and where two preferences exclude each other the search
//!   keeps the one that it met first; only versions are improved afterwards;
//! - `^name` in a condition asks whether the package is in the DAG, not whether it is below the one that asks (a `patch`
//!   asks properly); `%name` asks for a direct dependency only where the package has a `depends_on` of this name;
//! - `++variant` is a preference, `sticky` is not looked at, dependencies for tests alone are left out, and installed
//!   packages are not reused.

mod answer;
mod assemble;
mod assignment;
mod candidates;
mod check;
mod conditions;
mod encode;
mod error;
mod explain;
mod externals;
mod facts;
mod improve;
mod near;
mod nearest;
mod order;
mod prefer;
mod provider;
mod tables;
mod universe;

use spack_wasm_package::Repository;
use spack_wasm_spec::{AbstractSpec, Dag};

use answer::Answer;
use universe::Problem;

pub use error::{Place, SolveError};
pub use facts::{ExternalPackage, Facts, Preferences};

/// What the concretizer answers.
#[derive(Clone, Debug)]
pub struct Solution {
    /// The concrete DAG; its roots are in the order of the specs.
    pub dag: Dag,
    /// What a user should know about the choice, one sentence each.
    pub notes: Vec<String>,
}

/// Concretizes `roots` together: one DAG in which a package occurs once.
///
/// # Errors
/// A root names something that does not exist, or the roots can't be had together; the error says why.
pub fn solve(
    roots: &[AbstractSpec],
    repository: &dyn Repository,
    facts: &Facts,
) -> Result<Solution, SolveError> {
    solve_unless(&|| false, roots, repository, facts)
}

/// As [`solve`], until `interrupted` says that nobody waits for the answer any more; it is asked at every step.
///
/// # Errors
/// As [`solve`], or [`SolveError::Interrupted`].
pub fn solve_unless(
    interrupted: &dyn Fn() -> bool,
    roots: &[AbstractSpec],
    repository: &dyn Repository,
    facts: &Facts,
) -> Result<Solution, SolveError> {
    let facts = facts.for_roots(roots)?;
    check::roots(roots, repository, &facts)?;
    let problem = Problem { roots, repository, facts: &facts, cuts: &[], pins: &[], interrupted };
    let answer = Answer::find(problem).map_err(|no_answer| no_answer.explain(problem))?;
    let Answer { dag, notes, .. } = improve::improve(problem, answer);
    if interrupted() {
        return Err(SolveError::Interrupted);
    }
    check::dependencies_are_used(roots, &dag)?;
    Ok(Solution { dag, notes })
}
