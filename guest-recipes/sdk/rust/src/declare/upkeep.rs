use super::conditional;
use crate::bindings::spack_wasm::recipe::metadata;

/// A test of the package as it is installed.
#[derive(Clone, Debug)]
#[must_use = "a test counts once it is given to a package"]
pub struct StandAloneTest(pub(super) metadata::StandAloneTest);

conditional!(StandAloneTest);

/// A stand-alone test by its name, for example `test_version`, with what it shows. [`crate::Recipe::test`] runs it.
pub fn stand_alone_test(name: &str, purpose: &str) -> StandAloneTest {
    StandAloneTest(metadata::StandAloneTest {
        name: name.to_owned(),
        purpose: purpose.to_owned(),
        compiles: false,
        when: String::new(),
        more: Vec::new(),
    })
}

impl StandAloneTest {
    /// Calls compilers.
    pub fn compiles(mut self) -> Self {
        self.0.compiles = true;
        self
    }
}

/// Pages on which upstream lists its versions.
#[derive(Clone, Debug)]
#[must_use = "a listing counts once it is given to a package"]
pub struct Listing(pub(super) metadata::VersionListing);

/// The page on which upstream lists its versions.
pub fn listed_at(url: &str) -> Listing {
    Listing(metadata::VersionListing { url: url.to_owned(), depth: 0, more: Vec::new() })
}

impl Listing {
    /// Also pages that are so many links away from it.
    pub fn depth(mut self, depth: u32) -> Self {
        self.0.depth = depth;
        self
    }
}

impl From<&str> for Listing {
    fn from(url: &str) -> Self {
        listed_at(url)
    }
}
