//! What it costs to ask a recipe what it declares.

use spack_wasm_builtin::{NAMESPACE, RECIPES};
use spack_wasm_package::Repository;
use spack_wasm_recipe_host::{Catalog, Limits, RecipeFiles, RecipeHost, RecipeSource};
use spack_wasm_tests::EMPTY;

use crate::table::{Row, median};

const RUNS: usize = 25;

pub(crate) fn rows() -> Vec<Row> {
    let host = host(None);
    vec![warm(&host), first(), never_seen()]
}

fn host(cache: Option<&std::path::Path>) -> RecipeHost {
    RecipeHost::new(cache, Limits::default()).unwrap()
}

/// In a process that has loaded it.
fn warm(host: &RecipeHost) -> Row {
    let bytes = fs_err::read(EMPTY).unwrap();
    let recipe = host.load(&bytes, source()).unwrap();
    let ours = median(RUNS, || drop(recipe.describe().unwrap()));
    Row { what: "describe, loaded before".to_owned(), ours, peer: None, goal: "under 1 ms" }
}

/// An embedded recipe in a host that was just made, as in a new process.
fn first() -> Row {
    let ours = median(RUNS, || {
        let catalog = Catalog::new(host(None), NAMESPACE, RECIPES);
        assert!(catalog.package("hdf5").is_some());
    });
    Row { what: "describe of embedded hdf5, first".to_owned(), ours, peer: None, goal: "under 10 ms" }
}

/// With an empty cache of compiled recipes.
fn never_seen() -> Row {
    let bytes = fs_err::read(EMPTY).unwrap();
    let ours = median(5, || {
        let cache = tempfile::tempdir().unwrap();
        drop(host(Some(cache.path())).load(&bytes, source()).unwrap().describe().unwrap());
    });
    Row { what: "describe, never seen".to_owned(), ours, peer: None, goal: "under 300 ms of CPU" }
}

fn source() -> RecipeSource {
    RecipeSource { name: "empty".to_owned(), namespace: "bench".to_owned(), files: RecipeFiles::default() }
}
