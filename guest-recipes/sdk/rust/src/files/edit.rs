use std::path::Path;

use fs_err as fs;

use crate::{Build, Result};

const OWNER_MAY_WRITE: u32 = 0o200;

impl Build {
    /// Puts `to` in the place of each `from` in a file, which keeps its mode and need not be UTF-8. Returns how many there were.
    ///
    /// # Errors
    /// There is no such file, or it can't be written.
    pub fn filter_file(&self, path: impl AsRef<Path>, from: &str, to: &str) -> Result<usize> {
        let path = path.as_ref();
        let bytes = fs::read(path)?;
        let (changed, count) = replace(&bytes, from.as_bytes(), to.as_bytes());
        if count > 0 {
            self.overwrite(path, &changed)?;
        }
        Ok(count)
    }

    /// Hands each line of a text file, without its end, to `change`, and writes the file again when one of them changed. The file
    /// keeps its mode.
    ///
    /// # Errors
    /// There is no such file, it is not UTF-8, or it can't be written.
    pub fn filter_lines(&self, path: impl AsRef<Path>, change: impl FnMut(&str) -> Option<String>) -> Result {
        let path = path.as_ref();
        let text = fs::read_to_string(path)?;
        let changed = change_lines(&text, change);
        if changed == text { Ok(()) } else { self.overwrite(path, changed.as_bytes()) }
    }

    /// Writes over a file, also over a read-only one, and leaves its mode as it was.
    fn overwrite(&self, path: &Path, bytes: &[u8]) -> Result {
        let mode = self.mode(path)?;
        if mode & OWNER_MAY_WRITE != 0 {
            return Ok(fs::write(path, bytes)?);
        }
        self.set_mode(path, mode | OWNER_MAY_WRITE)?;
        fs::write(path, bytes)?;
        self.set_mode(path, mode)
    }
}

fn replace(bytes: &[u8], from: &[u8], to: &[u8]) -> (Vec<u8>, usize) {
    let (mut changed, mut count, mut rest) = (Vec::with_capacity(bytes.len()), 0, bytes);
    while let Some(position) = position_of(rest, from) {
        changed.extend_from_slice(&rest[..position]);
        changed.extend_from_slice(to);
        rest = &rest[position + from.len()..];
        count += 1;
    }
    changed.extend_from_slice(rest);
    (changed, count)
}

fn position_of(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    if wanted.is_empty() {
        return None;
    }
    bytes.windows(wanted.len()).position(|window| window == wanted)
}

fn change_lines(text: &str, mut change: impl FnMut(&str) -> Option<String>) -> String {
    text.split_inclusive('\n')
        .map(|line| {
            let (content, end) = line.strip_suffix('\n').map_or((line, ""), |content| (content, "\n"));
            change(content).map_or_else(|| line.to_owned(), |changed| changed + end)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_place_is_replaced_and_counted() {
        assert_eq!(replace(b"aXbXX\xff", b"X", b"yy"), (b"ayybyyyy\xff".to_vec(), 3));
        assert_eq!(replace(b"abc", b"", b"y"), (b"abc".to_vec(), 0));
        assert_eq!(replace(b"aaa", b"aa", b"a"), (b"aa".to_vec(), 1));
    }

    #[test]
    fn lines_keep_their_ends() {
        let shout = |line: &str| (line != "b").then(|| line.to_uppercase());
        assert_eq!(change_lines("a\nb\nc", shout), "A\nb\nC");
        assert_eq!(change_lines("a\n\n", shout), "A\n\n");
        assert_eq!(change_lines("", shout), "");
    }
}
