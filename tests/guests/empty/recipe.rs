//! A recipe that installs one file and runs no tool, so that what is measured is what an install costs beside its build.
//! `package.txt` beside it names the package and what it depends on; one component stands for many packages.
//!
//! ```text
//! name app
//! depends-on library
//! ```

use std::path::PathBuf;

use spack_wasm_sdk::bindings::spack_wasm::recipe::context;
use spack_wasm_sdk::prelude::*;

struct Empty;

impl Recipe for Empty {
    fn describe() -> Package {
        let declared = declared();
        let values = |wanted: &'static str| {
            declared.iter().filter(move |(word, _)| word == wanted).map(|(_, value)| value.as_str())
        };
        package(values("name").next().unwrap_or("without-a-name"), "Nothing but a file.")
            .build_system(GENERIC)
            .version(version("1.0"))
            .depends_on_all(values("depends-on").map(dependency))
    }

    fn phase(build: &Build, _phase: &str) -> Result {
        Ok(fs_err::write(build.prefix().join("done.txt"), "done\n")?)
    }
}

/// The first word of each line and the rest of it; nothing where there is no file.
fn declared() -> Vec<(String, String)> {
    let folder = context::recipe_folder().map(PathBuf::from).unwrap_or_default();
    let text = fs_err::read_to_string(folder.join("package.txt")).unwrap_or_default();
    let split = |line: &str| line.split_once(' ').map(|(word, rest)| (word.to_owned(), rest.to_owned()));
    text.lines().filter_map(split).collect()
}

recipe!(Empty);
