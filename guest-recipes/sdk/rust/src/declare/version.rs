use super::origin::{self, sourced};
use super::owned;
use crate::bindings::spack_wasm::recipe::metadata::{
    self, Checkout, DigestAlgorithm, Origin, VersionControl,
};

/// A version of the package.
#[derive(Clone, Debug)]
#[must_use = "a version counts once it is given to a package"]
pub struct Version(pub(super) metadata::Version);

sourced!(Version);

/// A version by its name, for example `1.14.4-3`.
pub fn version(name: &str) -> Version {
    Version(metadata::Version {
        name: name.to_owned(),
        origin: Origin::Nothing,
        expand: true,
        cached: true,
        preferred: false,
        deprecated: false,
        more: Vec::new(),
    })
}

impl Version {
    /// Preferred to newer ones.
    pub fn preferred(mut self) -> Self {
        self.0.preferred = true;
        self
    }

    /// Fetched each time and not kept, since upstream changes it under the same address.
    pub fn uncached(mut self) -> Self {
        self.0.cached = false;
        self
    }

    /// Refused unless the user allows deprecated versions.
    pub fn deprecated(mut self) -> Self {
        self.0.deprecated = true;
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_release_may_have_several_archives() {
        let Version(version) = version("1.2").sha256("aa").sha256_at("bb", "https://example.org/x.tgz");
        let Origin::Archives(archives) = version.origin else { panic!("{:?}", version.origin) };
        let seen: Vec<_> = archives
            .iter()
            .map(|archive| (archive.checksum.as_ref().unwrap().digest.as_str(), archive.url.as_deref()))
            .collect();
        assert_eq!(seen, [("aa", None), ("bb", Some("https://example.org/x.tgz"))]);
    }

    #[test]
    fn an_archive_may_lack_a_checksum() {
        let Version(version) = version("1.2").unchecked().unchecked_at("https://example.org/x.tgz");
        let Origin::Archives(archives) = version.origin else { panic!("{:?}", version.origin) };
        assert!(archives.len() == 2 && archives.iter().all(|archive| archive.checksum.is_none()));
    }

    #[test]
    fn what_is_said_of_a_checkout_is_one_checkout() {
        let Version(version) = version("2.0").tag("v2.0", "abc").submodule_paths(&["a"]).full_history();
        let Origin::Checkout(checkout) = version.origin else { panic!("{:?}", version.origin) };
        assert_eq!((checkout.tag.as_deref(), checkout.commit.as_deref()), (Some("v2.0"), Some("abc")));
        assert!(checkout.submodules && checkout.full_history);
        assert_eq!(checkout.submodule_paths, ["a"]);
    }
}
