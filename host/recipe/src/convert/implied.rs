//! What build systems bring along, and the variant that chooses among them.

use std::collections::BTreeSet;

use spack_wasm_build_systems::implied_by;
use spack_wasm_package::{
    BuildSystem, ConditionalValue, Dependency, Package, VariantDefault, VariantDefinition, VariantValues,
};
use spack_wasm_spec::{AbstractSpec, DependencyType};

use super::check::{Checker, MetadataError, Place};

/// Adds the variant `build_system` and what each build system implies.
pub(super) fn complete(checker: &Checker<'_>, package: &mut Package) -> Result<(), MetadataError> {
    if package.build_systems.is_empty() {
        package.build_systems.push(BuildSystem {
            name: "generic".into(),
            phases: vec!["install".into()],
            when: AbstractSpec::default(),
        });
    }
    // A recipe that says itself what it can be built with, for example which generator of CMake, is left its word.
    let declared: BTreeSet<String> = package.variants.iter().map(|variant| variant.name.clone()).collect();
    package.variants.insert(0, choice(&package.build_systems));
    for build_system in package.build_systems.clone() {
        imply(checker, package, &build_system.name, &declared)?;
    }
    Ok(())
}

fn choice(build_systems: &[BuildSystem]) -> VariantDefinition {
    let values = build_systems.iter().map(|build_system| ConditionalValue {
        value: build_system.name.clone(),
        when: build_system.when.clone(),
    });
    let default = build_systems.iter().map(|build_system| build_system.name.clone()).take(1);
    VariantDefinition {
        name: "build_system".into(),
        when: AbstractSpec::default(),
        default: VariantDefault::Values(default.collect::<BTreeSet<_>>()),
        values: VariantValues::List(values.collect()),
        multi: false,
        validated: false,
        sticky: false,
        description: "Build systems supported by the package".into(),
    }
}

fn imply(
    checker: &Checker<'_>,
    package: &mut Package,
    build_system: &str,
    declared: &BTreeSet<String>,
) -> Result<(), MetadataError> {
    let place = Place { directive: "build system", number: 1, name: build_system };
    let when = |more: &str| checker.condition(place, &format!("build_system={build_system} {more}"));
    let implied = implied_by(build_system);
    for dependency in implied.dependencies {
        package.dependencies.push(Dependency {
            spec: checker.spec(place, dependency.spec)?,
            when: when(dependency.when)?,
            types: DependencyType::Build.into(),
            patches: Vec::new(),
        });
    }
    for variant in implied.variants.iter().filter(|variant| !declared.contains(variant.name)) {
        package.variants.push(VariantDefinition {
            name: variant.name.into(),
            when: when(variant.when)?,
            default: match variant.default {
                "true" => VariantDefault::Bool(true),
                "false" => VariantDefault::Bool(false),
                value => VariantDefault::Values([value.to_owned()].into()),
            },
            values: match variant.values {
                [] => VariantValues::Bool,
                values => VariantValues::List(values.iter().map(|value| unconditional(value)).collect()),
            },
            multi: false,
            validated: false,
            sticky: false,
            description: variant.description.into(),
        });
    }
    Ok(())
}

fn unconditional(value: &str) -> ConditionalValue {
    ConditionalValue { value: value.to_owned(), when: AbstractSpec::default() }
}
