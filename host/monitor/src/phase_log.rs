use std::sync::Arc;

use crate::spool::{Piece, Spool};
use crate::{Excerpt, OutputChunk};

/// How much of the beginning and of the end of a phase's log a Spackmon server is told, in bytes: it takes a log as one text
/// in one request, which both sides hold in memory.
const HEAD: usize = 7 << 20;
const TAIL: usize = 1 << 20;

/// Longer pieces do not stay in memory.
const PIECE: usize = 64 << 10;

/// The log of a phase that runs.
#[derive(Debug)]
pub(crate) struct PhaseLog {
    spool: Arc<Spool>,
    excerpt: Excerpt,
    pieces: Vec<Piece>,
    /// The last piece, which still grows.
    last: Vec<u8>,
}

/// The log of a phase that has ended.
#[derive(Clone, Debug)]
pub(crate) struct PhaseText {
    /// The line that opens a phase, as readers of Spackmon know it.
    opening: String,
    pieces: Vec<Piece>,
}

impl PhaseLog {
    pub(crate) fn new(spool: Arc<Spool>) -> Self {
        Self { spool, excerpt: Excerpt::new(HEAD, TAIL), pieces: Vec::new(), last: Vec::new() }
    }

    pub(crate) fn push(&mut self, chunk: &OutputChunk) {
        let now = self.excerpt.push(chunk.stream, chunk.text.as_bytes());
        self.keep(now);
    }

    fn keep(&mut self, bytes: &[u8]) {
        self.last.extend_from_slice(bytes);
        if self.last.len() >= PIECE {
            self.put_aside();
        }
    }

    fn put_aside(&mut self) {
        self.pieces.push(self.spool.put(&self.last));
        self.last.clear();
    }

    /// The phase of a package has ended.
    pub(crate) fn end(mut self, package: &str, phase: &str) -> PhaseText {
        for (_, bytes) in self.excerpt.finish() {
            self.keep(&bytes);
        }
        if !self.pieces.is_empty() {
            self.put_aside();
        } else if !self.last.is_empty() {
            self.pieces.push(Piece::Memory(self.last.into()));
        }
        PhaseText { opening: opening(package, phase), pieces: self.pieces }
    }
}

fn opening(package: &str, phase: &str) -> String {
    format!("==> {package}: Executing phase: '{phase}'\n")
}

impl PhaseText {
    /// With a line of ours at its end.
    pub(crate) fn with(mut self, line: &str) -> Self {
        self.pieces.push(Piece::Memory(line.as_bytes().into()));
        self
    }

    /// The text: with the line that opens a phase, and without NUL, which a server on PostgreSQL refuses with the whole log.
    pub(crate) fn text(&self) -> String {
        let mut bytes = Vec::new();
        for piece in &self.pieces {
            if let Err(error) = piece.append_to(&mut bytes) {
                bytes.extend_from_slice(format!("\n==> a part of the log was lost: {error}\n").as_bytes());
            }
        }
        // Where the middle was left out, characters may have been cut.
        let log = String::from_utf8(bytes)
            .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned());
        let log = if log.starts_with(&self.opening) { log } else { self.opening.clone() + &log };
        if log.contains('\0') { log.replace('\0', "\u{2400}") } else { log }
    }
}

impl PartialEq for PhaseText {
    fn eq(&self, other: &Self) -> bool {
        self.text() == other.text()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Stream;

    fn text_of(chunks: &[&str]) -> String {
        let folder = tempfile::tempdir().unwrap();
        let mut log = PhaseLog::new(Arc::new(Spool::new(folder.path().to_owned())));
        for chunk in chunks {
            log.push(&OutputChunk::new(Some("build".to_owned()), Stream::Stdout, chunk.as_bytes()));
        }
        log.end("zlib", "build").text()
    }

    #[test]
    fn a_log_is_complete_and_has_no_nul() {
        let opened = "==> zlib: Executing phase: 'build'\na\n";
        assert_eq!(text_of(&[opened]), opened);
        assert_eq!(text_of(&["a", "\n"]), opened);
        assert_eq!(text_of(&["\0\n"]), opened.replace("a\n", "\u{2400}\n"));
        assert_eq!(text_of(&[]), "==> zlib: Executing phase: 'build'\n");
    }

    #[test]
    fn a_long_log_is_whole_and_a_longer_one_is_bounded() {
        let line = "x".repeat(1023) + "\n";
        let chunks = |count| vec![line.as_str(); count];
        let long = text_of(&chunks(1000));
        assert!(long.ends_with(&line.repeat(1000)), "{}", long.len());
        let longer = text_of(&chunks(20_000));
        // The end is held in pieces.
        assert!(longer.len() < HEAD + TAIL + PIECE + 4096, "{}", longer.len());
        assert!(longer.contains(" bytes of output were left out here\n"));
    }
}
