//! `repo`, and recipes that are not part of the program.

use std::path::PathBuf;

use spack_wasm_tests::{MISBEHAVING, Output, TestContext, assert_output};

use crate::user;

/// A folder of recipes with one in it.
pub(crate) fn repository(user: &TestContext, namespace: &str) -> String {
    let folder = user.work().join(namespace);
    let package = folder.join("packages/misbehaving");
    fs_err::create_dir_all(&package).unwrap();
    fs_err::write(folder.join("repo.yaml"), format!("repo:\n  namespace: {namespace}\n")).unwrap();
    fs_err::copy(MISBEHAVING, package.join("recipe.wasm")).unwrap();
    folder.to_str().unwrap().to_owned()
}

#[test]
fn a_folder_of_recipes_is_searched_until_it_is_removed() {
    let user = user();
    repository(&user, "mine");
    assert_output!(user, user.run(["repo", "add", "mine"]), @"
    exit status: 0
    ----- stderr -----
    ==> Added repository 'mine' with 1 recipe
    ");
    assert_output!(user, user.run(["repo", "list"]), @"
    exit status: 0
    ----- stdout -----
    mine         1 recipe  [ROOT]/work/mine
    builtin    11 recipes  (part of the program)
    ");
    assert_output!(user, user.run(["list"]), @"
    exit status: 0
    ----- stdout -----
    geos
    googletest
    hdf5
    libffi
    libjpeg-turbo
    lua
    lz4
    misbehaving
    ncurses
    readline
    snappy
    zlib
    ");
    let info = user.run(["info", "misbehaving"]).succeeded();
    for part in ["repository mine", "Does what no recipe may.", "failing-tool", "MIT"] {
        assert!(info.stdout.contains(part), "{}", info.report());
    }
    assert!(info.stdout.lines().all(|line| line == line.trim_end()), "{}", info.report());
    user.run(["install", "misbehaving"]).succeeded();
    let record = user.run(["location", "misbehaving"]).succeeded().stdout;
    let recipe = PathBuf::from(record.trim_end()).join(".spack/repos/mine/packages/misbehaving/recipe.wasm");
    assert_eq!(fs_err::read(recipe).unwrap(), fs_err::read(MISBEHAVING).unwrap());
    assert_output!(user, user.run(["repo", "remove", "mine"]), @"
    exit status: 0
    ----- stderr -----
    ==> Removed [ROOT]/work/mine
    ");
    assert_output!(user, user.run(["info", "misbehaving"]), @"
    exit status: 3
    ----- stderr -----
    ==> Error: there is no package `misbehaving`
    hint: `spack-wasm list` shows the packages that there are
    ");
    // What was installed from it stays of use.
    user.run(["uninstall", "-y", "misbehaving"]).succeeded();
}

#[test]
fn a_name_that_two_define_is_said() {
    let user = user();
    for namespace in ["first", "second"] {
        let folder = repository(&user, namespace);
        user.run(["repo", "add", &folder]).succeeded();
    }
    assert_output!(user, user.run(["repo", "list"]), @"
    exit status: 0
    ----- stdout -----
    second       1 recipe  [ROOT]/work/second
    first        1 recipe  [ROOT]/work/first
    builtin    11 recipes  (part of the program)
    ----- stderr -----
    ==> Warning: `misbehaving` is taken from 'second', and not from 'first'
    ");
    let info = user.run(["info", "misbehaving"]).succeeded();
    assert!(info.stdout.contains("repository second"), "{}", info.report());
}

#[test]
fn what_is_no_repository_is_refused() {
    let user = user();
    assert_output!(user, user.run(["repo", "add", "nowhere"]), @"
    exit status: 1
    ----- stderr -----
    ==> Error: there is no repository to add: failed to canonicalize path `[ROOT]/work/nowhere`: No such file or directory (os error 2)
    ");
    fs_err::create_dir(user.work().join("empty")).unwrap();
    assert_output!(user, user.run(["repo", "add", "empty"]), @"
    exit status: 1
    ----- stderr -----
    ==> Error: [ROOT]/work/empty is not a repository of recipes: its repo.yaml can't be read: failed to open file `[ROOT]/work/empty/repo.yaml`: No such file or directory (os error 2)
    ");
    repository(&user, "torn");
    fs_err::write(user.work().join("torn/repo.yaml"), "repo: [namespace\n").unwrap();
    assert_output!(user, user.run(["repo", "add", "torn"]), @"
    exit status: 1
    ----- stderr -----
    ==> Error: [ROOT]/work/torn/repo.yaml:1: expected mapping start; expected are the lines `repo:` and `  namespace: NAME`
    ");
    assert_output!(user, user.run(["repo", "remove", "nobody"]), @"
    exit status: 1
    ----- stderr -----
    ==> Error: `nobody` is no repository that is searched
    hint: `spack-wasm repo list` shows them
    ");
    assert_output!(user, user.run(["repo", "list"]), @"
    exit status: 0
    ----- stdout -----
    builtin    11 recipes  (part of the program)
    ");
}

#[test]
fn what_is_no_recipe_is_refused() {
    let user = user();
    let component = fs_err::read(MISBEHAVING).unwrap();
    let core: &[u8] = b"\0asm\x01\0\0\0";
    let cases: [(&str, &[u8]); 4] = [
        ("text.wasm", b"no component at all\n"),
        ("core.wasm", core),
        ("half.wasm", &component[..component.len() / 2]),
        ("empty.wasm", b""),
    ];
    for (name, bytes) in cases {
        fs_err::write(user.work().join(name), bytes).unwrap();
    }
    let with = |name: &str| -> Output { user.run(["install", "--recipe", name]).failed_with(1) };
    assert_output!(user, with("text.wasm"), @"
    exit status: 1
    ----- stderr -----
    ==> Error: [ROOT]/work/text.wasm can't be used as a recipe: it is a text; a recipe is a WebAssembly component, for example `target/wasm32-wasip2/release/recipe_libfoo.wasm`
    ");
    assert_output!(user, with("core.wasm"), @"
    exit status: 1
    ----- stderr -----
    ==> Error: [ROOT]/work/core.wasm can't be used as a recipe: it is a core WebAssembly module, not a component; build it for `wasm32-wasip2` or wrap it with `wasm-tools component new`
    ");
    assert_output!(user, with("empty.wasm"), @"
    exit status: 1
    ----- stderr -----
    ==> Error: [ROOT]/work/empty.wasm can't be used as a recipe: it is empty; a recipe is a WebAssembly component, for example `target/wasm32-wasip2/release/recipe_libfoo.wasm`
    ");
    assert_output!(user, with("missing.wasm"), @"
    exit status: 1
    ----- stderr -----
    ==> Error: the recipe [ROOT]/work/missing.wasm can't be read: failed to open file `[ROOT]/work/missing.wasm`: No such file or directory (os error 2)
    ");
    let half = with("half.wasm");
    let damaged =
        "half.wasm can't be used as a recipe: it begins as a WebAssembly component and is damaged or cut off";
    assert!(half.stderr.contains(damaged), "{}", half.report());
}

/// A recipe that was downloaded lies among other things of the user's.
#[test]
fn what_lies_beside_a_single_recipe_is_not_its_own() {
    let user = user();
    let recipe = user.home().join("recipe.wasm");
    fs_err::copy(MISBEHAVING, &recipe).unwrap();
    // Were it to read this, it would want more than its sandbox has.
    fs_err::write(user.home().join("wishes"), "read /etc/shadow\n").unwrap();
    let recipe = recipe.to_str().unwrap();
    user.run(["install", "--recipe", recipe, "misbehaving", "act=nothing"]).succeeded();
    // As this one does.
    let folder = PathBuf::from(repository(&user, "mine"));
    fs_err::write(folder.join("packages/misbehaving/wishes"), "read /etc/shadow\n").unwrap();
    user.run(["repo", "add", "mine"]).succeeded();
    let output = user.run(["install", "misbehaving", "act=empty"]).failed_with(1);
    assert!(output.stderr.contains("read:/etc/shadow"), "{}", output.report());
}
