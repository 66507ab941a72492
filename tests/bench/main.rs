//! Our figures beside those of peers, measured in one run on one machine: `cargo bench`, or `cargo bench -- GROUP...` for
//! a part. `cargo bench -- --list` names the groups.
//!
//! Each figure is the median of several runs, ours and the peer's in turn, so that a busy moment of the machine meets
//! both. The last column is what `spack-wasm` wants to keep to; nothing fails here, since machines are noisy.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a measurement that cannot be made has nothing to say, and its result is printed"
)]

mod build;
mod empty;
mod machine;
mod query;
mod recipe;
mod scene;
mod table;
mod tool;
mod unpack;

use table::Row;

/// The name of a group, and what measures it.
type Group = (&'static str, fn() -> Vec<Row>);

const GROUPS: &[Group] = &[
    ("query", query::rows),
    ("recipe", recipe::rows),
    ("tool", tool::rows),
    ("unpack", unpack::rows),
    ("empty", empty::rows),
    ("build", build::rows),
];

fn main() {
    // Cargo adds `--bench`.
    let wanted: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    if wanted.iter().any(|argument| argument == "--list") {
        return GROUPS.iter().for_each(|(name, _)| println!("{name}"));
    }
    if let Some(unknown) = wanted.iter().find(|wanted| GROUPS.iter().all(|(name, _)| name != wanted)) {
        eprintln!("there is no group `{unknown}`; `--list` names them");
        std::process::exit(2);
    }
    println!("{}", machine::describe());
    println!("{}", table::heading());
    for (_, measure) in
        GROUPS.iter().filter(|(name, _)| wanted.is_empty() || wanted.iter().any(|w| w == name))
    {
        measure().iter().for_each(|row| println!("{row}"));
    }
}
