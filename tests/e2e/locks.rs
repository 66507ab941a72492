//! Several runs in one store: they share what is there, build each package once, and never wait for each other in a circle.

use std::io::{BufRead, BufReader, Read};
use std::process::Stdio;
use std::thread;
use std::time::Duration;

use spack_wasm_store::{LockMode, Patience, Query, Store, StoreOptions};
use spack_wasm_tests::{Output, TestContext};

use crate::crew::{Told, install, with_crew};
use crate::{location, user};

/// More than such a run takes on a busy machine, and less than for ever.
const TIME: Duration = Duration::from_secs(120);

/// What a second run is behind the first.
const HEAD_START: Duration = Duration::from_millis(500);

/// Runs installations beside each other, each a little later than the one before.
fn beside(user: &TestContext, runs: &[(&str, &[&str])], apart: Duration) -> Vec<Output> {
    thread::scope(|scope| {
        let started: Vec<_> = runs
            .iter()
            .map(|(specs, options)| {
                let run = scope.spawn(move || install(user, specs, options));
                thread::sleep(apart);
                run
            })
            .collect();
        started.into_iter().map(|run| run.join().unwrap()).collect()
    })
}

/// How often a package was built in all runs.
fn built(outputs: &[Output], package: &str) -> usize {
    let ends = outputs.iter().flat_map(|output| {
        let told = Told::by(output);
        told.all(package, "build-ended").into_iter().cloned().collect::<Vec<_>>()
    });
    ends.filter(|event| event["end"] == "installed").count()
}

#[test]
fn two_runs_do_not_wait_for_each_others_packages() {
    let user = with_crew(user()).within(TIME);
    let specs = "crew-north act=sleep crew-south act=sleep";
    let outputs = beside(&user, &[(specs, &["-j1"]), (specs, &["-j2"])], HEAD_START);
    for output in &outputs {
        assert_eq!(output.code(), Some(0), "{}", output.report());
    }
    for package in ["crew-north", "crew-south"] {
        assert_eq!(built(&outputs, package), 1, "{package}");
    }
}

#[test]
fn many_runs_at_once_build_each_package_once() {
    let user = with_crew(user()).within(TIME);
    let run: (&str, &[&str]) = ("crew-alone crew-outer", &["-j2"]);
    let outputs = beside(&user, &[run; 8], Duration::ZERO);
    for output in &outputs {
        assert_eq!(output.code(), Some(0), "{}", output.report());
    }
    for package in ["crew-alone", "crew-north", "crew-south", "crew-joint", "crew-outer"] {
        assert_eq!(built(&outputs, package), 1, "{package}");
    }
}

/// Each keeps what it has built until it ends, and wants what the other one has built.
#[test]
fn runs_that_replace_packages_do_so_one_after_the_other() {
    let user = with_crew(user()).within(TIME);
    let specs = "crew-north act=sleep crew-south act=sleep";
    install(&user, specs, &["-j2"]).succeeded();
    let runs: [(&str, &[&str]); 2] = [(specs, &["--overwrite", "-j1"]), (specs, &["--overwrite", "-j2"])];
    let outputs = beside(&user, &runs, HEAD_START);
    for output in &outputs {
        assert_eq!(output.code(), Some(0), "{}", output.report());
    }
    assert_eq!(built(&outputs, "crew-north"), 2);
    let said = "which replaces packages in the same store";
    assert!(outputs.iter().any(|output| output.stdout.contains(said)), "nobody said what it waits for");
}

/// A run that finds what it needs, and waits for somebody who removes it.
#[test]
fn a_dependency_that_is_removed_before_it_is_locked_ends_the_run() {
    let user = with_crew(user()).within(TIME);
    install(&user, "crew-north", &[]).succeeded();
    let prefix = location(&user, "crew-north");
    let store = Store::open(&user.store(), StoreOptions::default()).unwrap();
    let hash = store.find(&Query::default()).unwrap().remove(0).hash;
    let lock = store.lock_prefix(&hash, LockMode::Exclusive, &mut |_| Patience::GiveUp).unwrap();
    let mut command = user.command(user.binary());
    command.args(["install", "crew-joint"]).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    let mut said = String::new();
    while !said.contains("waiting for") {
        assert!(stdout.read_line(&mut said).unwrap() > 0, "{said}");
    }
    let holder = format!("==> Warning: waiting for process {} on ", std::process::id());
    assert!(said.contains(&holder) && said.contains("has crew-north@1.0/"), "{said}");
    fs_err::remove_dir_all(prefix).unwrap();
    drop(lock);
    let mut told = String::new();
    child.stderr.take().unwrap().read_to_string(&mut told).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(1), "{told}");
    let short = hash.short();
    let error = format!(
        "==> Error: crew-north@1.0/{short} was installed when the run began, and has been removed meanwhile\n\
         hint: run the same again: it is built then\n"
    );
    assert!(told.ends_with(&error), "{told}");
    install(&user, "crew-joint", &[]).succeeded();
}
