use std::collections::BTreeSet;
use std::fmt::Display;

use resolvo::{
    Candidates, Condition, ConditionId, Dependencies, DependencyProvider, HintDependenciesAvailable,
    Interner, NameId, SolvableId, Solver, SolverCache, StringId, VersionSetId, VersionSetUnionId,
};

use crate::assignment::Assignment;
use crate::tables::{Candidate, Name, Reason, Test, Wanted};
use crate::universe::{Mentions, Problem, Universe};

/// A search that failed.
pub(crate) struct Failure {
    /// The directives and wishes that it met.
    pub(crate) met: Vec<Reason>,
    /// Those that no candidate meets, whatever else is chosen.
    pub(crate) dead_ends: Vec<DeadEnd>,
}

/// Something that is wanted, and that no candidate is.
pub(crate) struct DeadEnd {
    pub(crate) name: Name,
    pub(crate) test: Test,
    pub(crate) reason: Reason,
}

/// Searches an assignment for the roots; with `kept`, only these directives and wishes count.
///
/// A search that meets a value of an open variant too late is run again with it; the values are finite, so that ends.
pub(crate) fn search(problem: Problem<'_>, kept: Option<&BTreeSet<Reason>>) -> Result<Assignment, Failure> {
    let mut mentions = Mentions::new();
    loop {
        let mut solver = Solver::new(Universe::new(problem, mentions, kept));
        let resolvo::KnownDependencies { requirements, constrains } = solver.provider().root_needs();
        let wanted = resolvo::Problem::new().requirements(requirements).constraints(constrains);
        let answer = solver.solve(wanted);
        let universe = solver.provider();
        if let Some(more) = universe.missed_mentions() {
            mentions = more;
            continue;
        }
        return answer.map(|chosen| Assignment::of(universe, &chosen)).map_err(|_| Failure::of(universe));
    }
}

impl Failure {
    fn of(universe: &Universe<'_>) -> Self {
        let mut failure = Self { met: Vec::new(), dead_ends: Vec::new() };
        for Wanted { name, test, reason, .. } in universe.tables.all_wanted() {
            if reason == Reason::Silent {
                continue;
            }
            if !failure.met.contains(&reason) {
                failure.met.push(reason.clone());
            }
            let name = universe.tables.name(name);
            if !universe.candidates(&name).iter().any(|candidate| universe.passes(&name, candidate, &test)) {
                failure.dead_ends.push(DeadEnd { name, test, reason });
            }
        }
        failure
    }
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
}
