//! What is found on the machine that runs the tests.
#![expect(clippy::print_stdout, reason = "says what a test run found, and what it skipped")]

use std::path::{Path, PathBuf};
use std::time::Instant;

use spack_wasm_machine::{ExternalCache, Inputs, Language, Machine, best_target, find_externals, flags_for};

fn path() -> Vec<PathBuf> {
    vec!["/usr/local/bin".into(), "/usr/bin".into(), "/bin".into()]
}

/// Whether `program` is there; a missing one fails the test where everything is required.
fn require(program: &str) -> bool {
    let found = Path::new(program).exists();
    if !found {
        println!("skipped: needs {program}");
        assert!(std::env::var_os("SPACK_WASM_REQUIRE_ALL").is_none(), "needs {program}");
    }
    found
}

#[test]
fn the_compiler_is_found_and_the_second_time_from_the_cache() {
    if !require("/usr/bin/gcc") || !require("/usr/bin/make") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("externals.json");
    let mut cache = ExternalCache::load(&file);
    let begin = Instant::now();
    let found = find_externals(&path(), &mut cache);
    let cold = begin.elapsed();
    cache.save(&file).unwrap();

    let begin = Instant::now();
    let again = find_externals(&path(), &mut ExternalCache::load(&file));
    println!("{} externals: cold {cold:?}, warm {:?}", found.len(), begin.elapsed());
    assert_eq!(again, found);

    let gcc = found.iter().find(|external| external.name == "gcc").unwrap();
    assert!(gcc.languages().contains(&Language::C), "{gcc:?}");
    assert!(found.iter().any(|external| external.name == "gmake"), "{found:?}");
}

#[test]
fn the_found_compiler_takes_the_flags_of_its_best_target() {
    if !require("/usr/bin/gcc") {
        return;
    }
    let found = find_externals(&path(), &mut ExternalCache::default());
    let gcc = found.iter().find(|external| external.name == "gcc").unwrap();
    let host = Machine::detect(&Inputs::default()).target;
    let target = best_target(&host, "gcc", &gcc.version).unwrap();
    let flags = flags_for(&target, "gcc", &gcc.version).unwrap();
    println!("{host} with gcc@{}: {target}, {flags:?}", gcc.version);
    let compiler = std::process::Command::new(&gcc.executables["c"])
        .args(&flags)
        .args(["-x", "c", "-S", "-o", "/dev/null", "/dev/null"])
        .status();
    assert!(compiler.unwrap().success());
}
