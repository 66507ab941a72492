//! What can only be seen once all of a package is known: versions that are declared twice, and conditions on variants that it
//! does not have, which would never hold and never be noticed.

use std::collections::BTreeSet;

use spack_wasm_package::Package;
use spack_wasm_spec::AbstractSpec;

use super::check::{Checker, MetadataError, Place, shorten};

/// Variants that a node may have although no recipe declares them.
const UNDECLARED: [&str; 3] = ["commit", "dev_path", "patches"];

/// A condition, with the directive in which it stands.
struct Condition<'a> {
    directive: &'static str,
    number: usize,
    name: String,
    condition: &'a AbstractSpec,
}

pub(super) fn check(checker: &Checker<'_>, package: &Package) -> Result<(), MetadataError> {
    declared_once(checker, package)?;
    let variants: BTreeSet<&str> = package.variant_names().into_iter().chain(UNDECLARED).collect();
    conditions(package).iter().try_for_each(|condition| known(checker, package, &variants, condition))
}

fn declared_once(checker: &Checker<'_>, package: &Package) -> Result<(), MetadataError> {
    let mut seen = BTreeSet::new();
    for (index, declared) in package.versions.iter().enumerate() {
        let name = declared.version.as_str();
        if !seen.insert(name) {
            let place = Place { directive: "version", number: index + 1, name };
            return Err(checker.error(place, "that version is declared before"));
        }
    }
    Ok(())
}

fn known(
    checker: &Checker<'_>,
    package: &Package,
    variants: &BTreeSet<&str>,
    condition: &Condition<'_>,
) -> Result<(), MetadataError> {
    // A spec with another package's name is about that package.
    if condition.condition.name.as_ref().is_some_and(|name| *name != package.name) {
        return Ok(());
    }
    let mut wanted = condition.condition.variants.keys();
    let Some(unknown) = wanted.find(|name| !variants.contains(name.as_str())) else { return Ok(()) };
    let place = Place { directive: condition.directive, number: condition.number, name: &condition.name };
    Err(checker.error(
        place,
        format!(
            "'{}' is a condition on the variant '{}', and {} declares none of that name; it declares {}",
            shorten(&condition.condition.to_string()),
            shorten(unknown),
            package.name,
            package.variant_names().join(", ")
        ),
    ))
}

/// All conditions on the package itself. What build systems imply comes last, so that the numbers are those of the recipe.
fn conditions(package: &Package) -> Vec<Condition<'_>> {
    let mut all = Vec::new();
    // The variant `build_system` stands first and is the host's.
    let variants = package.variants.iter().skip(1);
    for (number, variant) in numbered(variants) {
        let mut add = |condition| all.push(of("variant", number, &variant.name, condition));
        add(&variant.when);
        variant.listed_values().into_iter().filter_map(|value| variant.value_condition(value)).for_each(add);
    }
    for (number, dependency) in numbered(&package.dependencies) {
        all.push(of("dependency", number, &dependency.spec, &dependency.when));
    }
    for (number, conflict) in numbered(&package.conflicts) {
        all.push(of("conflict", number, &conflict.spec, &conflict.spec));
        all.push(of("conflict", number, &conflict.spec, &conflict.when));
    }
    for (number, requirement) in numbered(&package.requirements) {
        let name = requirement.specs.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        let conditions = requirement.specs.iter().chain([&requirement.when]);
        all.extend(conditions.map(|condition| of("requirement", number, &name, condition)));
    }
    all.extend(others(package));
    all
}

fn others(package: &Package) -> impl Iterator<Item = Condition<'_>> {
    let patches =
        numbered(&package.patches).map(|(number, patch)| of("patch", number, &patch.sha256, &patch.when));
    let provisions = numbered(&package.provides)
        .map(|(number, provided)| of("provision", number, &provided.spec, &provided.when));
    let extensions = numbered(&package.extends)
        .map(|(number, extension)| of("extension", number, &extension.spec, &extension.when));
    let resources = numbered(&package.resources)
        .map(|(number, resource)| of("resource", number, &resource.name, &resource.when));
    let licenses = numbered(&package.licenses)
        .map(|(number, license)| of("licence", number, &license.expression, &license.when));
    let systems = numbered(&package.build_systems)
        .map(|(number, system)| of("build system", number, &system.name, &system.when));
    let tests = numbered(&package.tests).map(|(number, test)| of("test", number, &test.name, &test.when));
    patches.chain(provisions).chain(extensions).chain(resources).chain(licenses).chain(systems).chain(tests)
}

/// Items with their numbers from 1.
fn numbered<T>(items: impl IntoIterator<Item = T>) -> impl Iterator<Item = (usize, T)> {
    items.into_iter().enumerate().map(|(index, item)| (index + 1, item))
}

fn of<'a>(
    directive: &'static str,
    number: usize,
    name: &impl ToString,
    condition: &'a AbstractSpec,
) -> Condition<'a> {
    Condition { directive, number, name: name.to_string().trim().to_owned(), condition }
}

#[cfg(test)]
mod tests {
    use spack_wasm_package::{Conflict, DeclaredVersion};
    use spack_wasm_spec::Version;

    use super::*;

    fn spec(text: &str) -> AbstractSpec {
        AbstractSpec::parse(text).unwrap()
    }

    fn checked(package: &Package) -> String {
        check(&Checker::new("libfoo"), package).unwrap_err().to_string()
    }

    fn package() -> Package {
        let mut package = Package { name: "libfoo".into(), ..Package::default() };
        super::super::implied::complete(&Checker::new("libfoo"), &mut package).unwrap();
        package
    }

    #[test]
    fn a_condition_on_a_variant_that_is_not_there_is_an_error() {
        let conflict =
            |spec_text: &str, when: &str| Conflict { spec: spec(spec_text), when: spec(when), message: None };
        let mut package = package();
        package.conflicts = vec![conflict("%gcc@:4", "build_system=generic"), conflict("zlib+foo", "@1:")];
        check(&Checker::new("libfoo"), &package).unwrap();
        package.conflicts.push(conflict("%gcc@:4", "@1: +shraed"));
        assert_eq!(
            checked(&package),
            "the recipe of libfoo is wrong in conflict 3 '%gcc@:4': '@1:+shraed' is a condition on the variant 'shraed', and libfoo declares none of that name; it declares build_system"
        );
    }

    #[test]
    fn a_version_is_declared_once() {
        let declared = |version: &str| DeclaredVersion {
            version: Version::new(version),
            sources: Vec::new(),
            expand: true,
            cached: true,
            preferred: false,
            deprecated: false,
        };
        let mut package = package();
        package.versions = vec![declared("1.2"), declared("1.3"), declared("1.2")];
        assert_eq!(
            checked(&package),
            "the recipe of libfoo is wrong in version 3 '1.2': that version is declared before"
        );
    }
}
