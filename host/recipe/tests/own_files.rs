//! A recipe's own files, through the catalog: part of the program, in a repository, beside a single component.
#![expect(clippy::unwrap_used, reason = "a test that cannot be set up fails")]

use std::path::Path;

use spack_wasm_recipe_host::{Catalog, Embedded, Entry, Limits, RecipeHost};
use spack_wasm_tests::DECLARED;

const TABLE: &[u8] = b"version 1.0\npatch patches/fix.patch\n";

/// A catalog in which the recipe that declares what a file beside it says is part of the program.
#[expect(unsafe_code, reason = "it is compiled here, from these very bytes")]
fn embedded(cache: Option<&Path>, fix: &'static [u8]) -> Catalog {
    let component: &'static [u8] = fs_err::read(DECLARED).unwrap().leak();
    let compiled: &'static [u8] = RecipeHost::precompile(component).unwrap().leak();
    let files: &'static [(&str, &[u8])] = vec![("files/declared", TABLE), ("patches/fix.patch", fix)].leak();
    // SAFETY: the two lines above.
    let recipe = unsafe { Embedded::new("own", component, compiled, files) };
    Catalog::new(RecipeHost::new(cache, Limits::default()).unwrap(), "builtin", &[recipe])
}

fn entry(catalog: &Catalog) -> Entry {
    catalog.entry("own").unwrap().unwrap()
}

#[test]
fn a_recipe_of_the_program_reads_its_files() {
    let cache = tempfile::tempdir().unwrap();
    for cache in [Some(cache.path()), None] {
        let entry = entry(&embedded(cache, b"fix"));
        assert_eq!(entry.package.versions[0].version.as_str(), "1.0");
        let fix = "1c6e6c4c02e55178e85890fc9bbed4ce046415ec8122bf38f711b779184ae2a0";
        assert_eq!(entry.package.patches[0].sha256, fix);
        assert_eq!(entry.recipe.source().files.get("patches/fix.patch"), Some(&b"fix"[..]));
        let folder = entry.recipe.own_folder().unwrap();
        assert_eq!(fs_err::read(folder.host.join("files/declared")).unwrap(), TABLE);
    }
}

#[test]
fn another_file_is_another_package_hash() {
    let (one, two) = (embedded(None, b"one"), embedded(None, b"two"));
    let hash = |catalog: &Catalog| entry(catalog).recipe.package_hash().to_owned();
    assert_ne!(hash(&one), hash(&two));
    assert_eq!(hash(&one), hash(&embedded(None, b"one")));
}
