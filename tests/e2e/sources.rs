//! Source archives: each is fetched once, and kept in the build folder for the runs to come.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use spack_wasm_tests::{TestContext, User, skip};

use crate::{of, user};

/// Where archives are in a mirror and in a cache of sources.
const ARCHIVES: &str = "_source-cache/archive";

/// Somebody who can have zlib's sources without a network. `None`, said, when nobody can get them here.
pub(crate) fn with_zlib(who: User) -> Option<TestContext> {
    static FETCHED: OnceLock<bool> = OnceLock::new();
    let cache = cache("zlib");
    if !*FETCHED.get_or_init(|| is_there(&cache) || fetch("zlib", &cache)) {
        skip("network, for the sources of zlib");
        return None;
    }
    let context = of(who);
    // A copy, since the build folder may be closed to others.
    let mirror = context.root().join("mirror");
    copy(&cache.join(ARCHIVES), &mirror.join(ARCHIVES));
    Some(context.with_mirror(&mirror))
}

/// The cache of a package's sources that outlives a test.
pub(crate) fn cache(package: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("sources").join(package)
}

/// Whether a cache has an archive.
fn is_there(cache: &Path) -> bool {
    fs_err::read_dir(cache.join(ARCHIVES)).is_ok_and(|mut entries| entries.next().is_some())
}

/// Installs a package in order to have its archive. Whether it builds is for others to say.
fn fetch(package: &str, cache: &Path) -> bool {
    let setting = format!("config:source_cache:{}", cache.display());
    let output = user().run(["-c", &setting, "install", package]);
    let there = is_there(cache);
    assert!(there || output.stderr.contains("cannot be reached"), "{}", output.report());
    there
}

fn copy(from: &Path, to: &Path) {
    fs_err::create_dir_all(to).unwrap();
    for entry in fs_err::read_dir(from).unwrap().map(Result::unwrap) {
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &to);
        } else {
            fs_err::copy(entry.path(), to).unwrap();
        }
    }
}
