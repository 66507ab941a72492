use reqwest::Url;
use serde::Deserialize;

use crate::AuthError;

/// What a server says in `WWW-Authenticate` of how to get a bearer token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Challenge {
    /// Where to ask for one.
    pub(crate) realm: String,
    /// For which service, repeated to the realm.
    pub(crate) service: Option<String>,
}

impl Challenge {
    /// Reads a list of `key="value"`, with or without a scheme word in front: the real server sends none.
    pub(crate) fn parse(header: &str) -> Option<Self> {
        let (mut realm, mut service) = (None, None);
        let mut rest = without_scheme(header);
        while let Some((key, value, behind)) = parameter(rest) {
            match key.to_ascii_lowercase().as_str() {
                "realm" => realm = Some(value),
                "service" => service = Some(value),
                _ => {}
            }
            rest = behind;
        }
        Some(Self { realm: realm?, service })
    }
}

fn without_scheme(header: &str) -> &str {
    let header = header.trim_start();
    match header.split_once(' ') {
        Some((word, rest)) if !word.contains('=') => rest,
        _ => header,
    }
}

/// One `key=value` or `key="value"`, and what is behind it.
fn parameter(text: &str) -> Option<(&str, String, &str)> {
    let text = text.trim_start_matches([' ', '\t', ',']);
    let (key, rest) = text.split_once('=')?;
    let rest = rest.trim_start();
    let Some(quoted) = rest.strip_prefix('"') else {
        let end = rest.find(',').unwrap_or(rest.len());
        return Some((key.trim(), rest[..end].trim().to_owned(), &rest[end..]));
    };
    let mut value = String::new();
    let mut characters = quoted.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return Some((key.trim(), value, &quoted[at + 1..])),
            '\\' => value.extend(characters.next().map(|(_, escaped)| escaped)),
            _ => value.push(character),
        }
    }
    None
}

/// Where the credentials may be sent: the realm, when it lies at the configured origin.
///
/// A server behind a TLS proxy does not see the TLS and names a realm with `http`. Such a realm is asked over the
/// scheme and port of the base.
pub(crate) fn token_url(base: &Url, realm: &str) -> Result<Url, AuthError> {
    let foreign =
        || AuthError::ForeignRealm { origin: base.origin().ascii_serialization(), realm: realm.to_owned() };
    let mut url = base.join(realm).map_err(|_| foreign())?;
    let behind_proxy = base.scheme() == "https" && url.scheme() == "http" && url.host() == base.host();
    if behind_proxy {
        let moved = url.set_scheme(base.scheme()).and_then(|()| url.set_port(base.port()));
        moved.map_err(|()| foreign())?;
    }
    let bare = url.username().is_empty() && url.password().is_none();
    if bare && url.origin() == base.origin() { Ok(url) } else { Err(foreign()) }
}

/// The answer of the token endpoint.
#[derive(Deserialize)]
pub(crate) struct TokenAnswer {
    pub(crate) token: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn challenges_with_and_without_scheme_word() {
        let real =
            r#"realm="http://127.0.0.1:8080/auth/token/",service="http://127.0.0.1:8080",scope="build""#;
        let expected = Challenge {
            realm: "http://127.0.0.1:8080/auth/token/".into(),
            service: Some("http://127.0.0.1:8080".into()),
        };
        assert_eq!(Challenge::parse(real), Some(expected.clone()));
        assert_eq!(Challenge::parse(&format!("Bearer {real}")), Some(expected.clone()));
        assert_eq!(Challenge::parse(&real.replace(',', " , ")), Some(expected));
    }

    #[test]
    fn odd_challenges() {
        let realm = |header| Challenge::parse(header).map(|challenge| challenge.realm);
        assert_eq!(realm(r#"Bearer scope="a,b", REALM="/auth\"x,y""#), Some(r#"/auth"x,y"#.into()));
        assert_eq!(realm("realm=/auth/token/"), Some("/auth/token/".into()));
        for broken in ["", "Bearer", "Basic abc", r#"realm="unclosed"#, r#"service="x""#, "=", "\""] {
            assert_eq!(realm(broken), None, "{broken}");
        }
    }

    #[test]
    fn credentials_go_to_the_configured_origin_only() {
        let ask =
            |base: &str, realm: &str| token_url(&Url::parse(base).unwrap(), realm).map(String::from).ok();
        let there = |url: &str| Some(url.to_owned());
        assert_eq!(ask("http://h:80/ms1/", "http://h/auth/token/"), there("http://h/auth/token/"));
        assert_eq!(ask("https://h:8443/ms1/", "http://h/auth/token/"), there("https://h:8443/auth/token/"));
        assert_eq!(ask("https://h/ms1/", "http://h:8000/auth/token/"), there("https://h/auth/token/"));
        assert_eq!(ask("https://h/ms1/", "/auth/token/"), there("https://h/auth/token/"));
        for (base, realm) in [
            ("http://h/ms1/", "http://evil/auth/token/"),
            ("http://h/ms1/", "http://h:81/auth/token/"),
            ("http://h/ms1/", "https://h/auth/token/"),
            ("https://h/ms1/", "https://h:444/auth/token/"),
            ("https://h/ms1/", "http://h.evil/auth/token/"),
            ("https://h/ms1/", "//evil/auth/token/"),
            ("https://h/ms1/", "https://h@evil/auth/token/"),
            ("https://h/ms1/", "https://x:y@h/auth/token/"),
            ("https://h/ms1/", "file:///auth/token/"),
        ] {
            assert_eq!(ask(base, realm), None, "{realm}");
        }
    }
}
