//! Which installed packages a spec means.

use spack_wasm_spec::{AbstractSpec, Dag};
use spack_wasm_store::{Installed, Query, Store};

use crate::error::CommandError;
use crate::session::Session;
use crate::text::Text;

/// An installed package with its concrete spec.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    /// What the index has of it.
    pub(crate) installed: Installed,
    /// Its spec, with everything below it.
    pub(crate) dag: Dag,
}

/// All installed packages that satisfy a spec, by name, version and hash.
///
/// # Errors
/// The store can't be read.
pub(crate) fn matching(store: &Store, spec: &AbstractSpec) -> Result<Vec<Found>, CommandError> {
    let query = Query { name: spec.name.clone(), hash_prefix: spec.hash.clone(), ..Query::default() };
    let mut found = Vec::new();
    for installed in store.find(&query)? {
        let dag = store.dag(&installed)?;
        if dag.roots().any(|node| spec.satisfied_by(&dag, node)) {
            found.push(Found { installed, dag });
        }
    }
    Ok(found)
}

/// The one installed package that satisfies a spec.
///
/// # Errors
/// There is none, there are several, or the store can't be read.
pub(crate) fn one(store: Option<&Store>, spec: &AbstractSpec) -> Result<Installed, CommandError> {
    let found = store.map_or(Ok(Vec::new()), |store| matching(store, spec))?;
    match found.as_slice() {
        [only] => Ok(only.installed.clone()),
        [] => Err(none(spec)),
        several => Err(ambiguous(spec, several)),
    }
}

/// The installed package that a command line means which has nothing but one hash; `None` for any other.
///
/// # Errors
/// It names no package or several, or the store can't be read.
pub(crate) fn by_hash(session: &Session, specs: &[AbstractSpec]) -> Result<Option<Dag>, CommandError> {
    let [spec] = specs else { return Ok(None) };
    if spec.hash.is_none() || !spec.dependencies.is_empty() {
        return Ok(None);
    }
    let store = session.store_for_reading()?;
    let installed = one(store.as_ref(), spec)?;
    Ok(store.map(|store| store.dag(&installed)).transpose()?)
}

/// Nothing that is installed satisfies the spec.
pub(crate) fn none(spec: &AbstractSpec) -> CommandError {
    let hint = "`spack-wasm find` lists what is installed".to_owned();
    CommandError::failure(format!("no installed package is `{spec}`")).hinted(hint)
}

/// Several packages satisfy a spec that should mean one.
pub(crate) fn ambiguous(spec: &AbstractSpec, found: &[Found]) -> CommandError {
    let mut error = CommandError::failure(format!("`{spec}` is more than one installed package:"));
    error.details = list(found.iter().map(|found| &found.installed));
    error.hinted("write more of the spec, or `/` and the hash".to_owned())
}

/// Packages with hash and variants, one a line.
pub(crate) fn list<'a>(packages: impl IntoIterator<Item = &'a Installed>) -> Text {
    let mut text = Text::new();
    for package in packages {
        let Installed { hash, name, version, variants, .. } = package;
        text.push(&format!("    {} {name}@{version}{}\n", hash.short(), spaced(variants)));
    }
    text
}

/// Variants directly behind a version need no space in front of a sigil.
fn spaced(variants: &str) -> String {
    if variants.is_empty() || variants.starts_with(['+', '~', ' ']) {
        variants.to_owned()
    } else {
        format!(" {variants}")
    }
}

#[cfg(test)]
mod tests {
    use super::spaced;

    #[test]
    fn one_space_is_between_a_version_and_values() {
        let shown = ["", "+a", "~a b=c", " b=c", "b=c"].map(spaced);
        assert_eq!(shown, ["", "+a", "~a b=c", " b=c", " b=c"]);
    }
}
