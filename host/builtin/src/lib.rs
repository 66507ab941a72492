//! The recipes that are shipped with the binary, compiled ahead of time.

/// The namespace of the embedded recipes, as Spack's own repository has it.
pub const NAMESPACE: &str = "builtin";

/// A recipe in the binary.
#[derive(Clone, Copy, Debug)]
pub struct BuiltinRecipe {
    /// The package's name.
    pub name: &'static str,
    /// The component.
    pub component: &'static [u8],
    /// The component, compiled for this version's engine and the baseline processor.
    pub compiled: &'static [u8],
}

/// All of them, sorted by name.
pub const RECIPES: &[BuiltinRecipe] = include!(concat!(env!("OUT_DIR"), "/recipes.rs"));
