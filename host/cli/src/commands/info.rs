//! `info`: what a recipe declares.

use spack_wasm_package::Repository;
use spack_wasm_recipe_host::Catalog;

use super::solving::report_problems;
use crate::args::{Format, InfoArgs};
use crate::error::{CommandError, ErrorKind};
use crate::json::PackageInfo;
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
        return session.ui.print_json(&PackageInfo::from(entry.package.as_ref()));
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
