use std::fmt::Display;

use resolvo::{
    Candidates, Condition, ConditionId, Dependencies, DependencyProvider, HintDependenciesAvailable,
    Interner, NameId, Problem, SolvableId, Solver, SolverCache, StringId, UnsolvableOrCancelled,
    VersionSetId, VersionSetUnionId,
};
use spack_wasm_package::Repository;
use spack_wasm_spec::AbstractSpec;

use crate::assignment::Assignment;
use crate::explain;
use crate::tables::Name;
use crate::universe::{Mentions, Universe};
use crate::{Facts, SolveError};

/// Searches an assignment for the roots.
///
/// A search that meets a value of an open variant too late is run again with it; the values are finite, so that ends.
pub(crate) fn search(
    roots: &[AbstractSpec],
    repository: &dyn Repository,
    facts: &Facts,
) -> Result<Assignment, SolveError> {
    let mut mentions = Mentions::new();
    loop {
        let mut solver = Solver::new(Universe::new(roots, repository, facts, mentions));
        let requirements = solver.provider().root_needs();
        let answer = solver.solve(Problem::new().requirements(requirements));
        if let Some(more) = solver.provider().missed_mentions() {
            mentions = more;
            continue;
        }
        return match answer {
            Ok(chosen) => Ok(Assignment::of(solver.provider(), &chosen)),
            Err(UnsolvableOrCancelled::Unsolvable(conflict)) => Err(explain::explain(&solver, &conflict)),
            Err(UnsolvableOrCancelled::Cancelled(_)) => Err(SolveError::Unsatisfiable {
                roots: explain::root_texts(roots),
                reasons: vec!["the search was cancelled".to_owned()],
            }),
        };
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
            let absent = candidate == crate::tables::Candidate::Absent;
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
