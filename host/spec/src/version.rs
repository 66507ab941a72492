use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};

use serde::{Deserialize, Serialize};

use crate::VersionList;

/// Names of moving versions, each greater than all numbers; later ones are greater.
const INFINITE: [&str; 7] = ["stable", "nightly", "trunk", "head", "master", "main", "develop"];

/// A version as a recipe writes it, for example `1.14.4-3` or `develop`.
///
/// Order and equality are Spack's: the text is cut into numbers and words, separators do not count, a word is less than
/// a number, a number less than `develop` and its like, and `1.2-rc1` less than `1.2`. `git.REF=1.2` stands for a git
/// reference that is ordered as `1.2`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub struct Version {
    text: String,
    key: Key,
}

/// What is compared.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Key {
    release: Vec<Part>,
    prerelease: Prerelease,
    reference: Option<String>,
}

/// A piece of a version; the order of the variants is the order of the pieces.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Part {
    Word(String),
    /// A number above 2^128 counts as 2^128 - 1.
    Number(u128),
    Infinite(usize),
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Prerelease {
    Alpha(Option<u128>),
    Beta(Option<u128>),
    Candidate(Option<u128>),
    Final,
}

impl Version {
    /// Takes the text as it is.
    pub fn new(text: impl Into<String>) -> Self {
        let text = text.into();
        let key = Key::of(&text);
        Self { text, key }
    }

    /// The text, as written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether it follows a branch by name: `develop`, `main`, `5.2-stable` and so on.
    pub fn is_develop(&self) -> bool {
        self.key.release.iter().any(|part| matches!(part, Part::Infinite(_)))
    }

    /// Whether it is an alpha, beta or release candidate.
    pub fn is_prerelease(&self) -> bool {
        self.key.prerelease != Prerelease::Final
    }

    /// Whether it names a git reference: `git.REF`, `git.REF=VERSION` or a commit.
    pub fn is_git(&self) -> bool {
        self.key.reference.is_some()
    }

    /// Whether it lies in `list`.
    pub fn satisfies(&self, list: &VersionList) -> bool {
        list.contains(self)
    }

    /// The first `count` pieces with their separators, as `up_to` in recipes: `1.14.4-3` up to 2 is `1.14`.
    #[must_use]
    pub fn up_to(&self, count: usize) -> Self {
        let end = segments(&self.text).take(count).last().map_or(0, |segment| segment.end);
        Self::new(&self.text[..end])
    }

    /// The least version that `@:self` does not contain.
    pub(crate) fn next(&self) -> Self {
        let mut key = Key { reference: None, ..self.key.clone() };
        key.increment();
        Self { text: format!("next of {}", self.text), key }
    }
}

impl Key {
    fn of(text: &str) -> Self {
        let (reference, numbers) = split_reference(text);
        let mut release: Vec<Part> = segments(numbers).map(Part::of).collect();
        let prerelease = take_prerelease(&mut release);
        Self { release, prerelease, reference: reference.map(str::to_owned) }
    }

    fn increment(&mut self) {
        match &mut self.prerelease {
            Prerelease::Alpha(number) | Prerelease::Beta(number) | Prerelease::Candidate(number) => {
                *number = Some(number.map_or(0, |number| number.saturating_add(1)));
            }
            Prerelease::Final => match self.release.last_mut() {
                Some(part) => part.increment(),
                None => self.release.push(Part::Word("A".to_owned())),
            },
        }
    }
}

impl Part {
    fn of(segment: Segment<'_>) -> Self {
        let Segment { text, number, .. } = segment;
        if number {
            return Self::Number(text.parse().unwrap_or(u128::MAX));
        }
        match INFINITE.iter().position(|name| *name == text) {
            Some(rank) => Self::Infinite(rank),
            None => Self::Word(text.to_owned()),
        }
    }

    fn increment(&mut self) {
        match self {
            Self::Number(number) => *number = number.saturating_add(1),
            Self::Infinite(rank) => *rank += 1,
            Self::Word(word) => increment_word(word),
        }
    }
}

/// The next word over A-Z, a-z that is not the name of a moving version.
fn increment_word(word: &mut String) {
    loop {
        match word.pop() {
            Some('z') => word.push_str("zA"),
            Some('Z') => word.push('a'),
            Some(letter) => word.push(char::from_u32(u32::from(letter) + 1).unwrap_or('z')),
            None => word.push('A'),
        }
        if !INFINITE.contains(&word.as_str()) {
            return;
        }
    }
}

/// `git.REF=VERSION`, `git.REF`, or a commit of 40 hexadecimal digits: the reference, and the text that orders it.
fn split_reference(text: &str) -> (Option<&str>, &str) {
    let (head, ordered_as) = text.split_once('=').unwrap_or((text, ""));
    let commit = head.len() == 40 && head.bytes().all(|byte| byte.is_ascii_hexdigit());
    match head.strip_prefix("git.") {
        Some(reference) => (Some(reference), ordered_as),
        None if commit => (Some(head), ordered_as),
        None => (None, text),
    }
}

#[derive(Clone, Copy)]
struct Segment<'a> {
    text: &'a str,
    number: bool,
    end: usize,
}

/// Runs of digits and runs of letters; everything else separates.
fn segments(text: &str) -> impl Iterator<Item = Segment<'_>> {
    let bytes = text.as_bytes();
    let mut position = 0;
    std::iter::from_fn(move || {
        let start = position + bytes[position..].iter().position(u8::is_ascii_alphanumeric)?;
        let number = bytes[start].is_ascii_digit();
        let same = |byte: &u8| if number { byte.is_ascii_digit() } else { byte.is_ascii_alphabetic() };
        let length = bytes[start..].iter().take_while(|byte| same(byte)).count();
        position = start + length;
        Some(Segment { text: &text[start..position], number, end: position })
    })
}

/// Cuts `alpha`, `beta` or `rc`, with or without a number, off the end; a version never consists of it alone.
fn take_prerelease(release: &mut Vec<Part>) -> Prerelease {
    let (length, number) = match release.as_slice() {
        [_, .., Part::Word(_), Part::Number(number)] if release.len() >= 3 => (2, Some(*number)),
        [_, .., Part::Word(_)] => (1, None),
        _ => return Prerelease::Final,
    };
    let kept = release.len() - length;
    let prerelease = match &release[kept] {
        Part::Word(word) if word == "alpha" => Prerelease::Alpha(number),
        Part::Word(word) if word == "beta" => Prerelease::Beta(number),
        Part::Word(word) if word == "rc" => Prerelease::Candidate(number),
        _ => return Prerelease::Final,
    };
    release.truncate(kept);
    prerelease
}

impl PartialEq for Version {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key
    }
}

impl Eq for Version {}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        self.key.cmp(&other.key)
    }
}

impl Hash for Version {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.key.hash(state);
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl From<String> for Version {
    fn from(text: String) -> Self {
        Self::new(text)
    }
}

impl From<&str> for Version {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

impl From<Version> for String {
    fn from(version: Version) -> Self {
        version.text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn ascending(versions: &[&str]) {
        for pair in versions.windows(2) {
            assert!(Version::new(pair[0]) < Version::new(pair[1]), "{} < {}", pair[0], pair[1]);
        }
    }

    #[test]
    fn order_is_spacks() {
        ascending(&[
            "1.2alpha", "1.2beta2", "1.2-rc1", "1.2", "1.2.0", "1.2.1a", "1.2.1.0", "1.3", "1.10", "2",
        ]);
        ascending(&["a", "b", "1", "9", "stable", "trunk", "head", "master", "main", "develop"]);
        ascending(&["1.a", "1.0", "1.develop", "2.0"]);
        ascending(&["develop-1.8", "develop-1.14", "develop-2.0"]);
        ascending(&["2020-04-12", "2020-11-01", "2021"]);
    }

    #[test]
    fn separators_and_leading_zeros_do_not_count() {
        assert_eq!(Version::new("1.2-3"), Version::new("1_2.03"));
        assert_ne!(Version::new("1.2"), Version::new("1.2.0"));
    }

    #[test]
    fn a_prerelease_word_alone_is_a_word() {
        assert!(!Version::new("rc1").is_prerelease());
        assert!(Version::new("1.rc1").is_prerelease());
        assert!(!Version::new("1.0rc1a").is_prerelease());
    }

    #[test]
    fn git_references_are_ordered_by_their_version() {
        let pinned = Version::new("git.release/2=1.5");
        assert!(pinned.is_git());
        assert!(Version::new("1.4") < pinned && pinned < Version::new("1.6"));
        assert!(pinned != Version::new("1.5"));
    }

    #[test]
    fn up_to_keeps_separators() {
        assert_eq!(Version::new("1.14.4-3").up_to(2).as_str(), "1.14");
        assert_eq!(Version::new("1.14.4-3").up_to(9).as_str(), "1.14.4-3");
    }
}
