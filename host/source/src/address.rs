//! Addresses as they may be shown.

use reqwest::Url;

/// An address without user name, password, query and fragment: the places where credentials are.
pub(crate) fn shown(url: &Url) -> String {
    let mut url = url.clone();
    // Neither fails but for addresses that have no host, and so no credentials.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.set_fragment(None);
    if url.query().is_some() {
        url.set_query(Some("…"));
    }
    url.to_string().replace("?%E2%80%A6", "?…")
}

/// What a connection is made to.
pub(crate) fn host_and_port(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    match url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_not_shown() {
        let url = Url::parse("https://user:secret@example.org:8443/a/b.tar.gz?token=secret#secret").unwrap();
        assert_eq!(shown(&url), "https://example.org:8443/a/b.tar.gz?…");
        assert_eq!(host_and_port(&url), "example.org:8443");
    }
}
