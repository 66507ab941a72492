use spack_wasm_spec::{AbstractSpec, Version};

/// A version of the `version` directive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeclaredVersion {
    /// Which version.
    pub version: Version,
    /// Where its source comes from. More than one where the same release was packed more than once: the same
    /// content, each with its own checksum. Empty: there is nothing to fetch.
    pub sources: Vec<Source>,
    /// Whether an archive is unpacked.
    pub expand: bool,
    /// Whether what was fetched is kept in caches; not where upstream changes it under the same address.
    pub cached: bool,
    /// Chosen before newer ones.
    pub preferred: bool,
    /// Not chosen unless deprecated versions are allowed.
    pub deprecated: bool,
}

/// Where source code comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A file to be downloaded.
    Archive(Archive),
    /// A state of a repository.
    Checkout(Checkout),
}

/// A file to be downloaded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Archive {
    /// Its addresses; empty: the recipe computes them from the version.
    pub urls: Vec<String>,
    /// Its checksum; `None`: it is fetched only when the user allows that.
    pub checksum: Option<Checksum>,
    /// The format, where the address does not end with it, for example `tar.gz`.
    pub extension: Option<String>,
}

/// The checksum of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checksum {
    /// How it is computed.
    pub algorithm: ChecksumAlgorithm,
    /// The digest, in lower-case hexadecimal.
    pub digest: String,
}

/// How a checksum is computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChecksumAlgorithm {
    /// SHA-256.
    Sha256,
    /// SHA-512.
    Sha512,
    /// SHA-1, found in old recipes.
    Sha1,
    /// MD5, found in old recipes.
    Md5,
}

/// A version control system.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum VersionControl {
    /// Git.
    #[default]
    Git,
    /// Mercurial.
    Mercurial,
    /// Subversion.
    Subversion,
    /// CVS.
    Cvs,
}

/// What is checked out of a repository; the newest state where nothing names another one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Checkout {
    /// The version control system.
    pub system: VersionControl,
    /// The repository's address; `None`: that of the package.
    pub url: Option<String>,
    /// A branch: what is built differs from day to day.
    pub branch: Option<String>,
    /// A tag; with a commit, both must agree.
    pub tag: Option<String>,
    /// A commit, in full, or a revision.
    pub commit: Option<String>,
    /// A day such as `2021-04-22`, for CVS.
    pub date: Option<String>,
    /// Whether submodules are checked out too.
    pub submodules: bool,
    /// Which ones; empty: all.
    pub submodule_paths: Vec<String>,
    /// Whether the history is needed.
    pub full_history: bool,
}

/// A change to the source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Patch {
    /// When it applies.
    pub when: AbstractSpec,
    /// Where it is.
    pub location: PatchLocation,
    /// SHA-256 of the patch, part of the node's identity.
    pub sha256: String,
    /// How many folders are cut off the paths in it, `-p`.
    pub level: u32,
    /// The folder in which it is applied, beneath the source.
    pub working_dir: String,
    /// Applied backwards.
    pub reverse: bool,
}

/// Where a patch is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PatchLocation {
    /// A file of the recipe.
    File(String),
    /// A download.
    Url {
        /// Its address.
        url: String,
        /// SHA-256 of the file as downloaded, where that is compressed.
        archive_sha256: Option<String>,
    },
}
