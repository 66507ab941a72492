use crate::bindings::spack_wasm::recipe::metadata::{
    self, Archive, Checkout, Checksum, DigestAlgorithm, Origin, VersionControl,
};

/// A version of the package.
#[derive(Clone, Debug)]
#[must_use = "a version counts once it is given to a package"]
pub struct Version(pub(super) metadata::Version);

/// A version by its name, for example `1.14.4-3`.
pub fn version(name: &str) -> Version {
    Version(metadata::Version {
        name: name.to_owned(),
        origin: Origin::Nothing,
        expand: true,
        preferred: false,
        deprecated: false,
        more: Vec::new(),
    })
}

impl Version {
    /// The release's archive by its SHA-256, at the address that the package's make up. Called again: another archive of the
    /// same release.
    pub fn sha256(self, digest: &str) -> Self {
        self.archive(digest, None)
    }

    /// The release's archive by its SHA-256 and its own address. Called again: another archive of the same release.
    pub fn sha256_at(self, digest: &str, url: &str) -> Self {
        self.archive(digest, Some(url.to_owned()))
    }

    fn archive(mut self, digest: &str, url: Option<String>) -> Self {
        let checksum = Checksum { algorithm: DigestAlgorithm::Sha256, digest: digest.to_owned() };
        let archive = Archive { checksum: Some(checksum), url, extension: None, more: Vec::new() };
        match &mut self.0.origin {
            Origin::Archives(archives) => archives.push(archive),
            origin => *origin = Origin::Archives(vec![archive]),
        }
        self
    }

    /// A branch of the package's git repository.
    pub fn branch(mut self, branch: &str) -> Self {
        self.git().branch = Some(branch.to_owned());
        self
    }

    /// A tag of the package's git repository, pinned by the commit that it stands for.
    pub fn tag(mut self, tag: &str, commit: &str) -> Self {
        let checkout = self.git();
        checkout.tag = Some(tag.to_owned());
        checkout.commit = Some(commit.to_owned());
        self
    }

    fn git(&mut self) -> &mut Checkout {
        if !matches!(self.0.origin, Origin::Checkout(_)) {
            self.0.origin = Origin::Checkout(Checkout {
                system: VersionControl::Git,
                url: None,
                branch: None,
                tag: None,
                commit: None,
                submodules: false,
                submodule_paths: Vec::new(),
                full_history: false,
                more: Vec::new(),
            });
        }
        match &mut self.0.origin {
            Origin::Checkout(checkout) => checkout,
            Origin::Archives(_) | Origin::Nothing => unreachable!("it was made a checkout above"),
        }
    }

    /// With the repository's submodules.
    pub fn submodules(mut self) -> Self {
        self.git().submodules = true;
        self
    }

    /// A single file, not to be unpacked.
    pub fn unexpanded(mut self) -> Self {
        self.0.expand = false;
        self
    }

    /// Preferred to newer ones.
    pub fn preferred(mut self) -> Self {
        self.0.preferred = true;
        self
    }

    /// Refused unless the user allows deprecated versions.
    pub fn deprecated(mut self) -> Self {
        self.0.deprecated = true;
        self
    }
}
