//! The search through a log.

use std::borrow::Cow;

use crate::exceptions::{forgives, is_harmless, opens_config_log};
use crate::finding::{Finding, Kind};
use crate::rules::{Rank, judge};
use crate::text::strip_escapes;

/// Lines shown before and after the error.
const BEFORE: usize = 6;
const AFTER: usize = 10;

/// How far before make's report of a failed step its cause is looked for first, in lines: an error earlier than that
/// was most likely survived. Compilers can say much about one error; other tools rarely do.
const CAUSE_REACH: usize = 400;
const LIKELY_REACH: usize = 20;

/// The first real error of a log, or nothing when no line looks like one.
///
/// A line that names its cause comes before one that merely looks like an error, and both before those by which make
/// and others report that a step has failed. Among equals the first counts, or, where make reports a failed step,
/// the first that is not far before that. Errors that make was told to ignore do not count.
pub fn first_error(log: &str) -> Option<Finding> {
    let lines: Vec<_> = log.lines().map(strip_escapes).collect();
    let mut hits = Hits::default();
    let mut traceback = false;
    let mut config_log = false;
    for (index, line) in lines.iter().enumerate() {
        let line = line.trim_end();
        config_log |= opens_config_log(line);
        if forgives(line) {
            hits.forget_forgiven(index);
        } else if traceback && ends_traceback(line) {
            hits.causes.push((index, Kind::Python));
        } else if !is_harmless(line)
            && let Some((rank, kind)) = judge(line)
            && (!config_log || kind == Kind::Configure)
        {
            hits.add(index, rank, kind, line);
        }
        traceback = line.starts_with("Traceback (most recent call last)") || traceback && is_indented(line);
    }
    hits.best().map(|(index, kind)| finding(&lines, index, kind))
}

/// The line behind a traceback's indented ones tells the exception, whatever its name.
fn ends_traceback(line: &str) -> bool {
    !line.is_empty() && !is_indented(line)
}

fn is_indented(line: &str) -> bool {
    line.starts_with([' ', '\t'])
}

/// A line's index and who complains in it.
type Hit = (usize, Kind);

#[derive(Default)]
struct Hits {
    causes: Vec<Hit>,
    likely: Vec<Hit>,
    echoes: Vec<Hit>,
    /// Index of the line by which make first reports a failed step.
    report: Option<usize>,
    /// Index behind the last line that forgave what stood before it.
    forgiven: usize,
}

impl Hits {
    fn add(&mut self, index: usize, rank: Rank, kind: Kind, line: &str) {
        match rank {
            Rank::Cause => self.causes.push((index, kind)),
            Rank::Likely => self.likely.push((index, kind)),
            Rank::Echo => self.echoes.push((index, kind)),
        }
        // ninja says FAILED before the output of the step, and all else comes behind it.
        if rank == Rank::Echo && kind == Kind::Make && !line.starts_with("FAILED") {
            self.report.get_or_insert(index);
        }
    }

    /// Drops what came since the last forgiving line: the command that this one forgives ran there.
    fn forget_forgiven(&mut self, index: usize) {
        for hits in [&mut self.causes, &mut self.likely, &mut self.echoes] {
            hits.retain(|(hit, _)| *hit < self.forgiven);
        }
        self.forgiven = index;
    }

    fn best(&self) -> Option<Hit> {
        self.nearest(&self.causes, CAUSE_REACH)
            .or_else(|| self.nearest(&self.likely, LIKELY_REACH))
            .or_else(|| self.echoes.first().copied())
    }

    /// The first of `hits` within `reach` of make's report, else the first of all.
    fn nearest(&self, hits: &[Hit], reach: usize) -> Option<Hit> {
        let near = self.report.map(|report| report.saturating_sub(reach)..report);
        let nearest = near.and_then(|near| hits.iter().find(|(hit, _)| near.contains(hit)));
        nearest.or_else(|| hits.first()).copied()
    }
}

fn finding(lines: &[Cow<'_, str>], index: usize, kind: Kind) -> Finding {
    let owned = |lines: &[Cow<'_, str>]| lines.iter().map(|line| line.to_string()).collect();
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
    fn errors_that_the_build_survived_come_last() {
        let lines = |count| "  CC x.o\n".repeat(count);
        let probe = "gcc: error: unrecognized command-line option '-V'\n";
        let failed = "make: *** [Makefile:3: x.o] Error 1\n";
        let log = format!("{probe}{}a.c:1:1: error: x\n{}{failed}", lines(500), lines(30));
        assert_eq!(found(&log), Some((502, Kind::Compiler)));
        let log = format!("tool: error: odd\n{}tool: error: bad\n{failed}", lines(50));
        assert_eq!(found(&log), Some((52, Kind::Other)));
        assert_eq!(found(&format!("{probe}{}{failed}", lines(500))), Some((1, Kind::Compiler)));
    }

    #[test]
    fn ninja_fails_before_it_says_why() {
        let log = "FAILED: a.o\ncc -c a.c\na.c:1:1: error: x\nninja: build stopped: subcommand failed.\n";
        assert_eq!(found(log), Some((3, Kind::Compiler)));
        assert_eq!(
            found("FAILED: a\n./a\nninja: build stopped: subcommand failed.\n"),
            Some((1, Kind::Make))
        );
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
