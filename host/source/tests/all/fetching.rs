//! A cache folder, a fetcher with short timeouts, and the events of a fetch as text.

use spack_wasm_source::{
    Algorithm, ArchiveChoice, Checksum, FetchError, FetchEvent, FetchOptions, Fetched, Fetcher, Request,
    Timeouts,
};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Duration;

pub(crate) fn timeouts() -> Timeouts {
    Timeouts {
        connect: Duration::from_millis(400),
        response: Duration::from_millis(400),
        stall: Duration::from_millis(400),
        slow_window: Duration::from_secs(5),
        slow_bytes: 1000,
        total: Duration::from_secs(20),
        retries: 2,
        retry_delay: Duration::from_millis(10),
    }
}

pub(crate) struct Bench {
    pub(crate) root: tempfile::TempDir,
    events: Mutex<Vec<FetchEvent>>,
}

impl Bench {
    pub(crate) fn new() -> Self {
        // Another test of this process may have been first.
        let _ = rustls::crypto::ring::default_provider().install_default();
        Bench { root: tempfile::tempdir().unwrap(), events: Mutex::default() }
    }

    pub(crate) fn cache(&self) -> PathBuf {
        self.root.path().join("cache")
    }

    pub(crate) fn options(&self) -> FetchOptions {
        FetchOptions { timeouts: timeouts(), ..FetchOptions::new(self.cache()) }
    }

    pub(crate) async fn fetch_with(
        &self,
        options: FetchOptions,
        request: &Request,
    ) -> Result<Fetched, FetchError> {
        let fetcher = Fetcher::new(options).unwrap();
        fetcher.fetch(request, &|event| self.events.lock().unwrap().push(event)).await
    }

    pub(crate) async fn fetch(&self, request: &Request) -> Result<Fetched, FetchError> {
        self.fetch_with(self.options(), request).await
    }

    pub(crate) fn events(&self) -> Vec<FetchEvent> {
        self.events.lock().unwrap().clone()
    }

    /// Reasons of the sources that failed.
    pub(crate) fn failures(&self) -> Vec<String> {
        self.events()
            .into_iter()
            .filter_map(|event| match event {
                FetchEvent::SourceFailed { reason, .. } => Some(reason),
                _ => None,
            })
            .collect()
    }

    pub(crate) fn resumed(&self) -> Vec<u64> {
        self.events()
            .into_iter()
            .filter_map(|event| match event {
                FetchEvent::Resumed { at } => Some(at),
                _ => None,
            })
            .collect()
    }

    /// What lies in the working folder: nothing, after a fetch that went well.
    pub(crate) fn leftovers(&self) -> Vec<String> {
        names(&self.cache().join(".part"))
    }
}

pub(crate) fn names(folder: &Path) -> Vec<String> {
    let Ok(entries) = fs_err::read_dir(folder) else { return Vec::new() };
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

pub(crate) fn sha256(content: &[u8]) -> Checksum {
    let mut hasher = Algorithm::Sha256.hasher();
    hasher.update(content);
    hasher.finish()
}

pub(crate) fn choice(content: &[u8], urls: &[String]) -> ArchiveChoice {
    ArchiveChoice { checksum: Some(sha256(content)), urls: urls.to_vec(), extension: Some("tar.gz".into()) }
}

pub(crate) fn request(archives: Vec<ArchiveChoice>) -> Request {
    Request { package: "pkg".into(), version: "1.0".into(), resource: None, archives, expand: true }
}

pub(crate) fn one(content: &[u8], urls: &[String]) -> Request {
    request(vec![choice(content, urls)])
}

/// Content that is no web page.
pub(crate) fn content(length: usize) -> Vec<u8> {
    (0..length).map(|n| (n * 31 + n / 251) as u8).collect()
}

/// An address where nobody listens.
pub(crate) fn closed_port() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}
