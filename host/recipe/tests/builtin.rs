//! The embedded recipes, described by the recipe host.
#![expect(clippy::unwrap_used, reason = "a test that cannot be set up fails")]

use spack_wasm_builtin::{NAMESPACE, RECIPES};
use spack_wasm_package::Repository;
use spack_wasm_recipe_host::{Catalog, Limits, RecipeHost};

fn catalog() -> Catalog {
    Catalog::new(RecipeHost::new(None, Limits::default()).unwrap(), NAMESPACE, RECIPES)
}

#[test]
fn every_embedded_recipe_describes_its_package() {
    let catalog = catalog();
    let names = catalog.names();
    assert!(names.contains(&"zlib".to_owned()));
    for name in names {
        let entry = catalog.entry(&name).unwrap().unwrap();
        assert_eq!(entry.package.full_name(), format!("builtin.{name}"));
        assert!(!entry.package.versions.is_empty() && !entry.package.licenses.is_empty(), "{name}");
        assert_ne!(
            entry.recipe.package_hash(),
            entry.recipe.digest(),
            "the build puts the package hash into {name}"
        );
    }
}

#[test]
fn a_recipe_says_the_same_twice() {
    let catalog = catalog();
    for name in catalog.names() {
        let recipe = catalog.entry(&name).unwrap().unwrap().recipe;
        assert_eq!(recipe.describe().unwrap(), recipe.describe().unwrap());
    }
}

#[test]
fn what_a_recipe_says_of_its_generator_stands() {
    let geos = catalog().entry("geos").unwrap().unwrap().package;
    let generators: Vec<_> = geos.definitions("generator").collect();
    assert_eq!(generators.len(), 1);
    assert_eq!(generators[0].default.texts(), ["ninja"]);
    let googletest = catalog().entry("googletest").unwrap().unwrap().package;
    let defaults: Vec<_> = googletest.definitions("generator").flat_map(|one| one.default.texts()).collect();
    assert_eq!(defaults, ["make"]);
}
