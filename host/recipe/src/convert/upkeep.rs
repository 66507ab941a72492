//! What concerns a package after its build, or upstream: stand-alone tests, and pages that list versions.

use spack_wasm_package as model;

use super::check::{Checker, MetadataError, Place};
use super::no_attributes;
use crate::metadata::{StandAloneTest, VersionListing};

pub(super) fn tests(
    checker: &Checker<'_>,
    tests: Vec<StandAloneTest>,
) -> Result<Vec<model::StandAloneTest>, MetadataError> {
    let mut converted: Vec<model::StandAloneTest> = Vec::new();
    for (index, test) in tests.into_iter().enumerate() {
        let place = Place { directive: "test", number: index + 1, name: &test.name };
        checker.name(place, "test")?;
        no_attributes(checker, place, &test.more)?;
        if converted.iter().any(|before| before.name == test.name) {
            return Err(checker.error(place, "another test has that name"));
        }
        let when = checker.condition(place, &test.when)?;
        converted.push(model::StandAloneTest {
            name: test.name.clone(),
            purpose: test.purpose,
            compiles: test.compiles,
            when,
        });
    }
    Ok(converted)
}

pub(super) fn listing(
    checker: &Checker<'_>,
    listing: VersionListing,
) -> Result<model::Listing, MetadataError> {
    let place = Place { directive: "listing of versions", number: 1, name: &listing.url };
    no_attributes(checker, place, &listing.more)?;
    Ok(model::Listing { url: listing.url, depth: listing.depth })
}
