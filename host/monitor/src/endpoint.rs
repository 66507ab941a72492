use std::net::{Ipv4Addr, Ipv6Addr};

use reqwest::Url;

use crate::SettingsError;

/// Where the server is unless the user says otherwise.
pub const DEFAULT_HOST: &str = "http://127.0.0.1";

/// Under which path the server has its interface unless the user says otherwise.
pub const DEFAULT_PREFIX: &str = "ms1";

/// The base of all requests: host, `/`, prefix, `/`. Slashes around either are taken as one.
pub(crate) fn base_url(host: &str, prefix: &str) -> Result<Url, SettingsError> {
    let wrong = |reason: String| SettingsError::Host { host: redacted(host), reason };
    if !host.contains("://") {
        return Err(wrong(format!("it has no scheme; write http://{host} or https://{host}")));
    }
    let mut url = Url::parse(host).map_err(|error| wrong(error.to_string()))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(wrong(format!("`{}` is not http or https", url.scheme())));
    }
    if !url.username().is_empty() || url.password().is_some() {
        let reason =
            "it holds a user or password; credentials come from SPACKMON_USER and SPACKMON_TOKEN alone";
        return Err(wrong(reason.to_owned()));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(wrong("a `?` or `#` has no meaning there".to_owned()));
    }
    let parts = [url.path().trim_matches('/'), prefix.trim_matches('/')];
    let path: String = parts.iter().filter(|part| !part.is_empty()).map(|part| format!("{part}/")).collect();
    url.set_path(&path);
    Ok(url)
}

/// The host without the user and password that should not be in it.
fn redacted(host: &str) -> String {
    match (host.find("://"), host.rfind('@')) {
        (Some(scheme), Some(at)) if at > scheme => format!("{}://***{}", &host[..scheme], &host[at..]),
        _ => host.to_owned(),
    }
}

/// Whether requests to `url` stay on this machine.
pub(crate) fn is_loopback(url: &Url) -> bool {
    // Read from the text: the `url` crate, whose `Host` would say it, is no dependency of ours.
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    host == "localhost"
        || host.ends_with(".localhost")
        || host.parse::<Ipv4Addr>().is_ok_and(|address| address.is_loopback())
        || host.parse::<Ipv6Addr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn base(host: &str, prefix: &str) -> String {
        base_url(host, prefix).map_or_else(|error| error.to_string(), String::from)
    }

    #[test]
    fn slashes_do_not_matter() {
        assert_eq!(base(DEFAULT_HOST, DEFAULT_PREFIX), "http://127.0.0.1/ms1/");
        assert_eq!(base("https://monitor-service.io/", "/monitor/"), "https://monitor-service.io/monitor/");
        assert_eq!(base("http://h:8080//", "a/b"), "http://h:8080/a/b/");
        assert_eq!(base("http://h", ""), "http://h/");
    }

    #[test]
    fn wrong_hosts_are_explained() {
        insta::assert_snapshot!(base("127.0.0.1:80", "ms1"), @"the monitor's host `127.0.0.1:80` cannot be used: it has no scheme; write http://127.0.0.1:80 or https://127.0.0.1:80");
        insta::assert_snapshot!(base("ftp://h", "ms1"), @"the monitor's host `ftp://h` cannot be used: `ftp` is not http or https");
        insta::assert_snapshot!(base("http://me:secret@h", "ms1"), @"the monitor's host `http://***@h` cannot be used: it holds a user or password; credentials come from SPACKMON_USER and SPACKMON_TOKEN alone");
        assert!(base("http://", "ms1").contains("cannot be used"));
        assert!(base("http://h?x", "ms1").contains("cannot be used"));
    }

    #[test]
    fn loopback_by_name_and_address() {
        let loopback = |host: &str| is_loopback(&base_url(host, "").unwrap());
        for host in [
            "http://127.0.0.1",
            "http://127.8.9.1:80",
            "https://[::1]:8080",
            "http://LOCALHOST",
            "http://a.localhost",
        ] {
            assert!(loopback(host), "{host}");
        }
        for host in
            ["http://10.0.0.1", "http://127.0.0.1.evil.org", "http://localhost.evil.org", "http://[::2]"]
        {
            assert!(!loopback(host), "{host}");
        }
    }
}
