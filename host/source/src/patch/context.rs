//! Context diffs (`diff -c`), in which GNU's own patches are written, as unified ones: what is read has one form then.

use std::borrow::Cow;
use std::ops::Range;

use super::error::PatchError;

const SEPARATOR: &[u8] = b"***************";
const NO_NEWLINE: &[u8] = b"\\ No newline at end of file\n";

/// The patch with its context diffs rewritten; all else in it is kept.
pub(super) fn to_unified(patch: &[u8]) -> Result<Cow<'_, [u8]>, PatchError> {
    let lines: Vec<&[u8]> = patch.split_inclusive(|byte| *byte == b'\n').collect();
    if !lines.iter().any(|line| line.starts_with(SEPARATOR)) {
        return Ok(Cow::Borrowed(patch));
    }
    let mut reader = Reader { lines, next: 0 };
    let mut out = Vec::with_capacity(patch.len());
    while let Some(line) = reader.peek(0) {
        if reader.at_header() {
            reader.file(&mut out)?;
        } else {
            out.extend_from_slice(line);
            reader.next += 1;
        }
    }
    Ok(Cow::Owned(out))
}

/// One line of a hunk.
#[derive(Clone, Copy)]
struct Line<'a> {
    /// `b' '`, or for a change `b'-'`, `b'+'` or `b'!'`.
    kind: u8,
    text: &'a [u8],
    newline: bool,
}

/// One side of a hunk.
struct Side<'a> {
    first: usize,
    lines: Vec<Line<'a>>,
}

struct Reader<'a> {
    lines: Vec<&'a [u8]>,
    next: usize,
}

impl<'a> Reader<'a> {
    fn peek(&self, ahead: usize) -> Option<&'a [u8]> {
        self.lines.get(self.next + ahead).copied()
    }

    fn starts(&self, ahead: usize, start: &[u8]) -> bool {
        self.peek(ahead).is_some_and(|line| line.starts_with(start))
    }

    fn at_header(&self) -> bool {
        self.starts(0, b"*** ") && self.starts(1, b"--- ") && self.starts(2, SEPARATOR)
    }

    /// The hunks of one file, with the header in front.
    fn file(&mut self, out: &mut Vec<u8>) -> Result<(), PatchError> {
        for sign in [b"--- ", b"+++ "] {
            out.extend_from_slice(sign);
            out.extend_from_slice(self.peek(0).and_then(|line| line.get(4..)).unwrap_or_default());
            self.next += 1;
        }
        while self.starts(0, SEPARATOR) {
            self.next += 1;
            let old = self.side(b"*** ", b" ****", b"-!")?;
            let new = self.side(b"--- ", b" ----", b"+!")?;
            write_hunk(&complete(old, new), out)
                .ok_or_else(|| self.malformed("the two sides of the hunk differ"))?;
        }
        Ok(())
    }

    /// A side's range and lines. The lines may be missing where none of them is changed.
    fn side(&mut self, start: &[u8], end: &[u8], changes: &[u8]) -> Result<Side<'a>, PatchError> {
        let header = self.peek(0).and_then(|line| line.strip_prefix(start));
        let range = header.and_then(|header| range(header, end));
        let range = range.ok_or_else(|| self.malformed("a range such as `*** 1,5 ****` is expected"))?;
        self.next += 1;
        let mut lines = Vec::new();
        while lines.len() < range.len() {
            let Some(line) = self.peek(0).and_then(|line| body(line, changes)) else { break };
            self.next += 1;
            let newline = !self.starts(0, b"\\");
            self.next += usize::from(!newline);
            lines.push(Line { newline, ..line });
        }
        if !lines.is_empty() && lines.len() < range.len() {
            return Err(self.malformed("the hunk has fewer lines than it says"));
        }
        Ok(Side { first: range.start, lines })
    }

    fn malformed(&self, reason: &str) -> PatchError {
        PatchError::Malformed { line: self.next + 1, reason: reason.to_owned() }
    }
}

/// The lines that a range such as `3,5 ****` names; of none, the start is the line before, as in unified diffs.
fn range(header: &[u8], end: &[u8]) -> Option<Range<usize>> {
    let text = str::from_utf8(header.trim_ascii_end().strip_suffix(end)?).ok()?;
    let (first, last) = text.split_once(',').unwrap_or((text, text));
    let (first, last): (usize, usize) = (first.parse().ok()?, last.parse().ok()?);
    let behind = last.checked_add(usize::from(last > 0))?;
    (first <= behind).then_some(first..behind)
}

fn body<'a>(line: &'a [u8], changes: &[u8]) -> Option<Line<'a>> {
    let kind = *line.first()?;
    let known = kind == b' ' || changes.contains(&kind);
    let text = line.get(2..).filter(|_| known && line[1] == b' ')?;
    Some(Line { kind, text, newline: true })
}

/// A side without lines has the other's context.
fn complete<'a>(mut old: Side<'a>, mut new: Side<'a>) -> (Side<'a>, Side<'a>) {
    let context = |side: &Side<'a>| side.lines.iter().filter(|line| line.kind == b' ').copied().collect();
    if old.lines.is_empty() {
        old.lines = context(&new);
    } else if new.lines.is_empty() {
        new.lines = context(&old);
    }
    (old, new)
}

/// Writes a hunk; nothing where the sides have other lines in common than they say.
fn write_hunk((old, new): &(Side<'_>, Side<'_>), out: &mut Vec<u8>) -> Option<()> {
    let ranges = [(b'-', old), (b'+', new)];
    out.extend_from_slice(b"@@");
    for (sign, side) in ranges {
        out.extend_from_slice(format!(" {}{},{}", char::from(sign), side.first, side.lines.len()).as_bytes());
    }
    out.extend_from_slice(b" @@\n");
    let (mut olds, mut news) = (old.lines.iter().peekable(), new.lines.iter().peekable());
    while olds.peek().is_some() || news.peek().is_some() {
        while let Some(line) = olds.next_if(|line| line.kind != b' ') {
            write_line(b'-', line, out);
        }
        while let Some(line) = news.next_if(|line| line.kind != b' ') {
            write_line(b'+', line, out);
        }
        match (olds.next(), news.next()) {
            (None, None) => {}
            (Some(one), Some(other)) if one.text == other.text => write_line(b' ', one, out),
            _ => return None,
        }
    }
    Some(())
}

fn write_line(sign: u8, line: &Line<'_>, out: &mut Vec<u8>) {
    out.push(sign);
    out.extend_from_slice(line.text);
    if !line.text.ends_with(b"\n") {
        out.push(b'\n');
    }
    if !line.newline {
        out.extend_from_slice(NO_NEWLINE);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unified(patch: &str) -> String {
        String::from_utf8(to_unified(patch.as_bytes()).unwrap().into_owned()).unwrap()
    }

    #[test]
    fn text_around_is_kept_and_changes_stand_together() {
        let patch = "A report.\n\n*** a/x\t2022-08-15\n--- x\t2022-10-05\n***************\n*** 3,6 ****\n  one\n! two\n- three\n  four\n\
                     --- 3,6 ----\n  one\n! TWO\n  four\n+ five\n\n*** a/y\n--- y\n***************\n*** 1 ****\n! 0\n--- 1 ----\n! 1\n";
        assert_eq!(
            unified(patch),
            "A report.\n\n--- a/x\t2022-08-15\n+++ x\t2022-10-05\n@@ -3,4 +3,4 @@\n one\n-two\n-three\n+TWO\n four\n+five\n\n\
             --- a/y\n+++ y\n@@ -1,1 +1,1 @@\n-0\n+1\n"
        );
    }

    #[test]
    fn a_side_may_be_left_out() {
        let added = "*** a\n--- b\n***************\n*** 1,2 ****\n--- 1,3 ----\n  one\n+ new\n  two\n";
        assert_eq!(unified(added), "--- a\n+++ b\n@@ -1,2 +1,3 @@\n one\n+new\n two\n");
        let removed = "*** a\n--- b\n***************\n*** 1,3 ****\n  one\n- old\n  two\n--- 1,2 ----\n";
        assert_eq!(unified(removed), "--- a\n+++ b\n@@ -1,3 +1,2 @@\n one\n-old\n two\n");
        let made = "*** /dev/null\n--- b\n***************\n*** 0 ****\n--- 1,2 ----\n+ one\n+ two\n\\ No newline at end of file\n";
        assert_eq!(
            unified(made),
            "--- /dev/null\n+++ b\n@@ -0,0 +1,2 @@\n+one\n+two\n\\ No newline at end of file\n"
        );
    }

    #[test]
    fn what_is_wrong_is_said_with_its_line() {
        let says = |patch: &str| to_unified(patch.as_bytes()).unwrap_err().to_string();
        assert_eq!(
            says("*** a\n--- b\n***************\n*** 1,x ****\n"),
            "the patch is malformed in line 4: a range such as `*** 1,5 ****` is expected"
        );
        assert_eq!(
            says("*** a\n--- b\n***************\n*** 1,3 ****\n  one\n--- 1 ----\n  one\n"),
            "the patch is malformed in line 6: the hunk has fewer lines than it says"
        );
        assert_eq!(
            says("*** a\n--- b\n***************\n*** 1 ****\n  one\n--- 1 ----\n  two\n"),
            "the patch is malformed in line 8: the two sides of the hunk differ"
        );
    }
}
