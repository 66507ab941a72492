//! A recipe that says what the file beside it says, so that one component stands for many packages. `package.txt` has a
//! declaration a line:
//!
//! ```text
//! name app
//! depends-on library
//! run echo hello
//! ```
//!
//! Each `run` is a command line for the shell. At the end the package has one file.

use std::path::PathBuf;

use spack_wasm_sdk::bindings::spack_wasm::recipe::context;
use spack_wasm_sdk::prelude::*;

struct Declared;

impl Recipe for Declared {
    fn describe() -> Package {
        let declared = declarations();
        let name = declared.iter().find(|(word, _)| word == "name");
        let name = name.map_or("without-a-name", |(_, name)| name);
        let dependencies = declared.iter().filter(|(word, _)| word == "depends-on");
        package(name, "What a file says.")
            .build_system(GENERIC)
            .version(version("1.0"))
            .depends_on_all(dependencies.map(|(_, spec)| dependency(spec)))
    }

    fn phase(build: &Build, _phase: &str) -> Result {
        for (_, script) in declarations().iter().filter(|(word, _)| word == "run") {
            build.tool("sh").args(["-c", script]).run()?;
        }
        Ok(fs_err::write(build.prefix().join("done.txt"), "done\n")?)
    }
}

/// The first word of each line and the rest of it; nothing where there is no file.
fn declarations() -> Vec<(String, String)> {
    let folder = context::recipe_folder().map(PathBuf::from).unwrap_or_default();
    let text = fs_err::read_to_string(folder.join("package.txt")).unwrap_or_default();
    let split = |line: &str| line.split_once(' ').map(|(word, rest)| (word.to_owned(), rest.to_owned()));
    text.lines().filter_map(split).collect()
}

recipe!(Declared);
