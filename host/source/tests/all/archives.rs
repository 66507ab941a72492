//! Archives made byte by byte, since the libraries' writers refuse to write what an attacker would.

use std::io::{Cursor, Write};

/// The tar dialects in which a name can be stated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    V7,
    Ustar,
    Gnu,
    Pax,
}

pub(crate) const DIALECTS: [Dialect; 4] = [Dialect::V7, Dialect::Ustar, Dialect::Gnu, Dialect::Pax];

/// One tar entry.
#[derive(Clone)]
pub(crate) struct Item {
    pub(crate) name: Vec<u8>,
    pub(crate) kind: u8,
    pub(crate) link: Vec<u8>,
    pub(crate) mode: u32,
    pub(crate) mtime: u64,
    pub(crate) data: Vec<u8>,
    /// Size in the header, where it is to lie.
    pub(crate) size: Option<u64>,
    pub(crate) pax: Vec<(String, Vec<u8>)>,
}

pub(crate) fn item(name: &str, kind: u8) -> Item {
    Item {
        name: name.into(),
        kind,
        link: Vec::new(),
        mode: 0o644,
        mtime: 1_600_000_000,
        data: Vec::new(),
        size: None,
        pax: Vec::new(),
    }
}

pub(crate) fn file(name: &str, data: &[u8]) -> Item {
    Item { data: data.to_vec(), ..item(name, b'0') }
}

pub(crate) fn folder(name: &str) -> Item {
    Item { mode: 0o755, ..item(name, b'5') }
}

pub(crate) fn symlink(name: &str, target: &str) -> Item {
    Item { link: target.into(), ..item(name, b'2') }
}

pub(crate) fn hard_link(name: &str, target: &str) -> Item {
    Item { link: target.into(), ..item(name, b'1') }
}

/// A whole tar archive with its end mark.
pub(crate) fn tar(dialect: Dialect, items: &[Item]) -> Vec<u8> {
    let mut out = Vec::new();
    for item in items {
        match dialect {
            Dialect::V7 => out.extend(header(item, tar::Header::new_old(), &item.name, &item.link)),
            Dialect::Ustar => out.extend(header(item, tar::Header::new_ustar(), &item.name, &item.link)),
            Dialect::Gnu => gnu(&mut out, item),
            Dialect::Pax => pax(&mut out, item),
        }
        pad_to_block(&mut out, &item.data);
    }
    out.extend([0; 1024]);
    out
}

/// GNU: name and target in entries of their own in front.
fn gnu(out: &mut Vec<u8>, item: &Item) {
    for (kind, text) in [(b'L', &item.name), (b'K', &item.link)] {
        let mut data = text.clone();
        data.push(0);
        let long = Item { kind, data: data.clone(), ..self::item("././@LongLink", kind) };
        out.extend(header(&long, tar::Header::new_gnu(), &long.name, b""));
        pad_to_block(out, &data);
    }
    out.extend(header(item, tar::Header::new_gnu(), b"short", b"short"));
}

/// PAX: name, target and more in records in front.
fn pax(out: &mut Vec<u8>, item: &Item) {
    let mut data = pax_record("path", &item.name);
    if !item.link.is_empty() {
        data.extend(pax_record("linkpath", &item.link));
    }
    for (key, value) in &item.pax {
        data.extend(pax_record(key, value));
    }
    let records = Item { data: data.clone(), ..self::item("PaxHeaders/x", b'x') };
    out.extend(header(&records, tar::Header::new_ustar(), &records.name, b""));
    pad_to_block(out, &data);
    out.extend(header(item, tar::Header::new_ustar(), b"short", b"short"));
}

pub(crate) fn pax_record(key: &str, value: &[u8]) -> Vec<u8> {
    let rest = key.len() + value.len() + 3;
    let mut length = rest + 1;
    while rest + length.to_string().len() != length {
        length = rest + length.to_string().len();
    }
    [format!("{length} {key}=").as_bytes(), value, b"\n"].concat()
}

fn header(item: &Item, mut header: tar::Header, name: &[u8], link: &[u8]) -> Vec<u8> {
    {
        let old = header.as_old_mut();
        let (name, link) = (&name[..name.len().min(100)], &link[..link.len().min(100)]);
        old.name[..name.len()].copy_from_slice(name);
        old.linkname[..link.len()].copy_from_slice(link);
        old.linkflag = [item.kind];
    }
    header.set_mode(item.mode);
    header.set_mtime(item.mtime);
    header.set_size(item.size.unwrap_or(item.data.len() as u64));
    header.set_uid(0);
    header.set_gid(0);
    header.set_cksum();
    header.as_bytes().to_vec()
}

fn pad_to_block(out: &mut Vec<u8>, data: &[u8]) {
    out.extend_from_slice(data);
    out.resize(out.len().next_multiple_of(512), 0);
}

pub(crate) const COMPRESSIONS: [&str; 7] = ["none", "gz", "bz2", "xz", "zst", "lz", "lzma"];

pub(crate) fn compress(how: &str, data: &[u8]) -> Vec<u8> {
    match how {
        "none" => data.to_vec(),
        "gz" => finish(flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast()), data, |w| {
            w.finish().unwrap()
        }),
        "bz2" => finish(bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast()), data, |w| {
            w.finish().unwrap()
        }),
        "xz" => {
            let options = lzma_rust2::XzOptions::with_preset(1);
            finish(lzma_rust2::XzWriter::new(Vec::new(), options).unwrap(), data, |w| w.finish().unwrap())
        }
        "lz" => {
            let options = lzma_rust2::LzipOptions::with_preset(1);
            finish(lzma_rust2::LzipWriter::new(Vec::new(), options), data, |w| w.finish().unwrap())
        }
        "lzma" => {
            let options = lzma_rust2::LzmaOptions::with_preset(1);
            let writer =
                lzma_rust2::LzmaWriter::new_use_header(Vec::new(), &options, Some(data.len() as u64))
                    .unwrap();
            finish(writer, data, |w| w.finish().unwrap())
        }
        "zst" => zstd::encode_all(Cursor::new(data), 1).unwrap(),
        other => panic!("{other}"),
    }
}

fn finish<W: Write>(mut writer: W, data: &[u8], end: impl FnOnce(W) -> Vec<u8>) -> Vec<u8> {
    writer.write_all(data).unwrap();
    end(writer)
}

/// One zip entry: name, whole Unix mode with type, content.
pub(crate) struct Member {
    pub(crate) name: String,
    pub(crate) mode: u32,
    pub(crate) data: Vec<u8>,
}

pub(crate) fn member(name: &str, mode: u32, data: &[u8]) -> Member {
    Member { name: name.into(), mode, data: data.to_vec() }
}

/// A zip archive with stored or deflated members, written by hand for the sake of modes and names.
pub(crate) fn zip(members: &[Member], deflate: bool) -> Vec<u8> {
    let mut out = Vec::new();
    let mut directory = Vec::new();
    for member in members {
        let offset = out.len() as u32;
        let packed = if deflate { deflated(&member.data) } else { member.data.clone() };
        let mut crc = flate2::Crc::new();
        crc.update(&member.data);
        let mut common = Vec::new();
        common.extend([20, 0, 0, 8, if deflate { 8 } else { 0 }, 0]);
        common.extend([0, 0x60, 0x21, 0x51]); // 12:00:00 on 2020-09-01
        for number in [crc.sum(), packed.len() as u32, member.data.len() as u32] {
            common.extend(number.to_le_bytes());
        }
        common.extend((member.name.len() as u16).to_le_bytes());
        common.extend([0, 0]);
        out.extend(b"PK\x03\x04");
        out.extend(&common);
        out.extend(member.name.as_bytes());
        out.extend(packed);
        directory.extend(b"PK\x01\x02\x14\x03");
        directory.extend(common);
        directory.extend([0; 6]);
        directory.extend((member.mode << 16).to_le_bytes());
        directory.extend(offset.to_le_bytes());
        directory.extend(member.name.as_bytes());
    }
    let start = out.len() as u32;
    out.extend(&directory);
    out.extend(b"PK\x05\x06\0\0\0\0");
    let count = (members.len() as u16).to_le_bytes();
    out.extend([count, count].concat());
    out.extend((directory.len() as u32).to_le_bytes());
    out.extend(start.to_le_bytes());
    out.extend([0, 0]);
    out
}

fn deflated(data: &[u8]) -> Vec<u8> {
    let encoder = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::best());
    finish(encoder, data, |w| w.finish().unwrap())
}
