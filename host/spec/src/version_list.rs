use std::fmt;
use std::str::FromStr;

use crate::{Version, VersionRange};

/// A set of versions as a spec writes it behind `@`: ranges and exact versions, for example `1.2:1.4,=1.6`.
///
/// Sorted, and without elements that another one holds.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct VersionList {
    elements: Vec<VersionElement>,
}

/// A member of a [`VersionList`].
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum VersionElement {
    /// `=1.2`: this version alone.
    Exact(Version),
    /// `1.2:1.4`, or `1.2`.
    Range(VersionRange),
}

/// The text is no list of versions.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidVersions {
    /// An element has no version in it, or characters that no version has.
    #[error("'{0}' is not a version")]
    NotAVersion(String),
    /// The upper end lies below the lower one.
    #[error("the range '{0}' is empty: its upper end lies below its lower end")]
    Empty(String),
}

impl VersionElement {
    fn low(&self) -> Option<&Version> {
        match self {
            Self::Exact(version) => Some(version),
            Self::Range(range) => range.low(),
        }
    }

    fn contains(&self, version: &Version) -> bool {
        match self {
            Self::Exact(exact) => exact == version,
            Self::Range(range) => range.contains(version),
        }
    }

    fn is_subset(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Exact(version), other) => other.contains(version),
            (Self::Range(_), Self::Exact(_)) => false,
            (Self::Range(own), Self::Range(other)) => own.is_subset(other),
        }
    }

    fn intersection(&self, other: &Self) -> Option<Self> {
        match (self, other) {
            (Self::Range(own), Self::Range(other)) => own.intersection(other).map(Self::Range),
            (Self::Exact(version), set) | (set, Self::Exact(version)) => {
                set.contains(version).then(|| Self::Exact(version.clone()))
            }
        }
    }

    fn join(&self, other: &Self) -> Option<Self> {
        match (self, other) {
            (Self::Range(own), Self::Range(other)) => own.join(other).map(Self::Range),
            (small, large) | (large, small) if small.is_subset(large) => Some(large.clone()),
            _ => None,
        }
    }
}

impl Default for VersionList {
    fn default() -> Self {
        Self::any()
    }
}

impl VersionList {
    /// All versions: `:`.
    pub fn any() -> Self {
        Self { elements: vec![VersionElement::Range(VersionRange::ANY)] }
    }

    /// `=version`.
    pub fn exact(version: Version) -> Self {
        Self { elements: vec![VersionElement::Exact(version)] }
    }

    /// The elements, sorted.
    pub fn elements(&self) -> &[VersionElement] {
        &self.elements
    }

    /// Whether it restricts nothing.
    pub fn is_any(&self) -> bool {
        self.elements == [VersionElement::Range(VersionRange::ANY)]
    }

    /// The version, if it is exactly one.
    pub fn as_exact(&self) -> Option<&Version> {
        match self.elements.as_slice() {
            [VersionElement::Exact(version)] => Some(version),
            _ => None,
        }
    }

    /// Whether `version` lies in it.
    pub fn contains(&self, version: &Version) -> bool {
        self.elements.iter().any(|element| element.contains(version))
    }

    /// Whether every version of it lies in `other`.
    pub fn satisfies(&self, other: &Self) -> bool {
        self.elements.iter().all(|own| other.elements.iter().any(|element| own.is_subset(element)))
    }

    /// Whether a version may lie in both.
    pub fn intersects(&self, other: &Self) -> bool {
        self.intersection(other).is_some()
    }

    /// What lies in both, or `None`.
    pub fn intersection(&self, other: &Self) -> Option<Self> {
        let pairs =
            self.elements.iter().flat_map(|own| other.elements.iter().map(move |element| (own, element)));
        Self::of(pairs.filter_map(|(own, element)| own.intersection(element)))
    }

    /// What lies in one or the other.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        let all = self.elements.iter().chain(&other.elements).cloned();
        Self::of(all).unwrap_or_else(|| self.clone())
    }

    /// The normal form of `elements`, or `None` when there are none.
    fn of(elements: impl IntoIterator<Item = VersionElement>) -> Option<Self> {
        let mut list = Self { elements: Vec::new() };
        for element in elements {
            list.add(element);
        }
        list.elements.sort_by(|a, b| a.low().cmp(&b.low()));
        (!list.elements.is_empty()).then_some(list)
    }

    fn add(&mut self, mut element: VersionElement) {
        while let Some((index, joined)) =
            self.elements.iter().enumerate().find_map(|(index, own)| Some((index, own.join(&element)?)))
        {
            self.elements.swap_remove(index);
            element = joined;
        }
        self.elements.push(element);
    }
}

fn parse_version(text: &str) -> Result<Version, InvalidVersions> {
    let first = text.bytes().next().is_some_and(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    let rest = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.-=/".contains(&byte));
    if first && rest { Ok(Version::new(text)) } else { Err(InvalidVersions::NotAVersion(text.to_owned())) }
}

fn parse_element(text: &str) -> Result<VersionElement, InvalidVersions> {
    if let Some(exact) = text.strip_prefix('=') {
        return parse_version(exact).map(VersionElement::Exact);
    }
    let Some((low, high)) = text.split_once(':') else {
        let version = parse_version(text)?;
        let exact = version.is_git();
        return Ok(if exact {
            VersionElement::Exact(version)
        } else {
            VersionElement::Range(VersionRange::prefix(version))
        });
    };
    let end = |text: &str| if text.is_empty() { Ok(None) } else { parse_version(text).map(Some) };
    let range = VersionRange::new(end(low)?, end(high)?);
    range.map(VersionElement::Range).ok_or_else(|| InvalidVersions::Empty(text.to_owned()))
}

impl FromStr for VersionList {
    type Err = InvalidVersions;

    /// Reads what stands behind `@` in a spec.
    fn from_str(text: &str) -> Result<Self, InvalidVersions> {
        let elements: Vec<_> =
            text.split(',').map(|element| parse_element(element.trim())).collect::<Result<_, _>>()?;
        Self::of(elements).ok_or_else(|| InvalidVersions::NotAVersion(text.to_owned()))
    }
}

impl From<VersionRange> for VersionList {
    fn from(range: VersionRange) -> Self {
        Self { elements: vec![VersionElement::Range(range)] }
    }
}

impl fmt::Display for VersionElement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exact(version) if version.is_git() => write!(f, "{version}"),
            Self::Exact(version) => write!(f, "={version}"),
            Self::Range(range) => write!(f, "{range}"),
        }
    }
}

impl fmt::Display for VersionList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, element) in self.elements.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            write!(f, "{comma}{element}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(text: &str) -> VersionList {
        text.parse().unwrap()
    }

    #[track_caller]
    fn holds(set: &str, inside: &[&str], outside: &[&str]) {
        for version in inside {
            assert!(Version::new(*version).satisfies(&list(set)), "{version} in {set}");
        }
        for version in outside {
            assert!(!Version::new(*version).satisfies(&list(set)), "{version} not in {set}");
        }
    }

    #[test]
    fn a_version_stands_for_everything_that_begins_with_it() {
        holds("1.2", &["1.2", "1.2.13", "1-2-0", "1.2a"], &["1.1", "1.20", "1.3", "1", "1.2-rc1"]);
        holds("=1.2", &["1.2", "1-2"], &["1.2.13"]);
        holds("develop", &["develop", "develop-2.0"], &["main", "1.0"]);
    }

    #[test]
    fn ranges_end_inclusively_by_prefix() {
        holds(":1.8", &["1.8.22", "0.1", "a"], &["1.9", "develop"]);
        holds("1.2:1.4", &["1.2", "1.4.9"], &["1.1.9", "1.5"]);
        holds("1.2:", &["1.2", "9", "develop"], &["1.1"]);
        holds(":1.14.3,develop-1.8:develop-1.12", &["1.10", "develop-1.10"], &["2.0", "develop-1.14"]);
    }

    #[test]
    fn lists_are_normalized() {
        assert_eq!(list("1.6,1.2:1.4").to_string(), "1.2:1.4,1.6");
        assert_eq!(list("1:2,3:4").to_string(), "1:4");
        assert_eq!(list("1.2:,=1.3,1.4:1.5").to_string(), "1.2:");
        assert_eq!(list(":1,2:").to_string(), ":");
        assert_eq!(list("=1.2,=1.4").to_string(), "=1.2,=1.4");
    }

    #[test]
    fn sets_are_compared() {
        assert!(list("1.2.13").satisfies(&list("1.2")));
        assert!(!list("1.2").satisfies(&list("1.2.13")));
        assert!(list("1.2").intersects(&list("1.2.13:")));
        assert!(!list(":1.2").intersects(&list("1.3:")));
        assert_eq!(list("1:3").intersection(&list("2:5")).unwrap().to_string(), "2:3");
        assert_eq!(list("1").union(&list("=3")).to_string(), "1,=3");
    }

    #[test]
    fn bad_texts_are_refused() {
        assert_eq!("1.4:1.2".parse::<VersionList>(), Err(InvalidVersions::Empty("1.4:1.2".into())));
        assert_eq!("".parse::<VersionList>(), Err(InvalidVersions::NotAVersion("".into())));
        assert_eq!("1.2,!".parse::<VersionList>(), Err(InvalidVersions::NotAVersion("!".into())));
    }
}
