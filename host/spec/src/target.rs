use std::fmt;

use archspec::cpu::Microarchitecture;

/// A set of microarchitectures as `target=` names them: `zen3`, `x86_64_v3:`, `:skylake`, `x86_64_v2:x86_64_v4`, or several
/// with commas.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TargetList {
    elements: Vec<TargetElement>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum TargetElement {
    Exact(String),
    /// From the more general one to the more special one, both included.
    Range(Option<String>, Option<String>),
}

impl TargetList {
    /// Reads what stands behind `target=`; every text is one, since a name may be newer than our table.
    pub fn new(text: &str) -> Self {
        let end = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let element = |text: &str| match text.split_once(':') {
            Some((low, high)) => TargetElement::Range(end(low), end(high)),
            None => TargetElement::Exact(text.to_owned()),
        };
        Self { elements: text.split(',').map(|text| element(text.trim())).collect() }
    }

    /// The name, if it is exactly one.
    pub fn as_exact(&self) -> Option<&str> {
        match self.elements.as_slice() {
            [TargetElement::Exact(name)] => Some(name),
            _ => None,
        }
    }

    /// Whether the microarchitecture `target` is one of them.
    pub fn contains(&self, target: &str) -> bool {
        self.elements.iter().any(|element| element.contains(target))
    }

    /// What may lie in both: decided for names, assumed for two ranges.
    pub fn intersects(&self, other: &Self) -> bool {
        self.elements.iter().any(|own| other.elements.iter().any(|element| own.intersects(element)))
    }

    /// Whether every target of it surely lies in `other`.
    pub fn satisfies(&self, other: &Self) -> bool {
        self.elements.iter().all(|own| match own {
            TargetElement::Exact(name) => other.contains(name),
            TargetElement::Range(..) => other.elements.contains(own),
        })
    }
}

impl TargetElement {
    fn contains(&self, target: &str) -> bool {
        match self {
            Self::Exact(name) => name == target,
            Self::Range(low, high) => {
                low.as_ref().is_none_or(|low| descends(target, low))
                    && high.as_ref().is_none_or(|high| descends(high, target))
            }
        }
    }

    fn intersects(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Exact(name), set) | (set, Self::Exact(name)) => set.contains(name),
            (Self::Range(..), Self::Range(..)) => true,
        }
    }
}

/// Whether `target` is `ancestor` or a later member of its line in archspec's table.
fn descends(target: &str, ancestor: &str) -> bool {
    target == ancestor
        || Microarchitecture::known_targets()
            .get(target)
            .is_some_and(|known| known.ancestors().iter().any(|older| older.name() == ancestor))
}

/// Whether two microarchitectures run the same instructions at bottom, for example `zen3` and `x86_64_v2`; not so for a
/// name that archspec's table lacks, unless it is the same.
pub fn same_family(one: &str, other: &str) -> bool {
    let known = Microarchitecture::known_targets();
    let families = (known.get(one), known.get(other));
    one == other
        || matches!(families, (Some(one), Some(other)) if one.family().name() == other.family().name())
}

impl fmt::Display for TargetList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, element) in self.elements.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            match element {
                TargetElement::Exact(name) => write!(f, "{comma}{name}")?,
                TargetElement::Range(low, high) => {
                    let (low, high) = (low.as_deref().unwrap_or(""), high.as_deref().unwrap_or(""));
                    write!(f, "{comma}{low}:{high}")?;
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families_are_the_roots_of_lines() {
        assert!(same_family("zen3", "x86_64_v2"));
        assert!(!same_family("zen3", "neoverse_n1"));
        assert!(!same_family("zen3", "zen99"));
    }

    #[test]
    fn ranges_follow_archspecs_lines() {
        assert!(TargetList::new("x86_64_v3:").contains("zen3"));
        assert!(TargetList::new("x86_64_v3:").contains("x86_64_v3"));
        assert!(!TargetList::new("x86_64_v3:").contains("x86_64_v2"));
        assert!(!TargetList::new("aarch64:").contains("zen3"));
        assert!(TargetList::new(":x86_64_v3").contains("x86_64"));
        assert!(TargetList::new("aarch64:,zen2").contains("zen2"));
    }
}
