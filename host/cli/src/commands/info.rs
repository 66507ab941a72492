//! `info`: what a recipe declares.

use serde_json::{Value, json};
use spack_wasm_package::{DeclaredVersion, Package, Repository, VariantDefinition, by_preference};
use spack_wasm_recipe_host::Catalog;

use super::solving::report_problems;
use crate::args::{Format, InfoArgs};
use crate::error::{CommandError, ErrorKind};
use crate::render::package::info;
use crate::session::Session;
use crate::text::{listed, near};

pub(super) fn run(session: &Session, args: &InfoArgs) -> Result<(), CommandError> {
    session.expect_format(&[Format::Text, Format::Json])?;
    let (catalog, _) = session.catalog(&[])?;
    let Some(entry) = catalog.entry(&args.name)? else {
        let error = absent(&catalog, &args.name);
        report_problems(session, &catalog);
        return Err(error);
    };
    if session.is_json(false) {
        return session.ui.print_json(&as_json(&entry.package));
    }
    session.ui.print(&info(&entry.package, &entry.origin));
    Ok(())
}

fn absent(catalog: &Catalog, name: &str) -> CommandError {
    let providers = catalog.providers(name);
    if !providers.is_empty() {
        let message = format!("`{name}` is a virtual package, provided by {}", listed(&providers));
        return CommandError::new(ErrorKind::Unsolvable, message);
    }
    let names = catalog.names();
    let near = near(name, names.iter().map(String::as_str));
    let hint = match near.first() {
        Some(nearest) => format!("did you mean `{nearest}`?"),
        None => "`spack-wasm list` shows the packages that there are".to_owned(),
    };
    CommandError::new(ErrorKind::Unsolvable, format!("there is no package `{name}`")).hinted(hint)
}

fn as_json(package: &Package) -> Value {
    let version = |declared: &DeclaredVersion| {
        json!({ "version": declared.version, "preferred": declared.preferred, "deprecated": declared.deprecated })
    };
    let variant = |definition: &VariantDefinition| {
        json!({
            "name": definition.name, "when": definition.when.to_string(), "multi": definition.multi,
            "default": definition.default.texts(), "values": definition.listed_values(),
            "description": definition.description,
        })
    };
    let dependency = |dependency: &spack_wasm_package::Dependency| {
        json!({
            "spec": dependency.spec.to_string(), "when": dependency.when.to_string(),
            "types": dependency.types.iter().map(|kind| kind.as_str()).collect::<Vec<_>>(),
        })
    };
    let permission = |wanted: &spack_wasm_package::Permission| {
        json!({ "kind": wanted.kind, "value": wanted.value, "reason": wanted.reason })
    };
    json!({
        "name": package.name,
        "namespace": package.namespace,
        "description": package.description,
        "homepage": package.homepage,
        "versions": by_preference(&package.versions).into_iter().map(version).collect::<Vec<_>>(),
        "variants": package.variants.iter().map(variant).collect::<Vec<_>>(),
        "dependencies": package.dependencies.iter().map(dependency).collect::<Vec<_>>(),
        "provides": package.provides.iter().map(|provided| provided.spec.to_string()).collect::<Vec<_>>(),
        "licenses": package.licenses.iter().map(|license| &license.expression).collect::<Vec<_>>(),
        "permissions": package.permissions.iter().map(permission).collect::<Vec<_>>(),
    })
}
