use super::origin::{self, sourced};
use super::{conditional, owned};
use crate::bindings::spack_wasm::recipe::metadata::{
    self, Checkout, DigestAlgorithm, Origin, Placement, VersionControl,
};

/// Further sources, unpacked beside or into the package's own.
#[derive(Clone, Debug)]
#[must_use = "a resource counts once it is given to a package"]
pub struct Resource(pub(super) metadata::Resource);

conditional!(Resource);
sourced!(Resource);

/// A resource by its name, below the folder `destination` of the sources; empty: the source folder itself.
pub fn resource(name: &str, destination: &str) -> Resource {
    Resource(metadata::Resource {
        name: name.to_owned(),
        origin: Origin::Nothing,
        expand: true,
        destination: destination.to_owned(),
        placements: Vec::new(),
        test_only: false,
        when: String::new(),
        more: Vec::new(),
    })
}

impl Resource {
    /// Brought only where the package's own tests are to be run.
    pub fn test_only(mut self) -> Self {
        self.0.test_only = true;
        self
    }

    /// Puts the whole resource below the destination under this name.
    pub fn named(self, name: &str) -> Self {
        self.place("", name)
    }

    /// Puts the file or folder `from` of the resource at `to` below the destination. Without a call of this the whole resource
    /// is placed under its own folder's name, or a file under its own.
    pub fn place(mut self, from: &str, to: &str) -> Self {
        self.0.placements.push(Placement { from: from.to_owned(), to: to.to_owned(), more: Vec::new() });
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_resource_has_archives_and_places_as_a_version_has() {
        let Resource(resource) =
            resource("googletest", "third_party").sha256_at("aa", "https://example.org/g.tgz").named("gtest");
        let Origin::Archives(archives) = resource.origin else { panic!("{:?}", resource.origin) };
        assert_eq!(archives[0].url.as_deref(), Some("https://example.org/g.tgz"));
        let places: Vec<_> =
            resource.placements.iter().map(|place| (place.from.as_str(), place.to.as_str())).collect();
        assert_eq!(places, [("", "gtest")]);
    }
}
