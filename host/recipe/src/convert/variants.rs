use std::collections::BTreeSet;

use spack_wasm_package::{AnyValue, ConditionalValue, VariantDefault, VariantDefinition, VariantValues};

use super::check::{Checker, MetadataError, Place};
use super::no_attributes;
use crate::metadata;

pub(super) fn definitions(
    checker: &Checker<'_>,
    variants: Vec<metadata::VariantDefinition>,
) -> Result<Vec<VariantDefinition>, MetadataError> {
    variants.into_iter().enumerate().map(|(index, variant)| definition(checker, index, variant)).collect()
}

fn definition(
    checker: &Checker<'_>,
    index: usize,
    variant: metadata::VariantDefinition,
) -> Result<VariantDefinition, MetadataError> {
    let place = Place { directive: "variant", number: index + 1, name: &variant.name };
    checker.name(place, "variant")?;
    no_attributes(checker, place, &variant.more)?;
    let definition = VariantDefinition {
        name: variant.name.clone(),
        when: checker.condition(place, &variant.when)?,
        default: default(checker, place, &variant)?,
        values: values(checker, place, variant.values.clone())?,
        multi: variant.multiple,
        validated: variant.validated,
        sticky: variant.sticky,
        description: variant.description.clone(),
    };
    match definition.default.texts().into_iter().find(|value| !definition.allows(value)) {
        Some(value) => {
            Err(checker
                .error(place, format!("its default '{}' is not one of its values", value.escape_debug())))
        }
        None => Ok(definition),
    }
}

fn default(
    checker: &Checker<'_>,
    place: Place<'_>,
    variant: &metadata::VariantDefinition,
) -> Result<VariantDefault, MetadataError> {
    let texts: Vec<&str> = variant.default.iter().map(String::as_str).collect();
    match (&variant.values, texts.as_slice()) {
        (metadata::VariantValues::Boolean, ["true"]) => Ok(VariantDefault::Bool(true)),
        (metadata::VariantValues::Boolean, ["false"]) => Ok(VariantDefault::Bool(false)),
        (metadata::VariantValues::Boolean, _) => {
            Err(checker.error(place, "it is on or off, so its default is `true` or `false`"))
        }
        (_, []) => Err(checker.error(place, "it has no default")),
        (_, [_, _, ..]) if !variant.multiple => {
            Err(checker.error(place, "it has several defaults and may have one value only"))
        }
        (_, values) => Ok(VariantDefault::Values(
            values.iter().map(|value| (*value).to_owned()).collect::<BTreeSet<_>>(),
        )),
    }
}

fn values(
    checker: &Checker<'_>,
    place: Place<'_>,
    values: metadata::VariantValues,
) -> Result<VariantValues, MetadataError> {
    Ok(match values {
        metadata::VariantValues::Boolean => VariantValues::Bool,
        metadata::VariantValues::Choices(choices) => VariantValues::List(
            choices
                .into_iter()
                .map(|choice| {
                    no_attributes(checker, place, &choice.more)?;
                    Ok(ConditionalValue {
                        when: checker.condition(place, &choice.when)?,
                        value: choice.value,
                    })
                })
                .collect::<Result<_, MetadataError>>()?,
        ),
        metadata::VariantValues::DisjointSets(sets) => VariantValues::DisjointSets(sets),
        metadata::VariantValues::Text => VariantValues::Any(AnyValue::Text),
        metadata::VariantValues::Number => VariantValues::Any(AnyValue::Integer),
        metadata::VariantValues::Predicate => VariantValues::Any(AnyValue::Checked),
    })
}
