//! Patches that packages put on what they depend on.

use std::collections::BTreeMap;

use spack_wasm_package::{Patch, PatchLocation};
use spack_wasm_spec::Dag;

use crate::common::{Memory, Recipe, dag, machine, recipe, spec, try_solve};

fn patch(name: &str, when: &str) -> Patch {
    Patch {
        when: spec(when),
        location: PatchLocation::File(format!("{name}.patch")),
        sha256: name.to_owned(),
        level: 1,
        working_dir: String::new(),
        reverse: false,
    }
}

/// A package that depends on another one and puts a patch on it.
fn patching(name: &str, on: &str, patch: Patch) -> Recipe {
    let mut recipe = recipe(name, &["1.0"]).depends_on(on, "build,link");
    recipe.0.dependencies[0].patches.push(patch);
    recipe
}

fn patches(dag: &Dag) -> BTreeMap<&str, &[String]> {
    dag.nodes().map(|node| (node.name(), node.facts.patches.as_slice())).collect()
}

#[test]
fn a_dependents_patch_is_part_of_the_dependencys_node() {
    let repository = Memory::new([
        recipe("base", &["2.0", "1.0"]),
        patching("user", "base", patch("a", "")),
        patching("other", "user", patch("b", "@2:")),
    ]);
    let plain = dag("base", &repository);
    let patched = dag("other", &repository);
    assert_eq!(patches(&patched)["base"], ["a"]);
    assert!(patches(&patched)["user"].is_empty(), "a condition is one of the dependency");
    let hash = |dag: &Dag| dag.nodes().find(|node| node.name() == "base").unwrap().hash.clone();
    assert_ne!(hash(&plain), hash(&patched));
}

#[test]
fn patches_of_several_dependents_come_together_once_and_in_one_order() {
    let both = recipe("both", &["1.0"]).depends_on("one", "link").depends_on("two", "link");
    let repository = Memory::new([
        recipe("base", &["1.0"]),
        patching("one", "base", patch("b", "")),
        patching("two", "base@1.0", patch("a", "")),
        both.depends_on("base", "link"),
    ]);
    assert_eq!(patches(&dag("both", &repository))["base"], ["b", "a"]);
}

#[test]
fn a_patch_on_a_virtual_is_one_on_its_provider() {
    let provider = recipe("provider", &["1.0"]).provides("service", "");
    let repository = Memory::new([provider, patching("user", "service", patch("a", ""))]);
    assert_eq!(patches(&dag("user", &repository))["provider"], ["a"]);
}

#[test]
fn an_external_that_lacks_a_patch_is_said() {
    let repository = Memory::new([patching("user", "gmake", patch("a", ""))]);
    let solution = try_solve("user", &repository, &machine()).unwrap();
    assert!(patches(&solution.dag).get("gmake").is_some_and(|patches| patches.is_empty()));
    let said = solution.notes.iter().any(|note| note.contains("gmake from /usr has none of the patches"));
    assert!(said, "{:?}", solution.notes);
}
