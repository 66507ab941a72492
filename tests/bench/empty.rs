//! Packages that install one file: what an install costs beside the build.

use spack_wasm_tests::TestContext;

use crate::scene::{add_packages, user};
use crate::table::{Figure, RUNS, Row, middle, time};

pub(crate) fn rows() -> Vec<Row> {
    let names: Vec<String> = (0..50).map(|index| format!("p{index}")).collect();
    vec![independent(&names), chain(&names[..10])]
}

fn independent(names: &[String]) -> Row {
    let user = user();
    add_packages(&user, names.iter().map(|name| (name.as_str(), None)));
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let ours = a_package(&user, &names, &names, names.len());
    row("empty install, 50 independent, each", ours)
}

fn chain(names: &[String]) -> Row {
    let user = user();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let dependencies = [None].into_iter().chain(names.iter().copied().map(Some));
    add_packages(&user, names.iter().copied().zip(dependencies));
    let ours = a_package(&user, &names[names.len() - 1..], &names[..1], names.len());
    row("empty install, chain of 10, each", ours)
}

/// The median time a package of a warm install: the recipes are compiled, the walls are known to stand. Without `first`
/// and what depends on it nothing is left.
fn a_package(user: &TestContext, roots: &[&str], first: &[&str], packages: usize) -> Figure {
    let install = || {
        let arguments: Vec<&str> = ["install"].into_iter().chain(roots.iter().copied()).collect();
        time(&mut || crate::scene::run(user, &arguments))
    };
    install();
    let again = || {
        let arguments: Vec<&str> =
            ["uninstall", "-y", "--all", "--dependents"].into_iter().chain(first.iter().copied()).collect();
        user.run(arguments).succeeded();
        install()
    };
    let whole = middle((0..RUNS).map(|_| again()).collect());
    Figure::Time(whole / u32::try_from(packages).unwrap())
}

fn row(what: &str, ours: Figure) -> Row {
    Row { what: what.to_owned(), ours, peer: None, goal: "under 15 ms" }
}
