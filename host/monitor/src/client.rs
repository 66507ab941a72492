use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue, LOCATION, RETRY_AFTER, USER_AGENT};
use reqwest::{Method, Response, StatusCode, Url, redirect};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;

use crate::answer::{body_of, reason_of_status};
use crate::auth::{Challenge, TokenAnswer, token_url};
use crate::endpoint::{DEFAULT_HOST, DEFAULT_PREFIX, base_url, is_loopback};
use crate::error::transport_reason;
use crate::proxy::Proxies;
use crate::redirect as redirection;
use crate::retry::{Schedule, is_passing, retry_after};
use crate::wire::{
    BuildAnswer, BuildId, BuildRequest, PhaseRequest, ServiceInfo, SpecRequest, StatusRequest,
};
use crate::{AuthError, ConnectError, Credentials, RequestError, RetryPolicy, SettingsError, json};

/// How to reach a Spackmon server.
#[derive(Clone, Debug)]
pub struct ClientSettings {
    /// Scheme, name and perhaps port, as `--monitor-host` has it.
    pub host: String,
    /// The path of the interface, as `--monitor-prefix` has it.
    pub prefix: String,
    /// Nothing when the server wants no authentication.
    pub credentials: Option<Credentials>,
    /// Whether credentials may not cross the network without TLS.
    pub require_tls: bool,
    /// Proxies for servers that are not on this machine.
    pub proxies: Proxies,
    /// What the client calls itself, for example `spack-wasm-0.1.0`.
    pub agent: String,
    /// How long one try may take.
    pub timeout: Duration,
    /// How often a request is tried.
    pub retry: RetryPolicy,
}

impl ClientSettings {
    /// The defaults of `--monitor`, without credentials.
    pub fn new(agent: impl Into<String>) -> Self {
        Self {
            host: DEFAULT_HOST.to_owned(),
            prefix: DEFAULT_PREFIX.to_owned(),
            credentials: None,
            require_tls: false,
            proxies: Proxies::default(),
            agent: agent.into(),
            timeout: Duration::from_secs(30),
            retry: RetryPolicy::default(),
        }
    }
}

/// A client of one Spackmon server. Clones share the connection and the bearer token.
#[derive(Clone, Debug)]
pub struct Client {
    shared: Arc<Shared>,
    retry: RetryPolicy,
}

#[derive(Debug)]
struct Shared {
    http: reqwest::Client,
    base: Url,
    credentials: Option<Credentials>,
    timeout: Duration,
    bearer: Mutex<Option<SecretString>>,
}

/// What the token endpoint's log knows the Spack client by.
const TOKEN_AGENT: &str = "spackmoncli";

impl Client {
    /// Prepares a client; nothing is sent yet.
    ///
    /// # Errors
    /// The host is no usable URL, or TLS is required and the host has none.
    pub fn new(settings: ClientSettings) -> Result<Self, SettingsError> {
        let base = base_url(&settings.host, &settings.prefix)?;
        if settings.require_tls && settings.credentials.is_some() && exposes_credentials(&base) {
            return Err(SettingsError::TlsRequired { origin: base.origin().ascii_serialization() });
        }
        let http = http_client(&settings, &base).map_err(|error| SettingsError::Setup {
            reason: std::error::Error::source(&error).map_or_else(|| error.to_string(), ToString::to_string),
        })?;
        let ClientSettings { credentials, timeout, retry, .. } = settings;
        let shared = Shared { http, base, credentials, timeout, bearer: Mutex::new(None) };
        Ok(Self { shared: Arc::new(shared), retry })
    }

    /// The same client with another policy.
    #[must_use]
    pub fn with_retry(&self, retry: RetryPolicy) -> Self {
        Self { shared: Arc::clone(&self.shared), retry }
    }

    /// The URL that all paths are under.
    pub fn base(&self) -> &Url {
        &self.shared.base
    }

    /// A warning to show once, when the credentials will cross the network readable for everybody.
    pub fn warning(&self) -> Option<String> {
        let exposed = self.shared.credentials.is_some() && exposes_credentials(&self.shared.base);
        exposed.then(|| {
            format!(
                "the Spackmon credentials go to {} without TLS, readable on the way; use an https URL, or set \
                 `monitor:require-tls` to forbid this",
                self.shared.base.origin().ascii_serialization()
            )
        })
    }

    /// Asks whether a Spackmon server is there, once and without credentials.
    ///
    /// # Errors
    /// There is none; the message says which address was asked.
    pub async fn check(&self) -> Result<ServiceInfo, ConnectError> {
        let url = self.base().clone();
        let answer = self.send(&Method::GET, &url, None, None, self.shared.timeout).await;
        let response = match answer {
            Ok(response) => response,
            Err(RequestError::Transport { url, reason }) => {
                return Err(ConnectError::Unreachable { url, reason });
            }
            Err(error) => return Err(ConnectError::NotSpackmon { url, reason: error.to_string() }),
        };
        let status = response.status();
        let body = body_of(response).await;
        if !status.is_success() {
            let reason = reason_of_status(status, &body.unwrap_or_default());
            return Err(ConnectError::Refused { url, status, reason });
        }
        let body = body.map_err(|reason| ConnectError::NotSpackmon { url: url.clone(), reason })?;
        serde_json::from_slice(&body)
            .map_err(|error| ConnectError::NotSpackmon { url, reason: error.to_string() })
    }

    /// Registers a spec.
    ///
    /// # Errors
    /// The request failed for good.
    pub async fn new_spec(&self, spec: &SpecRequest) -> Result<(), RequestError> {
        self.post("specs/new/", spec).await.map(drop)
    }

    /// Asks for the id of a build, which the server makes when it does not know the build.
    ///
    /// # Errors
    /// The request failed for good.
    pub async fn new_build(&self, build: &BuildRequest) -> Result<BuildId, RequestError> {
        let answer = self.post("builds/new/", build).await?;
        self.build_id(&answer)
    }

    /// Reports how a phase ended.
    ///
    /// # Errors
    /// The request failed for good.
    pub async fn update_phase(&self, phase: &PhaseRequest) -> Result<(), RequestError> {
        self.post("builds/phases/update/", phase).await.map(drop)
    }

    /// Reports the state of a build.
    ///
    /// # Errors
    /// The request failed for good.
    pub async fn update_build(&self, status: &StatusRequest) -> Result<(), RequestError> {
        self.post("builds/update/", status).await.map(drop)
    }

    /// As [`Client::new_spec`], with a body that was written before.
    pub(crate) async fn new_spec_text(&self, body: Vec<u8>) -> Result<(), RequestError> {
        self.post_text("specs/new/", body).await.map(drop)
    }

    /// As [`Client::new_build`], with a body that was written before.
    pub(crate) async fn new_build_text(&self, body: Vec<u8>) -> Result<BuildId, RequestError> {
        let answer = self.post_text("builds/new/", body).await?;
        self.build_id(&answer)
    }

    /// Posts JSON to a path under the base, and gives the body of the answer.
    pub(crate) async fn post<T: Serialize>(&self, path: &str, value: &T) -> Result<Vec<u8>, RequestError> {
        let body = json::to_ascii(value)
            .map_err(|error| RequestError::Body { url: self.url(path), reason: error.to_string() })?;
        self.post_text(path, body).await
    }

    async fn post_text(&self, path: &str, body: Vec<u8>) -> Result<Vec<u8>, RequestError> {
        let url = self.url(path);
        let mut schedule = self.retry.schedule();
        loop {
            let (error, asked) = match self.attempt(&url, &body, &schedule).await {
                Ok(response) if response.status().is_success() => {
                    return body_of(response).await.map_err(|reason| RequestError::Answer { url, reason });
                }
                Ok(response) => self.failure(&url, response).await,
                Err(error) => (error, None),
            };
            let passing = match &error {
                RequestError::Transport { .. } => true,
                RequestError::Status { status, .. } => is_passing(*status),
                _ => false,
            };
            let Some(delay) = passing.then(|| schedule.next(asked)).flatten() else { return Err(error) };
            tokio::time::sleep(delay).await;
        }
    }

    async fn failure(&self, url: &Url, response: Response) -> (RequestError, Option<Duration>) {
        let asked = response.headers().get(RETRY_AFTER).and_then(|value| retry_after(value.to_str().ok()?));
        let status = response.status();
        let reason = reason_of_status(status, &body_of(response).await.unwrap_or_default());
        (RequestError::Status { url: url.clone(), status, reason }, asked)
    }

    /// One try, which a challenge makes two.
    async fn attempt(&self, url: &Url, body: &[u8], schedule: &Schedule) -> Result<Response, RequestError> {
        // One try has its time even when the schedule allows no second one.
        let timeout =
            if self.retry.tries > 1 { self.shared.timeout.min(schedule.left()) } else { self.shared.timeout };
        let bearer = self.bearer();
        let response = self.send(&Method::POST, url, Some(body), bearer.as_ref(), timeout).await?;
        if response.status() != StatusCode::UNAUTHORIZED {
            return Ok(response);
        }
        let bearer = self.renew(url, &response, timeout).await?;
        let response = self.send(&Method::POST, url, Some(body), Some(&bearer), timeout).await?;
        if response.status() == StatusCode::UNAUTHORIZED {
            return Err(AuthError::Unauthorized { url: url.clone(), detail: "to a fresh token" }.into());
        }
        Ok(response)
    }

    /// Gets a new bearer token from where the challenge in `response` says.
    async fn renew(
        &self,
        url: &Url,
        response: &Response,
        timeout: Duration,
    ) -> Result<SecretString, RequestError> {
        let Some(credentials) = &self.shared.credentials else {
            return Err(AuthError::NoCredentials { url: url.clone() }.into());
        };
        let header = response.headers().get(reqwest::header::WWW_AUTHENTICATE);
        let header = header.ok_or_else(|| AuthError::Unauthorized {
            url: url.clone(),
            detail: "without saying how to authenticate",
        })?;
        let challenge = header.to_str().ok().and_then(Challenge::parse).ok_or_else(|| {
            AuthError::Challenge { url: url.clone(), reason: format!("no realm in {header:?}") }
        })?;
        let realm = token_url(self.base(), &challenge.realm)?;
        let token = self.ask_token(&realm, &challenge, credentials, timeout).await?;
        *self.shared.bearer.lock().unwrap_or_else(PoisonError::into_inner) = Some(token.clone());
        Ok(token)
    }

    async fn ask_token(
        &self,
        realm: &Url,
        challenge: &Challenge,
        credentials: &Credentials,
        timeout: Duration,
    ) -> Result<SecretString, RequestError> {
        let mut request = self.shared.http.get(realm.clone()).timeout(timeout);
        request = request.basic_auth(credentials.user(), Some(credentials.token()));
        if let Some(service) = &challenge.service {
            request = request.header("Service", service);
        }
        let request = request.header(ACCEPT, "application/json").header(USER_AGENT, TOKEN_AGENT);
        let response = request.send().await.map_err(|error| transport(realm, &error))?;
        match response.status() {
            status if status.is_success() => {}
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                let user = credentials.user().to_owned();
                return Err(AuthError::Forbidden { realm: realm.clone(), user }.into());
            }
            _ => return Err(self.failure(realm, response).await.0),
        }
        let answer = |reason| RequestError::Answer { url: realm.clone(), reason };
        let body = body_of(response).await.map_err(answer)?;
        // The parser's message could quote the token.
        let parsed: TokenAnswer =
            serde_json::from_slice(&body).map_err(|_| answer("there is no `token` in it".to_owned()))?;
        Ok(parsed.token.into())
    }

    /// Sends one request and follows its redirects.
    async fn send(
        &self,
        method: &Method,
        url: &Url,
        body: Option<&[u8]>,
        bearer: Option<&SecretString>,
        timeout: Duration,
    ) -> Result<Response, RequestError> {
        let mut target = url.clone();
        for _ in 0..=redirection::MOST {
            let mut request = self.shared.http.request(method.clone(), target.clone()).timeout(timeout);
            if let Some(body) = body {
                request = request.header(CONTENT_TYPE, "application/json").body(body.to_vec());
            }
            if let Some(value) = bearer.and_then(authorization) {
                request = request.header(AUTHORIZATION, value);
            }
            let response = request.send().await.map_err(|error| transport(&target, &error))?;
            if !response.status().is_redirection() {
                return Ok(response);
            }
            let location = response.headers().get(LOCATION).and_then(|value| value.to_str().ok());
            target = redirection::target(method, &target, response.status(), location, bearer.is_some())?;
        }
        let reason = format!("more than {} times in a row", redirection::MOST);
        Err(RequestError::Redirect { url: url.clone(), reason })
    }

    fn build_id(&self, answer: &[u8]) -> Result<BuildId, RequestError> {
        let answer: BuildAnswer = serde_json::from_slice(answer).map_err(|error| RequestError::Answer {
            url: self.url("builds/new/"),
            reason: error.to_string(),
        })?;
        Ok(answer.data.build.build_id)
    }

    fn bearer(&self) -> Option<SecretString> {
        self.shared.bearer.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// A URL under the base. `path` is one of ours, so it always joins.
    fn url(&self, path: &str) -> Url {
        let mut url = self.base().clone();
        url.set_path(&format!("{}{path}", url.path()));
        url
    }
}

fn exposes_credentials(base: &Url) -> bool {
    base.scheme() == "http" && !is_loopback(base)
}

fn http_client(settings: &ClientSettings, base: &Url) -> reqwest::Result<reqwest::Client> {
    // reqwest panics without a provider. Where the program has installed one already, that one stays.
    drop(rustls::crypto::ring::default_provider().install_default());
    let client = http_builder(settings, base)?.build();
    if client.is_err() && base.scheme() == "http" {
        // A machine without CA certificates can still talk to its own server.
        return http_builder(settings, base)?.tls_certs_only([]).build();
    }
    client
}

fn http_builder(settings: &ClientSettings, base: &Url) -> reqwest::Result<reqwest::ClientBuilder> {
    let builder = reqwest::Client::builder()
        .redirect(redirect::Policy::none())
        .connect_timeout(settings.timeout.min(Duration::from_secs(10)))
        .user_agent(&settings.agent);
    settings.proxies.apply(builder, base)
}

/// The header's value, marked so that no debug output shows it; `None` for a token that no header can hold.
fn authorization(token: &SecretString) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_str(&format!("Bearer {}", token.expose_secret())).ok()?;
    value.set_sensitive(true);
    Some(value)
}

fn transport(url: &Url, error: &reqwest::Error) -> RequestError {
    RequestError::Transport { url: url.clone(), reason: transport_reason(error) }
}
