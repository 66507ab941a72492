use secrecy::{ExposeSecret, SecretString};

/// A Spackmon user and the token that never expires. The token cannot be printed, and is wiped when dropped.
#[derive(Clone, Debug)]
pub struct Credentials {
    user: String,
    token: SecretString,
}

/// Why there are no credentials.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CredentialsError {
    /// One of the two is absent or empty. The message is Spack's, word for word.
    #[error("You are required to export SPACKMON_TOKEN and SPACKMON_USER")]
    Missing,
    /// HTTP's Basic scheme ends the name at the first colon.
    #[error("SPACKMON_USER holds a colon, which no Spackmon user name can: export the name alone")]
    ColonInUser,
}

impl Credentials {
    /// Takes the values of `SPACKMON_USER` and `SPACKMON_TOKEN`. Who reads them from the environment also removes
    /// them there.
    ///
    /// # Errors
    /// One is absent or empty, or the name cannot be one.
    pub fn new(user: Option<String>, token: Option<String>) -> Result<Self, CredentialsError> {
        let token = token.map(SecretString::from).filter(|token| !token.expose_secret().is_empty());
        let user = user.filter(|user| !user.is_empty());
        let (Some(user), Some(token)) = (user, token) else { return Err(CredentialsError::Missing) };
        if user.contains(':') { Err(CredentialsError::ColonInUser) } else { Ok(Self { user, token }) }
    }

    /// The user's name, which is no secret.
    pub fn user(&self) -> &str {
        &self.user
    }

    /// The token, for the one request that needs it.
    pub(crate) fn token(&self) -> &str {
        self.token.expose_secret()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn new(user: &str, token: &str) -> Result<Credentials, CredentialsError> {
        Credentials::new(Some(user.into()), Some(token.into()))
    }

    #[test]
    fn both_are_needed() {
        assert_eq!(Credentials::new(None, Some("t".into())).unwrap_err(), CredentialsError::Missing);
        assert_eq!(Credentials::new(Some("u".into()), None).unwrap_err(), CredentialsError::Missing);
        assert_eq!(new("", "t").unwrap_err(), CredentialsError::Missing);
        assert_eq!(new("u", "").unwrap_err(), CredentialsError::Missing);
        assert_eq!(new("a:b", "t").unwrap_err(), CredentialsError::ColonInUser);
    }

    #[test]
    fn the_token_is_not_printed() {
        let credentials = new("spacky", "50445263afd8f67e").unwrap();
        assert!(!format!("{credentials:?} {credentials:#?}").contains("50445263"));
    }
}
