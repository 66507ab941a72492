use std::cmp::{max, min};
use std::fmt;

use crate::Version;

/// A range of versions, open on either side: `1.2:1.4`, `1.2:`, `:1.4`, `:`, or `1.2`, which is `1.2:1.2`.
///
/// The upper end is inclusive by prefix: `:1.4` holds 1.4 and 1.4.9, and ends before 1.5.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct VersionRange {
    low: Option<Version>,
    high: Option<Version>,
}

impl VersionRange {
    /// All versions.
    pub const ANY: Self = Self { low: None, high: None };

    /// The range from `low` to `high`, or `None` when no version lies in it.
    pub fn new(low: Option<Version>, high: Option<Version>) -> Option<Self> {
        let range = Self { low, high };
        (!range.is_empty()).then_some(range)
    }

    /// `@prefix`: the version and everything that begins with it.
    pub fn prefix(version: Version) -> Self {
        Self { low: Some(version.clone()), high: Some(version) }
    }

    /// The least version in it, if it is bounded below.
    pub fn low(&self) -> Option<&Version> {
        self.low.as_ref()
    }

    /// The version that bounds it above, with everything that begins with it.
    pub fn high(&self) -> Option<&Version> {
        self.high.as_ref()
    }

    fn is_empty(&self) -> bool {
        matches!((&self.low, &self.high), (Some(low), Some(high)) if *low >= high.next())
    }

    /// Whether `version` lies in it.
    pub fn contains(&self, version: &Version) -> bool {
        self.low.as_ref().is_none_or(|low| low <= version)
            && self.high.as_ref().is_none_or(|high| *version < high.next())
    }

    /// Whether every version of it lies in `other`.
    pub fn is_subset(&self, other: &Self) -> bool {
        let above = other.low.as_ref().is_none_or(|low| self.low.as_ref().is_some_and(|own| own >= low));
        let below = other
            .high
            .as_ref()
            .is_none_or(|high| self.high.as_ref().is_some_and(|own| own.next() <= high.next()));
        above && below
    }

    /// What lies in both, or `None`.
    pub fn intersection(&self, other: &Self) -> Option<Self> {
        let low = max(self.low.clone(), other.low.clone());
        let high = match (&self.high, &other.high) {
            (Some(a), Some(b)) => Some(if a.next() <= b.next() { a.clone() } else { b.clone() }),
            (a, b) => a.clone().or_else(|| b.clone()),
        };
        Self::new(low, high)
    }

    /// One range that holds both, if nothing lies between them.
    pub fn join(&self, other: &Self) -> Option<Self> {
        let touches = |left: &Self, right: &Self| match (&left.low, &right.high) {
            (Some(low), Some(high)) => *low <= high.next(),
            _ => true,
        };
        if !touches(self, other) || !touches(other, self) {
            return None;
        }
        let high = match (&self.high, &other.high) {
            (Some(a), Some(b)) => Some(if a.next() >= b.next() { a.clone() } else { b.clone() }),
            _ => None,
        };
        Some(Self { low: min(self.low.clone(), other.low.clone()), high })
    }
}

impl fmt::Display for VersionRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.low, &self.high) {
            (Some(low), Some(high)) if low == high => write!(f, "{low}"),
            (low, high) => {
                let text = |end: &Option<Version>| end.as_ref().map(ToString::to_string).unwrap_or_default();
                write!(f, "{}:{}", text(low), text(high))
            }
        }
    }
}
