//! Builds the recipes of `guest-recipes/builtin` as components, compiles them ahead of time, and writes the table that `lib.rs`
//! includes. A folder with a `Cargo.toml` is a recipe; nothing else has to be told about it.

use std::error::Error;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use spack_wasm_nested_build::{Artifact, NestedBuild};
use spack_wasm_recipe_host::{RecipeFiles, RecipeHost};

fn main() -> Result<(), Box<dyn Error>> {
    let recipes = Path::new(&std::env::var("CARGO_MANIFEST_DIR")?).join("../../guest-recipes/builtin");
    println!("cargo::rerun-if-changed={}", recipes.display());
    let names = recipe_names(&recipes)?;
    let mut build = NestedBuild::new("wasm32-wasip2");
    for name in &names {
        build = build.artifact(Artifact::component(format!("recipe-{name}")));
    }
    let out = PathBuf::from(std::env::var("OUT_DIR")?);
    let mut table = String::from("&[\n");
    for (name, component) in names.iter().zip(build.run()?) {
        let compiled = out.join(format!("{name}.cwasm"));
        fs_err::write(&compiled, RecipeHost::precompile(&fs_err::read(&component)?)?)?;
        let kept = out.join(format!("{name}.wasm"));
        fs_err::copy(&component, &kept)?;
        let files = own_files(&recipes.canonicalize()?.join(name))?;
        writeln!(
            table,
            "    // SAFETY: compiled by the build script, from these very bytes.\n    unsafe {{ Embedded::new({name:?}, include_bytes!({kept:?}), include_bytes!({compiled:?}), &[{files}]) }},"
        )?;
    }
    table.push(']');
    fs_err::write(out.join("recipes.rs"), table)?;
    Ok(())
}

/// The recipe's own files as the elements of a table.
fn own_files(folder: &Path) -> Result<String, Box<dyn Error>> {
    let mut table = String::new();
    for (path, _) in RecipeFiles::read_by_name(folder)?.iter() {
        write!(table, "({path:?}, include_bytes!({:?})), ", folder.join(path))?;
    }
    Ok(table)
}

fn recipe_names(folder: &Path) -> Result<Vec<String>, Box<dyn Error>> {
    let mut names = Vec::new();
    for entry in fs_err::read_dir(folder)? {
        let entry = entry?;
        if entry.path().join("Cargo.toml").is_file() {
            names.push(entry.file_name().into_string().map_err(|name| format!("{name:?} is not UTF-8"))?);
        }
    }
    names.sort();
    Ok(names)
}
