//! Tries one source after the other.

use crate::apt::{Apt, AptError};
use crate::cache::{Cache, Lock, Workplace, remove_if_there};
use crate::checksum::{Algorithm, Checksum};
use crate::error::{FetchError, SetupError, SourceFailure};
use crate::git::{Checkout, CheckoutRequest, Git};
use crate::http::{Http, HttpError, Job};
use crate::mirror::{self, Mirror};
use crate::options::FetchOptions;
use crate::plan::{Attempt, Way, plan};
use crate::request::{ArchiveChoice, FetchEvent, Fetched, Origin, Request};
use fs_err as fs;
use reqwest::Url;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

type Observer<'a> = &'a (dyn Fn(FetchEvent) + Send + Sync);

/// Fetches archives, for many packages at once if need be: it is shared, not copied, so that a host that could not be
/// reached is not tried again for the next package.
pub struct Fetcher {
    options: FetchOptions,
    cache: Cache,
    http: Http,
    apt: Option<Apt>,
}

/// Why an attempt gave nothing.
enum Miss {
    /// Nothing worth a word: a mirror need not have everything.
    Absent(String),
    Failed(String),
    Cache(io::Error),
}

impl From<io::Error> for Miss {
    fn from(error: io::Error) -> Self {
        Miss::Cache(error)
    }
}

impl Fetcher {
    /// A fetcher. Needs a TLS provider installed in the process.
    pub fn new(options: FetchOptions) -> Result<Self, SetupError> {
        // The HTTP library would panic.
        if rustls::crypto::CryptoProvider::get_default().is_none() {
            return Err(SetupError::NoTlsProvider);
        }
        if !options.cache_dir.is_absolute() {
            return Err(SetupError::CacheFolder(options.cache_dir));
        }
        Ok(Fetcher {
            cache: Cache::new(options.cache_dir.clone()),
            http: Http::new(&options)?,
            apt: options.apt.clone().map(Apt::new),
            options,
        })
    }

    /// Brings one of the request's archives into the cache: whichever is in the cache already, else from the mirrors,
    /// else from upstream, else from the registries. `observer` is told what happens, in order, from this task.
    pub async fn fetch(
        &self,
        request: &Request,
        observer: &(dyn Fn(FetchEvent) + Send + Sync),
    ) -> Result<Fetched, FetchError> {
        let once = Once { observer, last: Mutex::default() };
        let observer: Observer<'_> = &|event| once.tell(event);
        let cache_error = |source| FetchError::Cache { spec: request.spec(), source };
        let choices = self.vouched(request)?;
        for choice in &choices {
            if let Some(hit) = self.look_in_cache(choice, observer).await.map_err(cache_error)? {
                return Ok(hit);
            }
        }
        let plan = plan(&self.options, request, &choices);
        let mut failures = Vec::new();
        for (number, attempt) in plan.iter().enumerate() {
            let miss = match self.attempt(request, attempt, observer).await {
                Ok(fetched) => return Ok(fetched),
                Err(miss) => miss,
            };
            let reason = match miss {
                Miss::Cache(error) => return Err(cache_error(error)),
                Miss::Absent(reason) => reason,
                Miss::Failed(reason) => {
                    let next = plan[number + 1..].iter().find(|next| self.is_hopeful(next));
                    let origin = attempt.origin.clone();
                    // The same source may be asked for another archive of the version: that is no news.
                    let next = next.map(|next| next.origin.clone()).filter(|next| *next != origin);
                    observer(FetchEvent::SourceFailed { origin, reason: reason.clone(), next });
                    reason
                }
            };
            failures.push(SourceFailure { origin: attempt.origin.clone(), reason });
        }
        Err(FetchError::Nowhere { spec: request.spec(), failures, offline: self.options.offline })
    }

    /// Brings the state of a repository: from the cache, from mirrors in folders, else from its address.
    pub async fn checkout(
        &self,
        request: &CheckoutRequest,
        observer: &(dyn Fn(FetchEvent) + Send + Sync),
    ) -> Result<Checkout, FetchError> {
        let options = &self.options;
        let git = Git {
            options: &options.git,
            proxy: &options.proxy,
            cache: &self.cache,
            mirrors: options.mirrors.iter().filter_map(Mirror::folder).collect(),
            offline: options.offline,
            unpinned: options.no_checksum,
            max_bytes: options.max_bytes,
        };
        let spec = format!("{}@{}", request.package, request.version);
        git.checkout(request, observer).await.map_err(|source| FetchError::Git { spec, source })
    }

    /// The archives that something vouches for.
    fn vouched<'a>(&self, request: &'a Request) -> Result<Vec<&'a ArchiveChoice>, FetchError> {
        let vouched = |choice: &&ArchiveChoice| choice.checksum.is_some() || self.options.no_checksum;
        let choices: Vec<_> = request.archives.iter().filter(vouched).collect();
        if choices.is_empty() && !request.archives.is_empty() {
            return Err(FetchError::NoChecksum { spec: request.spec() });
        }
        Ok(choices)
    }

    /// Whether an attempt is not known to fail.
    fn is_hopeful(&self, attempt: &Attempt<'_>) -> bool {
        match &attempt.way {
            Way::Http(url) => self.http.known_unreachable(url).is_none(),
            Way::Never(_) => false,
            Way::File(_) => true,
            Way::Apt => self.apt.as_ref().is_some_and(Apt::is_here),
        }
    }

    async fn attempt(
        &self,
        request: &Request,
        attempt: &Attempt<'_>,
        observer: Observer<'_>,
    ) -> Result<Fetched, Miss> {
        match &attempt.way {
            Way::Never(reason) => return Err(Miss::Failed(reason.clone())),
            // Said already, when it was found out.
            Way::Http(url) => {
                if let Some(reason) = self.http.known_unreachable(url) {
                    return Err(Miss::Absent(format!("cannot be reached: {reason}")));
                }
            }
            Way::File(_) | Way::Apt => {}
        }
        let place = self.cache.workplace(&attempt.key())?;
        let lock = place.lock(|| observer(FetchEvent::Waiting)).await?;
        // Whoever had the lock before may have brought it.
        if let Some(hit) = self.look_in_cache(attempt.choice, observer).await? {
            return Ok(hit);
        }
        observer(FetchEvent::Started { origin: attempt.origin.clone() });
        self.bring(request, attempt, &place, observer, lock).await
    }

    /// Brings the archive to the work place and from there into the cache. The lock is held for all of it.
    async fn bring(
        &self,
        request: &Request,
        attempt: &Attempt<'_>,
        place: &Workplace,
        observer: Observer<'_>,
        _lock: Lock,
    ) -> Result<Fetched, Miss> {
        let choice = attempt.choice;
        let mut origin = attempt.origin.clone();
        let mut file = place.part();
        let checksum = match &attempt.way {
            Way::File(path) => copy(path, place, choice.checksum.as_ref()).await?,
            Way::Http(url) => self.download(request, choice, url, place, observer, &origin).await?,
            Way::Apt => {
                file = place.foreign();
                let (checksum, archive) = self.ask_apt(choice, &file, observer).await?;
                origin = Origin::Registry { name: "apt", archive };
                checksum
            }
            Way::Never(reason) => return Err(Miss::Failed(reason.clone())),
        };
        let extension = if request.expand { choice.extension() } else { None };
        let path = self.publish(&file, &checksum, extension).await?;
        remove_if_there(&place.notes())?;
        observer(FetchEvent::Verified { checksum: checksum.clone() });
        let size = fs::metadata(&path)?.len();
        Ok(Fetched { path, checksum, origin, size })
    }

    async fn download(
        &self,
        request: &Request,
        choice: &ArchiveChoice,
        url: &Url,
        place: &Workplace,
        observer: Observer<'_>,
        origin: &Origin,
    ) -> Result<Checksum, Miss> {
        let archive = request.expand;
        let job = Job { url, place, expected: choice.checksum.as_ref(), archive, observer };
        self.http.download(&job).await.map_err(|error| match error {
            HttpError::Local(error) => Miss::Cache(error),
            HttpError::Absent(status) if matches!(origin, Origin::Mirror { .. }) => {
                Miss::Absent(status.to_string())
            }
            other => Miss::Failed(other.to_string()),
        })
    }

    async fn ask_apt(
        &self,
        choice: &ArchiveChoice,
        to: &Path,
        observer: Observer<'_>,
    ) -> Result<(Checksum, String), Miss> {
        let (Some(apt), Some(expected)) = (&self.apt, &choice.checksum) else {
            return Err(Miss::Absent("not configured".to_owned()));
        };
        let progress = |bytes, total| observer(FetchEvent::Progress { bytes, total: Some(total) });
        let brought = apt.fetch(expected, to, &progress).await.map_err(|error| match error {
            AptError::NotHere(_) | AptError::NotSha256 => Miss::Absent(error.to_string()),
            _ => Miss::Failed(error.to_string()),
        })?;
        let found = hash(to, expected.algorithm()).await?;
        if found != *expected {
            remove_if_there(to)?;
            return Err(Miss::Failed(differs(&found, expected)));
        }
        Ok((found, brought.uri))
    }

    /// The archive in the cache, checked again: a disk may have failed, or a person may have had a hand in it.
    async fn look_in_cache(
        &self,
        choice: &ArchiveChoice,
        observer: Observer<'_>,
    ) -> io::Result<Option<Fetched>> {
        let Some(expected) = &choice.checksum else { return Ok(None) };
        let Some(path) = self.cache.find(expected)? else { return Ok(None) };
        let found = hash(&path, expected.algorithm()).await?;
        if found == *expected {
            let size = fs::metadata(&path)?.len();
            observer(FetchEvent::Verified { checksum: found.clone() });
            return Ok(Some(Fetched { path, checksum: found, origin: Origin::Cache, size }));
        }
        if self.remove_corrupt(expected).await? {
            let reason = format!("{}; it was removed", differs(&found, expected));
            observer(FetchEvent::SourceFailed { origin: Origin::Cache, reason, next: None });
        }
        Ok(None)
    }

    /// Removes what the cache has under that checksum, unless somebody has put a good one there in the meantime.
    async fn remove_corrupt(&self, expected: &Checksum) -> io::Result<bool> {
        let _lock = self.cache.workplace(expected.hex())?.lock(|| ()).await?;
        let Some(path) = self.cache.find(expected)? else { return Ok(false) };
        let corrupt = hash(&path, expected.algorithm()).await? != *expected;
        if corrupt {
            remove_if_there(&path)?;
        }
        Ok(corrupt)
    }

    async fn publish(
        &self,
        file: &Path,
        checksum: &Checksum,
        extension: Option<&str>,
    ) -> io::Result<PathBuf> {
        let (cache, file, checksum) = (self.cache.clone(), file.to_owned(), checksum.clone());
        let extension = extension.map(str::to_owned);
        blocking(move || cache.publish(&file, &checksum, extension.as_deref())).await
    }
}

/// Tells that a source is tried once, although it is asked for each of a version's archives.
struct Once<'a> {
    observer: Observer<'a>,
    last: Mutex<Option<Origin>>,
}

impl Once<'_> {
    fn tell(&self, event: FetchEvent) {
        if let FetchEvent::Started { origin } = &event {
            let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
            if last.replace(origin.clone()).as_ref() == Some(origin) {
                return;
            }
        }
        (self.observer)(event);
    }
}

/// Copies from a mirror's folder. A mirror that cannot be read is the mirror's failure, not the cache's.
async fn copy(from: &Path, place: &Workplace, expected: Option<&Checksum>) -> Result<Checksum, Miss> {
    let algorithm = expected.map_or(Algorithm::Sha256, Checksum::algorithm);
    fs::File::open(from).map_err(|error| Miss::Failed(error.to_string()))?;
    let (path, working) = (from.to_owned(), place.clone());
    let found = blocking(move || mirror::copy(&path, &working, algorithm)).await?;
    match expected.filter(|expected| **expected != found) {
        None => Ok(found),
        Some(expected) => {
            mirror::forget(place)?;
            Err(Miss::Failed(differs(&found, expected)))
        }
    }
}

async fn hash(path: &Path, algorithm: Algorithm) -> io::Result<Checksum> {
    let path = path.to_owned();
    blocking(move || {
        let mut hasher = algorithm.hasher();
        hasher.read(fs::File::open(path)?)?;
        Ok(hasher.finish())
    })
    .await
}

fn differs(found: &Checksum, expected: &Checksum) -> String {
    format!("has a file with another checksum: {found} instead of {expected}")
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> io::Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(io::Error::other)?
}
