//! `mirrors:`, as Spack writes them, and registry mirrors.

use serde::Deserialize;
use serde::de::IgnoredAny;

/// One mirror: an address, or more about it.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged, expecting = "a folder or an address is expected, or keys such as `url` and `source`")]
pub(super) enum MirrorEntry {
    /// Its address.
    Url(String),
    /// More about it.
    Described(Description),
}

/// What may be said of a mirror.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Description {
    url: Option<String>,
    fetch: Option<Connection>,
    #[serde(default = "yes")]
    source: bool,
}

/// Where to fetch from: an address, or more about it.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
enum Connection {
    Url(String),
    Described {
        url: Option<String>,
        #[serde(rename = "access_pair")]
        _credentials: Option<IgnoredAny>,
    },
}

/// A distribution's source packages as a mirror.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum RegistryMirror {
    /// Debian's and its descendants'.
    Apt,
}

/// A kind of repository address that git may follow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum GitProtocol {
    /// HTTP over TLS.
    Https,
    /// HTTP in the clear.
    Http,
    /// Git's own, in the clear.
    Git,
    /// With the user's keys.
    Ssh,
    /// Repositories on this machine, with the user's rights.
    File,
}

impl GitProtocol {
    /// The scheme of its addresses.
    pub(super) fn scheme(self) -> &'static str {
        match self {
            Self::Https => "https",
            Self::Http => "http",
            Self::Git => "git",
            Self::Ssh => "ssh",
            Self::File => "file",
        }
    }
}

fn yes() -> bool {
    true
}

impl MirrorEntry {
    /// The address that archives are fetched from; none of a mirror for binaries only.
    pub(super) fn source_url(&self) -> Option<&str> {
        match self {
            Self::Url(url) => Some(url),
            Self::Described(Description { source: false, .. }) => None,
            Self::Described(Description { url, fetch, .. }) => {
                let fetch = match fetch {
                    Some(Connection::Url(url)) => Some(url),
                    Some(Connection::Described { url, .. }) => url.as_ref(),
                    None => None,
                };
                fetch.or(url.as_ref()).map(String::as_str)
            }
        }
    }
}
