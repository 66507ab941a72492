//! In which order the sources are asked.

use crate::address::shown;
use crate::checksum::Algorithm;
use crate::mirror::{Mirror, Place};
use crate::options::FetchOptions;
use crate::request::{ArchiveChoice, Origin, Request};
use reqwest::Url;
use std::path::PathBuf;

/// One way to one archive.
pub(crate) struct Attempt<'a> {
    pub(crate) choice: &'a ArchiveChoice,
    pub(crate) origin: Origin,
    pub(crate) way: Way,
}

pub(crate) enum Way {
    File(PathBuf),
    Http(Url),
    Apt,
    /// An address that is never followed, with the reason.
    Never(String),
}

impl Attempt<'_> {
    /// What the archive's working files are named by. Where nothing vouches for the content, the address must stand
    /// for it.
    pub(crate) fn key(&self) -> String {
        if let Some(checksum) = &self.choice.checksum {
            return checksum.hex().to_owned();
        }
        let mut hasher = Algorithm::Sha256.hasher();
        match &self.way {
            Way::Http(url) => hasher.update(url.as_str().as_bytes()),
            Way::File(path) => hasher.update(path.as_os_str().as_encoded_bytes()),
            Way::Apt | Way::Never(_) => {}
        }
        format!("unverified-{}", hasher.finish().hex())
    }
}

/// All ways to all archives: every mirror, then every address, then every registry.
pub(crate) fn plan<'a>(
    options: &FetchOptions,
    request: &Request,
    choices: &[&'a ArchiveChoice],
) -> Vec<Attempt<'a>> {
    let offline = options.offline;
    let mirrors = options.mirrors.iter().filter(|mirror| !offline || mirror.is_local());
    let in_mirrors =
        mirrors.flat_map(|mirror| choices.iter().flat_map(|choice| in_mirror(mirror, request, choice)));
    let mut plan: Vec<_> = in_mirrors.collect();
    if offline {
        return plan;
    }
    plan.extend(choices.iter().flat_map(|choice| choice.urls.iter().map(|url| upstream(choice, url))));
    if options.apt.is_some() {
        let origin = Origin::Registry { name: "apt", archive: String::new() };
        let with_checksum = choices.iter().filter(|choice| choice.checksum.is_some());
        plan.extend(with_checksum.map(|choice| Attempt { choice, origin: origin.clone(), way: Way::Apt }));
    }
    plan
}

/// The ways to one archive in a mirror. One that cannot be looked into is a failed source, not the end.
fn in_mirror<'a>(mirror: &Mirror, request: &Request, choice: &'a ArchiveChoice) -> Vec<Attempt<'a>> {
    let places = match mirror.places(request, choice) {
        Ok(places) => places,
        Err(error) => {
            let way = Way::Never(format!("cannot be looked into: {error}"));
            return vec![Attempt { choice, origin: mirror.origin(&mirror.root()), way }];
        }
    };
    let attempt = |place: Place| {
        let origin = mirror.origin(&place);
        let way = match place {
            Place::File(path) => Way::File(path),
            Place::Http(url) => Way::Http(url),
        };
        Attempt { choice, origin, way }
    };
    places.into_iter().map(attempt).collect()
}

fn upstream<'a>(choice: &'a ArchiveChoice, address: &str) -> Attempt<'a> {
    let (url, way) = match Url::parse(address) {
        Ok(url) if matches!(url.scheme(), "http" | "https") => (shown(&url), Way::Http(url)),
        Ok(url) => (shown(&url), Way::Never("only http and https addresses are followed".to_owned())),
        Err(error) => (address.to_owned(), Way::Never(format!("is no address: {error}"))),
    };
    Attempt { choice, origin: Origin::Upstream { url }, way }
}
