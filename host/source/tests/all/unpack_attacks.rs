//! Each trick of a hostile archive, in each format that it exists in, is refused with the entry's name, and nothing
//! outside the folder is touched.

use crate::archives::*;
use crate::stage::Scene;
use spack_wasm_source::unpack::{Refusal, UnpackLimits};

/// A trick, and what the refusal says.
struct Attack {
    what: &'static str,
    items: Vec<Item>,
    says: &'static str,
}

fn attack(what: &'static str, says: &'static str, items: Vec<Item>) -> Attack {
    Attack { what, items, says }
}

fn attacks() -> Vec<Attack> {
    let mode = |bits, item: Item| Item { mode: bits, ..item };
    vec![
        attack("absolute path", "the entry `/tmp/x` has an absolute path", vec![file("/tmp/x", b"x")]),
        attack(
            "climbing path",
            "the entry `../outside` has `..` in its path",
            vec![file("../outside", b"x")],
        ),
        attack(
            "climbing inside",
            "the entry `a/../../outside` has `..`",
            vec![folder("a"), file("a/../../outside", b"x")],
        ),
        attack("climbing folder", "the entry `../new` has `..`", vec![folder("../new")]),
        attack("absolute folder", "the entry `/tmp/new/` has an absolute", vec![folder("/tmp/new/")]),
        attack(
            "newline in name",
            r"the entry `a\nb` has a control character in its name",
            vec![file("a\nb", b"x")],
        ),
        attack("escape in name", r"the entry `a\u{1b}[2J` has a control", vec![file("a\x1b[2J", b"x")]),
        attack(
            "link out, absolute",
            "the entry `l` is a link that leaves the folder it is unpacked into: `/etc`",
            vec![symlink("l", "/etc")],
        ),
        attack(
            "link out, relative",
            "the entry `d/l` is a link that leaves",
            vec![symlink("d/l", "../../outside")],
        ),
        attack(
            "link out by another link",
            "is a link that leaves",
            vec![folder("p/q"), symlink("p/q/up", "../.."), symlink("p/q/evil", "up/../outside")],
        ),
        attack(
            "write through a link",
            "the entry `l/x` would be written through the link `l`",
            vec![folder("d"), symlink("l", "d"), file("l/x", b"x")],
        ),
        attack(
            "folder through a link",
            "the entry `l/x` would be written through the link `l`",
            vec![folder("d"), symlink("l", "d"), folder("l/x")],
        ),
        attack(
            "file in place of a link",
            "the entry `l` would replace the link of the same name",
            vec![file("f", b"f"), symlink("l", "f"), file("l", b"x")],
        ),
        attack(
            "folder turned into a link",
            "the entry `d` would replace the folder of the same name",
            vec![folder("d"), symlink("d", "."), file("d/x", b"x")],
        ),
        attack(
            "link turned into a folder",
            "the entry `l` would replace the link of the same name",
            vec![symlink("l", "."), folder("l")],
        ),
        attack(
            "file turned into a folder",
            "the entry `f/x` lies beneath `f`, which is not a folder",
            vec![file("f", b"x"), file("f/x", b"x")],
        ),
        attack(
            "hard link out, absolute",
            "the entry `h` has an absolute path",
            vec![hard_link("h", "/etc/passwd")],
        ),
        attack(
            "hard link out, relative",
            "the entry `h` has `..` in its path",
            vec![hard_link("h", "../outside")],
        ),
        attack(
            "hard link to nothing",
            "the entry `h` is a hard link to `f`, which is not in the archive before it",
            vec![hard_link("h", "f")],
        ),
        attack(
            "hard link to a link",
            "the entry `h` is a hard link to `l`, which is not a file",
            vec![symlink("l", "f"), hard_link("h", "l")],
        ),
        attack(
            "hard link through a link",
            "the entry `h` is a hard link to `l/f`",
            vec![folder("d"), file("d/f", b"x"), symlink("l", "d"), hard_link("h", "l/f")],
        ),
        attack(
            "hard link in place of a link",
            "the entry `l` would replace the link of the same name",
            vec![file("f", b"x"), symlink("l", "f"), hard_link("l", "f")],
        ),
        attack("hard link to a folder", "which is not a file", vec![folder("d"), hard_link("h", "d")]),
        attack("character device", "the entry `dev` is a character device", vec![item("dev", b'3')]),
        attack("block device", "the entry `dev` is a block device", vec![item("dev", b'4')]),
        attack("fifo", "the entry `pipe` is a FIFO", vec![item("pipe", b'6')]),
        attack("unknown type", "the entry `what` is a tar entry of type 'Q'", vec![item("what", b'Q')]),
        attack("set-uid", "the entry `f` has mode 4755: set-uid", vec![mode(0o4755, file("f", b"x"))]),
        attack("set-gid", "the entry `f` has mode 2755", vec![mode(0o2755, file("f", b"x"))]),
        attack("sticky", "the entry `f` has mode 1644", vec![mode(0o1644, file("f", b"x"))]),
        attack("set-uid folder", "the entry `d` has mode 4755", vec![mode(0o4755, folder("d"))]),
        attack("sticky folder", "the entry `d` has mode 1777", vec![mode(0o1777, folder("d"))]),
    ]
}

#[test]
fn every_trick_is_refused_in_every_dialect_and_compression() {
    for attack in attacks() {
        for dialect in DIALECTS {
            // PAX records end at a newline, so that a name with one is malformed before it is a name.
            if dialect == Dialect::Pax && attack.what == "newline in name" {
                continue;
            }
            for compression in COMPRESSIONS {
                let archive = compress(compression, &tar(dialect, &attack.items));
                let refusal = Scene::new().refusal(&archive);
                let place = format!("{} in {dialect:?}, {compression}", attack.what);
                assert!(refusal.contains(attack.says), "{place}: {refusal}");
            }
        }
    }
}

#[test]
fn names_that_only_long_forms_can_state() {
    let nul = tar(Dialect::Gnu, &[file("a\0b", b"x")]);
    assert!(Scene::new().refusal(&nul).contains("has a control character in its name"));
    let nul = tar(Dialect::Pax, &[file("a\0b", b"x")]);
    assert!(Scene::new().refusal(&nul).contains("has a control character in its name"));
    for dialect in [Dialect::Gnu, Dialect::Pax] {
        let long = tar(dialect, &[file(&"a/".repeat(3000), b"x")]);
        assert!(Scene::new().refusal(&long).contains("has a path of more than 2048 bytes"));
        let deep = tar(dialect, &[file(&"a/".repeat(80), b"x")]);
        assert!(Scene::new().refusal(&deep).contains("lies more than 64 folders deep"));
        let empty = Item { name: Vec::new(), ..file("", b"x") };
        assert!(Scene::new().refusal(&tar(dialect, &[empty])).contains("has an empty name"), "{dialect:?}");
    }
    let newline = Scene::new().refusal(&tar(Dialect::Pax, &[file("a\nb", b"x")]));
    assert!(newline.contains("malformed"), "{newline}");
}

#[test]
fn header_records_that_would_fill_the_memory() {
    for kind in [b'L', b'K', b'x'] {
        let huge = Item { kind, data: vec![b'a'; 3 << 20], ..item("././@LongLink", kind) };
        let archive = tar(Dialect::Ustar, &[huge, file("f", b"x")]);
        let refusal = Scene::new().refusal(&compress("gz", &archive));
        assert!(refusal.contains("its headers take more than 1 MiB"), "{refusal}");
    }
}

#[test]
fn bombs_are_refused_in_every_compression() {
    let limits = UnpackLimits { total_bytes: 8 << 20, ..UnpackLimits::default() };
    let archive = tar(Dialect::Ustar, &[file("zeros", &vec![0; 9 << 20])]);
    for compression in COMPRESSIONS {
        let scene = Scene::new();
        let error = scene.unpack_within(&compress(compression, &archive), &limits).unwrap_err();
        assert!(matches!(error.refusal(), Refusal::TooManyBytes { .. }), "{compression}: {error}");
        assert!(
            error.to_string().contains("the entry `zeros` would unpack to more than 8388608 bytes"),
            "{error}"
        );
        assert!(!scene.stage().join("zeros").exists(), "refused by its declared size, before it is written");
    }
}

#[test]
fn a_bomb_that_hides_its_size_is_stopped_when_it_passes_the_limit() {
    let limits = UnpackLimits { total_bytes: 1 << 20, ..UnpackLimits::default() };
    for compression in &COMPRESSIONS[1..] {
        let single = compress(compression, &vec![0; 4 << 20]);
        let error = Scene::new().unpack_within(&single, &limits).unwrap_err();
        assert!(matches!(error.refusal(), Refusal::TooManyBytes { .. }), "{compression}: {error}");
    }
    let lying = zip(&[member("zeros", 0o100_644, &vec![0; 4 << 20])], true);
    let error = Scene::new().unpack_within(&lying, &limits).unwrap_err();
    assert!(error.to_string().contains("the entry `zeros` would unpack to more than"), "{error}");
}

#[test]
fn ratio_and_entries_are_bounded() {
    let zeros = compress("bz2", &tar(Dialect::Ustar, &[file("zeros", &vec![0; 80 << 20])]));
    let refusal = Scene::new().refusal(&zeros);
    assert!(refusal.contains("the entry `zeros` would unpack to more than 400 times"), "{refusal}");
    let limits = UnpackLimits { entries: 3, ..UnpackLimits::default() };
    let many = tar(Dialect::Ustar, &["a", "b", "c", "d"].map(|name| file(name, b"")));
    let error = Scene::new().unpack_within(&many, &limits).unwrap_err();
    assert!(error.to_string().contains("the entry `d` is one more than the 3 entries"), "{error}");
}

#[test]
fn a_sparse_file_of_nothing_but_a_hole_is_a_bomb_too() {
    let hole = Item {
        pax: vec![
            ("GNU.sparse.major".into(), b"0".to_vec()),
            ("GNU.sparse.name".into(), b"hole".to_vec()),
            ("GNU.sparse.size".into(), b"9223372036854775807".to_vec()),
        ],
        ..file("GNUSparseFile.0/hole", b"")
    };
    let refusal = Scene::new().refusal(&tar(Dialect::Pax, &[hole]));
    assert!(refusal.contains("would unpack to more than 34359738368 bytes"), "{refusal}");
    let climbing = Item {
        pax: vec![
            ("GNU.sparse.name".into(), b"../outside".to_vec()),
            ("GNU.sparse.size".into(), b"5".to_vec()),
        ],
        ..file("GNUSparseFile.0/x", b"")
    };
    assert!(Scene::new().refusal(&tar(Dialect::Pax, &[climbing])).contains("has `..` in its path"));
}

#[test]
fn sizes_that_lie_are_refused() {
    for (size, dialect) in [(u64::MAX, Dialect::Gnu), (1 << 62, Dialect::Gnu), (100_000, Dialect::Ustar)] {
        let lying = Item { size: Some(size), ..file("f", b"short") };
        let refusal = Scene::new().refusal(&tar(dialect, &[lying]));
        assert!(
            refusal.contains("truncated")
                || refusal.contains("bytes in all")
                || refusal.contains("malformed"),
            "{refusal}"
        );
    }
    let huge = Item { pax: vec![("size".into(), b"18446744073709551615".to_vec())], ..file("f", b"x") };
    Scene::new().refusal(&tar(Dialect::Pax, &[huge]));
}

#[test]
fn zip_tricks_are_refused() {
    const LINK: u32 = 0o120_777;
    let tricks: Vec<(&str, Vec<Member>)> = vec![
        ("the entry `/tmp/x` has an absolute path", vec![member("/tmp/x", 0o100_644, b"x")]),
        ("the entry `../outside` has `..`", vec![member("../outside", 0o100_644, b"x")]),
        ("the entry `a/../../outside` has `..`", vec![member("a/../../outside", 0o100_644, b"x")]),
        (r"the entry `a\nb` has a control", vec![member("a\nb", 0o100_644, b"x")]),
        (r"the entry `a\0b` has a control", vec![member("a\0b", 0o100_644, b"x")]),
        ("has an empty name", vec![member("", 0o100_644, b"x")]),
        ("the entry `l` is a link that leaves", vec![member("l", LINK, b"/etc")]),
        ("the entry `l` is a link that leaves", vec![member("l", LINK, b"../outside")]),
        (
            "the entry `p/q/evil` is a link that leaves",
            vec![member("p/q/up", LINK, b"../.."), member("p/q/evil", LINK, b"up/../outside")],
        ),
        (
            "the entry `l/x` would be written through the link `l`",
            vec![member("d/", 0o040_755, b""), member("l", LINK, b"d"), member("l/x", 0o100_644, b"x")],
        ),
        (
            "the entry `d` would replace the folder",
            vec![member("d/", 0o040_755, b""), member("d", LINK, b".")],
        ),
        ("the entry `dev` is a character device", vec![member("dev", 0o020_644, b"")]),
        ("the entry `dev` is a block device", vec![member("dev", 0o060_644, b"")]),
        ("the entry `pipe` is a FIFO", vec![member("pipe", 0o010_644, b"")]),
        ("the entry `sock` is a socket", vec![member("sock", 0o140_644, b"")]),
        ("the entry `f` has mode 4755", vec![member("f", 0o104_755, b"x")]),
        ("the entry `f` has mode 2755", vec![member("f", 0o102_755, b"x")]),
        (
            "lists two entries of the same name",
            vec![member("f", 0o100_644, b"x"), member("f", LINK, b"/etc")],
        ),
    ];
    for (says, members) in tricks {
        for deflate in [false, true] {
            let refusal = Scene::new().refusal(&zip(&members, deflate));
            assert!(refusal.contains(says), "{says}: {refusal}");
        }
    }
}

#[test]
fn encrypted_and_corrupt_zip_members_are_refused() {
    let plain = zip(&[member("f", 0o100_644, b"some content")], false);
    let mut encrypted = plain.clone();
    let directory = encrypted.windows(4).position(|w| w == b"PK\x01\x02").unwrap();
    encrypted[6] |= 1;
    encrypted[directory + 8] |= 1;
    let refusal = Scene::new().refusal(&encrypted);
    assert!(refusal.contains("cannot be unpacked"), "{refusal}");
    let mut corrupt = plain;
    let at = corrupt.windows(4).position(|w| w == b"some").unwrap();
    corrupt[at] = b'S';
    let refusal = Scene::new().refusal(&corrupt);
    assert!(refusal.contains("the entry `f`") && refusal.to_lowercase().contains("checksum"), "{refusal}");
}

#[test]
fn web_pages_and_other_files_are_named() {
    let refusal = Scene::new().refusal(b"<!DOCTYPE html>\n<html><title>404</title></html>");
    assert!(refusal.contains("the archive is an HTML page"), "{refusal}");
    let refusal = Scene::new().refusal(b"#!/bin/sh\necho hello\n");
    assert!(refusal.contains("expand=False"), "{refusal}");
    let refusal = Scene::new().refusal(b"7z\xbc\xaf\x27\x1c\0\x04 and more");
    assert!(refusal.contains("uses the 7z format"), "{refusal}");
    assert!(Scene::new().unpack(b"").is_err());
}

/// Noise, so that the compressed archives are long enough to be cut in many places.
fn noise(length: usize) -> Vec<u8> {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    std::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state as u8
    })
    .take(length)
    .collect()
}

#[test]
fn truncated_archives_are_refused_wherever_they_are_cut() {
    let items = [folder("d"), file("d/a", &noise(30_000)), symlink("d/l", "a"), file("d/b", &noise(20_000))];
    for compression in COMPRESSIONS {
        let whole = compress(compression, &tar(Dialect::Gnu, &items));
        Scene::new().unpack(&whole).unwrap();
        // The last block of a plain archive is padding that nothing depends on.
        let end = if compression == "none" { whole.len() - 1024 } else { whole.len() - 1 };
        for cut in (0..end).step_by(997).chain(end.saturating_sub(40)..end) {
            let result = Scene::new().unpack(&whole[..cut]);
            assert!(result.is_err(), "{compression} cut at {cut} of {}: {result:?}", whole.len());
        }
    }
    let whole = zip(&[member("a", 0o100_644, &noise(30_000)), member("b", 0o100_644, &noise(9_000))], true);
    for cut in (0..whole.len() - 1).step_by(499) {
        assert!(Scene::new().unpack(&whole[..cut]).is_err(), "zip cut at {cut}");
    }
}

#[test]
fn an_archive_without_its_end_mark_is_truncated() {
    let whole = tar(Dialect::Ustar, &[file("a", &noise(900)), file("b", &noise(100))]);
    let end = whole.len() - 1024;
    for cut in (512..=end).step_by(512) {
        for compression in COMPRESSIONS {
            let refusal = Scene::new().refusal(&compress(compression, &whole[..cut]));
            assert!(refusal.contains("is truncated"), "{compression} cut at {cut}: {refusal}");
        }
    }
    Scene::new().unpack(&whole[..end + 512]).unwrap();
}

#[test]
fn flipped_bytes_never_panic_nor_escape() {
    let items = [folder("d"), file("d/a", &noise(3_000)), symlink("d/l", "a"), hard_link("d/h", "d/a")];
    for compression in COMPRESSIONS {
        let whole = compress(compression, &tar(Dialect::Pax, &items));
        for at in (0..whole.len()).step_by(41) {
            let mut broken = whole.clone();
            broken[at] ^= 0x41;
            let _either = Scene::new().unpack(&broken);
        }
    }
}
