//! Makes text of what tools wrote.

use std::borrow::Cow;

/// What stands in the place of a line that is not UTF-8; the wording is Spack's.
pub const LOST_LINE: &str = "<line lost: output was not encoded as UTF-8>";

/// Output as text: a line that is not UTF-8 is replaced as a whole, so that no half of it misleads.
pub fn lossy_utf8_lines(output: &[u8]) -> Cow<'_, str> {
    if let Ok(text) = str::from_utf8(output) {
        return Cow::Borrowed(text);
    }
    let lines = output.split_inclusive(|byte| *byte == b'\n').map(|line| match str::from_utf8(line) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) if line.ends_with(b"\n") => Cow::Owned(format!("{LOST_LINE}\n")),
        Err(_) => Cow::Borrowed(LOST_LINE),
    });
    Cow::Owned(lines.collect())
}

/// A line as a terminal would show it in the end: without colours, links and other control sequences, and with only
/// the last of several texts that overwrote each other.
pub fn strip_escapes(line: &str) -> Cow<'_, str> {
    let is_plain = |byte: u8| byte >= 0x20 && byte != 0x7f || byte == b'\t';
    if line.bytes().all(is_plain) {
        return Cow::Borrowed(line);
    }
    let line = line.trim_end_matches(['\r', '\n']);
    let last = line.rsplit('\r').next().unwrap_or(line);
    Cow::Owned(anstream::adapter::strip_str(last).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_is_not_utf8_is_lost_as_a_whole() {
        assert_eq!(
            lossy_utf8_lines(b"good\nb\xe4d line\nah \xc3\xa4\n"),
            format!("good\n{LOST_LINE}\nah ä\n")
        );
        assert_eq!(lossy_utf8_lines(b"good\n\xff"), format!("good\n{LOST_LINE}"));
        assert!(matches!(lossy_utf8_lines("ä\n".as_bytes()), Cow::Borrowed("ä\n")));
        assert_eq!(lossy_utf8_lines(b""), "");
    }

    #[test]
    fn escapes_are_taken_out() {
        let gcc = "\x1b[01m\x1b[Kmain.c:7:12:\x1b[m\x1b[K \x1b[01;31m\x1b[Kerror: \x1b[m\x1b[K'x' undeclared";
        assert_eq!(strip_escapes(gcc), "main.c:7:12: error: 'x' undeclared");
        assert_eq!(
            strip_escapes("[\x1b]8;;https://gcc.gnu.org/\x07-Wextra\x1b]8;;\x07] \u{e4}"),
            "[-Wextra] \u{e4}"
        );
        assert_eq!(strip_escapes("[ 10%]\r[ 20%]\r[100%] done\r\n"), "[100%] done");
        assert!(matches!(strip_escapes("plain\ttext"), Cow::Borrowed(_)));
    }
}
