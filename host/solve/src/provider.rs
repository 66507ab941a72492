use std::any::Any;
use std::collections::BTreeSet;
use std::fmt::Display;

use indexmap::IndexSet;
use resolvo::{
    Candidates, Condition, ConditionId, Dependencies, DependencyProvider, HintDependenciesAvailable,
    Interner, NameId, SolvableId, Solver, SolverCache, StringId, UnsolvableOrCancelled, VersionSetId,
    VersionSetUnionId,
};

use crate::assignment::Assignment;
use crate::tables::{Candidate, Name, Reason, Test, Wanted};
use crate::universe::{Mentions, Problem, Universe};

/// Why a search has no answer.
pub(crate) enum NoAssignment {
    /// There is none; with the directives and wishes that the search met.
    Failed(Vec<Reason>),
    /// It was told to stop.
    Interrupted,
}

/// Something that is wanted, and that no candidate is.
pub(crate) struct DeadEnd {
    pub(crate) name: Name,
    pub(crate) test: Test,
    pub(crate) reason: Reason,
}

/// Searches an assignment for the roots; with `kept`, only these directives and wishes count.
///
/// # Errors
/// There is no assignment, or the search was interrupted.
pub(crate) fn search(
    problem: Problem<'_>,
    kept: Option<&BTreeSet<Reason>>,
) -> Result<Assignment, NoAssignment> {
    with_universe(problem, kept, |universe, answer| match answer {
        Ok(chosen) => Ok(Assignment::of(universe, &chosen)),
        Err(UnsolvableOrCancelled::Cancelled(_)) => Err(NoAssignment::Interrupted),
        Err(UnsolvableOrCancelled::Unsolvable(_)) => Err(NoAssignment::Failed(met(universe))),
    })
}

/// Of what a search met with these directives and wishes alone, all that no candidate meets, whatever else is chosen.
pub(crate) fn dead_ends(problem: Problem<'_>, kept: &BTreeSet<Reason>) -> Vec<DeadEnd> {
    with_universe(problem, Some(kept), |universe, _| {
        let wanted = universe.tables.all_wanted().into_iter();
        let wanted = wanted.filter(|wanted| wanted.reason != Reason::Silent);
        let ends = wanted.filter_map(|Wanted { name, test, reason, .. }| {
            let name = universe.tables.name(name);
            let mut candidates = universe.candidates(&name).into_iter();
            let met = candidates.any(|candidate| universe.passes(&name, &candidate, &test));
            (!met).then_some(DeadEnd { name, test, reason })
        });
        ends.collect()
    })
}

/// Searches, and gives the answer to `then` with everything that the search looked at.
///
/// A search that meets a value of an open variant too late is run again with it; the values are finite, so that ends.
fn with_universe<T>(
    problem: Problem<'_>,
    kept: Option<&BTreeSet<Reason>>,
    then: impl FnOnce(&Universe<'_>, Result<Vec<SolvableId>, UnsolvableOrCancelled>) -> T,
) -> T {
    let mut mentions = Mentions::new();
    loop {
        let mut solver = Solver::new(Universe::new(problem, mentions, kept));
        let resolvo::KnownDependencies { requirements, constrains } = solver.provider().root_needs();
        let wanted = resolvo::Problem::new().requirements(requirements).constraints(constrains);
        let answer = solver.solve(wanted);
        let universe = solver.provider();
        match universe.missed_mentions() {
            Some(more) if !matches!(answer, Err(UnsolvableOrCancelled::Cancelled(_))) => mentions = more,
            _ => return then(universe, answer),
        }
    }
}

/// The directives and wishes that a search met, each once.
fn met(universe: &Universe<'_>) -> Vec<Reason> {
    let reasons: IndexSet<Reason> =
        universe.tables.all_wanted().into_iter().map(|wanted| wanted.reason).collect();
    reasons.into_iter().filter(|reason| *reason != Reason::Silent).collect()
}

impl Interner for Universe<'_> {
    type NameId = NameId;
    type SolvableId = SolvableId;

    fn display_solvable(&self, solvable: SolvableId) -> impl Display + '_ {
        format!("{:?}", self.tables.candidate(solvable))
    }

    fn display_name(&self, name: NameId) -> impl Display + '_ {
        format!("{:?}", self.tables.name(name))
    }

    fn display_version_set(&self, wanted: VersionSetId) -> impl Display + '_ {
        format!("{:?}", self.tables.wanted(wanted).test)
    }

    fn display_string(&self, string: StringId) -> impl Display + '_ {
        self.tables.string(string)
    }

    fn version_set_name(&self, wanted: VersionSetId) -> NameId {
        self.tables.wanted(wanted).name
    }

    fn solvable_name(&self, solvable: SolvableId) -> NameId {
        self.tables.candidate(solvable).0
    }

    fn version_sets_in_union(&self, union: VersionSetUnionId) -> impl Iterator<Item = VersionSetId> {
        self.tables.union(union).into_iter()
    }

    fn resolve_condition(&self, condition: ConditionId) -> Condition {
        self.tables.condition(condition)
    }
}

impl DependencyProvider for Universe<'_> {
    async fn filter_candidates(
        &self,
        candidates: &[SolvableId],
        wanted: VersionSetId,
        inverse: bool,
    ) -> Vec<SolvableId> {
        let wanted = self.tables.wanted(wanted);
        let name = self.tables.name(wanted.name);
        let passes = |id: &SolvableId| {
            let (_, candidate) = self.tables.candidate(*id);
            let absent = candidate == Candidate::Absent;
            (absent && wanted.or_absent) || self.passes(&name, &candidate, &wanted.test)
        };
        candidates.iter().copied().filter(|id| passes(id) != inverse).collect()
    }

    async fn get_candidates(&self, name: NameId) -> Option<Candidates<SolvableId>> {
        let known = self.tables.name(name);
        let candidates = if known == Name::Never { Vec::new() } else { self.candidates(&known) };
        let candidates = candidates.into_iter().map(|candidate| self.tables.candidate_id(name, candidate));
        Some(Candidates {
            candidates: candidates.collect(),
            hint_dependencies_available: HintDependenciesAvailable::None,
            ..Candidates::default()
        })
    }

    /// Candidates are numbered in the order of preference.
    async fn sort_candidates(&self, _: &SolverCache<Self>, candidates: &mut [SolvableId]) {
        candidates.sort_by_key(|id| resolvo::DenseIndex::to_index(*id));
    }

    async fn get_dependencies(&self, candidate: SolvableId) -> Dependencies {
        let (name, candidate) = self.tables.candidate(candidate);
        Dependencies::Known(self.needs(&self.tables.name(name), &candidate))
    }

    /// Asked at every step of the search, so it has to be quick.
    fn should_cancel_with_value(&self) -> Option<Box<dyn Any>> {
        (self.interrupted)().then(|| Box::new(()) as Box<dyn Any>)
    }
}
