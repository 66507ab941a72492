//! What a recipe warns of, as far as it is repeated at the end of a build.

/// How many warnings of a build are repeated.
const MOST: usize = 100;
/// How much text of a build's warnings is repeated, in bytes.
const MOST_BYTES: usize = 1 << 20;

/// Warnings that are repeated, and how many there were besides.
#[derive(Debug, Default)]
pub(crate) struct Warnings {
    kept: Vec<String>,
    bytes: usize,
    more: usize,
}

impl Warnings {
    /// Whether this one is repeated: there was room for it, and for all before it.
    pub(crate) fn push(&mut self, message: &str) -> bool {
        let bytes = self.bytes.saturating_add(message.len());
        let fits = self.more == 0 && self.kept.len() < MOST && bytes <= MOST_BYTES;
        if fits {
            self.bytes = bytes;
            self.kept.push(message.to_owned());
        } else {
            self.more += 1;
        }
        fits
    }

    /// What is said at the end.
    pub(crate) fn told(&self) -> Vec<String> {
        self.kept.iter().cloned().chain(self.untold()).collect()
    }

    /// A word about those that are not repeated.
    pub(crate) fn untold(&self) -> Option<String> {
        match self.more {
            0 => None,
            1 => Some("1 more warning is in the log".to_owned()),
            more => Some(format!("{more} more warnings are in the log")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn number_and_size_are_bounded_and_the_rest_is_counted() {
        let mut many = Warnings::default();
        let kept = (0..150).filter(|_| many.push("careful")).count();
        assert_eq!((kept, many.told().len()), (MOST, MOST + 1));
        assert_eq!(many.told()[MOST], "50 more warnings are in the log");

        let mut long = Warnings::default();
        let text = "x".repeat(600 << 10);
        assert!(long.push(&text) && !long.push(&text));
        assert!(!long.push("short"), "none is told that comes behind one that is not");
        assert_eq!(long.told(), [text.as_str(), "2 more warnings are in the log"]);
    }

    #[test]
    fn few_are_told_as_they_are() {
        let mut few = Warnings::default();
        assert!(few.push("one") && few.push("two"));
        assert_eq!(few.told(), ["one", "two"]);
    }
}
