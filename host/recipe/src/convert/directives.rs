use spack_wasm_package as model;
use spack_wasm_spec::{DependencyType, DependencyTypes};

use super::check::{Checker, MetadataError, Place};
use super::{no_attributes, sources};
use crate::metadata::{self, PatchOrigin, RequirementPolicy};
use crate::{is_variable_name, types};

type Result<T> = std::result::Result<T, MetadataError>;

/// SHA-256 of a file in the recipe's folder, or why there is none.
pub(super) type PatchDigest<'a> = &'a dyn Fn(&str) -> std::result::Result<String, String>;

/// Converts each directive of a list, with its place for errors.
fn each<T, U>(
    directive: &'static str,
    items: Vec<T>,
    name: impl Fn(&T) -> &str,
    convert: impl Fn(Place<'_>, T) -> Result<U>,
) -> Result<Vec<U>> {
    let converted = items.into_iter().enumerate().map(|(index, item)| {
        let name = name(&item).to_owned();
        convert(Place { directive, number: index + 1, name: &name }, item)
    });
    converted.collect()
}

pub(super) fn dependencies(
    checker: &Checker<'_>,
    dependencies: Vec<metadata::Dependency>,
    digest: PatchDigest<'_>,
) -> Result<Vec<model::Dependency>> {
    each(
        "dependency",
        dependencies,
        |item| &item.spec,
        |place, item| {
            no_attributes(checker, place, &item.more)?;
            let types = dependency_types(item.types);
            if types.is_empty() {
                return Err(checker.error(place, "it has no type: build, link, run or test"));
            }
            Ok(model::Dependency {
                spec: checker.spec(place, &item.spec)?,
                when: checker.condition(place, &item.when)?,
                types,
                patches: patches(checker, item.patches, digest)?,
            })
        },
    )
}

fn dependency_types(types: types::DependencyTypes) -> DependencyTypes {
    let named = [
        (types::DependencyTypes::BUILD, DependencyType::Build),
        (types::DependencyTypes::LINK, DependencyType::Link),
        (types::DependencyTypes::RUN, DependencyType::Run),
        (types::DependencyTypes::TEST, DependencyType::Test),
    ];
    named.into_iter().filter(|(flag, _)| types & *flag == *flag).map(|(_, kind)| kind).collect()
}

pub(super) fn conflicts(
    checker: &Checker<'_>,
    conflicts: Vec<metadata::Conflict>,
) -> Result<Vec<model::Conflict>> {
    each(
        "conflict",
        conflicts,
        |item| &item.spec,
        |place, item| {
            no_attributes(checker, place, &item.more)?;
            let spec = checker.condition(place, &item.spec)?;
            Ok(model::Conflict { spec, when: checker.condition(place, &item.when)?, message: item.message })
        },
    )
}

pub(super) fn requirements(
    checker: &Checker<'_>,
    requirements: Vec<metadata::Requirement>,
) -> Result<Vec<model::Requirement>> {
    let name = |item: &metadata::Requirement| -> String { item.specs.join(", ") };
    let converted = requirements.into_iter().enumerate().map(|(index, item)| {
        let name = name(&item);
        let place = Place { directive: "requirement", number: index + 1, name: &name };
        no_attributes(checker, place, &item.more)?;
        let policy = match item.policy {
            RequirementPolicy::OneOf => model::RequirementPolicy::OneOf,
            RequirementPolicy::AnyOf => model::RequirementPolicy::AnyOf,
        };
        let specs = item.specs.iter().map(|spec| checker.condition(place, spec)).collect::<Result<_>>()?;
        Ok(model::Requirement {
            specs,
            policy,
            when: checker.condition(place, &item.when)?,
            message: item.message,
        })
    });
    converted.collect()
}

/// Virtuals that are provided alone, and sets that are provided together.
pub(super) fn provisions(
    checker: &Checker<'_>,
    provisions: Vec<metadata::Provision>,
) -> Result<(Vec<model::Provided>, Vec<model::ProvidedTogether>)> {
    let (mut alone, mut together) = (Vec::new(), Vec::new());
    for (index, item) in provisions.into_iter().enumerate() {
        let name = item.virtuals.join(", ");
        let place = Place { directive: "provision", number: index + 1, name: &name };
        no_attributes(checker, place, &item.more)?;
        let when = checker.condition(place, &item.when)?;
        for text in &item.virtuals {
            alone.push(model::Provided { spec: checker.spec(place, text)?, when: when.clone() });
        }
        if item.virtuals.len() > 1 {
            together.push(model::ProvidedTogether { sets: vec![item.virtuals], when });
        }
    }
    Ok((alone, together))
}

pub(super) fn extensions(
    checker: &Checker<'_>,
    extensions: Vec<metadata::Extension>,
) -> Result<Vec<model::Extension>> {
    each(
        "extension",
        extensions,
        |item| &item.spec,
        |place, item| {
            no_attributes(checker, place, &item.more)?;
            Ok(model::Extension {
                spec: checker.spec(place, &item.spec)?,
                types: dependency_types(item.types),
                when: checker.condition(place, &item.when)?,
            })
        },
    )
}

pub(super) fn resources(
    checker: &Checker<'_>,
    resources: Vec<metadata::Resource>,
) -> Result<Vec<model::Resource>> {
    each(
        "resource",
        resources,
        |item| &item.name,
        |place, item| {
            no_attributes(checker, place, &item.more)?;
            checker.name(place, "resource")?;
            Ok(model::Resource {
                sources: sources::resource(checker, place, item.origin)?,
                expand: item.expand,
                destination: checker.path_below(place, "destination", &item.destination)?,
                name: item.name,
                placement: placements(checker, place, item.placements)?,
                test_only: item.test_only,
                when: checker.condition(place, &item.when)?,
            })
        },
    )
}

fn placements(
    checker: &Checker<'_>,
    place: Place<'_>,
    placements: Vec<metadata::Placement>,
) -> Result<Vec<(String, String)>> {
    let converted = placements.into_iter().map(|placement| {
        no_attributes(checker, place, &placement.more)?;
        let from = checker.path_below(place, "placement", &placement.from)?;
        Ok((from, checker.path_below(place, "placement", &placement.to)?))
    });
    converted.collect()
}

pub(super) fn patches(
    checker: &Checker<'_>,
    patches: Vec<metadata::Patch>,
    digest: PatchDigest<'_>,
) -> Result<Vec<model::Patch>> {
    each("patch", patches, patch_name, |place, item| {
        no_attributes(checker, place, &item.more)?;
        let (location, sha256) = match item.origin {
            PatchOrigin::File(file) => {
                let sha256 = digest(&file).map_err(|reason| checker.error(place, reason))?;
                (model::PatchLocation::File(file), sha256)
            }
            PatchOrigin::Fetched(archive) => fetched(checker, place, archive, item.sha256)?,
        };
        Ok(model::Patch {
            when: checker.condition(place, &item.when)?,
            location,
            sha256,
            level: item.level,
            working_dir: checker.path_below(place, "working directory", &item.working_directory)?,
            reverse: item.reverse,
        })
    })
}

fn patch_name(patch: &metadata::Patch) -> &str {
    match &patch.origin {
        PatchOrigin::File(file) => file,
        PatchOrigin::Fetched(archive) => archive.url.as_deref().unwrap_or_default(),
    }
}

/// A patch from an address. Its own digest is the archive's checksum, or stands beside it where the archive holds it packed.
fn fetched(
    checker: &Checker<'_>,
    place: Place<'_>,
    archive: metadata::Archive,
    own: Option<String>,
) -> Result<(model::PatchLocation, String)> {
    let archive = sources::archive(checker, place, archive)?;
    let outer = match archive.checksum {
        Some(checksum) if checksum.algorithm != model::ChecksumAlgorithm::Sha256 => {
            return Err(checker.error(place, "its checksum is not a SHA-256"));
        }
        checksum => checksum.map(|checksum| checksum.digest),
    };
    if own.as_ref().is_some_and(|own| !sources::is_hexadecimal(own, 64)) {
        return Err(checker.error(place, "its SHA-256 is not 64 hexadecimal digits in lower case"));
    }
    let url = archive.urls.into_iter().next().ok_or_else(|| checker.error(place, "it has no address"))?;
    let (sha256, archive_sha256) = match (own, outer) {
        (Some(own), outer) => (own, outer),
        (None, Some(outer)) => (outer, None),
        (None, None) => return Err(checker.error(place, "it has no checksum")),
    };
    Ok((model::PatchLocation::Url { url, archive_sha256 }, sha256))
}

pub(super) fn licenses(
    checker: &Checker<'_>,
    licenses: Vec<metadata::License>,
) -> Result<Vec<model::License>> {
    each(
        "licence",
        licenses,
        |item| &item.expression,
        |place, item| {
            no_attributes(checker, place, &item.more)?;
            let when = checker.condition(place, &item.when)?;
            Ok(model::License { expression: item.expression, when })
        },
    )
}

pub(super) fn build_systems(
    checker: &Checker<'_>,
    build_systems: Vec<metadata::BuildSystem>,
) -> Result<Vec<model::BuildSystem>> {
    each(
        "build system",
        build_systems,
        |item| &item.name,
        |place, item| {
            checker.name(place, "build system")?;
            no_attributes(checker, place, &item.more)?;
            if item.phases.is_empty() {
                return Err(checker.error(place, "it has no phases"));
            }
            for phase in &item.phases {
                checker.name(Place { directive: "phase", number: place.number, name: phase }, "phase")?;
            }
            Ok(model::BuildSystem {
                when: checker.condition(place, &item.when)?,
                name: item.name,
                phases: item.phases,
            })
        },
    )
}

pub(super) fn redistributions(
    checker: &Checker<'_>,
    redistributions: Vec<metadata::Redistribution>,
) -> Result<Vec<model::Redistribution>> {
    each(
        "redistribution",
        redistributions,
        |item| &item.when,
        |place, item| {
            no_attributes(checker, place, &item.more)?;
            let when = checker.condition(place, &item.when)?;
            Ok(model::Redistribution { when, source: item.source, binary: item.binary })
        },
    )
}

/// The kinds of permission that the contract names.
const PERMISSIONS: [&str; 4] = ["read", "write", "program", "environment"];

pub(super) fn permissions(
    checker: &Checker<'_>,
    permissions: Vec<metadata::Permission>,
) -> Result<Vec<model::Permission>> {
    each(
        "permission",
        permissions,
        |item| &item.value,
        |place, item| {
            no_attributes(checker, place, &item.more)?;
            if !PERMISSIONS.contains(&item.kind.as_str()) {
                let known = PERMISSIONS.join(", ");
                return Err(checker.error(
                    place,
                    format!("'{}' is no kind of permission: {known}", item.kind.escape_debug()),
                ));
            }
            if !is_possible(&item.kind, &item.value) {
                let what = "expected is an absolute path without '..', or the name of a variable";
                return Err(checker.error(place, what));
            }
            Ok(model::Permission { kind: item.kind, value: item.value, reason: item.reason })
        },
    )
}

fn is_possible(kind: &str, value: &str) -> bool {
    if kind == "environment" {
        return is_variable_name(value);
    }
    let is_parent = |part: std::path::Component<'_>| part == std::path::Component::ParentDir;
    let path = std::path::Path::new(value);
    path.is_absolute() && !path.components().any(is_parent) && !value.chars().any(char::is_control)
}

pub(super) fn detection(detection: metadata::Detection) -> model::Detection {
    model::Detection {
        executables: detection.executables,
        libraries: detection.libraries,
        version_arguments: detection.version_arguments,
    }
}

#[cfg(test)]
mod tests {
    use super::is_possible;

    #[test]
    fn a_permission_is_for_a_path_or_a_variable() {
        assert!(is_possible("read", "/opt/data") && is_possible("environment", "LM_LICENSE_FILE"));
        for (kind, value) in [
            ("program", "git"),
            ("write", "/opt/../etc"),
            ("read", "/a\x1b[2J"),
            ("read", ""),
            ("environment", "A=B"),
            ("environment", ""),
        ] {
            assert!(!is_possible(kind, value), "{kind}:{value}");
        }
    }
}
