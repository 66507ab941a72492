//! Commands that answer a question: their time is that of starting.

use std::path::{Path, PathBuf};

use spack_wasm_tests::TestContext;

use crate::scene::{add_packages, run, run_program, user};
use crate::table::{Row, medians};

/// Enough for the median of a few milliseconds.
const RUNS: usize = 25;
const INSTALLED: usize = 10_000;

pub(crate) fn rows() -> Vec<Row> {
    let user = user();
    let mut rows = vec![
        row(&user, "--help", &["--help"]),
        row(&user, "spec zlib", &["spec", "zlib"]),
        row(&user, "list", &["list"]),
    ];
    fill(&user);
    rows.push(row(&user, "find, 10,000 installed", &["find"]));
    rows.push(row(&user, "find NAME, 10,000 installed", &["find", "package-77"]));
    rows
}

fn row(user: &TestContext, what: &str, arguments: &[&str]) -> Row {
    run(user, arguments);
    let (ours, peer) = medians(RUNS, || run(user, arguments), || run_program(user, "/bin/true", &[]));
    Row { what: what.to_owned(), ours, peer: Some(("/bin/true".to_owned(), peer)), goal: "under 20 ms" }
}

/// Installs one package and lets the store believe in ten thousand like it.
fn fill(user: &TestContext) {
    add_packages(user, [("template", None)]);
    user.run(["install", "template"]).succeeded();
    let prefix = PathBuf::from(user.run(["location", "template"]).succeeded().stdout.trim_end());
    let name = prefix.file_name().unwrap().to_str().unwrap().to_owned();
    let hash = name.rsplit('-').next().unwrap();
    let spec = fs_err::read_to_string(prefix.join(".spack/spec.json")).unwrap();
    for index in 0..INSTALLED {
        let own = format!("package-{index}");
        let own_hash = format!("{:a>32}", in_letters(index));
        let folder = prefix.with_file_name(format!("{own}-1.0-{own_hash}"));
        write(&folder, &spec.replace("template", &own).replace(hash, &own_hash));
    }
    let output = user.run(["reindex"]).succeeded();
    assert!(output.stdout.contains("10001") || output.stderr.contains("10001"), "{}", output.report());
}

fn write(prefix: &Path, spec: &str) {
    fs_err::create_dir_all(prefix.join(".spack")).unwrap();
    fs_err::write(prefix.join(".spack/spec.json"), spec).unwrap();
}

/// A number as a hash writes digits.
fn in_letters(mut number: usize) -> String {
    let mut letters = String::new();
    while number > 0 {
        letters.insert(0, char::from(b'b' + u8::try_from(number % 20).unwrap_or_default()));
        number /= 20;
    }
    letters
}
