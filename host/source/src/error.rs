//! Why an archive could not be had.

use crate::git::GitError;
use crate::request::Origin;
use std::path::PathBuf;

/// A fetch that failed.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// The recipe states no checksum for any archive of this version.
    #[error(
        "cannot fetch {spec}: its recipe states no checksum for this version, so nothing can vouch for what is \
         downloaded"
    )]
    NoChecksum {
        /// `name@version`.
        spec: String,
    },
    /// No source has the archive.
    #[error("cannot fetch {spec}: {}", list(.failures, .offline))]
    Nowhere {
        /// `name@version`.
        spec: String,
        /// Each source that was asked, and why it could not help.
        failures: Vec<SourceFailure>,
        /// Whether sources were left out because of `--offline`.
        offline: bool,
    },
    /// A state of a repository cannot be had.
    #[error("cannot fetch {spec}: {source}")]
    Git {
        /// `name@version`.
        spec: String,
        /// Why.
        source: GitError,
    },
    /// The cache folder cannot be used.
    #[error("cannot fetch {spec}: the source cache cannot be used: {source}")]
    Cache {
        /// `name@version`.
        spec: String,
        /// What failed, with its path.
        source: std::io::Error,
    },
}

/// A source that was asked in vain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceFailure {
    /// The source.
    pub origin: Origin,
    /// Why, as the end of a sentence.
    pub reason: String,
}

impl FetchError {
    /// What the user can do.
    pub fn hints(&self) -> Vec<String> {
        match self {
            FetchError::NoChecksum { .. } => vec![
                "add the archive's sha256 to the recipe, or use --no-checksum to take whatever is downloaded"
                    .to_owned(),
            ],
            FetchError::Nowhere { offline: true, .. } => {
                vec!["leave --offline out, or add a mirror that can be reached".to_owned()]
            }
            FetchError::Nowhere { .. } => {
                vec!["add a mirror that has the archive: `mirrors:` in the configuration".to_owned()]
            }
            FetchError::Git { source, .. } => source.hints(),
            FetchError::Cache { .. } => vec!["`config:source_cache` names another folder".to_owned()],
        }
    }
}

fn list(failures: &[SourceFailure], offline: &bool) -> String {
    let mut lines = vec![match (failures, offline) {
        ([], true) => "it is not in the cache, and --offline leaves no other source".to_owned(),
        ([], false) => "it is not in the cache, and there is no other source".to_owned(),
        _ => "no source could give the archive".to_owned(),
    }];
    lines.extend(failures.iter().map(|failure| format!("  {}: {}", failure.origin, failure.reason)));
    lines.join("\n")
}

/// A fetcher that could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// The program has not installed a TLS provider (`rustls::crypto::CryptoProvider::install_default`).
    #[error("no TLS provider is installed in this process")]
    NoTlsProvider,
    /// The HTTP client could not be built: an unusable proxy, or no certificates.
    #[error("cannot set up the HTTP client: {0}")]
    Client(#[from] reqwest::Error),
    /// A mirror's address is neither a path nor a `file`, `http` or `https` address.
    #[error(
        "mirror `{name}` has the address {url:?}, which is neither a folder nor a file, http or https address"
    )]
    Mirror {
        /// The mirror's name.
        name: String,
        /// Its address.
        url: String,
    },
    /// The cache folder is no absolute path.
    #[error("the source cache {} is no absolute path", .0.display())]
    CacheFolder(PathBuf),
}
