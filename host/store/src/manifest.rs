//! `install_manifest.json`: each entry of a prefix as it was installed, in the shape that `spack verify` reads.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use cap_std::fs::Dir;
use rustix::fs::{FileType, Stat};
use serde::Serialize;

use crate::error::{At, FileError};
use crate::trace::Scanner;
use crate::tree::{self, Entry};

/// One entry, with the fields that Spack has for its type.
#[derive(Debug, PartialEq, Serialize)]
struct ManifestEntry {
    mode: u32,
    owner: u32,
    group: u32,
    #[serde(flatten)]
    kind: Kind,
}

#[derive(Debug, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
enum Kind {
    Dir,
    Link {
        dest: String,
    },
    File {
        /// SHA-1 in base32.
        hash: String,
        /// Seconds since 1970 of the last change.
        time: f64,
        size: u64,
    },
}

/// Describes everything below `dir`, under the paths that it'll have below `final_path`, as JSON.
///
/// `hashes` has the SHA-1 of files that were read before; others are read now. `left_out` are paths that may change
/// after the installation.
pub(crate) fn manifest(
    dir: &Dir,
    shown: &Path,
    final_path: &Path,
    hashes: &BTreeMap<PathBuf, String>,
    left_out: &[&Path],
) -> Result<String, FileError> {
    let key = |path: &Path| final_path.join(path).to_string_lossy().trim_end_matches('/').to_owned();
    let mut entries = BTreeMap::new();
    let mut scanner = Scanner::new(&[]);
    tree::walk(dir, shown, &mut |entry| {
        if !left_out.contains(&entry.path) {
            let kind = kind(entry, shown, hashes, &mut scanner)?;
            entries.insert(key(entry.path), describe(&entry.stat, kind));
        }
        Ok::<_, FileError>(())
    })?;
    let root = tree::stat(dir, ".").at("look at", shown)?;
    entries.insert(key(Path::new("")), describe(&root, Kind::Dir));
    serde_json::to_string(&entries).map_err(std::io::Error::other).at("write the manifest of", shown)
}

fn describe(stat: &Stat, kind: Kind) -> ManifestEntry {
    ManifestEntry { mode: stat.st_mode, owner: stat.st_uid, group: stat.st_gid, kind }
}

fn kind(
    entry: &Entry<'_>,
    shown: &Path,
    hashes: &BTreeMap<PathBuf, String>,
    scanner: &mut Scanner<'_>,
) -> Result<Kind, FileError> {
    let full = || shown.join(entry.path);
    Ok(match entry.kind() {
        FileType::Directory => Kind::Dir,
        FileType::Symlink => {
            Kind::Link { dest: entry.read_link().at("read the link", full())?.to_string_lossy().into_owned() }
        }
        _ => {
            let hash = match hashes.get(entry.path) {
                Some(hash) => hash.clone(),
                None => {
                    let mut file = entry.open().at("read", full())?;
                    scanner.scan_file(&mut file).at("read", full())?.sha1
                }
            };
            let size = u64::try_from(entry.stat.st_size).unwrap_or(0);
            Kind::File { hash, time: modified(&entry.stat), size }
        }
    })
}

#[expect(clippy::cast_precision_loss, reason = "Spack writes this time as a floating point number")]
fn modified(stat: &Stat) -> f64 {
    stat.st_mtime as f64 + stat.st_mtime_nsec as f64 * 1e-9
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use cap_std::ambient_authority;

    use super::*;

    #[test]
    fn each_type_has_spacks_fields() {
        let folder = tempfile::tempdir().unwrap();
        fs_err::create_dir(folder.path().join("bin")).unwrap();
        fs_err::write(folder.path().join("bin/tool"), "abc").unwrap();
        symlink("tool", folder.path().join("bin/alias")).unwrap();
        fs_err::write(folder.path().join("later"), "").unwrap();
        let dir = Dir::open_ambient_dir(folder.path(), ambient_authority()).unwrap();
        let text =
            manifest(&dir, folder.path(), Path::new("/store/p"), &BTreeMap::new(), &[Path::new("later")])
                .unwrap();
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        let paths: Vec<_> = value.as_object().unwrap().keys().cloned().collect();
        assert_eq!(paths, ["/store/p", "/store/p/bin", "/store/p/bin/alias", "/store/p/bin/tool"]);
        assert_eq!(value["/store/p"]["type"], "dir");
        assert_eq!(value["/store/p/bin/alias"]["dest"], "tool");
        let tool = &value["/store/p/bin/tool"];
        // SHA-1 of "abc" is a published test vector: a9993e36 4706816a ba3e2571 7850c26c 9cd0d89d.
        assert_eq!(tool["hash"], "VGMT4NSHA2AWVOR6EVYXQUGCNSONBWE5");
        assert_eq!((tool["size"].as_u64(), tool["type"].as_str()), (Some(3), Some("file")));
        assert!(tool["time"].as_f64().unwrap() > 1e9);
        assert_eq!(tool["mode"].as_u64().unwrap() & 0o170_000, 0o100_000);
    }
}
