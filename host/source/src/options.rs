//! How archives are fetched.

use crate::apt::AptOptions;
use crate::git::GitOptions;
use crate::mirror::Mirror;
use reqwest::{ClientBuilder, NoProxy, Proxy, Url};
use std::path::PathBuf;
use std::time::Duration;

/// Largest archive that is taken by default: twice the largest that Spack's recipes name.
const MAX_BYTES: u64 = 16 << 30;
const LOOPBACK: &str = "localhost,127.0.0.0/8,::1";

/// How archives are fetched. Nothing of this is read from the environment.
#[derive(Debug, Clone)]
pub struct FetchOptions {
    /// The cache folder, absolute; made where it is missing.
    pub cache_dir: PathBuf,
    /// Mirrors, asked in this order.
    pub mirrors: Vec<Mirror>,
    /// The distribution's source archives as a mirror; none when it is switched off.
    pub apt: Option<AptOptions>,
    /// How states of git repositories are fetched.
    pub git: GitOptions,
    /// Whether only the cache and mirrors in folders are asked.
    pub offline: bool,
    /// Whether archives without a checksum are taken. A stated checksum is verified all the same.
    pub no_checksum: bool,
    /// Largest archive in bytes that is downloaded.
    pub max_bytes: u64,
    /// How long is waited for what.
    pub timeouts: Timeouts,
    /// Through which proxies.
    pub proxy: ProxyPolicy,
}

impl FetchOptions {
    /// Defaults with that cache folder: no mirror, no registry, no proxy.
    pub fn new(cache_dir: PathBuf) -> Self {
        FetchOptions {
            cache_dir,
            mirrors: Vec::new(),
            apt: None,
            git: GitOptions::default(),
            offline: false,
            no_checksum: false,
            max_bytes: MAX_BYTES,
            timeouts: Timeouts::default(),
            proxy: ProxyPolicy::default(),
        }
    }
}

/// How long is waited before the next source is tried.
#[derive(Debug, Clone)]
pub struct Timeouts {
    /// For name look-up, connection and TLS together. A host that takes longer counts as unreachable for the rest of
    /// the run.
    pub connect: Duration,
    /// From the request to the response's headers.
    pub response: Duration,
    /// Between two pieces of the body.
    pub stall: Duration,
    /// Over this time …
    pub slow_window: Duration,
    /// … at least so many bytes have to come.
    pub slow_bytes: u64,
    /// For one address, all tries together.
    pub total: Duration,
    /// How often a download that broke is gone on with.
    pub retries: usize,
    /// Before the first of these; doubled each time.
    pub retry_delay: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Timeouts {
            connect: Duration::from_secs(4),
            response: Duration::from_secs(10),
            stall: Duration::from_secs(15),
            slow_window: Duration::from_secs(30),
            slow_bytes: 30 << 10,
            total: Duration::from_secs(2 * 60 * 60),
            retries: 3,
            retry_delay: Duration::from_millis(500),
        }
    }
}

/// Proxies, as `http_proxy`, `https_proxy` and `no_proxy` state them; read by the caller. Loopback never goes through
/// a proxy.
#[derive(Clone, Default)]
pub struct ProxyPolicy {
    /// For `http` addresses.
    pub http: Option<Url>,
    /// For `https` addresses.
    pub https: Option<Url>,
    /// Hosts that are reached directly, in the form of `no_proxy`.
    pub direct: Option<String>,
}

/// Proxy addresses carry passwords.
impl std::fmt::Debug for ProxyPolicy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ProxyPolicy")
            .field("http", &self.http.as_ref().map(crate::address::shown))
            .field("https", &self.https.as_ref().map(crate::address::shown))
            .field("direct", &self.direct)
            .finish()
    }
}

impl ProxyPolicy {
    pub(crate) fn apply(&self, builder: ClientBuilder) -> Result<ClientBuilder, reqwest::Error> {
        let direct = match &self.direct {
            Some(direct) => format!("{direct},{LOOPBACK}"),
            None => LOOPBACK.to_owned(),
        };
        // Also switches off what the library would read from the environment.
        let mut builder = builder.no_proxy();
        if let Some(url) = &self.http {
            builder = builder.proxy(Proxy::http(url.clone())?.no_proxy(NoProxy::from_string(&direct)));
        }
        if let Some(url) = &self.https {
            builder = builder.proxy(Proxy::https(url.clone())?.no_proxy(NoProxy::from_string(&direct)));
        }
        Ok(builder)
    }
}
