//! Mirrors in Spack's layout, in a folder or behind HTTP.

use crate::address::shown;
use crate::cache::{Workplace, archive_path, find_archive};
use crate::checksum::{Algorithm, Checksum};
use crate::error::SetupError;
use crate::part::{Part, discard};
use crate::request::{ArchiveChoice, Origin, Request};
use fs_err as fs;
use reqwest::Url;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

const CHUNK: usize = 256 << 10;

/// A mirror of the configuration.
#[derive(Debug, Clone)]
pub struct Mirror {
    name: String,
    root: Root,
}

#[derive(Debug, Clone)]
enum Root {
    Folder(PathBuf),
    Http(Url),
}

/// Where an archive may be in a mirror.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place {
    File(PathBuf),
    Http(Url),
}

impl Mirror {
    /// A mirror at an absolute path or a `file`, `http` or `https` address.
    pub fn new(name: impl Into<String>, url: &str) -> Result<Self, SetupError> {
        let name = name.into();
        match parse_root(url) {
            Some(root) => Ok(Mirror { name, root }),
            None => Err(SetupError::Mirror { name, url: url.to_owned() }),
        }
    }

    /// Whether it is a folder, and so there without a network.
    pub(crate) fn is_local(&self) -> bool {
        matches!(self.root, Root::Folder(_))
    }

    /// Its folder, if it is one.
    pub(crate) fn folder(&self) -> Option<&Path> {
        match &self.root {
            Root::Folder(folder) => Some(folder),
            Root::Http(_) => None,
        }
    }

    /// Where the archive may be, best first: by checksum, then by name and version. A folder is looked into.
    pub(crate) fn places(&self, request: &Request, choice: &ArchiveChoice) -> io::Result<Vec<Place>> {
        let named = choice.extension().map(|extension| named_path(request, extension));
        match &self.root {
            Root::Folder(root) => {
                let by_checksum = match &choice.checksum {
                    Some(checksum) => find_archive(root, checksum)?,
                    None => None,
                };
                let by_name = named.map(|named| root.join(named)).filter(|path| path.is_file());
                Ok(by_checksum.into_iter().chain(by_name).map(Place::File).collect())
            }
            Root::Http(root) => {
                let by_checksum = choice.checksum.as_ref().map(|sum| archive_path(sum, choice.extension()));
                let urls = by_checksum.into_iter().chain(named).filter_map(|path| root.join(&path).ok());
                Ok(urls.map(Place::Http).collect())
            }
        }
    }

    /// The mirror itself.
    pub(crate) fn root(&self) -> Place {
        match &self.root {
            Root::Folder(root) => Place::File(root.clone()),
            Root::Http(root) => Place::Http(root.clone()),
        }
    }

    pub(crate) fn origin(&self, place: &Place) -> Origin {
        let url = match place {
            Place::File(path) => path.display().to_string(),
            Place::Http(url) => shown(url),
        };
        Origin::Mirror { name: self.name.clone(), url }
    }
}

fn parse_root(url: &str) -> Option<Root> {
    if Path::new(url).is_absolute() {
        return Some(Root::Folder(PathBuf::from(url)));
    }
    let mut parsed = Url::parse(url).ok()?;
    match parsed.scheme() {
        "file" => parsed.to_file_path().ok().map(Root::Folder),
        "http" | "https" => {
            // Without the slash, the last component would be replaced by what is joined.
            if !parsed.path().ends_with('/') {
                parsed.set_path(&format!("{}/", parsed.path()));
            }
            Some(Root::Http(parsed))
        }
        _ => None,
    }
}

/// `<name>/<name>-<version>.<extension>`, the path for people; further sources have their own name in front of the version.
/// Nothing in it may climb.
fn named_path(request: &Request, extension: &str) -> String {
    let part = |text: &str| text.replace(['/', '\\', '\0'], "_");
    let plain = |text: &str| match part(text) {
        dots if dots.starts_with('.') => format!("_{dots}"),
        name => name,
    };
    let package = plain(&request.package);
    let file = request.resource.as_deref().map_or_else(|| package.clone(), plain);
    format!("{package}/{file}-{}.{extension}", part(&request.version))
}

/// Copies a mirror's file to the part file, hashing. Blocking.
pub(crate) fn copy(from: &Path, place: &Workplace, algorithm: Algorithm) -> io::Result<Checksum> {
    let mut file = fs::File::open(from)?;
    let mut part = Part::fresh(place, algorithm, None)?;
    let mut buffer = vec![0; CHUNK];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(part.finish()),
            count => part.append(&buffer[..count])?,
        }
    }
}

/// What [`copy`] left when the checksum was another.
pub(crate) fn forget(place: &Workplace) -> io::Result<()> {
    discard(place)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_mirrors() {
        for good in ["/srv/mirror", "file:///srv/mirror", "https://example.org/mirror", "http://example.org"]
        {
            assert!(Mirror::new("m", good).is_ok(), "{good}");
        }
        for bad in ["mirror", "s3://bucket", "file://host/x", "ftp://example.org", ""] {
            assert!(Mirror::new("m", bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn paths_in_a_mirror() {
        let request = Request {
            package: "zlib".into(),
            version: "1.3".into(),
            resource: None,
            archives: Vec::new(),
            expand: true,
        };
        let choice = ArchiveChoice {
            checksum: Some(Algorithm::Sha256.hasher().finish()),
            urls: vec!["https://example.org/zlib-1.3.tar.gz".into()],
            extension: None,
        };
        let mirror = Mirror::new("m", "https://example.org/mirror").unwrap();
        let urls: Vec<_> = mirror.places(&request, &choice).unwrap();
        let url =
            |path: &str| Place::Http(Url::parse(&format!("https://example.org/mirror/{path}")).unwrap());
        let sum = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(
            urls,
            [url(&format!("_source-cache/archive/e3/{sum}.tar.gz")), url("zlib/zlib-1.3.tar.gz")]
        );
        let climbing = Request { package: "../..".into(), version: "../x".into(), ..request };
        assert_eq!(named_path(&climbing, "zip"), "_.._../_.._..-.._x.zip");
        let resource = Request { resource: Some("../data".into()), ..climbing };
        assert_eq!(named_path(&resource, "zip"), "_.._../_.._data-.._x.zip");
    }
}
