//! Downloads over HTTP: resumed where they broke off, given up where nothing comes.

use crate::address::{host_and_port, shown};
use crate::cache::Workplace;
use crate::checksum::{Algorithm, Checksum};
use crate::options::{FetchOptions, Timeouts};
use crate::part::{Notes, Part, Resumable, discard, resumable};
use crate::request::FetchEvent;
use crate::unpack::looks_like_html;
use backon::{ExponentialBuilder, Retryable};
use reqwest::header::{
    ACCEPT_ENCODING, CONTENT_RANGE, ETAG, HeaderMap, HeaderName, IF_RANGE, LAST_MODIFIED, LOCATION, RANGE,
};
use reqwest::{Response, StatusCode, Url};
use std::collections::HashMap;
use std::error::Error;
use std::io;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::time::timeout;

const MAX_REDIRECTS: usize = 10;
/// A page is told from an archive once that many bytes are there.
const ENOUGH_TO_TELL: usize = 64;
const PROGRESS_EVERY: Duration = Duration::from_millis(100);

/// Why a download failed. The texts end a sentence that begins with the source.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HttpError {
    /// The server is there, the archive is not.
    #[error("{0}")]
    Absent(StatusCode),
    /// No connection: nothing else on that host is worth a try.
    #[error("cannot be reached: {0}")]
    Unreachable(String),
    /// May work at the next try.
    #[error("{0}")]
    Transient(String),
    /// Will not work at the next try.
    #[error("{0}")]
    Refused(String),
    /// The cache folder failed.
    #[error("{0}")]
    Local(#[from] io::Error),
}

/// One download.
pub(crate) struct Job<'a> {
    pub(crate) url: &'a Url,
    pub(crate) place: &'a Workplace,
    pub(crate) expected: Option<&'a Checksum>,
    /// Whether a web page cannot be what was asked for.
    pub(crate) archive: bool,
    pub(crate) observer: &'a (dyn Fn(FetchEvent) + Send + Sync),
}

/// The client, and the hosts that could not be reached since it exists.
pub(crate) struct Http {
    client: reqwest::Client,
    timeouts: Timeouts,
    max_bytes: u64,
    unreachable: Mutex<HashMap<String, String>>,
}

impl Http {
    pub(crate) fn new(options: &FetchOptions) -> Result<Self, reqwest::Error> {
        let builder = reqwest::Client::builder()
            .user_agent(concat!("spack-wasm/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(options.timeouts.connect)
            .redirect(reqwest::redirect::Policy::none());
        Ok(Http {
            client: options.proxy.apply(builder)?.build()?,
            timeouts: options.timeouts.clone(),
            max_bytes: options.max_bytes,
            unreachable: Mutex::default(),
        })
    }

    /// Why that address's host could not be reached before, if so.
    pub(crate) fn known_unreachable(&self, url: &Url) -> Option<String> {
        let hosts = self.unreachable.lock().unwrap_or_else(PoisonError::into_inner);
        hosts.get(&host_and_port(url)).cloned()
    }

    /// Downloads to the part file and verifies. Tries again what may pass.
    pub(crate) async fn download(&self, job: &Job<'_>) -> Result<Checksum, HttpError> {
        let again = ExponentialBuilder::default()
            .with_min_delay(self.timeouts.retry_delay)
            .with_max_times(self.timeouts.retries)
            .with_jitter();
        let tries =
            (|| self.try_once(job)).retry(again).when(|error| matches!(error, HttpError::Transient(_)));
        let limit = self.timeouts.total;
        timeout(limit, tries).await.unwrap_or_else(|_| {
            Err(HttpError::Refused(format!("was not complete after {} s", limit.as_secs())))
        })
    }

    async fn try_once(&self, job: &Job<'_>) -> Result<Checksum, HttpError> {
        let algorithm = job.expected.map_or(Algorithm::Sha256, Checksum::algorithm);
        let resume = resumable(job.place, job.url.as_str());
        let response = self.follow(job, resume.as_ref()).await?;
        let part = match (response.status(), &resume) {
            (StatusCode::PARTIAL_CONTENT, Some(from)) if continues(&response, from) => {
                (job.observer)(FetchEvent::Resumed { at: from.length });
                Part::resume(job.place, algorithm)?
            }
            (StatusCode::OK, _) => {
                Part::fresh(job.place, algorithm, notes(job.url, response.headers()).as_ref())?
            }
            (StatusCode::PARTIAL_CONTENT | StatusCode::RANGE_NOT_SATISFIABLE, _) => {
                discard(job.place)?;
                return Err(HttpError::Transient("changed since the download broke off".to_owned()));
            }
            (status, _) => return Err(judge(status)),
        };
        self.receive(job, response, part).await
    }

    /// Follows redirects by hand, since only HTTP is to be followed, and each host's failure is to be kept.
    async fn follow(&self, job: &Job<'_>, resume: Option<&Resumable>) -> Result<Response, HttpError> {
        let mut url = job.url.clone();
        for _ in 0..=MAX_REDIRECTS {
            let response = self.send(&url, resume).await?;
            if !is_redirect(response.status()) {
                return Ok(response);
            }
            let location = response.headers().get(LOCATION).and_then(|value| value.to_str().ok());
            url = redirect(&url, location, job.expected.is_some())?;
        }
        Err(HttpError::Refused(format!("redirects more than {MAX_REDIRECTS} times")))
    }

    async fn send(&self, url: &Url, resume: Option<&Resumable>) -> Result<Response, HttpError> {
        if let Some(reason) = self.known_unreachable(url) {
            return Err(HttpError::Unreachable(reason));
        }
        let mut request = self.client.get(url.clone()).header(ACCEPT_ENCODING, "identity");
        if let Some(from) = resume {
            request =
                request.header(RANGE, format!("bytes={}-", from.length)).header(IF_RANGE, &from.validator);
        }
        let reason = match timeout(self.timeouts.response, request.send()).await {
            Ok(Ok(response)) => return Ok(response),
            Ok(Err(error)) if error.is_connect() && error.is_timeout() => {
                format!("no connection to {} within {} s", host_and_port(url), seconds(self.timeouts.connect))
            }
            Ok(Err(error)) if error.is_connect() => format!("{}: {}", host_and_port(url), root_cause(&error)),
            Ok(Err(error)) => return Err(HttpError::Transient(root_cause(&error))),
            Err(_) => {
                format!("{} did not answer within {} s", host_and_port(url), seconds(self.timeouts.response))
            }
        };
        let mut hosts = self.unreachable.lock().unwrap_or_else(PoisonError::into_inner);
        hosts.insert(host_and_port(url), reason.clone());
        Err(HttpError::Unreachable(reason))
    }

    async fn receive(
        &self,
        job: &Job<'_>,
        mut response: Response,
        mut part: Part,
    ) -> Result<Checksum, HttpError> {
        let total = response.content_length().map(|rest| part.length + rest);
        self.check_size(total.unwrap_or(0))?;
        let mut pace = Pace::new(&self.timeouts);
        let mut shown = Instant::now();
        while let Some(chunk) = self.next_chunk(&mut response).await? {
            part.append(&chunk)?;
            self.check_size(part.length)?;
            if job.archive && part.head().len() >= ENOUGH_TO_TELL && looks_like_html(part.head()) {
                return Err(web_page(job.place)?);
            }
            pace.check(chunk.len())?;
            if shown.elapsed() >= PROGRESS_EVERY {
                shown = Instant::now();
                (job.observer)(FetchEvent::Progress { bytes: part.length, total });
            }
        }
        (job.observer)(FetchEvent::Progress { bytes: part.length, total });
        verify(job, part)
    }

    async fn next_chunk(&self, response: &mut Response) -> Result<Option<bytes::Bytes>, HttpError> {
        match timeout(self.timeouts.stall, response.chunk()).await {
            Ok(Ok(chunk)) => Ok(chunk),
            Ok(Err(error)) => Err(HttpError::Transient(format!("broke off: {}", root_cause(&error)))),
            Err(_) => {
                Err(HttpError::Transient(format!("sent nothing for {} s", seconds(self.timeouts.stall))))
            }
        }
    }

    fn check_size(&self, bytes: u64) -> Result<(), HttpError> {
        if bytes <= self.max_bytes {
            return Ok(());
        }
        Err(HttpError::Refused(format!("sends more than {} bytes, the most that is taken", self.max_bytes)))
    }
}

/// Whether what has come is what was asked for.
fn verify(job: &Job<'_>, part: Part) -> Result<Checksum, HttpError> {
    if job.archive && !part.resumed && looks_like_html(part.head()) {
        return Err(web_page(job.place)?);
    }
    let resumed = part.resumed;
    let found = part.finish();
    let Some(expected) = job.expected.filter(|expected| **expected != found) else { return Ok(found) };
    discard(job.place)?;
    if resumed {
        return Err(HttpError::Transient("another checksum after the download was resumed".to_owned()));
    }
    Err(HttpError::Refused(format!("sent a file with another checksum: {found} instead of {expected}")))
}

fn web_page(place: &Workplace) -> io::Result<HttpError> {
    discard(place)?;
    Ok(HttpError::Refused("sent an HTML page in place of the archive (an error or login page?)".to_owned()))
}

/// A transfer that only trickles is as good as none.
struct Pace {
    window: Duration,
    at_least: u64,
    since: Instant,
    bytes: u64,
}

impl Pace {
    fn new(timeouts: &Timeouts) -> Self {
        Pace { window: timeouts.slow_window, at_least: timeouts.slow_bytes, since: Instant::now(), bytes: 0 }
    }

    fn check(&mut self, count: usize) -> Result<(), HttpError> {
        self.bytes += count as u64;
        if self.since.elapsed() < self.window {
            return Ok(());
        }
        if self.bytes < self.at_least {
            let (bytes, window) = (self.bytes, seconds(self.window));
            return Err(HttpError::Transient(format!("sent only {bytes} bytes in {window} s")));
        }
        (self.since, self.bytes) = (Instant::now(), 0);
        Ok(())
    }
}

fn is_redirect(status: StatusCode) -> bool {
    status.is_redirection() && status != StatusCode::NOT_MODIFIED
}

/// Where a redirect leads. Many sites hand over to mirrors without TLS; where no checksum vouches for what these send,
/// that is refused.
fn redirect(from: &Url, location: Option<&str>, has_checksum: bool) -> Result<Url, HttpError> {
    let target = location.and_then(|location| from.join(location).ok());
    let target = target.ok_or_else(|| HttpError::Refused("redirects to no address".to_owned()))?;
    let refuse = |why: &str| Err(HttpError::Refused(format!("redirects to {}; {why}", shown(&target))));
    match (from.scheme(), target.scheme()) {
        ("https", "http") if !has_checksum => refuse("without a checksum, https is not left for http"),
        (_, "http" | "https") => Ok(target),
        _ => refuse("only http and https are followed"),
    }
}

/// What a status that is no success means.
fn judge(status: StatusCode) -> HttpError {
    match status {
        StatusCode::NOT_FOUND | StatusCode::GONE => HttpError::Absent(status),
        StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS => {
            HttpError::Transient(status.to_string())
        }
        _ if status.is_server_error() => HttpError::Transient(status.to_string()),
        _ => HttpError::Refused(status.to_string()),
    }
}

/// Whether a partial response goes on exactly where the file ends, and is of the same version of it.
fn continues(response: &Response, from: &Resumable) -> bool {
    let header = |name: HeaderName| response.headers().get(name).and_then(|value| value.to_str().ok());
    let starts = header(CONTENT_RANGE)
        .and_then(|range| range.strip_prefix("bytes "))
        .and_then(|range| range.split('-').next())
        .and_then(|start| start.parse::<u64>().ok());
    let validator = if from.validator.starts_with('"') { header(ETAG) } else { header(LAST_MODIFIED) };
    let same = validator.is_none_or(|validator| validator == from.validator);
    starts == Some(from.length) && same
}

fn notes(url: &Url, headers: &HeaderMap) -> Option<Notes> {
    let text = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    let strong = text(ETAG).filter(|tag| tag.starts_with('"'));
    let validator = strong.or_else(|| text(LAST_MODIFIED))?.to_owned();
    Some(Notes { url: url.to_string(), validator })
}

/// The innermost cause: what the outer ones say, address and all, is said already.
fn root_cause(error: &reqwest::Error) -> String {
    let mut cause: &dyn Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}

fn seconds(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 10.0).round() / 10.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn redirects() {
        let from = Url::parse("https://example.org/a/b.tar.gz").unwrap();
        let to = |location: &str, has_checksum| {
            redirect(&from, Some(location), has_checksum).map(String::from).map_err(|error| error.to_string())
        };
        assert_eq!(to("/c", false).unwrap(), "https://example.org/c");
        assert_eq!(to("//mirror.example.org/c", false).unwrap(), "https://mirror.example.org/c");
        assert_eq!(to("http://mirror.example.org/c", true).unwrap(), "http://mirror.example.org/c");
        assert!(to("http://mirror.example.org/c", false).unwrap_err().contains("https is not left for http"));
        assert!(to("file:///etc/passwd", true).unwrap_err().contains("only http and https are followed"));
        assert!(redirect(&from, None, true).is_err());
    }
}
