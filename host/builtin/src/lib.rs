//! The recipes that are shipped with the binary, compiled ahead of time.

/// The namespace of the embedded recipes, as Spack's own repository has it.
pub const NAMESPACE: &str = "builtin";

use spack_wasm_recipe_host::Embedded;

/// All of them, sorted by name.
#[expect(
    unsafe_code,
    reason = "the build script compiled them with `RecipeHost::precompile` of this very version"
)]
pub const RECIPES: &[Embedded] = include!(concat!(env!("OUT_DIR"), "/recipes.rs"));
