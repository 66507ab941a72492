use reqwest::{Method, StatusCode, Url};

use crate::RequestError;

/// How many redirects one request may take.
pub(crate) const MOST: usize = 5;

/// What to do about an answer that points elsewhere.
///
/// `carries_secret`: the request holds a credential, which never leaves its origin. A POST is repeated with its body
/// at 307 and 308; at 301 and 302 old clients turn it into a GET, so a server that sends those means something else.
pub(crate) fn target(
    method: &Method,
    url: &Url,
    status: StatusCode,
    location: Option<&str>,
    carries_secret: bool,
) -> Result<Url, RequestError> {
    let refuse = |reason: String| RequestError::Redirect { url: url.clone(), reason };
    let location = location.ok_or_else(|| refuse(format!("{status} without saying where to")))?;
    let target = url.join(location).map_err(|error| refuse(format!("`{location}` is no URL: {error}")))?;
    if !matches!(target.scheme(), "http" | "https") {
        return Err(refuse(format!("`{location}` is no http URL")));
    }
    let keeps_body = matches!(status, StatusCode::TEMPORARY_REDIRECT | StatusCode::PERMANENT_REDIRECT);
    if method == Method::POST && !keeps_body {
        return Err(refuse(format!(
            "{status} to {target}, which would lose what is sent; check --monitor-host and --monitor-prefix"
        )));
    }
    let leaves = target.origin() != url.origin();
    if leaves && (carries_secret || method == Method::POST) {
        return Err(refuse(format!(
            "{target} is another origin; name it in --monitor-host if it is the server"
        )));
    }
    Ok(target)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn follow(method: Method, status: u16, location: &str, carries_secret: bool) -> Result<String, String> {
        let url = Url::parse("https://monitor.org/ms1/specs/new").unwrap();
        let status = StatusCode::from_u16(status).unwrap();
        target(&method, &url, status, Some(location), carries_secret)
            .map(String::from)
            .map_err(|error| error.to_string())
    }

    #[test]
    fn a_post_keeps_its_body_or_fails() {
        let there = Ok("https://monitor.org/ms1/specs/new/".to_owned());
        assert_eq!(follow(Method::POST, 307, "/ms1/specs/new/", true), there);
        assert_eq!(follow(Method::POST, 308, "https://monitor.org/ms1/specs/new/", true), there);
        insta::assert_snapshot!(follow(Method::POST, 301, "/ms1/specs/new/", false).unwrap_err(), @"https://monitor.org/ms1/specs/new redirects: 301 Moved Permanently to https://monitor.org/ms1/specs/new/, which would lose what is sent; check --monitor-host and --monitor-prefix");
        assert!(follow(Method::POST, 302, "/ms1/specs/new/", false).is_err());
    }

    #[test]
    fn credentials_stay_at_their_origin() {
        for elsewhere in
            ["https://evil.org/", "http://monitor.org/", "https://monitor.org:8443/", "//evil.org/"]
        {
            assert!(follow(Method::POST, 308, elsewhere, true).is_err(), "{elsewhere}");
            assert!(follow(Method::POST, 308, elsewhere, false).is_err(), "{elsewhere}");
            assert!(follow(Method::GET, 308, elsewhere, true).is_err(), "{elsewhere}");
            assert!(follow(Method::GET, 301, elsewhere, false).is_ok(), "{elsewhere}");
        }
        assert!(follow(Method::GET, 301, "file:///etc/passwd", false).is_err());
    }
}
