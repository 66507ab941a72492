//! The search through a log.

use crate::exceptions::{forgives, is_harmless, opens_config_log};
use crate::finding::{Finding, Kind};
use crate::rules::{Rank, judge};
use crate::text::strip_escapes;

/// Lines shown before and after the error.
const BEFORE: usize = 6;
const AFTER: usize = 10;

/// The first real error of a log, or nothing when no line looks like one.
///
/// A line that names its cause comes before one that merely looks like an error, and both before those by which make
/// and others report that a step has failed; among equals the first counts. Errors that make was told to ignore
/// do not.
pub fn first_error(log: &str) -> Option<Finding> {
    let lines: Vec<_> = log.lines().map(strip_escapes).collect();
    let mut best = Best::default();
    let mut traceback = false;
    let mut config_log = false;
    for (index, line) in lines.iter().enumerate() {
        let line = line.trim_end();
        config_log |= opens_config_log(line);
        if forgives(line) {
            best.forget_since_forgiven(index);
        } else if traceback && ends_traceback(line) {
            best.offer(index, Rank::Cause, Kind::Python);
        } else if !is_harmless(line)
            && let Some((rank, kind)) = judge(line)
            && (!config_log || kind == Kind::Configure)
        {
            best.offer(index, rank, kind);
        }
        traceback = line.starts_with("Traceback (most recent call last)") || traceback && is_indented(line);
    }
    best.found().map(|(index, kind)| finding(&lines, index, kind))
}

/// The line behind a traceback's indented ones tells the exception, whatever its name.
fn ends_traceback(line: &str) -> bool {
    !line.is_empty() && !is_indented(line)
}

fn is_indented(line: &str) -> bool {
    line.starts_with([' ', '\t'])
}

/// The first line of each rank.
#[derive(Default)]
struct Best {
    ranks: [Option<(usize, Kind)>; 3],
    /// Index of the last line that forgave what stood before it.
    forgiven: usize,
}

impl Best {
    fn offer(&mut self, index: usize, rank: Rank, kind: Kind) {
        self.ranks[rank as usize].get_or_insert((index, kind));
    }

    /// Drops what came since the last forgiving line: the command that it forgives ran there.
    fn forget_since_forgiven(&mut self, index: usize) {
        for place in &mut self.ranks {
            *place = place.filter(|(found, _)| *found < self.forgiven);
        }
        self.forgiven = index;
    }

    fn found(&self) -> Option<(usize, Kind)> {
        self.ranks.iter().flatten().next().copied()
    }
}

fn finding(lines: &[std::borrow::Cow<'_, str>], index: usize, kind: Kind) -> Finding {
    let owned = |lines: &[std::borrow::Cow<'_, str>]| lines.iter().map(|line| line.to_string()).collect();
    Finding {
        line_number: index + 1,
        kind,
        line: lines[index].to_string(),
        before: owned(&lines[index.saturating_sub(BEFORE)..index]),
        after: owned(&lines[index + 1..lines.len().min(index + 1 + AFTER)]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(log: &str) -> Option<(usize, Kind)> {
        first_error(log).map(|finding| (finding.line_number, finding.kind))
    }

    #[test]
    fn a_cause_comes_before_its_echo() {
        let log = "make[1]: *** [x] Error 1\nERROR: something\na.c:1:1: error: no\nb.c:1:1: error: no\n";
        assert_eq!(found(log), Some((3, Kind::Compiler)));
        assert_eq!(found("ok\nmake: *** [Makefile:3: all] Error 1\n"), Some((2, Kind::Make)));
        assert_eq!(found("ok\n"), None);
        assert_eq!(found(""), None);
    }

    #[test]
    fn what_make_ignores_is_no_error() {
        let log = "a.c:1:1: error: real\nmake: [x] Error 1 (ignored)\nb.c:1:1: error: no\nmake: [y] Error 1 (ignored)\n";
        assert_eq!(found(log), None);
        assert_eq!(found(&format!("{log}c.c:1:1: error: real\n")), Some((5, Kind::Compiler)));
    }

    #[test]
    fn a_traceback_ends_in_its_exception() {
        let log = "Traceback (most recent call last):\n  File \"a\", line 1\n    x()\nBuildFailed\nmake: *** [x] Error 1\n";
        assert_eq!(found(log), Some((4, Kind::Python)));
    }

    #[test]
    fn colours_do_not_hide_an_error() {
        let log = "\x1b[01m\x1b[Ka.c:7:12:\x1b[m\x1b[K \x1b[01;31m\x1b[Kerror: \x1b[m\x1b[Kx\r\n";
        let finding = first_error(log).unwrap();
        assert_eq!(finding.line, "a.c:7:12: error: x");
    }

    #[test]
    fn context_stays_within_the_log() {
        let log: String =
            (1..=40).map(|n| if n == 20 { "a.c:1:1: error: x\n".into() } else { format!("{n}\n") }).collect();
        let finding = first_error(&log).unwrap();
        assert_eq!((finding.before.len(), finding.after.len()), (BEFORE, AFTER));
        assert_eq!((finding.before[0].as_str(), finding.after[9].as_str()), ("14", "30"));
    }
}
