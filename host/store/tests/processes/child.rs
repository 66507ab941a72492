//! What the children do, and how they are started.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, ExitCode, Stdio};
use std::thread;
use std::time::Duration;

use nix::sys::signal::{Signal, raise};
use spack_wasm_spec::Dag;
use spack_wasm_store::{
    BeginOptions, Begun, BuildPlace, CheckOptions, LockMode, Patience, PublishStep, StageArea, Store,
    UninstallOptions, UninstallStep,
};

use crate::common::{begin, fill, hash_of, hdf5, never, node, open, record, zlib};
use crate::{faults, owner};

/// A child that said something.
pub(crate) struct Spoken {
    pub(crate) child: Child,
    lines: BufReader<ChildStdout>,
}

impl Spoken {
    pub(crate) fn start(job: &str, arguments: &[&str]) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        let mut child = command.arg("child").arg(job).args(arguments).stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap());
        Self { child, lines }
    }

    pub(crate) fn line(&mut self) -> String {
        let mut line = String::new();
        self.lines.read_line(&mut line).unwrap();
        line.trim().to_owned()
    }

    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Waits for its end, and says whether it succeeded.
    pub(crate) fn succeeded(mut self) -> bool {
        self.child.wait().unwrap().success()
    }
}

/// A killed process leaves no chance to clean up.
fn die() -> ! {
    raise(Signal::SIGKILL).unwrap();
    unreachable!("SIGKILL can't be handled")
}

pub(crate) fn say(line: &str) {
    let mut out = std::io::stdout();
    writeln!(out, "{line}").unwrap();
    out.flush().unwrap();
}

fn wait_to_be_killed() -> ! {
    loop {
        thread::sleep(Duration::from_secs(3600));
    }
}

pub(crate) fn run(job: &str, arguments: &[String]) -> ExitCode {
    let argument = |index: usize| arguments[index].as_str();
    let store = || open(Path::new(argument(0)));
    match job {
        "hold" => hold(&store(), argument(1)),
        "build" => build(&store(), argument(1)),
        "stage" => stage(Path::new(argument(0))),
        "publish" => publish(&store(), argument(1), argument(2)),
        "uninstall" => uninstall(&store(), argument(1)),
        "install" => install(&store(), argument(1)),
        "read-only" => faults::read_only(Path::new(argument(0))),
        "small-disk" => faults::small_disk(Path::new(argument(0))),
        "umask" => owner::with_umask_077(Path::new(argument(0))),
        "reader" => owner::as_reader(Path::new(argument(0))),
        "user" => owner::as_ordinary_user(Path::new(argument(0))),
        _ => return ExitCode::FAILURE,
    }
    ExitCode::SUCCESS
}

fn hold(store: &Store, mode: &str) {
    let mode = if mode == "shared" { LockMode::Shared } else { LockMode::Exclusive };
    let Ok(_lock) = store.lock_prefix(&hash_of(&hdf5(), "zlib"), mode, &mut never()) else {
        return say("refused");
    };
    say("locked");
    wait_to_be_killed();
}

pub(crate) fn place_of(name: &str) -> BuildPlace {
    if name == "in-place" { BuildPlace::InPlace } else { BuildPlace::Apart }
}

fn build(store: &Store, place: &str) {
    let options = BeginOptions { place: place_of(place), ..BeginOptions::default() };
    let pending = begin(store, &hdf5(), "zlib", &options);
    fill(&pending);
    say("building");
    wait_to_be_killed();
}

fn stage(area: &Path) {
    let stage = StageArea::open(area).unwrap().create(&node(&hdf5(), "zlib"), None).unwrap();
    stage.dir().create_dir_all("a/b").unwrap();
    say("staged");
    wait_to_be_killed();
}

fn publish(store: &Store, place: &str, last: &str) {
    let options = BeginOptions { place: place_of(place), replace: place == "replacing", identity: None };
    let pending = begin(store, &hdf5(), "zlib", &options);
    fill(&pending);
    let checked = pending.check(&CheckOptions::default()).unwrap();
    let mut die_at = |step: PublishStep| {
        if format!("{step:?}") == last {
            die();
        }
    };
    checked.publish_observed(&record(true), &mut die_at).unwrap();
}

fn uninstall(store: &Store, last: &str) {
    let mut die_at = |step: UninstallStep| {
        if format!("{step:?}") == last {
            die();
        }
    };
    let zlib = hash_of(&hdf5(), "zlib");
    store.uninstall_observed(&zlib, &UninstallOptions::default(), &mut never(), &mut die_at).unwrap();
}

/// Installs a chain of packages as `install` does: collect, lock, build what is missing, keep what is used.
fn install(store: &Store, length: &str) {
    store.collect_leftovers().unwrap();
    let dag = if length == "zlib" { zlib() } else { chain(length.parse().unwrap()) };
    let mut used = Vec::new();
    for step in dag.topological().into_iter().filter(|node| !node.is_external()) {
        let lock = store.lock_prefix(&step.hash, LockMode::Exclusive, &mut |_| Patience::Wait).unwrap();
        match store.begin(&dag, &node(&dag, step.name()), lock, &BeginOptions::default()).unwrap() {
            Begun::Build(pending) => {
                fill(&pending);
                let checked = pending.check(&CheckOptions::default()).unwrap();
                used.push(checked.publish(&record(false)).unwrap());
                say(&format!("built {}", step.name()));
            }
            Begun::Installed(installation) => used.push(*installation),
        }
    }
    say("done");
}

/// p0 <- p1 <- ... of this length.
pub(crate) fn chain(length: usize) -> Dag {
    use spack_wasm_spec::{DagBuilder, DependencyTypes};
    let mut builder = DagBuilder::new();
    let mut last = None;
    for number in 0..length {
        let facts = crate::common::facts(&format!("p{number}"), "1.0");
        let edges: Vec<_> =
            last.into_iter().map(|below| (below, DependencyTypes::DEFAULT, Vec::new())).collect();
        last = Some(builder.add(facts, edges));
    }
    builder.finish(last)
}
