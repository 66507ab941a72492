//! What a file is, by its content, and the decompressors.

use super::refusal::Refusal;
use std::io::{self, BufRead, Cursor, Read};

/// Memory that an archive may make a decompressor use. The largest presets (`xz -9`, `zstd --ultra -22`) take 64 and
/// 128 MiB; a header can ask for 4 GiB.
const MEMORY_LIMIT: u32 = 256 << 20;
const ZSTD_WINDOW_LOG: u32 = 27;
const TAR_BLOCK: usize = 512;
const DECODED_CHUNK: usize = 64 << 10;

/// A compression, told by its first bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Compression {
    Gzip,
    Bzip2,
    Xz,
    Zstd,
    Lzip,
    Lzma,
}

/// What a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Content {
    Tar,
    Zip,
    Compressed(Compression),
    Html,
    Unsupported(&'static str),
    Unknown,
}

/// Tells a file's content by its first 512 bytes.
pub(crate) fn content_of(start: &[u8]) -> Content {
    const MAGIC: &[(&[u8], Content)] = &[
        (b"\x1f\x8b", Content::Compressed(Compression::Gzip)),
        (b"BZh", Content::Compressed(Compression::Bzip2)),
        (b"\xfd7zXZ\0", Content::Compressed(Compression::Xz)),
        (b"\x28\xb5\x2f\xfd", Content::Compressed(Compression::Zstd)),
        (b"LZIP", Content::Compressed(Compression::Lzip)),
        (b"\x5d\0\0", Content::Compressed(Compression::Lzma)),
        (b"PK\x03\x04", Content::Zip),
        (b"PK\x05\x06", Content::Zip),
        (b"\x1f\x9d", Content::Unsupported("the compression of compress(1)")),
        (b"7z\xbc\xaf\x27\x1c", Content::Unsupported("the 7z format")),
        (b"Rar!\x1a\x07", Content::Unsupported("the RAR format")),
    ];
    if is_tar_header(start) {
        return Content::Tar;
    }
    if let Some((_, content)) = MAGIC.iter().find(|(magic, _)| start.starts_with(magic)) {
        return *content;
    }
    if looks_like_html(start) { Content::Html } else { Content::Unknown }
}

/// Whether a body begins as a web page does: what a server sends in place of an archive when it wants a login or has
/// lost the file.
pub(crate) fn looks_like_html(start: &[u8]) -> bool {
    let start = start.strip_prefix(b"\xef\xbb\xbf").unwrap_or(start).trim_ascii_start();
    let begins = |tag: &[u8]| start.get(..tag.len()).is_some_and(|head| head.eq_ignore_ascii_case(tag));
    [&b"<!doctype html"[..], b"<html", b"<head", b"<body", b"<script"].into_iter().any(begins)
}

/// A tar header carries a sum of its own bytes; older formats than ustar have no other mark.
fn is_tar_header(start: &[u8]) -> bool {
    let Some(block) = start.get(..TAR_BLOCK) else { return false };
    let header = tar::Header::from_byte_slice(block);
    let sum: u32 = block[..148].iter().chain(&block[156..]).map(|byte| u32::from(*byte)).sum();
    block[0] != 0 && header.cksum().is_ok_and(|stated| stated == sum + 8 * u32::from(b' '))
}

/// The first bytes of a stream, and the stream as if nothing had been read from it.
pub(crate) fn peek<'a>(mut stream: impl Read + Send + 'a) -> io::Result<(Vec<u8>, impl Read + Send + 'a)> {
    let mut start = Vec::with_capacity(TAR_BLOCK);
    stream.by_ref().take(TAR_BLOCK as u64).read_to_end(&mut start)?;
    Ok((start.clone(), Cursor::new(start).chain(stream)))
}

/// A reader of the decompressed bytes. Streams behind each other are read as one, as the command-line tools do.
pub(crate) fn decoder<'a>(
    compression: Compression,
    input: impl BufRead + Send + 'a,
) -> Result<Box<dyn Read + Send + 'a>, Refusal> {
    let memory_kib = MEMORY_LIMIT >> 10;
    Ok(match compression {
        Compression::Gzip => Box::new(flate2::bufread::MultiGzDecoder::new(input)),
        Compression::Bzip2 => Box::new(bzip2::bufread::MultiBzDecoder::new(input)),
        Compression::Xz => Box::new(lzma_rust2::XzReader::new_mem_limit(input, true, memory_kib)),
        Compression::Lzip => Box::new(lzma_rust2::LzipReader::new(input)),
        Compression::Lzma => Box::new(lzma_rust2::LzmaReader::new_mem_limit(input, memory_kib, None)?),
        Compression::Zstd => {
            let mut decoder = zstd::Decoder::with_buffer(input)?;
            decoder.window_log_max(ZSTD_WINDOW_LOG)?;
            Box::new(decoder)
        }
    })
}

/// Buffers decompressed bytes: tar reads headers of 512.
pub(crate) fn buffered<R: Read>(decoder: R) -> io::BufReader<R> {
    io::BufReader::with_capacity(DECODED_CHUNK, decoder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_is_told_by_its_first_bytes() {
        assert_eq!(content_of(b"PK\x03\x04rest"), Content::Zip);
        assert_eq!(content_of(b"\x1f\x8b\x08"), Content::Compressed(Compression::Gzip));
        assert_eq!(content_of(b"  \n<!DOCTYPE HTML><html>"), Content::Html);
        assert_eq!(content_of(b"\xef\xbb\xbf<html lang=en>"), Content::Html);
        assert_eq!(content_of(b"#!/bin/sh\n"), Content::Unknown);
        assert_eq!(content_of(b""), Content::Unknown);
        assert_eq!(content_of(&[0; 512]), Content::Unknown);
        assert_eq!(content_of(b"7z\xbc\xaf\x27\x1c"), Content::Unsupported("the 7z format"));
    }

    #[test]
    fn a_header_without_the_ustar_mark_is_tar_when_its_sum_is_right() {
        let mut header = tar::Header::new_old();
        header.set_path("README").unwrap();
        header.set_size(0);
        header.set_cksum();
        assert_eq!(content_of(header.as_bytes()), Content::Tar);
        let mut broken = *header.as_bytes();
        broken[0] = b'r';
        assert_eq!(content_of(&broken), Content::Unknown);
    }
}
