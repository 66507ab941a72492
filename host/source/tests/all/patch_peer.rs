//! The same patches through GNU patch: where it succeeds, the result is the same.

use crate::skip;
use cap_std::ambient_authority;
use cap_std::fs::Dir;
use spack_wasm_source::patch::{PatchOptions, apply};
use std::path::Path;
use std::process::{Command, Stdio};

/// A small generator of numbers, so that a failure can be looked at again.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % limit
    }

    /// Changes, inserts or removes a few lines.
    fn edit(&mut self, lines: &[String], times: usize, mark: &str) -> Vec<String> {
        let mut lines = lines.to_vec();
        for n in 0..times {
            let at = self.below(lines.len());
            match self.below(3) {
                0 => lines[at] = format!("{mark} {n}"),
                1 => lines.insert(at, format!("{mark} {n}")),
                _ if lines.len() > 5 => drop(lines.remove(at)),
                _ => {}
            }
        }
        lines
    }
}

fn text(lines: &[String]) -> String {
    lines.iter().map(|line| format!("{line}\n")).collect()
}

fn diff(folder: &Path, form: &str, before: &str, after: &str) -> Vec<u8> {
    for (name, content) in [("a", before), ("b", after)] {
        fs_err::create_dir_all(folder.join(name)).unwrap();
        fs_err::write(folder.join(name).join("file"), content).unwrap();
    }
    Command::new("diff").args([form, "a/file", "b/file"]).current_dir(folder).output().unwrap().stdout
}

/// What GNU patch makes of the file; nothing when it fails.
fn by_gnu_patch(folder: &Path, content: &str, patch: &[u8]) -> Option<String> {
    fs_err::write(folder.join("file"), content).unwrap();
    fs_err::write(folder.join("patch"), patch).unwrap();
    let status = Command::new("patch")
        .args(["-p1", "--batch", "--forward", "--no-backup-if-mismatch", "-i", "patch"])
        .current_dir(folder)
        .stdout(Stdio::null())
        .status()
        .unwrap();
    status.success().then(|| fs_err::read_to_string(folder.join("file")).unwrap())
}

fn by_us(folder: &Path, content: &str, patch: &[u8]) -> Result<String, String> {
    fs_err::write(folder.join("file"), content).unwrap();
    let dir = Dir::open_ambient_dir(folder, ambient_authority()).unwrap();
    apply(&dir, patch, &PatchOptions::default()).map_err(|error| error.to_string())?;
    Ok(fs_err::read_to_string(folder.join("file")).unwrap())
}

#[test]
fn random_patches_on_files_that_have_moved_on() {
    if Command::new("patch").arg("--version").stdout(Stdio::null()).status().is_err() {
        return skip("patch");
    }
    let (mut numbers, mut both, mut neither) = (Numbers(0x5eed), 0, 0);
    for round in 0..150 {
        let folder = tempfile::tempdir().unwrap();
        let length = 20 + numbers.below(60);
        // Every other file repeats itself, so that a hunk fits in several places.
        let kinds = if round % 2 == 0 { length } else { 7 };
        let base: Vec<_> = (0..length).map(|n| format!("line {}", n % kinds)).collect();
        let (patched, moved) = (1 + numbers.below(4), numbers.below(6));
        let after = numbers.edit(&base, patched, "patched");
        let there = text(&numbers.edit(&base, moved, "moved"));
        let form = if round % 3 == 0 { "-c" } else { "-u" };
        let patch = diff(folder.path(), form, &text(&base), &text(&after));
        if patch.is_empty() {
            continue;
        }
        let (peer, ours) =
            (by_gnu_patch(folder.path(), &there, &patch), by_us(folder.path(), &there, &patch));
        let shown = || format!("round {round}\n{}\n{there}", String::from_utf8_lossy(&patch));
        match (peer, ours) {
            (Some(peer), Ok(ours)) => {
                assert_eq!(peer, ours, "{}", shown());
                both += 1;
            }
            (None, Err(_)) => neither += 1,
            (peer, ours) => panic!("{peer:?} and {ours:?}: {}", shown()),
        }
    }
    assert!(both > 60 && neither > 5, "{both} applied, {neither} refused: the test says little");
}
