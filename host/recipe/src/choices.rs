//! Values of variants that only a function of the recipe can judge, put to it once the concretizer has chosen.

use std::sync::Arc;

use spack_wasm_package::{AnyValue, Package, VariantDefinition, VariantValues};
use spack_wasm_spec::{Dag, Node, VariantValue};

use crate::{Catalog, CatalogError, Recipe, RunError};

/// A recipe does not take what was chosen for one of its variants.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the recipe of {package} does not take `{choice}`: {reason}")]
pub struct RefusedChoice {
    /// The package.
    pub package: String,
    /// The choice, as in a spec.
    pub choice: String,
    /// Why.
    pub reason: String,
}

/// Why the choices of a DAG could not be confirmed.
#[derive(Debug, thiserror::Error)]
pub enum ChoiceError {
    /// A recipe says no.
    #[error(transparent)]
    Refused(#[from] RefusedChoice),
    /// A recipe can't be used.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
    /// A recipe gave no answer.
    #[error(transparent)]
    Run(#[from] RunError),
}

impl Catalog {
    /// Asks the recipes of a DAG about those values that the concretizer could not judge: of a predicate, and all values together
    /// of a variant with a validator. No recipe is asked that has neither.
    ///
    /// # Errors
    /// A recipe does not take a value, or has no answer.
    pub fn confirm_choices(&self, dag: &Dag) -> Result<(), ChoiceError> {
        for node in dag.nodes().filter(|node| !node.is_external()) {
            let Some(entry) = self.entry(node.name())? else { continue };
            for definition in asked_about(&entry.package, dag, node) {
                if let Some(value) = node.facts.variants.get(&definition.name) {
                    confirm(&entry.recipe, definition, value)?;
                }
            }
        }
        Ok(())
    }
}

/// The definitions in effect that need an answer: of those of one name whose condition holds, the last one counts.
fn asked_about<'a>(package: &'a Package, dag: &Dag, node: &Arc<Node>) -> Vec<&'a VariantDefinition> {
    let names = package.variant_names().into_iter();
    let in_effect = names
        .filter_map(|name| package.definitions(name).filter(|one| node.satisfies(&one.when, dag)).last());
    in_effect.filter(|definition| definition.validated || is_predicate(definition)).collect()
}

fn is_predicate(definition: &VariantDefinition) -> bool {
    definition.values == VariantValues::Any(AnyValue::Checked)
}

fn confirm(recipe: &Recipe, definition: &VariantDefinition, value: &VariantValue) -> Result<(), ChoiceError> {
    let (name, values) = (definition.name.as_str(), texts(value));
    let mut session = recipe.alone()?;
    let refused = |reason: String| RefusedChoice {
        package: recipe.source().name.clone(),
        choice: value.display(name).to_string(),
        reason,
    };
    if is_predicate(definition) {
        for value in &values {
            if !session.accepts_variant_value(name, value)? {
                return Err(
                    refused(format!("'{}' is not a value that it knows", value.escape_debug())).into()
                );
            }
        }
    }
    let wrong = if definition.validated { session.check_variant_values(name, &values)? } else { None };
    wrong.map_or(Ok(()), |reason| Err(refused(reason).into()))
}

fn texts(value: &VariantValue) -> Vec<String> {
    match value {
        VariantValue::Bool(value) => vec![value.to_string()],
        VariantValue::Single(value) => vec![value.clone()],
        VariantValue::Multi(values) => values.iter().cloned().collect(),
    }
}
