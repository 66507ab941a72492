//! Several processes on one store, killed at chosen points. This program is its own child: `child JOB ARGUMENT...`.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod child;
mod faults;
mod owner;
mod sharing;

#[path = "../store/common.rs"]
mod common;

use std::process::ExitCode;

use libtest_mimic::{Arguments, Trial};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [first, job, rest @ ..] = arguments.as_slice()
        && first == "child"
    {
        return child::run(job, rest);
    }
    let tests = [sharing::tests(), faults::tests(), owner::tests()].into_iter().flatten();
    let trials = tests.map(|(name, test)| {
        Trial::test(name, move || {
            test();
            Ok(())
        })
    });
    libtest_mimic::run(&Arguments::from_args(), trials.collect()).exit_code()
}

type Test = (&'static str, fn());
