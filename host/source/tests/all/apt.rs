//! The `apt` registry mirror: with programs of ours in the place of apt's, and with the machine's own.

use crate::fetching::*;
use crate::server::*;
use crate::skip;
use insta::assert_snapshot;
use spack_wasm_source::{AptOptions, ArchiveChoice, FetchEvent, FetchOptions, Fetcher, Origin};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

const ZLIB: &str = "71feb7947e3c00ef125f83b79a4e529bde31171e5babe48b391f06758d1ab0a1";
const HDF5: &str = "7b38e58ff83b13fd8959a90b13bf896bc318ba096c940ab0847abf3ad41a0b31";

/// Stands in for apt: a repository is a folder, and each call is noted.
struct FakeApt {
    bench: Bench,
}

const APT_GET: &str = r#"#!/bin/sh
echo "$3" >> "$HOME/../calls"
case "$3" in
update) env > "$HOME/../environment"; cp "$2" "$HOME/../apt.conf"; [ ! -e "$HOME/../down" ] || { echo "E: Could not resolve 'deb.example.org'" >&2; exit 100; } ;;
indextargets) [ -e "$HOME/../down" ] || printf '%s\t%s\n' "$HOME/../repository/Sources" "http://deb.example.org/debian/" ;;
esac
"#;

const APT_HELPER: &str = r#"#!/bin/sh
echo "$3" >> "$HOME/../calls"
case "$3" in
cat-file) cat "$4" ;;
download-file)
    from="$HOME/../repository/${4#http://deb.example.org/debian/}"
    [ -e "$from" ] || { echo "Err:1 $4"; echo "  404  Not Found [IP: 192.0.2.1 80]"; echo "E: Download Failed" >&2; exit 100; }
    cp "$from" "$5" ;;
esac
"#;

impl FakeApt {
    fn new() -> Self {
        let fake = FakeApt { bench: Bench::new() };
        fake.program("apt-get", APT_GET);
        fake.program("apt-helper", APT_HELPER);
        fs_err::create_dir_all(fake.path("etc")).unwrap();
        fs_err::write(fake.path("etc/sources.list"), "deb http://deb.example.org/debian bookworm main\n")
            .unwrap();
        fs_err::create_dir_all(fake.path("repository/pool")).unwrap();
        fs_err::write(fake.path("repository/Sources"), "").unwrap();
        fake
    }

    fn path(&self, name: &str) -> PathBuf {
        self.bench.root.path().join(name)
    }

    fn program(&self, name: &str, text: &str) {
        fs_err::write(self.path(name), text).unwrap();
        fs_err::set_permissions(self.path(name), std::fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// Puts a source package with that archive into the repository's list.
    fn list(&self, name: &str, content: &[u8]) {
        let mut list = fs_err::read_to_string(self.path("repository/Sources")).unwrap();
        let (sum, size) = (sha256(content), content.len());
        list.push_str(&format!(
            "Package: {name}\nDirectory: pool\nChecksums-Sha256:\n {} {size} {name}\n\n",
            sum.hex()
        ));
        fs_err::write(self.path("repository/Sources"), list).unwrap();
    }

    fn store(&self, name: &str, content: &[u8]) {
        fs_err::write(self.path("repository/pool").join(name), content).unwrap();
    }

    fn options(&self) -> AptOptions {
        AptOptions {
            etc: self.path("etc"),
            apt_get: self.path("apt-get"),
            apt_helper: self.path("apt-helper"),
            max_age: Duration::ZERO,
            ..AptOptions::new(self.path("state"))
        }
    }

    fn fetcher(&self) -> Fetcher {
        Fetcher::new(FetchOptions { apt: Some(self.options()), ..self.bench.options() }).unwrap()
    }

    async fn fetch(&self, fetcher: &Fetcher, content: &[u8]) -> Result<Origin, String> {
        let fetched = fetcher.fetch(&one(content, &[]), &|_| ()).await;
        fetched.map(|fetched| fetched.origin).map_err(|error| error.to_string())
    }

    fn calls(&self) -> String {
        fs_err::read_to_string(self.path("calls")).unwrap().replace('\n', " ")
    }
}

#[tokio::test]
async fn the_registry_is_said_to_be_tried_once_for_all_archives_of_a_version() {
    let fake = FakeApt::new();
    let archives = vec![choice(&content(10), &[]), choice(&content(20), &[])];
    let fetcher = fake.fetcher();
    let started = std::sync::Mutex::new(0);
    let tell = |event| {
        if matches!(event, FetchEvent::Started { .. }) {
            *started.lock().unwrap() += 1;
        }
    };
    fetcher.fetch(&request(archives), &tell).await.unwrap_err();
    assert_eq!(*started.lock().unwrap(), 1);
}

#[tokio::test]
async fn an_archive_is_found_by_its_checksum() {
    let fake = FakeApt::new();
    fake.list("pkg_1.orig.tar.gz", &content(5000));
    fake.store("pkg_1.orig.tar.gz", &content(5000));
    let origin = fake.fetch(&fake.fetcher(), &content(5000)).await.unwrap();
    let archive = "http://deb.example.org/debian/pool/pkg_1.orig.tar.gz".to_owned();
    assert_eq!(origin, Origin::Registry { name: "apt", archive });
    assert_eq!(fake.calls(), "update indextargets cat-file download-file ");
    assert!(fake.bench.leftovers().is_empty(), "{:?}", fake.bench.leftovers());
}

#[tokio::test]
async fn it_is_not_announced_as_the_next_after_itself() {
    let fake = FakeApt::new();
    let archives = [choice(&content(500), &[]), choice(&content(600), &[])];
    for name in ["a", "b"] {
        fake.list(name, &content(if name == "a" { 500 } else { 600 }));
    }
    let options = FetchOptions { apt: Some(fake.options()), ..fake.bench.options() };
    fake.bench.fetch_with(options, &request(archives.to_vec())).await.unwrap_err();
    let line = format!("{:?}", fake.bench.events());
    assert!(line.contains("SourceFailed") && !line.contains("next: Some"), "{line}");
}

#[tokio::test]
async fn it_is_the_last_source_and_is_announced_as_the_next() {
    let fake = FakeApt::new();
    fake.list("a", &content(500));
    fake.store("a", &content(500));
    let closed = format!("{}/a", closed_port());
    let options = FetchOptions { apt: Some(fake.options()), ..fake.bench.options() };
    fake.bench.fetch_with(options, &one(&content(500), &[closed])).await.unwrap();
    let line = format!("{:?}", fake.bench.events());
    assert!(line.contains(r#"next: Some(Registry { name: "apt", archive: "" })"#), "{line}");
    let upstream = Server::fixed(&content(600));
    let options = FetchOptions { apt: Some(fake.options()), ..fake.bench.options() };
    let fetched = fake.bench.fetch_with(options, &one(&content(600), &[upstream.url("a")])).await.unwrap();
    assert_eq!(fetched.origin, Origin::Upstream { url: upstream.url("a") });
}

#[tokio::test]
async fn the_index_is_kept_and_built_anew_once_a_run_when_an_archive_is_not_in_it() {
    let fake = FakeApt::new();
    fake.list("old", &content(100));
    fake.store("old", &content(100));
    fake.fetch(&fake.fetcher(), &content(100)).await.unwrap();
    fake.list("new", &content(200));
    fake.store("new", &content(200));
    let second = fake.fetcher();
    fake.fetch(&second, &content(200)).await.unwrap();
    assert_eq!(
        fake.calls(),
        "update indextargets cat-file download-file update indextargets cat-file download-file "
    );
    let refused = fake.fetch(&second, &content(300)).await.unwrap_err();
    assert!(
        refused.ends_with("the apt source archives: no source package has an archive with this checksum"),
        "{refused}"
    );
    assert_eq!(fake.calls().matches("update").count(), 2, "not again in this run");
}

#[tokio::test]
async fn an_index_that_cannot_be_read_is_built_anew() {
    let fake = FakeApt::new();
    fake.list("a", &content(100));
    fake.store("a", &content(100));
    fs_err::create_dir_all(fake.path("state")).unwrap();
    fs_err::write(fake.path("state/index.sqlite"), "half a page").unwrap();
    fake.fetch(&fake.fetcher(), &content(100)).await.unwrap();
}

#[tokio::test]
async fn an_archive_that_has_moved_makes_the_index_be_built_anew() {
    let fake = FakeApt::new();
    fake.list("before", &content(100));
    fake.fetch(&fake.fetcher(), &content(100)).await.unwrap_err();
    fs_err::write(fake.path("repository/Sources"), "").unwrap();
    fake.list("after", &content(100));
    fake.store("after", &content(100));
    fake.fetch(&fake.fetcher(), &content(100)).await.unwrap();
    fs_err::remove_file(fake.path("repository/pool/after")).unwrap();
    fs_err::remove_dir_all(fake.bench.cache()).unwrap();
    let refused = fake.fetch(&fake.fetcher(), &content(100)).await.unwrap_err();
    assert!(refused.ends_with("the apt source archives: apt-helper failed: 404  Not Found"), "{refused}");
}

#[tokio::test]
async fn a_repository_that_is_down_is_asked_once_a_run() {
    let fake = FakeApt::new();
    fs_err::write(fake.path("down"), "").unwrap();
    let fetcher = fake.fetcher();
    for _ in 0..3 {
        let refused = fake.fetch(&fetcher, &content(100)).await.unwrap_err();
        assert!(refused.contains("apt-get failed: Could not resolve 'deb.example.org'"), "{refused}");
    }
    assert_eq!(fake.calls().matches("update").count(), 1);
}

#[tokio::test]
async fn another_content_under_the_checksum_is_refused() {
    let fake = FakeApt::new();
    fake.list("a", &content(100));
    fake.store("a", b"something else");
    let refused = fake.fetch(&fake.fetcher(), &content(100)).await.unwrap_err();
    assert!(refused.contains("has a file with another checksum"), "{refused}");
    assert!(fake.bench.leftovers().is_empty());
}

#[tokio::test]
async fn the_environment_is_computed_and_the_systems_hooks_are_off() {
    let fake = FakeApt::new();
    fake.fetch(&fake.fetcher(), b"x").await.unwrap_err();
    let mut names: Vec<_> = fs_err::read_to_string(fake.path("environment"))
        .unwrap()
        .lines()
        .filter_map(|line| line.split_once('=').map(|(name, _)| name.to_owned()))
        // What the shell itself sets.
        .filter(|name| !["PWD", "OLDPWD", "SHLVL", "_"].contains(&name.as_str()))
        .collect();
    names.sort();
    assert_eq!(names, ["HOME", "LC_ALL", "PATH"]);
    let configuration = fs_err::read_to_string(fake.path("apt.conf")).unwrap();
    assert!(configuration.contains("#clear APT::Update::Post-Invoke;"));
    assert_eq!(
        fs_err::read_to_string(fake.path("state/sources.d/source.list")).unwrap(),
        "deb-src http://deb.example.org/debian bookworm main\n"
    );
}

#[tokio::test]
async fn machines_without_apt_or_without_sources() {
    let fake = FakeApt::new();
    let missing = AptOptions { apt_get: "/no/such/apt-get".into(), ..fake.options() };
    let says = async |apt: AptOptions, archive: ArchiveChoice| {
        let options = FetchOptions { apt: Some(apt), ..fake.bench.options() };
        let error = fake.bench.fetch_with(options, &request(vec![archive])).await.unwrap_err().to_string();
        error.replace(&fake.bench.root.path().display().to_string(), "ROOT")
    };
    assert_snapshot!(says(missing, choice(b"x", &[])).await, @"
    cannot fetch pkg@1.0: no source could give the archive
      the apt source archives: not available on this machine: no /no/such/apt-get
    ");
    assert!(fake.bench.failures().is_empty(), "a machine without apt is worth no word");
    let md5 = ArchiveChoice {
        checksum: Some("900150983cd24fb0d6963f7d28e17f72".parse().unwrap()),
        ..choice(b"x", &[])
    };
    assert_snapshot!(says(fake.options(), md5).await, @"
    cannot fetch pkg@1.0: no source could give the archive
      the apt source archives: can look an archive up by its sha256 only, and the recipe states another checksum
    ");
    fs_err::remove_file(fake.path("etc/sources.list")).unwrap();
    assert_snapshot!(says(fake.options(), choice(b"x", &[])).await, @"
    cannot fetch pkg@1.0: no source could give the archive
      the apt source archives: no package source is configured in ROOT/etc
    ");
}

#[tokio::test]
async fn zlib_and_hdf5_come_out_of_this_machines_source_archives() {
    let bench = Bench::new();
    let options = AptOptions::new(bench.root.path().join("apt"));
    if !options.apt_get.exists() || !options.apt_helper.exists() {
        return skip("apt-get");
    }
    let before = system_files();
    // Where upstream could not be had, with the addresses of the recipe.
    let request = |sum: &str, extension: &str| {
        let urls = vec![
            "https://upstream.invalid/a.tar.gz".to_owned(),
            "https://upstream.invalid/b.tar.gz".to_owned(),
        ];
        let checksum = Some(sum.parse().unwrap());
        request(vec![ArchiveChoice { checksum, urls, extension: Some(extension.into()) }])
    };
    let fetch = FetchOptions { apt: Some(options), ..bench.options() };
    let zlib = match bench.fetch_with(fetch.clone(), &request(ZLIB, "tar.bz2")).await {
        Ok(fetched) => fetched,
        Err(error) if error.to_string().contains("no source package has an archive") => {
            return skip("Debian bookworm");
        }
        Err(error) => return skip(&format!("a distribution mirror that answers ({error})")),
    };
    let start = std::time::Instant::now();
    let hdf5 = bench.fetch_with(fetch, &request(HDF5, "tar.gz")).await.unwrap();
    assert!(start.elapsed() < Duration::from_secs(20), "the index is there already: {:?}", start.elapsed());
    assert_eq!((zlib.size, hdf5.size), (1_239_825, 13_422_843));
    for fetched in [&zlib, &hdf5] {
        assert!(matches!(&fetched.origin, Origin::Registry { name: "apt", .. }), "{:?}", fetched.origin);
        let into = tempfile::tempdir().unwrap();
        let dir = cap_std::fs::Dir::open_ambient_dir(into.path(), cap_std::ambient_authority()).unwrap();
        let limits = spack_wasm_source::unpack::UnpackLimits::default();
        let unpacked = spack_wasm_source::unpack::unpack(&fetched.path, "single", &dir, &limits).unwrap();
        assert!(into.path().join(unpacked.top.unwrap()).join("configure").exists());
    }
    assert_eq!(system_files(), before, "no file of the system was touched");
}

/// Times of the folders that apt itself would change.
fn system_files() -> Vec<Option<std::time::SystemTime>> {
    [
        "/var/lib/apt/lists",
        "/var/lib/apt/lists/partial",
        "/var/cache/apt",
        "/var/cache/apt/archives",
        "/etc/apt",
    ]
    .map(|path| Path::new(path).metadata().and_then(|metadata| metadata.modified()).ok())
    .to_vec()
}
