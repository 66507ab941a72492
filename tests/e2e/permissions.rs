//! What a recipe wants beyond its sandbox: shown, refused, and given once the user allows it.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use spack_wasm_tests::{Output, TestContext, assert_output};

use crate::repo::repository;
use crate::user;

/// A user with a repository whose one recipe wants one thing of each kind and uses all of them.
fn with_wishes() -> TestContext {
    let user = user().env("WISH", "the variable's value");
    let recipe = PathBuf::from(repository(&user, "mine")).join("packages/misbehaving");
    let path = |name: &str| user.work().join(name);
    let (data, place, program) = (path("data"), path("place"), path("program"));
    write(&data, 0o644, "the file's content\n");
    write(&program, 0o755, "#!/bin/sh\necho the program runs\n");
    fs_err::create_dir(&place).unwrap();
    set_mode(&place, 0o777);
    let [data, place, program] = [data, place, program].map(|path| path.display().to_string());
    let wishes = format!("read {data}\nwrite {place}\nprogram {program}\nenvironment WISH\n");
    write(&recipe.join("wishes"), 0o644, &wishes);
    let script = format!("set -e; cat {data}; echo written > {place}/file; {program}; echo \"$WISH\"");
    write(&recipe.join("script"), 0o644, &script);
    user.run(["repo", "add", "mine"]).succeeded();
    user
}

fn write(path: &Path, mode: u32, text: &str) {
    fs_err::write(path, text).unwrap();
    set_mode(path, mode);
}

fn set_mode(path: &Path, mode: u32) {
    fs_err::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

fn install(user: &TestContext, options: &[&str]) -> Output {
    let output = user.run(options.iter().chain(&["install", "misbehaving", "act=script"]));
    Output { stdout: String::new(), ..output }
}

#[test]
fn wishes_are_shown() {
    let user = with_wishes();
    let info = user.run(["info", "misbehaving"]).succeeded();
    let (_, section) = info.stdout.split_once("Permissions beyond").unwrap();
    assert_output!(user, Output { stdout: section.to_owned(), ..info.clone() }, @r#"
    exit status: 0
    ----- stdout -----
     the sandbox:
        read:[ROOT]/work/data  because it can
        write:[ROOT]/work/place  because it can
        program:[ROOT]/work/program  because it can
        environment:WISH  because it can
        refused unless allowed: -c "config:permissions:misbehaving:['read:[ROOT]/work/data', 'write:[ROOT]/work/place', 'program:[ROOT]/work/program', 'environment:WISH']"
    "#);
}

#[test]
fn wishes_are_refused_until_they_are_allowed() {
    let user = with_wishes();
    let refused = install(&user, &[]).failed_with(1);
    assert_output!(user, refused, @r#"
    exit status: 1
    ----- stderr -----
    ==> Error: misbehaving@1.0/[HASH] failed: its recipe wants more than its sandbox has, and configuration does not allow it: read:[ROOT]/work/data (because it can), write:[ROOT]/work/place (because it can), program:[ROOT]/work/program (because it can), environment:WISH (because it can)
    hint: if you trust the recipe with all that it wants, allow it: -c "config:permissions:misbehaving:['read:[ROOT]/work/data', 'write:[ROOT]/work/place', 'program:[ROOT]/work/program', 'environment:WISH']"
    "#);
    assert!(!user.work().join("place/file").exists());
    // As the hint says.
    let (_, setting) = refused.stderr.split_once("-c \"").unwrap();
    let (setting, _) = setting.split_once('"').unwrap();
    install(&user, &["-c", setting]).succeeded();
    let log = user.run(["logs", "misbehaving"]).succeeded().stdout;
    for used in ["the file's content", "the program runs", "the variable's value"] {
        assert!(log.lines().any(|line| line == used), "{log}");
    }
    assert_eq!(fs_err::read_to_string(user.work().join("place/file")).unwrap(), "written\n");
}

#[test]
fn what_is_allowed_is_not_asked_for_again_and_nothing_else_is_given() {
    let user = with_wishes();
    let work = user.work().display().to_string();
    let allowed = format!(
        "config:\n  permissions:\n    misbehaving: ['read:{work}/data', 'write:{work}/place', 'program:{work}/program']\n"
    );
    let user = user.configure("config.yaml", &allowed);
    let refused = install(&user, &[]).failed_with(1);
    assert!(
        refused.stderr.contains("does not allow it: environment:WISH (because it can)\n"),
        "{}",
        refused.report()
    );
    // A recipe that wants less gets less.
    let wishes = user.work().join("mine/packages/misbehaving/wishes");
    fs_err::write(&wishes, format!("read {work}/data\n")).unwrap();
    let failed = install(&user, &[]).failed_with(1);
    let refusal = format!("probably refused by the sandbox: {work}/place/file (write)");
    assert!(failed.stderr.contains(&refusal), "{}", failed.report());
}

#[test]
fn a_wish_for_no_path_is_a_mistake_of_the_recipe() {
    let user = with_wishes();
    let wishes = user.work().join("mine/packages/misbehaving/wishes");
    fs_err::write(&wishes, "program git\n").unwrap();
    let output = user.run(["info", "misbehaving"]).failed_with(1);
    let told = "permission 1 'git': expected is an absolute path without '..', or the name of a variable";
    assert!(output.stderr.contains(told), "{}", output.report());
}
