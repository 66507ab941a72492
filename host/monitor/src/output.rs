use data_encoding::BASE64;
use serde::{Deserialize, Serialize};

/// Where a part of a build's log comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stream {
    /// A tool's standard output.
    Stdout,
    /// A tool's standard error.
    Stderr,
    /// The host's own lines: `==> ...`, the commands that are run, what the recipe logs.
    Host,
}

/// A part of a build's log.
///
/// A chunk never ends within a character of UTF-8, so `text` alone is the log wherever the log is UTF-8.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutputChunk {
    /// The phase; nothing before the first one (fetching, patching).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phase: Option<String>,
    /// Where it comes from.
    pub stream: Stream,
    /// The text, with U+FFFD for what is no UTF-8.
    pub text: String,
    /// The exact bytes, in base64, only when `text` is not exact.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    raw: Option<String>,
}

impl OutputChunk {
    /// A chunk with these bytes.
    pub fn new(phase: Option<String>, stream: Stream, bytes: &[u8]) -> Self {
        match str::from_utf8(bytes) {
            Ok(text) => Self { phase, stream, text: text.to_owned(), raw: None },
            Err(_) => Self {
                phase,
                stream,
                text: String::from_utf8_lossy(bytes).into_owned(),
                raw: Some(BASE64.encode(bytes)),
            },
        }
    }

    /// How much memory it takes, in bytes, as good as.
    pub(crate) fn weight(&self) -> usize {
        self.text.len() + self.raw.as_ref().map_or(0, String::len)
    }

    /// The exact bytes that the tool wrote. A chunk read from a damaged file gives its text.
    pub fn bytes(&self) -> Vec<u8> {
        let exact = self.raw.as_ref().and_then(|raw| BASE64.decode(raw.as_bytes()).ok());
        exact.unwrap_or_else(|| self.text.clone().into_bytes())
    }
}

/// Cuts a stream of bytes into chunks that do not end within a character.
#[derive(Debug, Default)]
pub(crate) struct ChunkCutter {
    held: Vec<u8>,
}

impl ChunkCutter {
    /// Takes bytes, and gives what is complete; an incomplete character stays for the next call.
    pub(crate) fn push(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut whole = std::mem::take(&mut self.held);
        whole.extend_from_slice(bytes);
        self.held = whole.split_off(whole.len() - incomplete_tail(&whole));
        whole
    }

    /// What is left at the end of the stream.
    pub(crate) fn finish(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.held)
    }
}

/// How many bytes at the end are the start of a character whose rest may still come.
fn incomplete_tail(bytes: &[u8]) -> usize {
    // A character has four bytes at most, so an incomplete one has three.
    (1..=bytes.len().min(3))
        .find(|&length| {
            let tail = &bytes[bytes.len() - length..];
            // No `error_len` means: valid so far, but it ends too early.
            matches!(str::from_utf8(tail), Err(error) if error.valid_up_to() == 0 && error.error_len().is_none())
        })
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chunk_of_utf8_carries_text_only() {
        let chunk = OutputChunk::new(None, Stream::Stdout, "größe\n".as_bytes());
        assert_eq!(chunk.text, "größe\n");
        assert_eq!(chunk.raw, None);
        assert_eq!(chunk.bytes(), "größe\n".as_bytes());
    }

    #[test]
    fn a_chunk_of_other_bytes_keeps_them() {
        let chunk = OutputChunk::new(None, Stream::Stdout, b"caf\xe9\n");
        assert_eq!(chunk.text, "caf\u{fffd}\n");
        let line = serde_json::to_string(&chunk).unwrap();
        assert_eq!(serde_json::from_str::<OutputChunk>(&line).unwrap().bytes(), b"caf\xe9\n");
    }

    #[test]
    fn a_character_cut_in_two_arrives_whole() {
        let text = "a€😀b".as_bytes();
        for cut in 0..=text.len() {
            let mut cutter = ChunkCutter::default();
            let chunks = [cutter.push(&text[..cut]), cutter.push(&text[cut..]), cutter.finish()];
            assert!(chunks.iter().all(|chunk| str::from_utf8(chunk).is_ok()), "cut at {cut}: {chunks:?}");
            assert_eq!(chunks.concat(), text);
        }
    }

    #[test]
    fn bytes_that_are_no_text_are_not_held_back() {
        let mut cutter = ChunkCutter::default();
        assert_eq!(cutter.push(b"\xff\xfe"), b"\xff\xfe");
        assert_eq!(cutter.push(b"x\xf0\x9f"), b"x");
        assert_eq!(cutter.push(b"y"), b"\xf0\x9fy");
        assert_eq!(cutter.finish(), b"");
    }
}
