use std::path::{Component, Path};

use spack_wasm_spec::AbstractSpec;

use crate::metadata::PackageMetadata;

/// A recipe declares something that makes no sense.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the recipe of {recipe} is wrong in {place}: {reason}")]
pub struct MetadataError {
    /// The recipe.
    pub recipe: String,
    /// The directive, for example `dependency 3 'zlib-api'`.
    pub place: String,
    /// What is wrong, with a caret under the word where it is a spec.
    pub reason: String,
}

/// Where in a recipe something stands: the directive, its number from 1, and what names it.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    pub(super) directive: &'static str,
    pub(super) number: usize,
    pub(super) name: &'a str,
}

/// More of anything than the largest real package has, many times over.
const MOST_DIRECTIVES: usize = 50_000;

/// The longest text that is taken for a name, a spec or a condition, in bytes.
const LONGEST: usize = 16 << 10;

/// Checks texts and knows whose they are.
pub(super) struct Checker<'a> {
    recipe: &'a str,
}

impl<'a> Checker<'a> {
    pub(super) fn new(recipe: &'a str) -> Self {
        Self { recipe }
    }

    pub(super) fn error(&self, place: Place<'_>, reason: impl Into<String>) -> MetadataError {
        let name = shorten(place.name);
        let place = match place.number {
            0 => place.directive.to_owned(),
            number => format!("{} {number} '{name}'", place.directive),
        };
        MetadataError { recipe: self.recipe.to_owned(), place, reason: reason.into() }
    }

    /// Checks what concerns the package as a whole.
    pub(super) fn package(&self, metadata: &PackageMetadata) -> Result<(), MetadataError> {
        let whole = Place { directive: "its description", number: 0, name: "" };
        if metadata.name != self.recipe {
            let found = shorten(&metadata.name);
            return Err(
                self.error(whole, format!("it describes '{found}', and '{}' is expected", self.recipe))
            );
        }
        if !is_package_name(&metadata.name) {
            return Err(self.error(whole, format!("'{}' is not a package name", shorten(&metadata.name))));
        }
        let counts = [
            ("versions", metadata.versions.len()),
            ("variants", metadata.variants.len()),
            ("dependencies", metadata.dependencies.len()),
            ("conflicts", metadata.conflicts.len()),
            ("requirements", metadata.requirements.len()),
            ("resources", metadata.resources.len()),
            ("patches", metadata.patches.len()),
            ("tests", metadata.tests.len()),
        ];
        match counts.into_iter().find(|(_, count)| *count > MOST_DIRECTIVES) {
            Some((what, count)) => {
                Err(self.error(whole, format!("it has {count} {what}, and {MOST_DIRECTIVES} are the most")))
            }
            None => super::no_attributes(self, whole, &metadata.more),
        }
    }

    /// A spec that names a package.
    pub(super) fn spec(&self, place: Place<'_>, text: &str) -> Result<AbstractSpec, MetadataError> {
        let spec = self.condition(place, text)?;
        match &spec.name {
            Some(_) => Ok(spec),
            None => Err(self.error(place, format!("'{}' names no package", shorten(text)))),
        }
    }

    /// A condition, or a spec that may lack a name.
    pub(super) fn condition(&self, place: Place<'_>, text: &str) -> Result<AbstractSpec, MetadataError> {
        if text.len() > LONGEST {
            return Err(self.error(place, format!("a spec of {} bytes is too long", text.len())));
        }
        AbstractSpec::parse(text).map_err(|error| self.error(place, error.to_string()))
    }

    /// A path below a folder, without `.` in it; empty: the folder itself.
    pub(super) fn path_below(
        &self,
        place: Place<'_>,
        what: &str,
        text: &str,
    ) -> Result<String, MetadataError> {
        let wrong =
            || self.error(place, format!("its {what} '{}' is not a path below a folder", shorten(text)));
        if text.contains('\0') || text.len() > LONGEST {
            return Err(wrong());
        }
        let mut parts = Vec::new();
        for component in Path::new(text).components() {
            match component {
                Component::Normal(part) => parts.push(part.to_string_lossy()),
                Component::CurDir => {}
                _ => return Err(wrong()),
            }
        }
        Ok(parts.join("/"))
    }

    /// A name of a version, variant or the like.
    pub(super) fn name(&self, place: Place<'_>, what: &str) -> Result<(), MetadataError> {
        if is_word(place.name) {
            Ok(())
        } else {
            Err(self.error(place, format!("that is not the name of a {what}")))
        }
    }
}

/// A text of a guest's, fit to be shown.
pub(super) fn shorten(text: &str) -> String {
    let shown: String = text.chars().take(60).collect::<String>().escape_debug().collect();
    if text.chars().nth(60).is_some() { shown + "…" } else { shown }
}

/// Lower-case letters, digits, dashes and underscores, as Spack's package names.
pub(crate) fn is_package_name(name: &str) -> bool {
    let valid = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-' || byte == b'_';
    !name.is_empty() && name.len() <= 128 && name.bytes().all(valid) && !name.starts_with('-')
}

/// Printable, without blanks and slashes: it becomes part of paths and of specs.
fn is_word(name: &str) -> bool {
    let valid = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.+:".contains(&byte);
    !name.is_empty() && name.len() <= 256 && name.bytes().all(valid) && !name.starts_with('.')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_are_paths_are_none() {
        assert!(is_package_name("py-numpy") && is_package_name("7zip"));
        assert!(!is_package_name("../etc") && !is_package_name("") && !is_package_name("Zlib"));
        assert!(is_word("1.14.4-3") && is_word("develop"));
        assert!(!is_word("..") && !is_word("1/2") && !is_word("1\n2"));
    }

    #[test]
    fn paths_stay_below_their_folder() {
        let place = Place { directive: "resource", number: 1, name: "data" };
        let path = |text| Checker::new("hdf5").path_below(place, "destination", text);
        assert_eq!(path("./third_party//x/").unwrap(), "third_party/x");
        assert_eq!((path(".").unwrap(), path("").unwrap()), (String::new(), String::new()));
        for wrong in ["../x", "a/../../b", "/etc", "a\0b"] {
            let error = path(wrong).unwrap_err().to_string();
            assert!(error.contains("is not a path below a folder"), "{error}");
        }
    }

    #[test]
    fn a_wrong_spec_is_shown_with_its_directive() {
        let place = Place { directive: "dependency", number: 3, name: "zlib@@1" };
        let error = Checker::new("hdf5").spec(place, "zlib@@1").unwrap_err().to_string();
        assert!(error.starts_with("the recipe of hdf5 is wrong in dependency 3 'zlib@@1': "), "{error}");
    }
}
