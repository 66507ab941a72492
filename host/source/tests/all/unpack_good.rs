//! What an honest archive unpacks to: contents, modes, times, links, the top-level folder.

use crate::archives::*;
use crate::stage::Scene;
use spack_wasm_source::unpack::{UnpackLimits, place};
use std::os::unix::fs::{MetadataExt, PermissionsExt};

fn sample() -> Vec<Item> {
    vec![
        folder("pkg-1.0/"),
        Item { mode: 0o777, ..file("pkg-1.0/configure", b"#!/bin/sh\n") },
        Item { mode: 0o666, mtime: 1_500_000_000, ..file("pkg-1.0/src/main.c", b"int main;\n") },
        symlink("pkg-1.0/link", "src/main.c"),
        symlink("pkg-1.0/src/up", "../configure"),
        symlink("pkg-1.0/dangling", "not/yet"),
        symlink("pkg-1.0/round", "src/../configure"),
        hard_link("pkg-1.0/hard", "pkg-1.0/src/main.c"),
        Item { mode: 0o2775, mtime: 1_400_000_000, ..folder("pkg-1.0/src") },
    ]
}

#[test]
fn every_dialect_and_compression_gives_the_same_tree() {
    for dialect in DIALECTS {
        for compression in COMPRESSIONS {
            let scene = Scene::new();
            let done = scene.unpack(&compress(compression, &tar(dialect, &sample()))).unwrap();
            assert_eq!(done.top.as_deref(), Some("pkg-1.0"), "{dialect:?} {compression}");
            assert_eq!(done.entries, 9);
            assert_sample(&scene.stage().join("pkg-1.0"));
        }
    }
}

fn assert_sample(top: &std::path::Path) {
    let mode = |name: &str| fs_err::metadata(top.join(name)).unwrap().permissions().mode() & 0o7777;
    assert_eq!(mode("configure"), 0o755);
    assert_eq!(mode("src/main.c"), 0o644);
    assert_eq!(mode("src"), 0o755);
    assert_eq!(fs_err::read_to_string(top.join("src/main.c")).unwrap(), "int main;\n");
    assert_eq!(fs_err::read_link(top.join("link")).unwrap().to_str(), Some("src/main.c"));
    assert_eq!(fs_err::read_link(top.join("dangling")).unwrap().to_str(), Some("not/yet"));
    assert_eq!(fs_err::read_to_string(top.join("src/up")).unwrap(), "#!/bin/sh\n");
    let (main, hard) =
        (fs_err::metadata(top.join("src/main.c")).unwrap(), fs_err::metadata(top.join("hard")).unwrap());
    assert_eq!(main.ino(), hard.ino());
    assert_eq!(main.mtime(), 1_500_000_000);
    assert_eq!(fs_err::metadata(top.join("configure")).unwrap().mtime(), 1_600_000_000);
    assert_eq!(fs_err::symlink_metadata(top.join("link")).unwrap().mtime(), 1_600_000_000);
    assert_eq!(fs_err::metadata(top.join("src")).unwrap().mtime(), 1_400_000_000);
}

#[test]
fn long_names_and_fractions_of_seconds() {
    let name = format!("{}file", "folder-with-a-name/".repeat(20));
    for dialect in [Dialect::Gnu, Dialect::Pax] {
        let scene = Scene::new();
        let long = Item { pax: vec![("mtime".into(), b"1600000001.5".to_vec())], ..file(&name, b"deep") };
        scene.unpack(&tar(dialect, &[long])).unwrap();
        let metadata = fs_err::metadata(scene.stage().join(&name)).unwrap();
        let fraction =
            if dialect == Dialect::Pax { (1_600_000_001, 500_000_000) } else { (1_600_000_000, 0) };
        assert_eq!((metadata.mtime(), metadata.mtime_nsec()), fraction);
    }
}

#[test]
fn files_that_come_twice_are_replaced_and_hard_links_to_the_first_keep_it() {
    let scene = Scene::new();
    let items = [
        file("f", b"first"),
        hard_link("h", "f"),
        file("f", b"second"),
        symlink("l", "f"),
        symlink("l", "f"),
        file("again", b"third"),
        hard_link("again", "f"),
        hard_link("again", "again"),
    ];
    scene.unpack(&tar(Dialect::Ustar, &items)).unwrap();
    assert_eq!(fs_err::read_to_string(scene.stage().join("f")).unwrap(), "second");
    assert_eq!(fs_err::read_to_string(scene.stage().join("h")).unwrap(), "first");
    assert_eq!(fs_err::read_to_string(scene.stage().join("again")).unwrap(), "second");
}

#[test]
fn git_comments_volume_labels_and_a_dot_entry_are_passed_over() {
    let scene = Scene::new();
    let comment = Item { data: pax_record("comment", b"0123abc"), ..item("pax_global_header", b'g') };
    let items = [comment, item("label", b'V'), folder("./"), file("./top/f", b"x")];
    let done = scene.unpack(&tar(Dialect::Ustar, &items)).unwrap();
    assert_eq!(done.top.as_deref(), Some("top"));
    assert!(!scene.stage().join("pax_global_header").exists());
}

#[test]
fn there_is_no_top_folder_when_there_are_two_things_at_the_top() {
    for items in [
        vec![file("a/f", b""), file("b/f", b"")],
        vec![file("a/f", b""), file("f", b"")],
        vec![file("f", b"")],
    ] {
        assert_eq!(Scene::new().unpack(&tar(Dialect::Ustar, &items)).unwrap().top, None);
    }
}

#[test]
fn zip_archives() {
    for deflate in [false, true] {
        let scene = Scene::new();
        let members = [
            member("pkg/", 0o040_755, b""),
            member("pkg/run", 0o100_775, b"#!/bin/sh\n"),
            member("pkg/data", 0o100_666, &[7; 100_000]),
            member("pkg/link", 0o120_777, b"data"),
            member("pkg/untyped", 0, b"from another system"),
        ];
        let done = scene.unpack(&zip(&members, deflate)).unwrap();
        assert_eq!((done.top.as_deref(), done.entries, done.bytes), (Some("pkg"), 5, 100_029));
        let top = scene.stage().join("pkg");
        assert_eq!(fs_err::metadata(top.join("run")).unwrap().permissions().mode() & 0o7777, 0o755);
        assert_eq!(fs_err::metadata(top.join("untyped")).unwrap().permissions().mode() & 0o7777, 0o644);
        assert_eq!(fs_err::metadata(top.join("data")).unwrap().mtime(), 1_598_961_600);
        assert_eq!(fs_err::read_link(top.join("link")).unwrap().to_str(), Some("data"));
    }
}

#[test]
fn a_compressed_file_that_is_no_archive_is_decompressed() {
    for compression in &COMPRESSIONS[1..] {
        let scene = Scene::new();
        let done = scene.unpack(&compress(compression, b"one file\n")).unwrap();
        assert_eq!((done.top, done.entries, done.bytes), (None, 1, 9), "{compression}");
        assert_eq!(fs_err::read_to_string(scene.stage().join("single")).unwrap(), "one file\n");
    }
}

#[test]
fn a_file_that_is_not_to_be_expanded_is_copied() {
    let scene = Scene::new();
    let path = scene.root.path().join("archive");
    fs_err::write(&path, b"#!/bin/sh\n").unwrap();
    place(&path, "install.sh", &scene.dir()).unwrap();
    assert_eq!(fs_err::read_to_string(scene.stage().join("install.sh")).unwrap(), "#!/bin/sh\n");
    let error = place(&path, "../outside", &scene.dir()).unwrap_err().to_string();
    assert!(error.contains("has `..` in its path"), "{error}");
    scene.assert_nothing_outside();
}

#[test]
fn streams_behind_each_other_are_one() {
    let archive = tar(Dialect::Ustar, &[file("a", &[1; 5000]), file("b", &[2; 5000])]);
    let (first, second) = archive.split_at(6000);
    for compression in ["gz", "bz2", "xz", "zst", "lz"] {
        let scene = Scene::new();
        let joined = [compress(compression, first), compress(compression, second)].concat();
        assert_eq!(scene.unpack(&joined).unwrap().entries, 2, "{compression}");
    }
}

#[test]
fn what_the_tools_of_this_machine_pack_is_unpacked() {
    let scene = Scene::new();
    let from = scene.root.path().join("outside");
    let archive = scene.root.path().join("archive");
    let sparse = scene.root.path().join("stage").join("holes");
    let file = fs_err::File::create(&sparse).unwrap();
    file.file().set_len(3 << 20).unwrap();
    std::os::unix::fs::FileExt::write_all_at(file.file(), b"middle", 1 << 20).unwrap();
    let expected = fs_err::read(&sparse).unwrap();
    for format in [
        &["--format=gnu"][..],
        &["--format=pax", "--sparse-version=0.0"],
        &["--format=pax", "--sparse-version=0.1"],
        &["--format=pax", "--sparse-version=1.0"],
    ] {
        let status = std::process::Command::new("tar")
            .args(["--sparse", "-C"])
            .arg(scene.root.path())
            .args(["-cf"])
            .arg(&archive)
            .args(format)
            .args(["stage/holes", "outside"])
            .status();
        let Ok(status) = status else { return eprintln!("skipped: needs tar") };
        assert!(status.success(), "{from:?}");
        let packed = fs_err::read(&archive).unwrap();
        assert!(packed.len() < 1 << 20, "tar did not pack the hole");
        let target = Scene::new();
        target.unpack_within(&packed, &UnpackLimits::default()).unwrap();
        assert!(fs_err::read(target.stage().join("stage/holes")).unwrap() == expected, "{format:?}");
    }
}
