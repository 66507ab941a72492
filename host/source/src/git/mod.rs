//! Checkouts of git repositories.
//!
//! The network is git's own business, since nothing else speaks all that servers want. But no work tree is made by it:
//! the commit comes as a pack, whose objects git verifies against the commit's hash, and its tree leaves as a tar archive
//! that goes through [`crate::unpack`] like any other. What was fetched is kept as a bundle in the cache, by its commit, and
//! verified in the same way when it is used again.

mod error;
mod names;
mod program;
mod repository;
mod submodules;

use std::path::{Path, PathBuf};
use std::time::Duration;

use fs_err as fs;
use tempfile::TempDir;

pub use error::GitError;

use crate::address::shown;
use crate::cache::Cache;
use crate::checksum::Algorithm;
use crate::options::ProxyPolicy;
use crate::request::{FetchEvent, Origin};
use names::{Commit, Reference, check_url};
use repository::Repository;

type Observer<'a> = &'a (dyn Fn(FetchEvent) + Send + Sync);

/// How repositories are fetched.
#[derive(Debug, Clone)]
pub struct GitOptions {
    /// The program.
    pub program: PathBuf,
    /// Kinds of addresses that are followed, for example `https`. With `file`, a recipe can have any repository that the
    /// user can read; with `ssh`, git uses the user's keys.
    pub protocols: Vec<String>,
    /// The longest that one run of git may take.
    pub timeout: Duration,
}

impl Default for GitOptions {
    fn default() -> Self {
        Self {
            program: "/usr/bin/git".into(),
            protocols: vec!["https".to_owned()],
            timeout: Duration::from_secs(60 * 60),
        }
    }
}

/// A state of a repository.
#[derive(Debug, Clone, Default)]
pub struct CheckoutRequest {
    /// Name of the package, for messages.
    pub package: String,
    /// Version, likewise.
    pub version: String,
    /// The repository's address.
    pub url: String,
    /// The commit; without it, the state is whatever branch or tag stand for today.
    pub commit: Option<String>,
    /// A tag; with a commit, it has to stand for it.
    pub tag: Option<String>,
    /// A branch.
    pub branch: Option<String>,
    /// Whether submodules are fetched.
    pub submodules: bool,
    /// Which ones; empty: all.
    pub submodule_paths: Vec<String>,
}

/// A tree that was fetched, as archives on the disk that are gone with this.
#[derive(Debug)]
pub struct Checkout {
    /// The archives, that of the repository first.
    pub trees: Vec<Tree>,
    /// The commit.
    pub commit: String,
    /// SHA-256 of the repository's own tree as an archive.
    pub sha256: String,
    /// Bytes of all trees.
    pub bytes: u64,
    /// Where it came from.
    pub origin: Origin,
    _folder: TempDir,
}

/// The tree of a repository or of one of its submodules.
#[derive(Debug, Clone)]
pub struct Tree {
    /// Where it belongs, below the sources; empty for the repository itself.
    pub below: PathBuf,
    /// A tar archive.
    pub archive: PathBuf,
}

/// All that a checkout needs besides the request.
pub(crate) struct Git<'a> {
    pub(crate) options: &'a GitOptions,
    pub(crate) proxy: &'a ProxyPolicy,
    pub(crate) cache: &'a Cache,
    /// Folders of mirrors, which may have bundles too.
    pub(crate) mirrors: Vec<&'a Path>,
    pub(crate) offline: bool,
    /// Whether a branch or tag may stand for any commit.
    pub(crate) unpinned: bool,
    pub(crate) max_bytes: u64,
}

impl Git<'_> {
    pub(crate) async fn checkout(
        &self,
        request: &CheckoutRequest,
        observer: Observer<'_>,
    ) -> Result<Checkout, GitError> {
        let wanted = Wanted::of(request)?;
        if wanted.commit.is_none() && !self.unpinned {
            return Err(GitError::NotPinned);
        }
        let folder = self.cache.scratch("git")?;
        let root = self.repository(&wanted, &folder.path().join("root"), observer).await?;
        let own = root.archive(Path::new("")).await?;
        let sha256 = digest(&own.archive)?;
        let (commit, origin) = (root.commit().to_string(), root.origin().clone());
        let mut trees = vec![own];
        if request.submodules {
            trees.extend(self.submodules(root, &request.submodule_paths, observer).await?);
        }
        let mut bytes = 0;
        for tree in &trees {
            bytes += fs::metadata(&tree.archive)?.len();
        }
        Ok(Checkout { trees, commit, sha256, bytes, origin, _folder: folder })
    }

    /// A repository in `folder` that has the wanted commit: from the cache, from mirrors, else from its address.
    async fn repository(
        &self,
        wanted: &Wanted,
        folder: &Path,
        observer: Observer<'_>,
    ) -> Result<Repository, GitError> {
        let program = program::Program::new(self, folder)?;
        if let Some(commit) = &wanted.commit {
            let name = bundle_path(&wanted.url, commit);
            let places = self.mirrors.iter().map(|root| (root.join(&name), false));
            for (bundle, cached) in [(self.cache.path(&name), true)].into_iter().chain(places) {
                if !bundle.is_file() {
                    continue;
                }
                let mirror = || Origin::Mirror { name: "git".to_owned(), url: bundle.display().to_string() };
                let origin = if cached { Origin::Cache } else { mirror() };
                // A damaged bundle is no reason to fail: the address may still answer.
                let found = Repository::from_bundle(&program, &bundle, wanted, commit, origin).await;
                if let Ok(repository) = found {
                    return Ok(repository);
                }
            }
        }
        if self.offline {
            return Err(GitError::Offline);
        }
        self.fetched(&program, wanted, observer).await
    }

    async fn fetched(
        &self,
        program: &program::Program,
        wanted: &Wanted,
        observer: Observer<'_>,
    ) -> Result<Repository, GitError> {
        check_url(&wanted.url, &self.options.protocols)?;
        let origin = Origin::Upstream { url: shown_url(&wanted.url) };
        observer(FetchEvent::Started { origin: origin.clone() });
        let repository = Repository::from_address(program, wanted, origin).await?;
        let bundle = repository.bundle().await?;
        self.cache.keep(&bundle, &bundle_path(&wanted.url, repository.commit()))?;
        Ok(repository)
    }
}

/// What is wanted, checked.
pub(crate) struct Wanted {
    pub(crate) url: String,
    pub(crate) commit: Option<Commit>,
    pub(crate) reference: Option<Reference>,
}

impl Wanted {
    fn of(request: &CheckoutRequest) -> Result<Self, GitError> {
        let reference = match (&request.tag, &request.branch) {
            (Some(tag), _) => Some(Reference::tag(tag)?),
            (None, Some(branch)) => Some(Reference::branch(branch)?),
            (None, None) => None,
        };
        let commit = request.commit.as_deref().map(str::parse).transpose()?;
        Ok(Self { url: request.url.clone(), commit, reference })
    }
}

/// Where a commit's bundle is in a cache or mirror, near where Spack has its archives of checkouts.
fn bundle_path(url: &str, commit: &Commit) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    let name = url.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
    let name: String = name.chars().filter(|c| plain(*c)).collect();
    let name = name.trim_start_matches('.');
    format!("_source-cache/git/{}/{commit}.bundle", if name.is_empty() { "repository" } else { name })
}

fn shown_url(url: &str) -> String {
    reqwest::Url::parse(url).map_or_else(|_| "its repository".to_owned(), |url| shown(&url))
}

fn digest(path: &Path) -> Result<String, GitError> {
    let mut hasher = Algorithm::Sha256.hasher();
    hasher.read(fs::File::open(path)?)?;
    Ok(hasher.finish().hex().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bundles_have_plain_names() {
        let commit: Commit = "0123456789012345678901234567890123456789".parse().unwrap();
        let path = |url| bundle_path(url, &commit);
        let name = "0123456789012345678901234567890123456789.bundle";
        assert_eq!(path("https://example.org/a/zlib.git"), format!("_source-cache/git/zlib.git/{name}"));
        assert_eq!(path("https://example.org/../..//"), format!("_source-cache/git/repository/{name}"));
    }
}
