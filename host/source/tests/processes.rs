//! Several processes that want the same archive: one download, whole, and nothing lost when one of them is killed.
//!
//! The program starts itself as the other processes, so it has no test harness.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test, it fails by panicking and tells its parent"
)]

#[path = "all/fetching.rs"]
#[expect(dead_code, reason = "shared with the other tests")]
mod fetching;
#[path = "all/server.rs"]
#[expect(dead_code, reason = "shared with the other tests")]
mod server;

use fetching::{content, sha256};
use server::{Server, break_off, head, ok, partial};
use spack_wasm_source::{Algorithm, ArchiveChoice, FetchEvent, FetchOptions, Fetcher, Request, SetupError};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

fn main() {
    let arguments: Vec<_> = std::env::args().collect();
    if let [_, role, cache, sum, url] = &arguments[..]
        && role == "--fetch"
    {
        return fetch(cache, sum, url);
    }
    without_a_tls_provider_there_is_an_error_and_no_panic();
    rustls::crypto::ring::default_provider().install_default().unwrap();
    several_processes_share_one_download();
    a_killed_download_is_resumed_by_the_next_process();
    println!("processes: 3 passed");
}

fn without_a_tls_provider_there_is_an_error_and_no_panic() {
    let refused = Fetcher::new(FetchOptions::new("/nowhere".into())).err().unwrap();
    assert!(matches!(refused, SetupError::NoTlsProvider), "{refused}");
}

/// The other process: fetches, and prints what happens.
fn fetch(cache: &str, sum: &str, url: &str) {
    rustls::crypto::ring::default_provider().install_default().unwrap();
    let options = FetchOptions { timeouts: fetching::timeouts(), ..FetchOptions::new(cache.into()) };
    let checksum = Some(sum.parse().unwrap());
    let archives = vec![ArchiveChoice { checksum, urls: vec![url.to_owned()], extension: None }];
    let request =
        Request { package: "pkg".into(), version: "1".into(), resource: None, archives, expand: true };
    let fetcher = Fetcher::new(options).unwrap();
    let observer = |event: FetchEvent| {
        println!("{event:?}");
        std::io::stdout().flush().unwrap();
    };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let fetched = runtime.block_on(fetcher.fetch(&request, &observer)).unwrap();
    println!("{:?}", fetched.origin);
}

fn start(cache: &Path, body: &[u8], url: &str) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .arg("--fetch")
        .arg(cache)
        .args([sha256(body).hex(), url])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

fn assert_archive(cache: &Path, body: &[u8]) {
    let sum = sha256(body);
    let path = cache.join("_source-cache/archive").join(&sum.hex()[..2]).join(sum.hex());
    let mut hasher = Algorithm::Sha256.hasher();
    hasher.update(&fs_err::read(path).unwrap());
    assert_eq!(hasher.finish(), sum);
    assert!(fetching::names(&cache.join(".part")).is_empty(), "{:?}", fetching::names(&cache.join(".part")));
}

fn several_processes_share_one_download() {
    let root = tempfile::tempdir().unwrap();
    let body = content(500_000);
    let sent = body.clone();
    let server = Server::new(move |_, _, stream| {
        std::thread::sleep(Duration::from_millis(300));
        ok(stream, &[], &sent);
    });
    let children: Vec<_> = (0..4).map(|_| start(root.path(), &body, &server.url("a"))).collect();
    for child in children {
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    }
    assert_eq!(server.requests().len(), 1);
    assert_archive(root.path(), &body);
}

fn a_killed_download_is_resumed_by_the_next_process() {
    let root = tempfile::tempdir().unwrap();
    let body = content(2_000_000);
    let sent = body.clone();
    let server = Server::new(move |number, request, stream| match (number, request.range_start()) {
        (0, None) => {
            // Keeps trickling, so that the first process is still at it when it is killed.
            let length = sent.len().to_string();
            head(stream, "200 OK", &[("Content-Length", &length), ("ETag", "\"v1\"")]);
            for piece in sent.chunks(10_000) {
                if stream.write_all(piece).is_err() {
                    return;
                }
                std::thread::sleep(Duration::from_millis(50));
            }
        }
        (_, Some(start)) => partial(stream, &[("ETag", "\"v1\"")], &sent, start),
        _ => break_off(stream, &[], &sent, 0),
    });
    let mut first = start(root.path(), &body, &server.url("a"));
    let told = BufReader::new(first.stdout.take().unwrap());
    let started = told.lines().map(Result::unwrap).any(|line| line.starts_with("Progress"));
    assert!(started);
    first.kill().unwrap();
    first.wait().unwrap();
    let second = start(root.path(), &body, &server.url("a")).wait_with_output().unwrap();
    let told = String::from_utf8_lossy(&second.stdout);
    assert!(second.status.success() && told.contains("Resumed { at: "), "{told}");
    assert_archive(root.path(), &body);
}
