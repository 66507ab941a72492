//! Flags for targets, against what archspec's reference implementation answers.

use spack_wasm_machine::{TargetError, flags_for};

const ANSWERS: &str = include_str!("data/archspec-0.2.7.tsv");

#[test]
fn flags_are_those_of_the_reference() {
    let mut compared = 0;
    for line in ANSWERS.lines().filter(|line| !line.starts_with('#')) {
        let fields: Vec<&str> = line.split('\t').collect();
        let [target, compiler, version, flags] = fields[..] else { panic!("four fields: {line}") };
        let answer = match flags_for(target, compiler, version) {
            Ok(flags) => flags.join(" "),
            Err(TargetError::Unsupported { .. }) => "-".to_owned(),
            Err(error) => error.to_string(),
        };
        assert_eq!(answer, flags, "{line}");
        compared += 1;
    }
    assert!(compared > 250, "{compared}");
}
