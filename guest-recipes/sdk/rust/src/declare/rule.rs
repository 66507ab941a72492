use super::conditional;
use crate::bindings::spack_wasm::recipe::metadata::{self, Archive, Checksum, DigestAlgorithm, PatchOrigin};

/// Something that must not be.
#[derive(Clone, Debug)]
#[must_use = "a conflict counts once it is given to a package"]
pub struct Conflict(pub(super) metadata::Conflict);

conditional!(Conflict);

/// A spec that must not be, always or `when` a condition holds.
pub fn conflict(spec: &str) -> Conflict {
    let (when, message, more) = (String::new(), None, Vec::new());
    Conflict(metadata::Conflict { spec: spec.to_owned(), when, message, more })
}

impl Conflict {
    /// What the user is told.
    pub fn message(mut self, message: &str) -> Self {
        self.0.message = Some(message.to_owned());
        self
    }
}

/// A patch of the sources.
#[derive(Clone, Debug)]
#[must_use = "a patch counts once it is given to a package"]
pub struct Patch(pub(super) metadata::Patch);

conditional!(Patch);

/// A patch in the recipe's folder.
pub fn patch(file: &str) -> Patch {
    Patch(metadata::Patch {
        origin: PatchOrigin::File(file.to_owned()),
        sha256: None,
        level: 1,
        working_directory: String::new(),
        reverse: false,
        when: String::new(),
        more: Vec::new(),
    })
}

impl Patch {
    /// The patch at an address, by its SHA-256.
    pub fn fetched(mut self, url: &str, sha256: &str) -> Self {
        let checksum = Checksum { algorithm: DigestAlgorithm::Sha256, digest: sha256.to_owned() };
        self.0.origin = PatchOrigin::Fetched(Archive {
            checksum: Some(checksum),
            url: Some(url.to_owned()),
            extension: None,
            more: Vec::new(),
        });
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
}

/// Something that the recipe wants beyond its sandbox.
#[derive(Clone, Debug)]
#[must_use = "a permission counts once it is given to a package"]
pub struct Permission(pub(super) metadata::Permission);

/// A permission of a kind (`read`, `write`, `program`, `environment`), for what, and why.
pub fn permission(kind: &str, value: &str, reason: &str) -> Permission {
    Permission(metadata::Permission {
        kind: kind.to_owned(),
        value: value.to_owned(),
        reason: reason.to_owned(),
    })
}
