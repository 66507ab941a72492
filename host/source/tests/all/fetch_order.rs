//! Which source is asked when, and what the cache looks like afterwards.

use crate::fetching::*;
use crate::server::*;
use insta::assert_snapshot;
use spack_wasm_source::{
    ArchiveChoice, FetchError, FetchEvent, FetchOptions, Fetcher, Mirror, Origin, ProxyPolicy, Request,
};
use std::sync::Arc;
use std::time::Duration;

#[tokio::test]
async fn the_cache_is_a_mirror() {
    let body = content(5000);
    let upstream = Server::fixed(&body);
    let bench = Bench::new();
    let request = one(&body, &[upstream.url("pkg-1.0.tar.gz")]);
    let fetched = bench.fetch(&request).await.unwrap();
    let hex = sha256(&body).hex().to_owned();
    let relative = format!("_source-cache/archive/{}/{hex}.tar.gz", &hex[..2]);
    assert_eq!(fetched.path, bench.cache().join(&relative));
    assert_eq!((fetched.size, fetched.checksum.hex()), (5000, hex.as_str()));
    assert_eq!(bench.fetch(&request).await.unwrap().origin, Origin::Cache);
    assert_eq!(upstream.requests().len(), 1);

    let other = Bench::new();
    let mirrors = vec![Mirror::new("here", bench.cache().to_str().unwrap()).unwrap()];
    let options = FetchOptions { mirrors, offline: true, ..other.options() };
    let copied = other.fetch_with(options, &request).await.unwrap();
    assert_eq!(
        copied.origin,
        Origin::Mirror { name: "here".into(), url: fetched.path.display().to_string() }
    );
    assert_eq!(fs_err::read(&copied.path).unwrap(), body);

    let root = bench.cache();
    let served = Server::new(move |_, head, stream| match fs_err::read(root.join(&head.path[3..])) {
        Ok(body) => ok(stream, &[], &body),
        Err(_) => answer(stream, "404 Not Found", &[], b"<html>no</html>"),
    });
    let other = Bench::new();
    let options =
        FetchOptions { mirrors: vec![Mirror::new("web", &served.url("m")).unwrap()], ..other.options() };
    let copied = other.fetch_with(options, &request).await.unwrap();
    assert_eq!(
        copied.origin,
        Origin::Mirror { name: "web".into(), url: served.url(&format!("m/{relative}")) }
    );
}

#[tokio::test]
async fn a_mirror_by_name_and_version_is_verified_too() {
    let body = content(5000);
    let bench = Bench::new();
    let mirror = bench.root.path().join("mirror");
    fs_err::create_dir_all(mirror.join("pkg")).unwrap();
    fs_err::write(mirror.join("pkg/pkg-1.0.tar.gz"), &body).unwrap();
    let options = || FetchOptions {
        mirrors: vec![Mirror::new("m", &format!("file://{}", mirror.display())).unwrap()],
        ..bench.options()
    };
    bench.fetch_with(options(), &one(&body, &[])).await.unwrap();
    let error = bench.fetch_with(options(), &one(b"another", &[])).await.unwrap_err().to_string();
    assert!(error.contains("mirror `m` (") && error.contains("has a file with another checksum"), "{error}");
    assert!(bench.leftovers().is_empty());
}

#[tokio::test]
async fn each_kind_of_source_is_asked_for_every_archive_before_the_next_kind() {
    let (first, second) = (content(5000), content(6000));
    let upstream = Server::fixed(&first);
    let bench = Bench::new();
    let mirror = bench.root.path().join("mirror");
    let hex = sha256(&second).hex().to_owned();
    let folder = mirror.join("_source-cache/archive").join(&hex[..2]);
    fs_err::create_dir_all(&folder).unwrap();
    fs_err::write(folder.join(format!("{hex}.tar.bz2")), &second).unwrap();
    let request = request(vec![choice(&first, &[upstream.url("a")]), choice(&second, &[])]);
    let mirrors = vec![Mirror::new("m", mirror.to_str().unwrap()).unwrap()];
    let options = || FetchOptions { mirrors: mirrors.clone(), ..bench.options() };
    let fetched = bench.fetch_with(options(), &request).await.unwrap();
    assert_eq!(
        fetched.checksum,
        sha256(&second),
        "the mirror has the second archive, upstream would have the first"
    );
    assert!(upstream.requests().is_empty());
    assert_eq!(bench.fetch_with(options(), &request).await.unwrap().origin, Origin::Cache);
    let without_mirror = Bench::new();
    assert_eq!(without_mirror.fetch(&request).await.unwrap().checksum, sha256(&first));
}

#[tokio::test]
async fn a_mirror_that_lacks_an_archive_is_not_worth_a_word() {
    let body = content(1000);
    let (empty, upstream) =
        (Server::new(|_, _, s| answer(s, "404 Not Found", &[], b"")), Server::fixed(&body));
    let bench = Bench::new();
    let options =
        FetchOptions { mirrors: vec![Mirror::new("m", &empty.url("")).unwrap()], ..bench.options() };
    bench.fetch_with(options, &one(&body, &[upstream.url("a")])).await.unwrap();
    assert_eq!(empty.requests().len(), 2);
    assert!(bench.failures().is_empty());
}

#[tokio::test]
async fn nothing_is_taken_without_a_checksum_unless_allowed() {
    let body = content(1000);
    let upstream = Server::fixed(&body);
    let bench = Bench::new();
    let unverified = ArchiveChoice { checksum: None, urls: vec![upstream.url("a.tar.gz")], extension: None };
    let request = request(vec![unverified]);
    let error = bench.fetch(&request).await.unwrap_err();
    assert_snapshot!(error.to_string(), @"cannot fetch pkg@1.0: its recipe states no checksum for this version, so nothing can vouch for what is downloaded");
    assert_snapshot!(error.hints().join("\n"), @"add the archive's sha256 to the recipe, or use --no-checksum to take whatever is downloaded");
    assert!(upstream.requests().is_empty());
    let options = FetchOptions { no_checksum: true, ..bench.options() };
    let fetched = bench.fetch_with(options, &request).await.unwrap();
    assert_eq!(fetched.checksum, sha256(&body));
    let wrong = FetchOptions { no_checksum: true, ..bench.options() };
    bench.fetch_with(wrong, &one(b"another", &[upstream.url("a")])).await.unwrap_err();
}

#[tokio::test]
async fn older_checksums_are_verified() {
    let upstream = Server::fixed(b"abc");
    for sum in ["900150983cd24fb0d6963f7d28e17f72", "a9993e364706816aba3e25717850c26c9cd0d89d"] {
        let archive = |sum: &str| ArchiveChoice {
            checksum: Some(sum.parse().unwrap()),
            urls: vec![upstream.url("a")],
            extension: None,
        };
        Bench::new().fetch(&request(vec![archive(sum)])).await.unwrap();
        let other = sum.replace('9', "8");
        Bench::new().fetch(&request(vec![archive(&other)])).await.unwrap_err();
    }
}

#[tokio::test]
async fn a_corrupt_archive_in_the_cache_is_replaced() {
    let body = content(1000);
    let upstream = Server::fixed(&body);
    let bench = Bench::new();
    let request = one(&body, &[upstream.url("a")]);
    let fetched = bench.fetch(&request).await.unwrap();
    fs_err::write(&fetched.path, "rotten").unwrap();
    let again = bench.fetch(&request).await.unwrap();
    assert_eq!(fs_err::read(&again.path).unwrap(), body);
    assert!(
        bench.failures()[0].contains("another checksum") && bench.failures()[0].ends_with("; it was removed")
    );
}

#[tokio::test]
async fn errors_list_every_source_and_no_credential() {
    let absent = Server::new(|_, _, s| answer(s, "404 Not Found", &[], b""));
    let closed = closed_port().replace("http://", "http://user:s3cret@");
    let bench = Bench::new();
    let urls = [
        format!("{closed}/a?token=s3cret"),
        absent.url("a"),
        "ftp://example.org/a".into(),
        "file:///etc/passwd".into(),
        "not an address".into(),
    ];
    let error = bench.fetch(&one(b"x", &urls)).await.unwrap_err();
    assert!(!format!("{error} {error:?} {:?}", bench.events()).contains("s3cret"));
    insta::with_settings!({filters => vec![(r"127\.0\.0\.1:\d+", "HOST")]}, {
        assert_snapshot!(error.to_string(), @"
        cannot fetch pkg@1.0: no source could give the archive
          http://HOST/a?…: cannot be reached: HOST: Connection refused (os error 111)
          http://HOST/a: 404 Not Found
          ftp://example.org/a: only http and https addresses are followed
          file:///etc/passwd: only http and https addresses are followed
          not an address: is no address: relative URL without a base
        ");
    });
}

#[tokio::test]
async fn offline_means_offline() {
    let upstream = Server::fixed(b"x");
    let bench = Bench::new();
    let options = FetchOptions {
        offline: true,
        mirrors: vec![Mirror::new("m", &upstream.url("m")).unwrap()],
        ..bench.options()
    };
    let error = bench.fetch_with(options, &one(b"x", &[upstream.url("a")])).await.unwrap_err();
    assert_snapshot!(error.to_string(), @"cannot fetch pkg@1.0: it is not in the cache, and --offline leaves no other source");
    assert!(upstream.requests().is_empty());
}

#[tokio::test]
async fn proxies_are_used_but_never_for_loopback() {
    let body = content(1000);
    let (proxy, direct) = (Server::fixed(&body), Server::fixed(&body));
    let policy = ProxyPolicy { http: Some(proxy.url("").parse().unwrap()), ..ProxyPolicy::default() };
    let bench = Bench::new();
    let options = FetchOptions { proxy: policy.clone(), ..bench.options() };
    bench.fetch_with(options, &one(&body, &["http://upstream.invalid/a.tar.gz".into()])).await.unwrap();
    assert_eq!(proxy.requests()[0].path, "http://upstream.invalid/a.tar.gz");
    let bench = Bench::new();
    let options = FetchOptions { proxy: policy, ..bench.options() };
    bench.fetch_with(options, &one(&body, &[direct.url("a")])).await.unwrap();
    assert_eq!((proxy.requests().len(), direct.requests().len()), (1, 1));
}

#[tokio::test]
async fn builds_that_want_the_same_archive_share_one_download() {
    let body = content(200_000);
    let sent = body.clone();
    let upstream = Server::new(move |_, _, stream| {
        std::thread::sleep(Duration::from_millis(200));
        ok(stream, &[], &sent);
    });
    let bench = Bench::new();
    let fetcher = Arc::new(Fetcher::new(bench.options()).unwrap());
    let request = Arc::new(one(&body, &[upstream.url("a")]));
    let fetches: Vec<_> = (0..8)
        .map(|_| {
            let (fetcher, request) = (fetcher.clone(), request.clone());
            tokio::spawn(async move {
                let waited = std::sync::atomic::AtomicBool::new(false);
                let observer = |event| {
                    if event == FetchEvent::Waiting {
                        waited.store(true, std::sync::atomic::Ordering::Relaxed);
                    }
                };
                let fetched = fetcher.fetch(&request, &observer).await.unwrap();
                (fetched, waited.load(std::sync::atomic::Ordering::Relaxed))
            })
        })
        .collect();
    let mut waited = 0;
    for fetch in fetches {
        let (fetched, had_to_wait) = fetch.await.unwrap();
        assert_eq!(fs_err::read(fetched.path).unwrap(), body);
        waited += usize::from(had_to_wait);
    }
    assert_eq!((upstream.requests().len(), waited), (1, 7));
    assert!(bench.leftovers().is_empty());
}

#[tokio::test]
async fn what_is_not_to_be_expanded_may_be_a_web_page() {
    let page = b"<!DOCTYPE html><html><body>documentation that a recipe wants as it is, of some length</body></html>";
    let upstream = Server::fixed(page);
    let bench = Bench::new();
    let request = Request { expand: false, ..one(page, &[upstream.url("doc.html")]) };
    let fetched = bench.fetch(&request).await.unwrap();
    assert_eq!(fetched.path.extension(), None);
}

#[tokio::test]
async fn a_cache_that_cannot_be_written_says_so() {
    let upstream = Server::fixed(b"x");
    let bench = Bench::new();
    fs_err::write(bench.cache(), "a file").unwrap();
    let error = bench.fetch(&one(b"x", &[upstream.url("a")])).await.unwrap_err();
    assert!(matches!(error, FetchError::Cache { .. }), "{error:?}");
    assert!(error.to_string().contains("the source cache cannot be used"), "{error}");
}
