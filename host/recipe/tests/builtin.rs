//! The embedded recipes, described by the recipe host.

use spack_wasm_builtin::{BuiltinRecipe, NAMESPACE, RECIPES};
use spack_wasm_recipe_host::{Limits, Recipe, RecipeHost, RecipeSource};

fn load(recipe: &'static BuiltinRecipe) -> Recipe {
    let host = RecipeHost::new(None, Limits::default()).unwrap();
    let source = RecipeSource { name: recipe.name.into(), namespace: NAMESPACE.into(), folder: None };
    #[expect(unsafe_code, reason = "compiled by this workspace's build")]
    // SAFETY: the table is made by the build script of `spack-wasm-builtin`.
    unsafe {
        host.load_precompiled(recipe.compiled, recipe.component, source).unwrap()
    }
}

#[test]
fn every_embedded_recipe_describes_its_package() {
    assert!(RECIPES.len() >= 2);
    for embedded in RECIPES {
        let recipe = load(embedded);
        let package = recipe.package(recipe.describe().unwrap()).unwrap();
        assert_eq!(package.full_name(), format!("builtin.{}", embedded.name));
        assert!(!package.versions.is_empty() && !package.licenses.is_empty(), "{}", embedded.name);
        assert_ne!(
            recipe.package_hash(),
            recipe.digest(),
            "the build puts the package hash into {}",
            embedded.name
        );
    }
}

#[test]
fn a_recipe_says_the_same_twice() {
    for embedded in RECIPES {
        let recipe = load(embedded);
        assert_eq!(recipe.describe().unwrap(), recipe.describe().unwrap());
    }
}
