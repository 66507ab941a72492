//! Fits the hunks of one diff into a file, by the rules of GNU patch: where a hunk belongs is guessed from its line
//! number and from how far the hunk before had moved, then searched for in both directions; up to two lines at the outer
//! ends of its context may differ; a hunk whose context ends early belongs to the start or the end of the file.
//!
//! The library that parses the diff could also apply it, but it forgets how far earlier hunks have moved and lets lines
//! differ that stand right beside a change, so that in repetitive files it changes another place than GNU patch does.

use flickzeug::{Hunk, Line, LineEnd};

/// Context lines at either end of a hunk that may differ.
const MAX_FUZZ: usize = 2;

type Text<'a> = (&'a [u8], Option<LineEnd>);

/// The file with all hunks applied, or the number, from 0, of the first one that fits nowhere.
pub(super) fn apply(before: &[u8], hunks: &[Hunk<'_, [u8]>]) -> Result<Vec<u8>, usize> {
    let mut image = Image { lines: lines(before), done: 0, moved: 0, out: Vec::with_capacity(before.len()) };
    for (number, hunk) in hunks.iter().enumerate() {
        let pattern = Pattern::of(hunk);
        let reversed = (number == 0).then(|| hunk.reverse());
        let at = image.place(&pattern, reversed.as_ref().map(Pattern::of)).ok_or(number)?;
        image.change(hunk, &pattern, at);
    }
    image.copy_to(image.lines.len());
    Ok(image.out)
}

fn lines(text: &[u8]) -> Vec<Text<'_>> {
    text.split_inclusive(|byte| *byte == b'\n')
        .map(|line| match line {
            [text @ .., b'\r', b'\n'] => (text, Some(LineEnd::CrLf)),
            [text @ .., b'\n'] => (text, Some(LineEnd::Lf)),
            text => (text, None),
        })
        .collect()
}

/// What a hunk expects to find.
struct Pattern<'a> {
    lines: Vec<Text<'a>>,
    /// Lines of context before the first and behind the last change.
    prefix: usize,
    suffix: usize,
    /// Where the file is said to have it, from 0.
    stated: usize,
}

impl<'a> Pattern<'a> {
    fn of(hunk: &'a Hunk<'_, [u8]>) -> Self {
        let is_context = |line: &&Line<'_, [u8]>| matches!(line, Line::Context(_));
        let lines: Vec<Text<'a>> = hunk
            .lines()
            .iter()
            .filter_map(|line| match line {
                Line::Context(text) | Line::Delete(text) => Some(*text),
                Line::Insert(_) => None,
            })
            .collect();
        // The line number of nothing is that of the line before it.
        let before = usize::from(!lines.is_empty());
        Pattern {
            lines,
            prefix: hunk.lines().iter().take_while(is_context).count(),
            suffix: hunk.lines().iter().rev().take_while(is_context).count(),
            stated: hunk.old_range().start().saturating_sub(before),
        }
    }

    fn context(&self) -> usize {
        self.prefix.max(self.suffix)
    }
}

/// The file while it is patched.
struct Image<'a> {
    lines: Vec<Text<'a>>,
    /// Lines of the file that are written, or dropped, already.
    done: usize,
    /// How far the last hunk lay from where it was said to.
    moved: isize,
    out: Vec<u8>,
}

impl Image<'_> {
    /// Before lines may differ, the first hunk is tried in reverse: a patch that was applied already must not be
    /// applied again beside itself.
    fn place(&mut self, pattern: &Pattern<'_>, reversed: Option<Pattern<'_>>) -> Option<usize> {
        let reversed = reversed.filter(|reversed| !reversed.lines.is_empty());
        for fuzz in 0..=MAX_FUZZ.min(pattern.context()) {
            if let Some(at) = self.locate(pattern, fuzz) {
                self.moved = at.cast_signed() - pattern.stated.cast_signed();
                return Some(at);
            }
            if reversed.as_ref().is_some_and(|reversed| self.locate(reversed, fuzz).is_some()) {
                return None;
            }
        }
        None
    }

    fn locate(&self, pattern: &Pattern<'_>, fuzz: usize) -> Option<usize> {
        let guess = pattern.stated.cast_signed() + self.moved;
        let (length, size) = (self.lines.len(), pattern.lines.len());
        if size == 0 {
            return Some(guess.clamp(self.done.cast_signed(), length.cast_signed()).cast_unsigned());
        }
        // Below zero where the context ends early at that end, and fuzz does not make up for it.
        let skip = |context: usize| (fuzz + context).checked_sub(pattern.context());
        let (front, back) = (skip(pattern.prefix), skip(pattern.suffix));
        let fits =
            |at: usize| at >= self.done && self.matches(pattern, at, front.unwrap_or(0), back.unwrap_or(0));
        match (front, back) {
            (None, _) if pattern.stated == 0 => (fits(0) && (back.is_some() || size == length)).then_some(0),
            (_, None) => length.checked_sub(size).filter(|at| fits(*at)),
            (_, Some(_)) => nearest(guess, length).find(|at| fits(*at)),
        }
    }

    fn matches(&self, pattern: &Pattern<'_>, at: usize, front: usize, back: usize) -> bool {
        let end = pattern.lines.len() - back;
        let Some(found) = self.lines.get(at + front..at + end) else { return false };
        pattern.lines[front..end].iter().zip(found).all(|(wanted, line)| same(wanted, line))
    }

    fn change(&mut self, hunk: &Hunk<'_, [u8]>, pattern: &Pattern<'_>, at: usize) {
        // A patch with other line ends than the file takes those of the file.
        let found = self.lines.get(at..).unwrap_or_default();
        let other_ends = pattern.lines.iter().zip(found).any(|(wanted, line)| wanted.1 != line.1);
        let end_here = found.first().and_then(|line| line.1).filter(|_| other_ends);
        let mut cursor = at;
        for line in hunk.lines() {
            match line {
                Line::Context(_) => cursor += 1,
                Line::Delete(_) => {
                    self.copy_to(cursor);
                    cursor += 1;
                    self.done = cursor;
                }
                Line::Insert((text, end)) => {
                    self.copy_to(cursor);
                    self.write((text, end.map(|end| end_here.unwrap_or(end))));
                }
            }
        }
    }

    /// Writes the file's lines up to that one.
    fn copy_to(&mut self, line: usize) {
        while self.done < line.min(self.lines.len()) {
            self.write(self.lines[self.done]);
            self.done += 1;
        }
    }

    /// Writes a line; one that had no end gets one when another follows it.
    fn write(&mut self, (text, end): Text<'_>) {
        if self.out.last().is_some_and(|byte| *byte != b'\n') {
            self.out.push(b'\n');
        }
        self.out.extend_from_slice(text);
        self.out.extend_from_slice(match end {
            Some(LineEnd::CrLf) => b"\r\n",
            Some(LineEnd::Lf) => b"\n",
            None => b"",
        });
    }
}

/// Whether two lines are the same but for the kind of their end.
fn same(one: &Text<'_>, other: &Text<'_>) -> bool {
    one.0 == other.0 && one.1.is_some() == other.1.is_some()
}

/// Places of a file, nearest to the guess first, of two equally near ones the later.
fn nearest(guess: isize, length: usize) -> impl Iterator<Item = usize> {
    let reach = guess.unsigned_abs() + length;
    let around = (0..=reach).flat_map(move |distance| {
        let distance = distance.cast_signed();
        let back = (distance > 0).then_some(guess - distance);
        std::iter::once(guess + distance).chain(back)
    });
    around.filter_map(|at| usize::try_from(at).ok()).filter(move |at| *at <= length)
}

#[cfg(test)]
mod tests {
    use super::*;
    use flickzeug::Diff;

    fn patched(before: &str, diff: &str) -> Result<String, usize> {
        let diff = Diff::from_bytes(diff.as_bytes()).unwrap();
        apply(before.as_bytes(), diff.hunks()).map(|after| String::from_utf8(after).unwrap())
    }

    const SAME_TWICE: &str =
        "--- a\n+++ b\n@@ -1,3 +1,3 @@\n start\n-x\n+y\n same\n@@ -4,3 +4,3 @@\n same\n-old\n+new\n same\n";

    #[test]
    fn a_hunk_is_looked_for_where_the_one_before_had_moved_to() {
        let block = "same\nold\nsame\n";
        let before = format!("{block}{block}start\nx\nsame\n{block}{block}");
        let after = format!("{block}{block}start\ny\nsame\n{}{block}", block.replace("old", "new"));
        assert_eq!(patched(&before, SAME_TWICE).unwrap(), after);
    }

    #[test]
    fn hunks_keep_their_order() {
        assert_eq!(patched("same\nold\nsame\nstart\nx\nsame\n", SAME_TWICE), Err(1));
    }

    #[test]
    fn context_that_ends_early_means_an_end_of_the_file() {
        let at_start = "--- a\n+++ b\n@@ -1,3 +1,4 @@\n+first\n a\n b\n c\n";
        assert_eq!(patched("a\nb\nc\n", at_start).unwrap(), "first\na\nb\nc\n");
        assert_eq!(patched("0\na\nb\nc\n", at_start), Err(0));
        let at_end = "--- a\n+++ b\n@@ -1,3 +1,4 @@\n a\n b\n c\n+last\n";
        assert_eq!(patched("0\na\nb\nc\n", at_end).unwrap(), "0\na\nb\nc\nlast\n");
        assert_eq!(patched("a\nb\nc\nd\n", at_end), Err(0));
    }

    #[test]
    fn hunks_without_context_and_ends_without_newline() {
        assert_eq!(patched("a\nb\n", "--- a\n+++ b\n@@ -1,0 +2 @@\n+x\n").unwrap(), "a\nx\nb\n");
        assert_eq!(patched("", "--- a\n+++ b\n@@ -0,0 +1,2 @@\n+x\n+y\n").unwrap(), "x\ny\n");
        let newline = "--- a\n+++ b\n@@ -1 +1 @@\n-a\n\\ No newline at end of file\n+a\n";
        assert_eq!(patched("a", newline).unwrap(), "a\n");
        assert_eq!(patched("a\n", newline), Err(0));
        let without = "--- a\n+++ b\n@@ -1 +1,2 @@\n a\n+b\n\\ No newline at end of file\n";
        assert_eq!(patched("a\n", without).unwrap(), "a\nb");
        assert_eq!(patched("a", without).unwrap(), "a\nb");
    }
}
