use std::fmt;

use reqwest::{NoProxy, Proxy, Url};

use crate::endpoint::is_loopback;

/// Proxies, as `http_proxy`, `https_proxy` and `no_proxy` state them; read by the caller. Loopback never goes through
/// a proxy.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Proxies {
    /// For `http` addresses.
    pub http: Option<String>,
    /// For `https` addresses.
    pub https: Option<String>,
    /// Hosts that are reached directly, in the form of `no_proxy`.
    pub direct: Option<String>,
}

/// Proxy addresses may hold passwords.
impl fmt::Debug for Proxies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Proxies").field("direct", &self.direct).finish_non_exhaustive()
    }
}

impl Proxies {
    /// Also switches off what the library would read from the environment.
    pub(crate) fn apply(
        &self,
        builder: reqwest::ClientBuilder,
        base: &Url,
    ) -> reqwest::Result<reqwest::ClientBuilder> {
        let mut builder = builder.no_proxy();
        if is_loopback(base) {
            return Ok(builder);
        }
        let direct = || self.direct.as_deref().and_then(NoProxy::from_string);
        if let Some(url) = &self.http {
            builder = builder.proxy(Proxy::http(url)?.no_proxy(direct()));
        }
        if let Some(url) = &self.https {
            builder = builder.proxy(Proxy::https(url)?.no_proxy(direct()));
        }
        Ok(builder)
    }
}
