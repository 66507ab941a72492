//! What a recipe declares, as Spack's `info` shows it.

use std::collections::BTreeSet;
use std::fmt::Write;

use spack_wasm_package::{
    AnyValue, DeclaredVersion, Package, Source, VariantDefinition, VariantValues, by_preference,
};
use spack_wasm_spec::{AbstractSpec, DependencyType};

use crate::text::{BOLD, HINT, Text};

/// Everything that a person may want to know of a package.
pub(crate) fn info(package: &Package, origin: &str) -> Text {
    let mut text = Text::new();
    text.styled(BOLD, &package.name).push(&format!("  (repository {}, {origin})\n", package.namespace));
    section(&mut text, "Description", &indented(&package.description));
    if let Some(homepage) = &package.homepage {
        text.push("\n").styled(BOLD, "Homepage:").push(" ").styled(HINT, homepage).push("\n");
    }
    if let Some(listing) = &package.listing {
        text.push("\n")
            .styled(BOLD, "Versions are listed at:")
            .push(" ")
            .styled(HINT, &listing.url)
            .push("\n");
    }
    versions(&mut text, package);
    section(&mut text, "Variants", &variants(package));
    for kind in DependencyType::ALL {
        section(&mut text, &format!("{} Dependencies", capital(kind.as_str())), &dependencies(package, kind));
    }
    section(&mut text, "Conflicts", &conflicts(package));
    section(&mut text, "Virtual Packages", &provided(package));
    section(&mut text, "Installation Phases", &phases(package));
    if !package.tests.is_empty() {
        section(&mut text, "Stand-Alone/Smoke Test Methods", &tests(package));
    }
    section(&mut text, "Licenses", &licenses(package));
    section(&mut text, "Permissions beyond the sandbox", &permissions(package));
    text
}

/// A title and lines that are indented; `None` where there are none.
fn section(text: &mut Text, title: &str, lines: &str) {
    text.push("\n").styled(BOLD, &format!("{title}:")).push("\n");
    text.push(if lines.trim().is_empty() { "    None\n" } else { lines });
}

fn indented(paragraphs: &str) -> String {
    paragraphs.lines().fold(String::new(), |mut text, line| {
        let _ = writeln!(text, "    {}", line.trim());
        text
    })
}

fn versions(text: &mut Text, package: &Package) {
    let (deprecated, safe): (Vec<_>, Vec<_>) =
        by_preference(&package.versions).into_iter().partition(|declared| declared.deprecated);
    let rows = |versions: &[&DeclaredVersion]| -> String {
        let width = versions.iter().map(|declared| declared.version.as_str().len()).max().unwrap_or(0);
        versions.iter().fold(String::new(), |mut rows, declared| {
            let row = format!("    {:width$}    {}", declared.version, source(declared));
            let _ = writeln!(rows, "{}", row.trim_end());
            rows
        })
    };
    section(text, "Preferred version", &rows(&safe[..safe.len().min(1)]));
    section(text, "Safe versions", &rows(&safe));
    section(text, "Deprecated versions", &rows(&deprecated));
}

/// Where a version comes from, and what vouches for it.
fn source(declared: &DeclaredVersion) -> String {
    let of_source = |source: &Source| match source {
        Source::Archive(archive) => {
            let url = archive.urls.first().map_or("archive", String::as_str);
            let vouched = if archive.checksum.is_some() { "" } else { " (no checksum)" };
            let kept = if declared.cached { "" } else { " (fetched each time)" };
            format!("{url}{vouched}{kept}")
        }
        Source::Checkout(checkout) => {
            let named = [&checkout.tag, &checkout.branch, &checkout.commit, &checkout.date];
            let what = named.into_iter().flatten().next();
            format!("checkout of {}", what.map_or("the newest state", String::as_str))
        }
    };
    declared.sources.first().map(of_source).unwrap_or_default()
}

fn variants(package: &Package) -> String {
    let mut names = package.variant_names();
    names.sort_unstable();
    let mut lines = String::new();
    for definition in names.iter().flat_map(|name| package.definitions(name)) {
        let _ = writeln!(
            lines,
            "    {} [{}]{}",
            definition.name,
            definition.default.texts().join(","),
            padded(&allowed(definition))
        );
        if !definition.when.is_empty() {
            let _ = writeln!(lines, "      when {}", definition.when);
        }
        lines.push_str(&indented(&definition.description).replace("    ", "        "));
    }
    lines
}

fn padded(values: &str) -> String {
    if values.is_empty() { String::new() } else { format!("    {values}") }
}

fn allowed(definition: &VariantDefinition) -> String {
    let sets = match &definition.values {
        VariantValues::Bool => "false, true".to_owned(),
        VariantValues::List(values) => {
            let values = values.iter().map(|value| format!("{}{}", value.value, when(&value.when)));
            values.collect::<Vec<_>>().join(", ")
        }
        VariantValues::DisjointSets(sets) => {
            sets.iter().map(|set| set.join(", ")).collect::<Vec<_>>().join(" | ")
        }
        VariantValues::Any(AnyValue::Integer) => "any whole number".to_owned(),
        VariantValues::Any(AnyValue::Text) => "any text".to_owned(),
        VariantValues::Any(AnyValue::Checked) => "what the recipe accepts".to_owned(),
    };
    if definition.multi { format!("{sets} (one or more)") } else { sets }
}

fn when(condition: &AbstractSpec) -> String {
    if condition.is_empty() { String::new() } else { format!(" when {condition}") }
}

fn dependencies(package: &Package, kind: DependencyType) -> String {
    let wanted = package.dependencies.iter().filter(|dependency| dependency.types.contains(kind));
    let lines: BTreeSet<String> =
        wanted.map(|dependency| format!("    {}{}\n", dependency.spec, when(&dependency.when))).collect();
    lines.into_iter().collect()
}

fn conflicts(package: &Package) -> String {
    let line = |conflict: &spack_wasm_package::Conflict| {
        let why = conflict.message.as_ref().map(|message| format!(": {message}")).unwrap_or_default();
        format!("    {}{}{why}\n", conflict.spec, when(&conflict.when))
    };
    package.conflicts.iter().map(line).collect()
}

fn provided(package: &Package) -> String {
    let line =
        |provided: &spack_wasm_package::Provided| format!("    {}{}\n", provided.spec, when(&provided.when));
    package.provides.iter().map(line).collect()
}

fn phases(package: &Package) -> String {
    let line = |system: &spack_wasm_package::BuildSystem| {
        format!("    {}{}    ({})\n", system.phases.join("    "), when(&system.when), system.name)
    };
    package.build_systems.iter().map(line).collect()
}

fn tests(package: &Package) -> String {
    let line = |test: &spack_wasm_package::StandAloneTest| {
        format!(
            "    {}{}\n{}",
            test.name,
            when(&test.when),
            indented(&test.purpose).replace("    ", "        ")
        )
    };
    package.tests.iter().map(line).collect()
}

fn licenses(package: &Package) -> String {
    let line = |license: &spack_wasm_package::License| {
        format!("    {}{}\n", license.expression, when(&license.when))
    };
    package.licenses.iter().map(line).collect()
}

fn permissions(package: &Package) -> String {
    if package.permissions.is_empty() {
        return String::new();
    }
    let line =
        |wanted: &spack_wasm_package::Permission| format!("    {}  {}\n", wanted.name(), wanted.reason);
    let wishes: String = package.permissions.iter().map(line).collect();
    let setting = package.permission_setting();
    format!("{wishes}    refused unless allowed: -c \"{setting}\"\n")
}

fn capital(word: &str) -> String {
    let mut characters = word.chars();
    characters
        .next()
        .map_or_else(String::new, |first| first.to_ascii_uppercase().to_string() + characters.as_str())
}
