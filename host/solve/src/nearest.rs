use std::cmp::Reverse;

use spack_wasm_package::{DeclaredVersion, by_preference};
use spack_wasm_spec::{Version, VersionElement, VersionList};

/// How many versions are proposed.
const PROPOSALS: usize = 6;

/// The versions that a person may have meant by `wanted`, the nearest first: those that share more of their beginning,
/// then those whose next number is nearer, then in Spack's order. Deprecated ones are left out.
pub(crate) fn nearest(wanted: &VersionList, declared: &[DeclaredVersion]) -> Vec<String> {
    let mut known = by_preference(declared);
    known.retain(|declared| !declared.deprecated);
    if let Some(wanted) = wanted.elements().first().and_then(an_end) {
        let wanted = parts(wanted.as_str());
        known.sort_by_cached_key(|declared| distance(&wanted, &parts(declared.version.as_str())));
    }
    known.into_iter().take(PROPOSALS).map(|declared| declared.version.to_string()).collect()
}

fn an_end(element: &VersionElement) -> Option<&Version> {
    match element {
        VersionElement::Exact(version) => Some(version),
        VersionElement::Range(range) => range.low().or(range.high()),
    }
}

/// The numbers and words between separators.
fn parts(version: &str) -> Vec<&str> {
    version.split(|c: char| !c.is_ascii_alphanumeric()).collect()
}

/// How far one version is from another; words are farther than all numbers.
fn distance(wanted: &[&str], other: &[&str]) -> (Reverse<usize>, u64) {
    let common = wanted.iter().zip(other).take_while(|(a, b)| a == b).count();
    let number = |parts: &[&str]| parts.get(common).map_or(Some(0), |part| part.parse::<u64>().ok());
    let difference = number(wanted).zip(number(other)).map_or(u64::MAX, |(a, b)| a.abs_diff(b));
    (Reverse(common), difference)
}
