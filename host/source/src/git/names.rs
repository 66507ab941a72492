//! What recipes name: none of it may become an option of git's, or a path.

use std::fmt;
use std::str::FromStr;

use reqwest::Url;

use super::GitError;
use crate::address::shown;

/// A commit in full, in lower case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Commit(String);

impl Commit {
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Commit {
    type Err = GitError;

    fn from_str(text: &str) -> Result<Self, GitError> {
        let digits = text.bytes().all(|byte| byte.is_ascii_hexdigit());
        if digits && (text.len() == 40 || text.len() == 64) {
            Ok(Self(text.to_ascii_lowercase()))
        } else {
            Err(GitError::Commit(text.escape_debug().to_string()))
        }
    }
}

impl fmt::Display for Commit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The full name of a branch or tag, `refs/…`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reference(String);

impl Reference {
    pub(crate) fn tag(name: &str) -> Result<Self, GitError> {
        Self::new("tags", name)
    }

    pub(crate) fn branch(name: &str) -> Result<Self, GitError> {
        Self::new("heads", name)
    }

    /// Stricter than git: nothing that its revision syntax gives a meaning.
    fn new(kind: &str, name: &str) -> Result<Self, GitError> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-/+#".contains(&byte);
        let parts_fine = name.split('/').all(|part| {
            !part.is_empty() && !part.starts_with('.') && !part.starts_with('-') && !part.ends_with(".lock")
        });
        let fine = parts_fine && name.bytes().all(plain) && !name.contains("..") && !name.ends_with('.');
        if fine && name.len() <= 250 {
            Ok(Self(format!("refs/{kind}/{name}")))
        } else {
            Err(GitError::Reference(name.escape_debug().to_string()))
        }
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

/// Whether an address is of a kind that is followed. `host:path` without a scheme is not: write `ssh://`.
pub(crate) fn check_url(address: &str, protocols: &[String]) -> Result<(), GitError> {
    let refuse = |url: String, reason: String| Err(GitError::Address { url, reason });
    let url = match Url::parse(address) {
        Ok(url) if address.contains("://") => url,
        _ => {
            return refuse(
                address.escape_debug().to_string(),
                "it is not an address with a scheme".to_owned(),
            );
        }
    };
    if !protocols.iter().any(|protocol| protocol == url.scheme()) {
        let known = protocols.join(", ");
        let reason = format!(
            "only {known} addresses are; `config:git:protocols` says which, and the recipe may have a better one"
        );
        return refuse(shown(&url), reason);
    }
    // An own test for what `ssh` would take as an option; git has one too.
    if url.host_str().is_some_and(|host| host.starts_with('-')) || address.chars().any(char::is_control) {
        return refuse(shown(&url), "it is malformed".to_owned());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commits_are_given_in_full() {
        let full = "0123456789ABCDEF0123456789abcdef01234567";
        assert_eq!(full.parse::<Commit>().unwrap().as_str(), full.to_lowercase());
        for wrong in ["", "0123456", "--upload-pack=touch /tmp/x", "HEAD", &"g".repeat(40)] {
            assert!(wrong.parse::<Commit>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn names_mean_nothing_else_to_git() {
        assert_eq!(Reference::tag("v1.2-rc1").unwrap().as_str(), "refs/tags/v1.2-rc1");
        assert_eq!(Reference::branch("release/1.x").unwrap().as_str(), "refs/heads/release/1.x");
        for wrong in [
            "",
            "-x",
            "a/-x",
            "a..b",
            "a b",
            "a:b",
            "+a:refs/heads/b",
            "a~1",
            "a^",
            "@{1}",
            "/a",
            "a/",
            ".a",
            "a.lock",
        ] {
            // `+` may stand in a name, but not in front of a refspec: the full name has a folder in front of it.
            assert!(Reference::tag(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn addresses_are_followed_by_scheme() {
        let https = ["https".to_owned()];
        assert!(check_url("https://example.org/a.git", &https).is_ok());
        for wrong in [
            "file:///home/user/private",
            "ext::sh -c touch% /tmp/x",
            "--upload-pack=x",
            "git@example.org:a.git",
            "/home/user/private",
            "ssh://-oProxyCommand=x/a",
            "http://example.org/a.git",
            "",
        ] {
            assert!(check_url(wrong, &https).is_err(), "{wrong}");
        }
        let ssh = ["ssh".to_owned()];
        assert!(check_url("ssh://git@example.org/a.git", &ssh).is_ok());
        assert!(check_url("ssh://-oProxyCommand=x/a", &ssh).is_err());
        let error = check_url("git://user:secret@example.org/a", &https).unwrap_err().to_string();
        assert!(error.contains("git://example.org/a") && !error.contains("secret"), "{error}");
    }
}
