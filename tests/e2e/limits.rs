//! What a recipe can't use up: the host's memory, its open files, its time.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use spack_wasm_tests::{MISBEHAVING, TestContext};

use crate::flood::peak_of;
use crate::repo::repository;
use crate::{location, misbehave, user};

/// Its recipe in a repository, with a script beside it.
fn with_script(script: &str) -> TestContext {
    let user = user();
    let recipe = PathBuf::from(repository(&user, "mine")).join("packages/misbehaving");
    fs_err::write(recipe.join("script"), script).unwrap();
    user.run(["repo", "add", "mine"]).succeeded();
    user
}

#[test]
fn a_recipe_that_warns_for_ever_fills_no_memory() {
    let user = user();
    let peak = peak_of(&user, &["install", "--recipe", MISBEHAVING, "misbehaving", "act=warn-for-ever"]);
    assert!(peak > 0 && peak < 400_000, "{peak} KiB");
    let log = location(&user, "misbehaving").join(".spack/spack-build-out.txt");
    assert!(fs_err::metadata(log).unwrap().len() < 70 << 20);

    let output = misbehave(&user, "warn-for-ever", &["--overwrite", "-y", "--format", "ndjson"]).succeeded();
    let warnings: Vec<_> =
        output.stdout.lines().filter(|line| line.contains("\"event\":\"warning\"")).collect();
    assert!(warnings.len() < 101, "{}", warnings.len());
    assert!(warnings.iter().all(|warning| warning.len() < 70_000));
    let last = warnings.last().unwrap();
    assert!(last.contains("more warnings are in the log"), "{last}");
}

#[test]
fn more_than_all_of_it_is_all_of_it() {
    let user = user();
    let output = misbehave(&user, "overdone", &["--format", "ndjson"]).succeeded();
    let event = output.stdout.lines().find(|line| line.contains("\"event\":\"progress\"")).unwrap();
    let event: serde_json::Value = serde_json::from_str(event).unwrap();
    assert_eq!((event["done"].as_u64(), event["total"].as_u64()), (Some(3), Some(3)), "{event}");
}

#[test]
fn a_recipe_that_opens_files_for_ever_is_refused() {
    let user = user();
    let script = "ulimit -Sn 100 && exec \"$@\"";
    let run = |act: &str| {
        let mut command = user.command("sh");
        command.args(["-c", script, "sh"]).arg(user.binary());
        command.args(["install", "--recipe", MISBEHAVING, "misbehaving", act]);
        command.output().unwrap()
    };
    let output = run("act=open-for-ever");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let count = fs_err::read_to_string(location(&user, "misbehaving").join("count.txt")).unwrap();
    assert!(count.starts_with("25") && count.contains(": Quota exceeded"), "{count}");
    let log = user.run(["logs", "misbehaving"]).succeeded().stdout;
    assert_eq!(log.matches("the recipe has 256 files open").count(), 1, "{log}");
}

#[test]
fn a_file_of_holes_is_refused_at_once() {
    let user = user();
    let began = Instant::now();
    let output = misbehave(&user, "sparse", &[]).failed_with(1);
    let expected = "holes is a file of 8192 GiB, 8192 GiB of which were never written";
    assert!(output.stderr.contains(expected), "{}", output.report());
    assert!(began.elapsed() < Duration::from_secs(60));
}

#[test]
fn a_recipe_that_is_no_file_is_not_waited_for() {
    let user = user();
    let pipe = user.work().join("pipe.wasm");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    user.give(&pipe);
    let mut command = user.command(user.binary());
    command.args(["install", "--recipe"]).arg(&pipe).arg("misbehaving");
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let deadline = Instant::now() + Duration::from_secs(30);
    while child.try_wait().unwrap().is_none() {
        if Instant::now() > deadline {
            child.kill().unwrap();
            child.wait().unwrap();
            panic!("it waits");
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    let output = child.wait_with_output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && stderr.contains("pipe.wasm is not a file"), "{stderr}");
}

#[test]
fn find_says_what_run_does() {
    let user = with_script("true\ntest\nprintf\nno-such-tool\n/etc/passwd\n/usr/bin/env\n/usr/bin");
    user.run(["install", "misbehaving", "act=find"]).succeeded();
    let found = fs_err::read_to_string(location(&user, "misbehaving").join("found.txt")).unwrap();
    for line in found.lines() {
        let is_found = !line.contains(": none, ");
        assert_eq!(is_found, line.ends_with(", runs"), "{found}");
    }
    assert!(found.starts_with("true: /"), "{found}");
    assert!(found.contains("/etc/passwd: none, does not run"), "{found}");
}

#[test]
fn a_store_beneath_a_folder_that_builds_see_can_be_used() {
    for kind in ["read", "write"] {
        let user = user();
        let parent = user.home().join("opt");
        fs_err::create_dir_all(&parent).unwrap();
        fs_err::write(parent.join("file"), "x").unwrap();
        user.give(&parent);
        let root = format!("config:install_tree:root:{}/store", parent.display());
        let sandbox = format!("config:sandbox:{kind}:[{}]", parent.display());
        let install = ["install", "--recipe", MISBEHAVING, "misbehaving"];
        user.run(["-c", &root, "-c", &sandbox].iter().chain(&install)).succeeded();
        let location = user.run(["-c", &root, "location", "-i", "misbehaving"]).succeeded().stdout;
        let location = PathBuf::from(location.trim_end());
        assert!(location.starts_with(&parent) && location.join("done.txt").is_file(), "{kind}");
        // Nothing but the store was made.
        let names: Vec<_> =
            fs_err::read_dir(&parent).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(names.len(), 2, "{kind} {names:?}");
        user.run(["-c", &root, "install", "--overwrite", "-y", "--recipe", MISBEHAVING, "misbehaving"])
            .succeeded();
    }
}
