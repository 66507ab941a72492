//! Mistakes of whoever writes a recipe. Each is told with the recipe, the directive and the text.

use spack_wasm_tests::{MISBEHAVING, Output, TestContext, assert_output};

use crate::user;

/// A user with the recipe of the tests in `own/`, and beside it the file that says what it declares.
fn author(declares: &str) -> TestContext {
    let user = user();
    let folder = user.work().join("own");
    fs_err::create_dir_all(folder.join("files")).unwrap();
    fs_err::copy(MISBEHAVING, folder.join("recipe.wasm")).unwrap();
    fs_err::write(folder.join("files/declares"), declares).unwrap();
    user
}

fn install(user: &TestContext, spec: &[&str]) -> Output {
    user.run(["install", "--recipe", "own/recipe.wasm"].iter().chain(spec))
}

/// What the author is told after the file's name and `declares something that makes no sense`.
fn told(declares: &str) -> String {
    let user = author(declares);
    let output = install(&user, &[]).failed_with(1);
    let beginning = format!(
        "==> Error: {}/own/recipe.wasm declares something that makes no sense: the recipe of misbehaving is wrong in ",
        user.work().display()
    );
    let told = output.stderr.strip_prefix(&beginning);
    told.unwrap_or_else(|| panic!("{}", output.report())).to_owned()
}

#[test]
fn a_wrong_declaration_is_pointed_at() {
    insta::assert_snapshot!(told("wrong-spec"), @"
    dependency 2 'zlib@@1': a version is missing behind `@`
        zlib@@1
            ^
    ");
    insta::assert_snapshot!(told("wrong-condition"), @"
    conflict 1 'act=panic': a variant's name is missing behind `+`
        @1.0 +
             ^
    ");
    insta::assert_snapshot!(told("unknown-variant"), @"dependency 2 'zlib-api': '@1:+shraed' is a condition on the variant 'shraed', and misbehaving declares none of that name; it declares build_system, act, pigeon1, pigeon2, pigeon3, pigeon4, pigeon5, pigeon6, pigeon7, pigeon8, pigeon9, pigeon10, pigeon11, pigeon12");
    insta::assert_snapshot!(told("two-versions"), @"version 3 '1.0': that version is declared before");
    insta::assert_snapshot!(told("short-checksum"), @"version 2 '1.1': its checksum is not 64 hexadecimal digits in lower case");
    insta::assert_snapshot!(told("wrong-default"), @"variant 2 'color': its default 'red' is not one of its values");
    insta::assert_snapshot!(told("no-url"), @"version 1 '1.0': its archive has no address: give it one of its own, or the package a `url`");
    let told = told("no-patch");
    assert!(
        told.starts_with("patch 1 'fix.patch': 'fix.patch' is not among the recipe's own files"),
        "{told}"
    );
}

#[test]
fn a_phase_that_the_build_system_does_not_have_is_named() {
    let user = author("wrong-phase");
    let output = install(&user, &["misbehaving", "build_system=makefile"]).failed_with(1);
    let told = "failed in phase 'buld': the recipe of misbehaving says: makefile has no phase 'buld': it has edit, build, install, check\n";
    assert!(output.stderr.contains(told), "{}", output.report());
}

#[test]
fn a_recipe_judges_values_that_the_concretizer_can_not() {
    let user = author("choices");
    install(&user, &["misbehaving", "count=4", "fabrics=ucx,tcp"]).succeeded();
    assert_output!(user, install(&user, &["misbehaving", "count=3"]), @"
    exit status: 3
    ----- stderr -----
    ==> Error: the recipe of misbehaving does not take `count=3`: '3' is not a value that it knows
    ");
    assert_output!(user, install(&user, &["misbehaving", "fabrics=ucx,tcp,ofi"]), @"
    exit status: 3
    ----- stderr -----
    ==> Error: the recipe of misbehaving does not take `fabrics=ofi,tcp,ucx`: at most two at a time
    ");
}

#[test]
fn stand_alone_tests_are_shown() {
    let user = author("tests");
    let repository = user.work().join("mine");
    let package = repository.join("packages/misbehaving");
    fs_err::create_dir_all(package.join("files")).unwrap();
    fs_err::write(repository.join("repo.yaml"), "repo:\n  namespace: mine\n").unwrap();
    for file in ["recipe.wasm", "files/declares"] {
        fs_err::copy(user.work().join("own").join(file), package.join(file)).unwrap();
    }
    user.run(["repo", "add", "mine"]).succeeded();
    let info = user.run(["info", "misbehaving"]).succeeded();
    for part in ["Methods:\n    test_done\n        ensure that it is done\n", "https://example.org/releases"]
    {
        assert!(info.stdout.contains(part), "{}", info.report());
    }
}
