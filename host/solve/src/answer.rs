use spack_wasm_spec::Dag;

use crate::SolveError;
use crate::assemble::assemble;
use crate::assignment::Assignment;
use crate::explain::{explain, texts};
use crate::order::{NoDag, cut};
use crate::provider::{NoAssignment, search};
use crate::tables::Reason;
use crate::universe::{Cut, Mentions, Problem, Universe};

/// A choice that is a DAG.
pub(crate) struct Answer {
    pub(crate) assignment: Assignment,
    pub(crate) dag: Dag,
    pub(crate) notes: Vec<String>,
}

/// Why there is no answer.
pub(crate) enum NoAnswer {
    /// The search failed; with what it met, and the circles that earlier ones ran into.
    Unsatisfiable(Vec<Reason>, Vec<Cut>),
    /// The search forgot a dependency.
    Gap { name: String, needed_by: String },
    /// The search was told to stop.
    Interrupted,
}

impl Answer {
    /// Searches until what was chosen is a DAG; each circle is a condition of the next search.
    pub(crate) fn find(problem: Problem<'_>) -> Result<Self, NoAnswer> {
        let mut cuts: Vec<Cut> = Vec::new();
        loop {
            let problem = Problem { cuts: &cuts, ..problem };
            let assignment = match search(problem, None) {
                Ok(assignment) => assignment,
                Err(NoAssignment::Failed(met)) => return Err(NoAnswer::Unsatisfiable(met, cuts)),
                Err(NoAssignment::Interrupted) => return Err(NoAnswer::Interrupted),
            };
            let universe = Universe::new(problem, Mentions::new(), None);
            match assemble(&universe, &assignment) {
                Ok((dag, notes)) => return Ok(Self { assignment, dag, notes }),
                Err(NoDag::Gap { name, needed_by }) => return Err(NoAnswer::Gap { name, needed_by }),
                Err(NoDag::Circle(names)) => {
                    let cut = cut(&universe, &assignment, &names);
                    cuts.push(cut);
                }
            }
        }
    }
}

impl NoAnswer {
    /// Says it in words.
    pub(crate) fn explain(self, problem: Problem<'_>) -> SolveError {
        match self {
            Self::Unsatisfiable(met, cuts) => explain(Problem { cuts: &cuts, ..problem }, met),
            Self::Gap { name, needed_by } => {
                let forgot = format!("{needed_by} depends on {name}, which the search forgot");
                let reasons = vec![format!("{forgot}: a defect of spack-wasm")];
                SolveError::Unsatisfiable { roots: texts(problem.roots), reasons }
            }
            Self::Interrupted => SolveError::Interrupted,
        }
    }
}
