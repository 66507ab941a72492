//! What is asked for, and what comes back.

use crate::checksum::Checksum;
use std::fmt;
use std::path::PathBuf;

/// The archive of one version of a package.
#[derive(Debug, Clone)]
pub struct Request {
    /// Name of the package, for messages and for the second form of mirror paths.
    pub package: String,
    /// Version, likewise.
    pub version: String,
    /// Of a further source of the package, such as a resource or a patch: its name.
    pub resource: Option<String>,
    /// The archives of this release, any of which will do. There are several where distributions repack what upstream
    /// published.
    pub archives: Vec<ArchiveChoice>,
    /// Whether the file is an archive to be unpacked. A web page in its place is then told at once.
    pub expand: bool,
}

impl Request {
    pub(crate) fn spec(&self) -> String {
        let package = format!("{}@{}", self.package, self.version);
        match &self.resource {
            Some(resource) => format!("{resource} of {package}"),
            None => package,
        }
    }
}

/// One archive: its checksum and where it may be.
#[derive(Debug, Clone)]
pub struct ArchiveChoice {
    /// The checksum that the recipe states.
    pub checksum: Option<Checksum>,
    /// Addresses, tried in this order. Only `http` and `https` are followed.
    pub urls: Vec<String>,
    /// The extension, without leading dot, of the file in mirror and cache; by default that of the first address.
    pub extension: Option<String>,
}

/// Extensions of which the part before the last dot counts too, and the short forms of the same.
const EXTENSIONS: &[&str] = &[
    "tar.gz", "tar.bz2", "tar.xz", "tar.zst", "tar.lz", "tar.lzma", "tar.Z", "tgz", "tbz2", "tbz", "txz",
    "tar", "zip", "gz", "bz2", "xz", "zst", "Z", "whl", "jar",
];

impl ArchiveChoice {
    /// The file's name upstream: what a file that is no archive is called in the stage.
    pub fn file_name(&self) -> Option<&str> {
        let path = self.urls.first()?.split(['?', '#']).next()?;
        let name = path.rsplit('/').next().filter(|_| path.contains("://"))?;
        (is_plain(name) && !name.starts_with('.')).then_some(name)
    }

    /// Extension as Spack's mirrors have it, if one is known.
    pub(crate) fn extension(&self) -> Option<&str> {
        let stated = self.extension.as_deref().map(|extension| extension.trim_start_matches('.'));
        stated.or_else(|| self.urls.iter().find_map(|url| url_extension(url))).filter(|e| is_plain(e))
    }
}

/// The archive extension at the end of an address's path.
fn url_extension(url: &str) -> Option<&str> {
    let path = url.split(['?', '#']).next().unwrap_or(url);
    EXTENSIONS
        .iter()
        .find(|extension| path.strip_suffix(*extension).is_some_and(|stem| stem.ends_with('.')))
        .map(|extension| &path[path.len() - extension.len()..])
}

/// Extensions become part of a path.
fn is_plain(extension: &str) -> bool {
    !extension.is_empty()
        && extension.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-+".contains(&byte))
}

/// An archive in the cache.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetched {
    /// Where it lies: in the cache folder, in the layout of a Spack mirror.
    pub path: PathBuf,
    /// The checksum that was verified; with `no_checksum`, the SHA-256 that it happens to have.
    pub checksum: Checksum,
    /// Where it came from.
    pub origin: Origin,
    /// Bytes.
    pub size: u64,
}

/// A place that archives come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// The local cache.
    Cache,
    /// A configured mirror.
    Mirror {
        /// Its name in the configuration.
        name: String,
        /// Address of the archive in it, without credentials.
        url: String,
    },
    /// An address of the recipe, without credentials.
    Upstream {
        /// The address.
        url: String,
    },
    /// The package registry of another ecosystem that has the very same archive.
    Registry {
        /// `apt`.
        name: &'static str,
        /// What the registry calls the archive; empty until it has been looked up.
        archive: String,
    },
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Cache => f.write_str("the source cache"),
            Origin::Mirror { name, url } => write!(f, "mirror `{name}` ({url})"),
            Origin::Upstream { url } => f.write_str(url),
            Origin::Registry { name, archive } if archive.is_empty() => {
                write!(f, "the {name} source archives")
            }
            Origin::Registry { name, archive } => write!(f, "the {name} source archives ({archive})"),
        }
    }
}

/// What happens during a fetch, for whoever shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FetchEvent {
    /// Another process or build is fetching the same archive; this one waits for it.
    Waiting,
    /// A source is being tried.
    Started {
        /// The source.
        origin: Origin,
    },
    /// A download goes on where an earlier one was cut off.
    Resumed {
        /// Bytes that are there already.
        at: u64,
    },
    /// Bytes so far.
    Progress {
        /// Bytes of this archive that are here.
        bytes: u64,
        /// Size of the archive, where the source says it.
        total: Option<u64>,
    },
    /// A source cannot give the archive.
    SourceFailed {
        /// The source.
        origin: Origin,
        /// Why, as the end of a sentence.
        reason: String,
        /// What is tried next, if anything is left.
        next: Option<Origin>,
    },
    /// The archive is here and has its checksum.
    Verified {
        /// The checksum.
        checksum: Checksum,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extensions_of_addresses() {
        let of = url_extension;
        assert_eq!(of("https://example.org/zlib-1.3.tar.gz"), Some("tar.gz"));
        assert_eq!(of("https://example.org/a/v1.0.tgz?download=1#x"), Some("tgz"));
        assert_eq!(of("https://example.org/a.zip"), Some("zip"));
        assert_eq!(of("https://example.org/archive/v1.0"), None);
        assert_eq!(of("https://example.org/gz"), None);
        let choice = |extension: &str| ArchiveChoice {
            checksum: None,
            urls: vec!["https://example.org/x.tar.xz".into()],
            extension: Some(extension.into()),
        };
        assert_eq!(choice("tar.gz").extension(), Some("tar.gz"));
        assert_eq!(choice(".tar.gz").extension(), Some("tar.gz"));
        assert_eq!(choice("sh").file_name(), Some("x.tar.xz"));
        let at = |url: &str| ArchiveChoice { checksum: None, urls: vec![url.into()], extension: None };
        assert_eq!(at("https://example.org/get.php?f=/x/install.sh").file_name(), Some("get.php"));
        assert_eq!(at("https://example.org/..").file_name(), None);
        assert_eq!(at("https://example.org/").file_name(), None);
        assert_eq!(choice("../../x").extension(), None);
    }
}
