use std::error::Error;
use std::io;

use reqwest::{StatusCode, Url};

/// Why no client could be made of the settings.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// The host is no URL that a client can use.
    #[error("the monitor's host `{host}` cannot be used: {reason}")]
    Host {
        /// What was given.
        host: String,
        /// Why it is wrong, and what would be right.
        reason: String,
    },
    /// Credentials would cross the network readable for everybody.
    #[error(
        "the monitor's host {origin} is reached without TLS, and `monitor:require-tls` forbids to send credentials \
         there: use an https URL in --monitor-host"
    )]
    TlsRequired {
        /// The origin of the host.
        origin: String,
    },
    /// The TLS or HTTP library could not be set up.
    #[error("the HTTP client could not be set up: {reason}")]
    Setup {
        /// Why.
        reason: String,
    },
}

/// Why the first request, the one that asks whether there is a Spackmon server, failed.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// Nothing answered.
    #[error(
        "{reason}: no Spackmon server answers at {url} (--monitor-host and --monitor-prefix name another)"
    )]
    Unreachable {
        /// The URL that was asked.
        url: Url,
        /// Why, with the system's number where there is one: `[Errno 111] Connection refused`.
        reason: String,
    },
    /// Something answered that it cannot or will not serve.
    #[error("{status} from {url}: {reason} (is --monitor-prefix right?)")]
    Refused {
        /// The URL that was asked.
        url: Url,
        /// The status line's number and text.
        status: StatusCode,
        /// What the answer's body says.
        reason: String,
    },
    /// The answer is not that of a Spackmon server.
    #[error("{url} answers, but not as a Spackmon server does: {reason}")]
    NotSpackmon {
        /// The URL that was asked.
        url: Url,
        /// What is wrong with the answer.
        reason: String,
    },
}

/// Why a later request failed, after all tries.
#[derive(Debug, thiserror::Error)]
pub enum RequestError {
    /// No answer came.
    #[error("no answer from {url}: {reason}")]
    Transport {
        /// The URL that was asked.
        url: Url,
        /// Why.
        reason: String,
    },
    /// The server says no.
    #[error("{status} from {url}: {reason}")]
    Status {
        /// The URL that was asked.
        url: Url,
        /// The status line's number and text.
        status: StatusCode,
        /// What the answer's body says.
        reason: String,
    },
    /// The server sends the client elsewhere, and following would lose or leak something.
    #[error("{url} redirects: {reason}")]
    Redirect {
        /// The URL that was asked.
        url: Url,
        /// Where to, and why that is not followed.
        reason: String,
    },
    /// There is no valid bearer token to be had.
    #[error(transparent)]
    Auth(#[from] AuthError),
    /// The server says yes, but not what was asked.
    #[error("the answer from {url} cannot be read: {reason}")]
    Answer {
        /// The URL that was asked.
        url: Url,
        /// What is wrong.
        reason: String,
    },
    /// The request could not be written as JSON.
    #[error("a request for {url} could not be written: {reason}")]
    Body {
        /// The URL that would have been asked.
        url: Url,
        /// Why.
        reason: String,
    },
}

impl RequestError {
    /// Whether the server is alive and refused just this request, so that others may go well.
    pub fn is_answer(&self) -> bool {
        match self {
            Self::Status { .. } | Self::Answer { .. } | Self::Body { .. } => true,
            Self::Transport { .. } | Self::Redirect { .. } | Self::Auth(_) => false,
        }
    }
}

/// Why the client could not authenticate.
#[derive(Debug, thiserror::Error)]
pub enum AuthError {
    /// The server wants a token, and there are no credentials.
    #[error(
        "Unauthorized: {url} requires authentication; export SPACKMON_USER and SPACKMON_TOKEN, and leave out \
         --monitor-disable-auth"
    )]
    NoCredentials {
        /// The URL that was asked.
        url: Url,
    },
    /// A fresh token was not accepted either, or the server does not say where to get one.
    #[error("Unauthorized: {url} answers 401 {detail}")]
    Unauthorized {
        /// The URL that was asked.
        url: Url,
        /// To what.
        detail: &'static str,
    },
    /// The token endpoint does not know the user or the token.
    #[error("Forbidden: {realm} does not accept SPACKMON_USER `{user}` with the given SPACKMON_TOKEN")]
    Forbidden {
        /// The token endpoint.
        realm: Url,
        /// The user's name.
        user: String,
    },
    /// The challenge cannot be used.
    #[error("the authentication challenge of {url} cannot be used: {reason}")]
    Challenge {
        /// The URL that was asked.
        url: Url,
        /// Why.
        reason: String,
    },
    /// The server wants the credentials sent to somebody else.
    #[error(
        "{origin} asks for the credentials to be sent to {realm}, which is another origin: refused. If that is the \
         same server, name it so in --monitor-host"
    )]
    ForeignRealm {
        /// The configured origin.
        origin: String,
        /// Where the credentials should go.
        realm: String,
    },
}

/// What a person reads of a request that got no answer: the system's own words where there are some.
pub(crate) fn transport_reason(error: &reqwest::Error) -> String {
    let chain = || std::iter::successors(error.source(), |error| (*error).source());
    if let Some((number, text)) = chain().find_map(system_error) {
        format!("[Errno {number}] {text}")
    } else if error.is_timeout() {
        "the server did not answer in time".to_owned()
    } else {
        chain().last().map_or_else(|| error.to_string(), ToString::to_string)
    }
}

fn system_error(error: &(dyn Error + 'static)) -> Option<(i32, String)> {
    let number = error.downcast_ref::<io::Error>()?.raw_os_error()?;
    let text = io::Error::from_raw_os_error(number).to_string();
    let end = text.find(" (os error").unwrap_or(text.len());
    Some((number, text[..end].to_owned()))
}
