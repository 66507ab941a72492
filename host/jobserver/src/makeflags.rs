//! `MAKEFLAGS`: what a make is told of its jobserver, and what an outer make tells us.

use std::fmt;
use std::path::{Path, PathBuf};

use crate::channel::InsideDescriptors;

/// Version of a GNU make, as far as the jobserver's form depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct MakeVersion {
    /// First number.
    pub major: u32,
    /// Second number.
    pub minor: u32,
}

impl MakeVersion {
    /// Reads `4.3`, `4.2.1` or `4`; nothing when it does not begin with a number.
    pub fn parse(version: &str) -> Option<MakeVersion> {
        let mut numbers = version.split('.').map(|part| part.parse().ok());
        let major = numbers.next()??;
        Some(MakeVersion { major, minor: numbers.next().flatten().unwrap_or(0) })
    }

    /// Whether this make reads a jobserver from a FIFO by its path (4.4 and later).
    pub fn reads_fifo(self) -> bool {
        self >= MakeVersion { major: 4, minor: 4 }
    }

    /// Whether the option is called `--jobserver-auth` (4.2 and later) and not `--jobserver-fds`; the same version
    /// began to accept the number of jobs beside it.
    fn knows_auth(self) -> bool {
        self >= MakeVersion { major: 4, minor: 2 }
    }
}

impl fmt::Display for MakeVersion {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}.{}", self.major, self.minor)
    }
}

/// A program that finds its jobserver through `MAKEFLAGS`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Client {
    /// GNU make, and whatever it starts.
    Make {
        /// Its version.
        version: MakeVersion,
        /// The numbers of the channel's descriptors as it sees them.
        inside: InsideDescriptors,
    },
    /// Ninja 1.13 or later, which opens a FIFO and refuses descriptors.
    Ninja,
}

/// `MAKEFLAGS` for a pipe with these descriptor numbers.
pub(crate) fn for_pipe(make: MakeVersion, jobs: usize, read: i32, write: i32) -> String {
    if make.knows_auth() {
        format!("-j{jobs} --jobserver-auth={read},{write}")
    } else {
        // A number behind -j would make such an old make leave the jobserver.
        format!("-j --jobserver-fds={read},{write}")
    }
}

/// `MAKEFLAGS` for a FIFO that the build sees at `path`.
pub(crate) fn for_fifo(jobs: usize, path: &Path) -> String {
    format!("-j{jobs} --jobserver-auth=fifo:{}", path.display())
}

/// Where an outer jobserver is.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Auth {
    Pipe {
        read: i32,
        write: i32,
    },
    Fifo(PathBuf),
    /// Something that no known make writes, or descriptors that make itself marked as unusable.
    Unusable,
}

/// The jobserver that `makeflags` offers: the option's value and its meaning.
///
/// Variables follow `--` and are not looked at; the last of several options counts, as in make.
pub(crate) fn offered(makeflags: &str) -> Option<(&str, Auth)> {
    let words = makeflags.split_ascii_whitespace().take_while(|word| *word != "--");
    let value = words
        .filter_map(|word| {
            word.strip_prefix("--jobserver-auth=").or_else(|| word.strip_prefix("--jobserver-fds="))
        })
        .last()?;
    Some((value, parse_auth(value)))
}

fn parse_auth(value: &str) -> Auth {
    if let Some(path) = value.strip_prefix("fifo:") {
        return Auth::Fifo(path.into());
    }
    let numbers = value.split_once(',').and_then(|(read, write)| {
        Some((read.parse::<i32>().ok()?, write.parse::<i32>().ok()?)).filter(|(r, w)| *r >= 0 && *w >= 0)
    });
    numbers.map_or(Auth::Unusable, |(read, write)| Auth::Pipe { read, write })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(text: &str) -> MakeVersion {
        MakeVersion::parse(text).unwrap()
    }

    #[test]
    fn each_make_gets_the_form_that_it_takes() {
        assert_eq!(for_pipe(version("3.82"), 8, 5, 6), "-j --jobserver-fds=5,6");
        assert_eq!(for_pipe(version("4.1"), 8, 5, 6), "-j --jobserver-fds=5,6");
        assert_eq!(for_pipe(version("4.2.1"), 8, 5, 6), "-j8 --jobserver-auth=5,6");
        assert_eq!(for_pipe(version("4.4"), 8, 5, 6), "-j8 --jobserver-auth=5,6");
        assert_eq!(for_fifo(8, Path::new("/tmp/jobs")), "-j8 --jobserver-auth=fifo:/tmp/jobs");
        assert!(version("4.4").reads_fifo() && version("5").reads_fifo() && !version("4.3").reads_fifo());
        assert_eq!(MakeVersion::parse("bmake"), None);
    }

    #[test]
    fn the_offer_of_an_outer_make_is_read() {
        let pipe = |read, write| Auth::Pipe { read, write };
        assert_eq!(offered(" -j8 --jobserver-auth=3,4"), Some(("3,4", pipe(3, 4))));
        assert_eq!(offered("w -j --jobserver-fds=3,4 -- V=1"), Some(("3,4", pipe(3, 4))));
        let fifo = Auth::Fifo("/tmp/GMfifo1".into());
        assert_eq!(offered("kw -j2 --jobserver-auth=fifo:/tmp/GMfifo1"), Some(("fifo:/tmp/GMfifo1", fifo)));
        assert_eq!(offered("--jobserver-auth=3,4 --jobserver-auth=5,6"), Some(("5,6", pipe(5, 6))));
        assert_eq!(offered("-j8 -- X=--jobserver-auth=3,4"), None);
        assert_eq!(offered("-j8 -- --jobserver-auth=3,4"), None);
        assert_eq!(offered(""), None);
    }

    #[test]
    fn unusable_offers_are_known() {
        for value in ["-2,-2", "3", "a,b", ""] {
            let flags = format!("-j --jobserver-auth={value}");
            assert_eq!(offered(&flags), Some((value, Auth::Unusable)));
        }
    }
}
