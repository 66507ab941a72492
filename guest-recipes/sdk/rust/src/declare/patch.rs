use super::{conditional, origin};
use crate::bindings::spack_wasm::recipe::metadata::{self, DigestAlgorithm, PatchOrigin};

/// A patch of the sources.
#[derive(Clone, Debug)]
#[must_use = "a patch counts once it is given to a package"]
pub struct Patch(pub(super) metadata::Patch);

conditional!(Patch);

/// A patch in the recipe's folder.
pub fn patch(file: &str) -> Patch {
    from(PatchOrigin::File(file.to_owned()))
}

/// The patch at an address, by its SHA-256.
pub fn fetched_patch(url: &str, sha256: &str) -> Patch {
    from(PatchOrigin::Fetched(origin::archive(DigestAlgorithm::Sha256, sha256, Some(url))))
}

fn from(origin: PatchOrigin) -> Patch {
    Patch(metadata::Patch {
        origin,
        sha256: None,
        level: 1,
        working_directory: String::new(),
        reverse: false,
        when: String::new(),
        more: Vec::new(),
    })
}

impl Patch {
    /// The SHA-256 of the patch itself, where the address leads to an archive around it.
    pub fn unpacked_sha256(mut self, digest: &str) -> Self {
        self.0.sha256 = Some(digest.to_owned());
        self
    }

    /// How many leading folders are taken off the file names in it.
    pub fn level(mut self, level: u32) -> Self {
        self.0.level = level;
        self
    }

    /// The folder below the sources in which it is applied.
    pub fn working_directory(mut self, folder: &str) -> Self {
        folder.clone_into(&mut self.0.working_directory);
        self
    }

    /// Taken back instead of applied.
    pub fn reverse(mut self) -> Self {
        self.0.reverse = true;
        self
    }
}
