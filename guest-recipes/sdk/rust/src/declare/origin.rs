//! Where sources come from: archives, checkouts and patches.

use crate::bindings::spack_wasm::recipe::metadata::{
    Archive, Checkout, Checksum, DigestAlgorithm, Origin, VersionControl,
};

pub(super) fn archive(algorithm: DigestAlgorithm, digest: &str, url: Option<&str>) -> Archive {
    let checksum = Some(Checksum { algorithm, digest: digest.to_owned(), more: Vec::new() });
    Archive { checksum, url: url.map(str::to_owned), extension: None, more: Vec::new() }
}

/// An archive that the host refuses unless the user takes whatever is downloaded.
pub(super) fn unchecked(url: Option<&str>) -> Archive {
    Archive { checksum: None, url: url.map(str::to_owned), extension: None, more: Vec::new() }
}

/// Adds an archive of the same release; whatever else the origin was is replaced.
pub(super) fn add_archive(origin: &mut Origin, archive: Archive) {
    match origin {
        Origin::Archives(archives) => archives.push(archive),
        Origin::Checkout(_) | Origin::Nothing => *origin = Origin::Archives(vec![archive]),
    }
}

/// Changes the checkout that the origin is, or that it becomes.
pub(super) fn change_checkout(origin: &mut Origin, change: impl FnOnce(&mut Checkout)) {
    if let Origin::Checkout(checkout) = origin {
        change(checkout);
    } else {
        let mut checkout = git();
        change(&mut checkout);
        *origin = Origin::Checkout(checkout);
    }
}

fn git() -> Checkout {
    Checkout {
        system: VersionControl::Git,
        url: None,
        branch: None,
        tag: None,
        commit: None,
        date: None,
        submodules: false,
        submodule_paths: Vec::new(),
        full_history: false,
        more: Vec::new(),
    }
}

/// Implements what a version and a resource have in common: `$builder(record)` with a field `origin`.
macro_rules! sourced {
    ($builder:ty) => {
        impl $builder {
            /// The archive by its SHA-256, at the address that the package's make up. Called again: another archive of the same
            /// release.
            pub fn sha256(self, digest: &str) -> Self {
                self.archive(DigestAlgorithm::Sha256, digest, None)
            }

            /// The archive by its SHA-256 and its own address. Called again: another archive of the same release.
            pub fn sha256_at(self, digest: &str, url: &str) -> Self {
                self.archive(DigestAlgorithm::Sha256, digest, Some(url))
            }

            /// The archive by the digest of another hash function, for old recipes that know no SHA-256.
            pub fn digest(self, algorithm: DigestAlgorithm, digest: &str, url: Option<&str>) -> Self {
                self.archive(algorithm, digest, url)
            }

            /// The archive without a checksum, at the address that the package's make up. Nothing vouches for it, so the host
            /// refuses it unless the user says `--no-checksum`.
            pub fn unchecked(mut self) -> Self {
                origin::add_archive(&mut self.0.origin, origin::unchecked(None));
                self
            }

            /// The archive without a checksum, at its own address; refused unless the user says `--no-checksum`.
            pub fn unchecked_at(mut self, url: &str) -> Self {
                origin::add_archive(&mut self.0.origin, origin::unchecked(Some(url)));
                self
            }

            fn archive(mut self, algorithm: DigestAlgorithm, digest: &str, url: Option<&str>) -> Self {
                origin::add_archive(&mut self.0.origin, origin::archive(algorithm, digest, url));
                self
            }

            /// The ending of the archive's file name, for example `tar.gz`, where the address does not show it.
            pub fn extension(mut self, extension: &str) -> Self {
                if let Origin::Archives(archives) = &mut self.0.origin {
                    for archive in archives {
                        archive.extension = Some(extension.to_owned());
                    }
                }
                self
            }

            /// A branch of a git repository.
            pub fn branch(self, branch: &str) -> Self {
                self.checkout(|checkout| checkout.branch = Some(branch.to_owned()))
            }

            /// A tag of a git repository, pinned by the commit that it stands for.
            pub fn tag(self, tag: &str, commit: &str) -> Self {
                self.checkout(|checkout| checkout.tag = Some(tag.to_owned())).commit(commit)
            }

            /// A commit of a repository.
            pub fn commit(self, commit: &str) -> Self {
                self.checkout(|checkout| checkout.commit = Some(commit.to_owned()))
            }

            /// The newest state of the package's repository.
            pub fn newest(self) -> Self {
                self.checkout(|_| ())
            }

            /// A day such as `2021-04-22`, for CVS, which has no revisions of a whole tree.
            pub fn date(self, day: &str) -> Self {
                self.checkout(|checkout| checkout.date = Some(day.to_owned()))
            }

            /// A git repository by its own address; without: the package's.
            pub fn git(self, url: &str) -> Self {
                self.repository(VersionControl::Git, url)
            }

            /// A repository of any system by its own address; without: the package's.
            pub fn repository(self, system: VersionControl, url: &str) -> Self {
                self.checkout(|checkout| {
                    checkout.system = system;
                    checkout.url = Some(url.to_owned());
                })
            }

            /// With the repository's submodules.
            pub fn submodules(self) -> Self {
                self.checkout(|checkout| checkout.submodules = true)
            }

            /// With some of the repository's submodules, by their paths.
            pub fn submodule_paths(self, paths: &[&str]) -> Self {
                self.checkout(|checkout| checkout.submodule_paths = owned(paths)).submodules()
            }

            /// With the repository's whole history.
            pub fn full_history(self) -> Self {
                self.checkout(|checkout| checkout.full_history = true)
            }

            fn checkout(mut self, change: impl FnOnce(&mut Checkout)) -> Self {
                origin::change_checkout(&mut self.0.origin, change);
                self
            }

            /// A single file, not to be unpacked.
            pub fn unexpanded(mut self) -> Self {
                self.0.expand = false;
                self
            }
        }
    };
}
pub(super) use sourced;
