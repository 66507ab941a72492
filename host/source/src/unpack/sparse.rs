//! Sparse files in PAX archives, as GNU tar writes them (formats 0.0, 0.1 and 1.0 of its manual's appendix "Storing
//! Sparse Files"). The old GNU format is read by the `tar` crate.

use super::refusal::{Refusal, from_read};
use std::io::{self, Read};

const BLOCK: u64 = 512;
/// Data segments that one file may have.
const MAX_SEGMENTS: usize = 100_000;

/// The sparse records of one entry.
#[derive(Debug, Default)]
pub(crate) struct PaxSparse {
    name: Option<Vec<u8>>,
    real_size: Option<u64>,
    numbers: Vec<u64>,
    map_in_data: bool,
}

impl PaxSparse {
    /// Takes a PAX record; records of other matters are let pass.
    pub(crate) fn take(&mut self, key: &[u8], value: &[u8]) -> Result<(), Refusal> {
        match key {
            b"GNU.sparse.name" => self.name = Some(value.to_vec()),
            b"GNU.sparse.realsize" | b"GNU.sparse.size" => self.real_size = Some(number(value)?),
            b"GNU.sparse.major" => self.map_in_data = value == b"1",
            b"GNU.sparse.offset" | b"GNU.sparse.numbytes" => self.numbers.push(number(value)?),
            b"GNU.sparse.map" => {
                self.numbers = value.split(|byte| *byte == b',').map(number).collect::<Result<_, _>>()?;
            }
            _ => {}
        }
        Ok(())
    }

    /// The file's name; the entry's own is made up, for unpackers that do not know the format.
    pub(crate) fn name(&self) -> Option<&[u8]> {
        self.name.as_deref()
    }

    pub(crate) fn is_sparse(&self) -> bool {
        self.real_size.is_some()
    }
}

/// The whole file: zeros where the map has no segment.
pub(crate) struct SparseReader<'a> {
    data: &'a mut dyn Read,
    /// (offset, length), in order, the next one last.
    segments: Vec<(u64, u64)>,
    position: u64,
    size: u64,
}

impl<'a> SparseReader<'a> {
    /// `stored` is the size of the entry's data, map included.
    pub(crate) fn new(sparse: &PaxSparse, stored: u64, data: &'a mut dyn Read) -> Result<Self, Refusal> {
        let size = sparse.real_size.unwrap_or(stored);
        let (numbers, map_size) =
            if sparse.map_in_data { read_map(data)? } else { (sparse.numbers.clone(), 0) };
        let segments = segments(&numbers, size, stored.saturating_sub(map_size))?;
        Ok(SparseReader { data, segments, position: 0, size })
    }

    pub(crate) fn size(&self) -> u64 {
        self.size
    }
}

impl Read for SparseReader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.segments.last().is_some_and(|(_, length)| *length == 0) {
            self.segments.pop();
        }
        let hole_end = self.segments.last().map_or(self.size, |(offset, _)| *offset);
        if self.position < hole_end {
            let count = clip(buffer.len(), hole_end - self.position);
            buffer[..count].fill(0);
            self.position += count as u64;
            return Ok(count);
        }
        let Some((offset, length)) = self.segments.last_mut() else { return Ok(0) };
        let wanted = clip(buffer.len(), *length);
        let count = self.data.read(&mut buffer[..wanted])?;
        *offset += count as u64;
        *length -= count as u64;
        self.position += count as u64;
        Ok(count)
    }
}

fn clip(buffer: usize, rest: u64) -> usize {
    usize::try_from(rest).unwrap_or(usize::MAX).min(buffer)
}

/// Format 1.0: the map stands in front of the data, a decimal number a line, padded to a whole block.
fn read_map(data: &mut dyn Read) -> Result<(Vec<u64>, u64), Refusal> {
    let mut numbers = Vec::new();
    let (mut line, mut size) = (Vec::new(), 0);
    let mut wanted = 1;
    while numbers.len() < wanted {
        let mut block = [0; BLOCK as usize];
        data.read_exact(&mut block).map_err(from_read)?;
        size += BLOCK;
        for byte in block {
            if byte != b'\n' {
                line.push(byte);
                continue;
            }
            numbers.push(number(&std::mem::take(&mut line))?);
            if numbers.len() == 1 {
                wanted = 1 + pairs(numbers[0])? * 2;
            }
            if numbers.len() == wanted {
                break;
            }
        }
    }
    numbers.remove(0);
    Ok((numbers, size))
}

fn pairs(count: u64) -> Result<usize, Refusal> {
    usize::try_from(count)
        .ok()
        .filter(|count| *count <= MAX_SEGMENTS)
        .ok_or_else(|| malformed("its sparse map has too many segments"))
}

/// Checks order and bounds, and returns the segments last one first.
fn segments(numbers: &[u64], size: u64, stored: u64) -> Result<Vec<(u64, u64)>, Refusal> {
    let (chunks, rest) = numbers.as_chunks::<2>();
    if !rest.is_empty() || chunks.len() > MAX_SEGMENTS {
        return Err(malformed("its sparse map is no list of offsets and lengths"));
    }
    let (mut end, mut sum) = (0, 0_u64);
    for [offset, length] in chunks {
        let next = offset.checked_add(*length).filter(|next| *offset >= end && *next <= size);
        end = next.ok_or_else(|| malformed("its sparse segments overlap or pass the file's end"))?;
        sum += length;
    }
    if sum != stored {
        return Err(malformed("its sparse segments are not as long as its data"));
    }
    Ok(chunks.iter().rev().map(|[offset, length]| (*offset, *length)).collect())
}

fn number(value: &[u8]) -> Result<u64, Refusal> {
    std::str::from_utf8(value)
        .ok()
        .and_then(|text| text.parse().ok())
        .ok_or_else(|| malformed("a number of its sparse map is no number"))
}

fn malformed(reason: &str) -> Refusal {
    Refusal::Malformed { reason: reason.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expand(sparse: &PaxSparse, data: &[u8]) -> Result<Vec<u8>, String> {
        let mut data_reader = data;
        let mut reader =
            SparseReader::new(sparse, data.len() as u64, &mut data_reader).map_err(|e| e.to_string())?;
        let mut out = Vec::new();
        reader.read_to_end(&mut out).map_err(|e| e.to_string())?;
        Ok(out)
    }

    fn records(pairs: &[(&str, &str)]) -> PaxSparse {
        let mut sparse = PaxSparse::default();
        for (key, value) in pairs {
            sparse.take(key.as_bytes(), value.as_bytes()).unwrap();
        }
        sparse
    }

    #[test]
    fn all_three_formats_give_the_same_file() {
        let expected = b"\0\0ab\0\0\0c\0";
        let zero = records(&[
            ("GNU.sparse.size", "9"),
            ("GNU.sparse.offset", "2"),
            ("GNU.sparse.numbytes", "2"),
            ("GNU.sparse.offset", "7"),
            ("GNU.sparse.numbytes", "1"),
        ]);
        assert_eq!(expand(&zero, b"abc").unwrap(), expected);
        let one = records(&[("GNU.sparse.size", "9"), ("GNU.sparse.map", "2,2,7,1")]);
        assert_eq!(expand(&one, b"abc").unwrap(), expected);
        let two = records(&[("GNU.sparse.major", "1"), ("GNU.sparse.realsize", "9")]);
        let mut data = b"2\n2\n2\n7\n1\n".to_vec();
        data.resize(512, 0);
        data.extend_from_slice(b"abc");
        assert_eq!(expand(&two, &data).unwrap(), expected);
    }

    #[test]
    fn maps_that_lie_are_refused() {
        for (size, map) in
            [("9", "5,2,1,1"), ("9", "8,3"), ("9", "0,2"), ("9", "1"), ("9", "18446744073709551615,3")]
        {
            let sparse = records(&[("GNU.sparse.size", size), ("GNU.sparse.map", map)]);
            assert!(expand(&sparse, b"abc").unwrap_err().contains("malformed"), "{map}");
        }
        let sparse = records(&[("GNU.sparse.major", "1"), ("GNU.sparse.realsize", "9")]);
        assert!(expand(&sparse, &[b'9'; 512]).is_err());
        assert!(expand(&sparse, b"99999999999\n").is_err());
    }
}
