//! Searching files for byte strings that must not be in a prefix.

use std::fs::File;
use std::io::{self, Read};

use data_encoding::BASE32;
use memchr::memmem::Finder;
use sha1::{Digest, Sha1};

/// A byte string that must not be in a prefix, for example the path of the stage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trace {
    /// The bytes.
    pub bytes: Vec<u8>,
    /// What they are, as it reads behind "names", for example `the stage`.
    pub what: String,
    /// Whether the bytes count only as a whole path or its beginning: `/build` then is found in `-I/build/include`, but
    /// neither in `/usr/build` nor in `/build-aux`.
    pub whole_path: bool,
}

/// How many bytes are read at once.
const CHUNK: usize = 512 * 1024;
/// How many bytes before a match say whether a path begins there.
const BEFORE: usize = 32;

/// What one reading of a file tells.
#[derive(Debug)]
pub(crate) struct Contents {
    /// SHA-1 in base32, as in Spack's manifest.
    pub(crate) sha1: String,
    /// Which of the traces it holds, by index.
    pub(crate) traces: Vec<usize>,
}

/// Finds traces in files.
pub(crate) struct Scanner<'a> {
    finders: Vec<(&'a Trace, Finder<'a>)>,
    /// How much of a chunk the next one needs to see matches across the border.
    overlap: usize,
    buffer: Vec<u8>,
    is_unwanted: &'a dyn Fn() -> bool,
}

impl<'a> Scanner<'a> {
    pub(crate) fn new(traces: &'a [Trace]) -> Self {
        let longest = traces.iter().map(|trace| trace.bytes.len()).max().unwrap_or(0);
        let finders = traces.iter().map(|trace| (trace, Finder::new(&trace.bytes))).collect();
        Self {
            finders,
            overlap: longest + BEFORE,
            buffer: vec![0; CHUNK + longest + BEFORE],
            is_unwanted: &|| false,
        }
    }

    /// Ends with an error when this says that nobody waits for it any more: a file may be very large.
    pub(crate) fn unless(self, is_unwanted: &'a dyn Fn() -> bool) -> Self {
        Self { is_unwanted, ..self }
    }

    /// Which traces a short text holds.
    pub(crate) fn scan_bytes(&self, text: &[u8]) -> Vec<usize> {
        (0..self.finders.len()).filter(|index| self.holds(*index, text, 0, true)).collect()
    }

    /// Reads a file to its end, once for both its hash and the traces.
    pub(crate) fn scan_file(&mut self, file: &mut File) -> io::Result<Contents> {
        let mut buffer = std::mem::take(&mut self.buffer);
        let contents = self.scan_with(file, &mut buffer);
        self.buffer = buffer;
        contents
    }

    fn scan_with(&self, file: &mut File, buffer: &mut [u8]) -> io::Result<Contents> {
        let mut digest = Sha1::new();
        let mut found = vec![false; self.finders.len()];
        let (mut kept, mut seen) = (0, 0);
        loop {
            if (self.is_unwanted)() {
                return Err(io::Error::other("the installation was cancelled"));
            }
            let read = read_full(file, &mut buffer[kept..])?;
            let filled = kept + read;
            digest.update(&buffer[kept..filled]);
            let last = filled < buffer.len();
            for (index, found) in found.iter_mut().enumerate() {
                *found = *found || self.holds(index, &buffer[..filled], seen, last);
            }
            if last {
                break;
            }
            kept = self.overlap;
            // What begins before this was decided with the last chunk, when all that stands before it was in sight.
            seen = BEFORE;
            buffer.copy_within(filled - kept..filled, 0);
        }
        let traces = found.iter().enumerate().filter_map(|(index, found)| found.then_some(index)).collect();
        Ok(Contents { sha1: BASE32.encode(&digest.finalize()), traces })
    }

    /// Whether `text` holds a trace that begins at `from` or later; one that ends with the text is left to the next chunk unless this is the last.
    fn holds(&self, index: usize, text: &[u8], from: usize, last: bool) -> bool {
        let (trace, finder) = &self.finders[index];
        !trace.bytes.is_empty()
            && finder.find_iter(text).any(|start| {
                if start < from {
                    return false;
                }
                let (before, after) = (&text[..start], &text[start + trace.bytes.len()..]);
                if !trace.whole_path {
                    return true;
                }
                (last || !after.is_empty()) && ends_path_component(after) && starts_path(before)
            })
    }
}

/// Fills the buffer as far as the file reaches.
fn read_full(file: &mut File, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match file.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"_-.+".contains(&byte) || byte >= 0x80
}

fn ends_path_component(after: &[u8]) -> bool {
    after.first().is_none_or(|byte| !is_name(*byte))
}

/// Whether an absolute path can begin behind these bytes: not within a longer path, but behind a flag as in `-I/build`.
fn starts_path(before: &[u8]) -> bool {
    let before = &before[before.len().saturating_sub(BEFORE)..];
    if !before.last().is_some_and(|byte| is_name(*byte) || *byte == b'/') {
        return true;
    }
    let letters = before.iter().rev().take_while(|byte| byte.is_ascii_alphabetic()).count();
    let rest = &before[..before.len() - letters];
    let (Some(b'-'), true) = (rest.last(), letters > 0) else { return false };
    rest.iter().rev().nth(1).is_none_or(|byte| !is_name(*byte) && *byte != b'/')
}

#[cfg(test)]
mod tests {
    use std::io::{Seek, Write};

    use super::*;

    fn stage() -> Vec<Trace> {
        vec![Trace { bytes: b"/build".to_vec(), what: "the stage".into(), whole_path: true }]
    }

    #[test]
    fn a_path_counts_where_it_begins_and_ends_as_one() {
        let traces = stage();
        let scanner = Scanner::new(&traces);
        let hit = |text: &str| !scanner.scan_bytes(text.as_bytes()).is_empty();
        for text in
            ["/build", "a /build/x", "-I/build/include", "(-isystem/build)", "rpath,/build:", "\0/build\0"]
        {
            assert!(hit(text), "{text}");
        }
        for text in
            ["/usr/build", "/build-aux", "/builder", "./build", "foo-bar/build", "//build", "/build.log"]
        {
            assert!(!hit(text), "{text}");
        }
    }

    #[test]
    fn a_trace_across_two_chunks_is_found_and_the_hash_is_the_whole_files() {
        let traces = stage();
        let mut scanner = Scanner::new(&traces);
        let size = scanner.buffer.len();
        for position in [size - 8, size - 6, size - 3, size, size + 9, 2 * size - 40] {
            let mut text = vec![b' '; 2 * size];
            text[position..position + 6].copy_from_slice(b"/build");
            let mut file = tempfile::tempfile().unwrap();
            file.write_all(&text).unwrap();
            file.rewind().unwrap();
            let contents = scanner.scan_file(&mut file).unwrap();
            assert_eq!(contents.traces, [0], "at {position}");
            assert_eq!(contents.sha1, BASE32.encode(&Sha1::digest(&text)));
        }
    }

    #[test]
    fn a_longer_path_across_two_chunks_is_not_the_stage() {
        let traces = stage();
        let mut scanner = Scanner::new(&traces);
        let size = scanner.buffer.len();
        for position in (size - 60)..(size + 20) {
            let mut text = vec![b' '; size + 100];
            text[position..position + 11].copy_from_slice(b"/home/build");
            let mut file = tempfile::tempfile().unwrap();
            file.write_all(&text).unwrap();
            file.rewind().unwrap();
            assert!(scanner.scan_file(&mut file).unwrap().traces.is_empty(), "at {position}");
        }
    }

    #[test]
    fn a_name_that_goes_on_in_the_next_chunk_is_not_the_stage() {
        let traces = stage();
        let mut scanner = Scanner::new(&traces);
        let size = scanner.buffer.len();
        let mut text = vec![b' '; size + 100];
        text[size - 6..size + 4].copy_from_slice(b"/build-aux");
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&text).unwrap();
        file.rewind().unwrap();
        assert!(scanner.scan_file(&mut file).unwrap().traces.is_empty());
    }
}
