use std::collections::VecDeque;

use crate::Stream;

/// Most pieces that are held, so that many small ones take no more memory than few large ones.
const MOST_PIECES: usize = 4096;

/// What is kept of a log that may be longer than anybody can keep: its beginning, which is passed on as it comes, and its
/// end. One line between them says how much was left out.
#[derive(Debug)]
pub struct Excerpt {
    /// How many bytes of the beginning may still come.
    head: usize,
    tail: usize,
    held: VecDeque<(Stream, Vec<u8>)>,
    held_bytes: usize,
    left_out: u64,
    in_line: bool,
}

impl Excerpt {
    /// An empty one, which keeps so many bytes of the beginning, and about so many of the end.
    pub fn new(head: usize, tail: usize) -> Self {
        let held = VecDeque::new();
        Self { head, tail, held, held_bytes: 0, left_out: 0, in_line: false }
    }

    /// Takes a piece, and gives what of it belongs to the beginning; the rest is held.
    pub fn push<'a>(&mut self, stream: Stream, bytes: &'a [u8]) -> &'a [u8] {
        let (now, later) = bytes.split_at(bytes.len().min(self.head));
        self.head -= now.len();
        self.in_line = now.last().map_or(self.in_line, |last| *last != b'\n');
        if !later.is_empty() {
            // What comes behind the beginning stays behind it.
            self.head = 0;
            self.hold(stream, later);
        }
        now
    }

    fn hold(&mut self, stream: Stream, bytes: &[u8]) {
        let room = (self.tail / 16).max(1);
        match self.held.back_mut().filter(|(last, held)| *last == stream && held.len() < room) {
            Some((_, held)) => held.extend_from_slice(bytes),
            None => self.held.push_back((stream, bytes.to_vec())),
        }
        self.held_bytes += bytes.len();
        while let Some((_, first)) = self.held.front()
            && (self.held_bytes - first.len() >= self.tail || self.held.len() > MOST_PIECES)
        {
            self.drop_front(first.len());
            self.held.pop_front();
        }
    }

    fn drop_front(&mut self, bytes: usize) {
        self.held_bytes -= bytes;
        self.left_out += bytes as u64;
    }

    /// What was held, with the line about what was left out before it; nothing when there is nothing. The excerpt is as good as
    /// new then, but without room for a beginning.
    pub fn finish(&mut self) -> Vec<(Stream, Vec<u8>)> {
        let mut end = Vec::new();
        if self.left_out > 0 {
            self.begin_at_a_line();
            let line_break = if self.in_line { "\n" } else { "" };
            let line = format!("{line_break}==> {} bytes of output were left out here\n", self.left_out);
            end.push((Stream::Host, line.into_bytes()));
        }
        end.extend(std::mem::take(&mut self.held));
        (self.held_bytes, self.left_out) = (0, 0);
        end
    }

    /// Leaves out the rest of the line that was cut, where its end is near.
    fn begin_at_a_line(&mut self) {
        let Some((_, first)) = self.held.front_mut() else { return };
        if let Some(at) = first.iter().position(|byte| *byte == b'\n') {
            first.drain(..=at);
            self.drop_front(at + 1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(pieces: &[(Stream, Vec<u8>)]) -> String {
        let bytes: Vec<u8> = pieces.iter().flat_map(|(_, bytes)| bytes.clone()).collect();
        String::from_utf8(bytes).unwrap()
    }

    /// Everything that comes out when these pieces go in.
    fn through(mut excerpt: Excerpt, pieces: &[&str]) -> String {
        let mut out = String::new();
        for piece in pieces {
            let now = excerpt.push(Stream::Stdout, piece.as_bytes());
            out.push_str(str::from_utf8(now).unwrap());
        }
        out + &text(&excerpt.finish())
    }

    #[test]
    fn a_short_log_is_whole() {
        let pieces = ["one\n", "two\n", "three\n"];
        assert_eq!(through(Excerpt::new(100, 100), &pieces), pieces.concat());
        assert_eq!(through(Excerpt::new(5, 100), &pieces), pieces.concat(), "the end holds the rest");
    }

    #[test]
    fn of_a_long_one_the_middle_is_left_out() {
        let lines: Vec<String> = (0..1000).map(|line| format!("line {line:03}\n")).collect();
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        let kept = through(Excerpt::new(18, 64), &lines);
        let (head, tail) = kept.split_once("==> ").unwrap();
        assert_eq!(head, "line 000\nline 001\n");
        let (bytes, tail) = tail.split_once(" bytes of output were left out here\n").unwrap();
        assert!(tail.ends_with("line 998\nline 999\n") && tail.starts_with("line "), "{tail}");
        assert!(tail.len() <= 64 + 9, "{tail}");
        assert_eq!(head.len() + bytes.parse::<usize>().unwrap() + tail.len(), 9000);
    }

    #[test]
    fn a_line_that_was_cut_is_ended() {
        let kept = through(Excerpt::new(2, 3), &["abcdef", "ghi\njkl\n"]);
        assert!(kept.starts_with("ab\n==> "), "{kept}");
        assert!(kept.ends_with(" here\njkl\n"), "{kept}");
    }

    #[test]
    fn many_small_pieces_of_both_streams_are_bounded() {
        let mut excerpt = Excerpt::new(0, 1 << 20);
        for index in 0..100_000 {
            let stream = if index % 2 == 0 { Stream::Stdout } else { Stream::Stderr };
            assert!(excerpt.push(stream, b"x").is_empty());
        }
        assert!(excerpt.held.len() <= MOST_PIECES);
        assert!(text(&excerpt.finish()).contains("bytes of output were left out here"));
        assert!(excerpt.finish().is_empty());
    }
}
