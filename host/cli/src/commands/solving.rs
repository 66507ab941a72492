//! From specs to a concrete DAG, for all commands that need one.

use spack_wasm_recipe_host::Catalog;
use spack_wasm_solve::{Facts, Solution, solve_unless};
use spack_wasm_spec::AbstractSpec;

use crate::error::{CommandError, ErrorKind};
use crate::session::Session;

/// Concretizes specs together, until `interrupted` says that nobody waits any more. Recipes that can't be used are
/// named, before anything that follows from it.
///
/// # Errors
/// There is no solution, or nobody waits for it, or it is not what the configuration requires, or a recipe does not take what was chosen for one of its variants.
pub(super) fn concretize(
    session: &Session,
    specs: &[AbstractSpec],
    catalog: &Catalog,
    facts: &Facts,
    interrupted: &dyn Fn() -> bool,
) -> Result<Solution, CommandError> {
    let started = std::time::Instant::now();
    let solution = solve_unless(interrupted, specs, catalog, facts);
    session.ui.debug(|| format!("concretized in {:.2?}", started.elapsed()));
    report_problems(session, catalog);
    let solution = solution?;
    if let Some(violation) = session.settings.packages.requirements.violation(&solution.dag) {
        return Err(CommandError::new(ErrorKind::Unsolvable, violation)
            .hinted("ask for what is required on the command line, or change packages.yaml".to_owned()));
    }
    catalog.confirm_choices(&solution.dag)?;
    session.ui.debug(|| solution.notes.join("; "));
    Ok(solution)
}

/// Names the recipes that can't be used.
pub(super) fn report_problems(session: &Session, catalog: &Catalog) {
    for problem in catalog.take_problems() {
        session.ui.error(&CommandError::from(problem));
    }
}
