//! Servers that stall, break off, lie or never end.

use crate::fetching::*;
use crate::server::*;
use spack_wasm_source::{FetchEvent, FetchOptions, Origin, Timeouts};
use std::io::Write;
use std::thread::sleep;
use std::time::{Duration, Instant};

#[tokio::test]
async fn a_download_that_broke_off_is_resumed() {
    let body = content(300_000);
    let sent = body.clone();
    let server = Server::new(move |number, head, stream| match (number, head.range_start()) {
        (0, None) => break_off(stream, &[("ETag", "\"v1\"")], &sent, 100_000),
        (_, Some(start)) => partial(stream, &[("ETag", "\"v1\"")], &sent, start),
        other => panic!("{other:?}"),
    });
    let bench = Bench::new();
    let fetched = bench.fetch(&one(&body, &[server.url("a.tar.gz")])).await.unwrap();
    assert_eq!(fs_err::read(&fetched.path).unwrap(), body);
    assert_eq!(bench.resumed(), [100_000]);
    let second = &server.requests()[1];
    assert_eq!((second.header("range"), second.header("if-range")), (Some("bytes=100000-"), Some("\"v1\"")));
    assert!(bench.leftovers().is_empty(), "{:?}", bench.leftovers());
}

#[tokio::test]
async fn a_download_is_resumed_in_the_next_run() {
    let body = content(300_000);
    let sent = body.clone();
    let server = Server::new(move |number, head, stream| match head.range_start() {
        Some(start) if number >= 3 => {
            partial(stream, &[("Last-Modified", "Tue, 01 Sep 2020 12:00:00 GMT")], &sent, start)
        }
        Some(_) => {}
        None => break_off(stream, &[("Last-Modified", "Tue, 01 Sep 2020 12:00:00 GMT")], &sent, 200_000),
    });
    let bench = Bench::new();
    let request = one(&body, &[server.url("a.tar.gz")]);
    bench.fetch(&request).await.unwrap_err();
    assert_eq!(bench.leftovers().len(), 2, "{:?}", bench.leftovers());
    bench.fetch(&request).await.unwrap();
    assert_eq!(bench.resumed(), [200_000]);
}

#[tokio::test]
async fn a_file_that_changed_between_the_attempts_is_taken_from_the_start() {
    let (old, new) = (content(300_000), content(200_001));
    // An honest server ignores the range when `If-Range` does not fit, a careless one sends the rest of another file.
    for careless in [false, true] {
        let (old, sent) = (old.clone(), new.clone());
        let server = Server::new(move |number, head, stream| match (number, head.range_start()) {
            (0, _) => break_off(stream, &[("ETag", "\"old\"")], &old, 100_000),
            (_, Some(start)) if careless => partial(stream, &[("ETag", "\"new\"")], &sent, start),
            _ => ok(stream, &[("ETag", "\"new\"")], &sent),
        });
        let bench = Bench::new();
        let fetched = bench.fetch(&one(&new, &[server.url("a.tar.gz")])).await.unwrap();
        assert_eq!(fs_err::read(&fetched.path).unwrap(), new);
        assert_eq!(bench.resumed(), [0; 0]);
    }
}

#[tokio::test]
async fn a_changed_file_with_the_same_validator_is_found_by_its_checksum() {
    let (old, new) = (content(300_000), vec![7; 300_000]);
    let sent = new.clone();
    let server = Server::new(move |number, head, stream| match (number, head.range_start()) {
        (0, _) => break_off(stream, &[("ETag", "\"same\"")], &old, 100_000),
        (_, Some(start)) => partial(stream, &[("ETag", "\"same\"")], &sent, start),
        _ => ok(stream, &[("ETag", "\"same\"")], &sent),
    });
    let bench = Bench::new();
    let fetched = bench.fetch(&one(&new, &[server.url("a.tar.gz")])).await.unwrap();
    assert_eq!(fs_err::read(&fetched.path).unwrap(), new);
    assert_eq!((bench.resumed(), server.requests().len()), (vec![100_000], 3));
}

#[tokio::test]
async fn ranges_that_the_server_cannot_serve_start_again() {
    let body = content(50_000);
    let sent = body.clone();
    let server = Server::new(move |number, head, stream| match (number, head.range_start()) {
        (0, _) => break_off(stream, &[("ETag", "\"v\"")], &content(90_000), 80_000),
        (_, Some(_)) => answer(stream, "416 Range Not Satisfiable", &[], b""),
        _ => ok(stream, &[("ETag", "\"v\"")], &sent),
    });
    Bench::new().fetch(&one(&body, &[server.url("a.tar.gz")])).await.unwrap();
}

#[tokio::test]
async fn without_a_validator_nothing_is_resumed() {
    let body = content(300_000);
    let sent = body.clone();
    let server = Server::new(move |number, head, stream| {
        assert_eq!(head.range_start(), None);
        match number {
            0 => break_off(stream, &[("ETag", "W/\"weak\"")], &sent, 100_000),
            _ => ok(stream, &[], &sent),
        }
    });
    Bench::new().fetch(&one(&body, &[server.url("a.tar.gz")])).await.unwrap();
}

#[tokio::test]
async fn a_server_that_stalls_is_left_for_the_next() {
    let body = content(100_000);
    let sent = body.clone();
    let stalling = Server::new(move |_, _, stream| {
        break_off(stream, &[], &sent, 50_000);
        sleep(Duration::from_secs(30));
    });
    let good = Server::fixed(&body);
    let bench = Bench::new();
    let start = Instant::now();
    let fetched = bench.fetch(&one(&body, &[stalling.url("a"), good.url("a")])).await.unwrap();
    assert_eq!(fetched.origin, Origin::Upstream { url: good.url("a") });
    assert_eq!(bench.failures(), ["sent nothing for 0.4 s"]);
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
}

#[tokio::test]
async fn a_server_that_never_answers_is_not_asked_again() {
    let body = content(1000);
    let silent = Server::new(|_, _, _| sleep(Duration::from_secs(30)));
    let good = Server::fixed(&body);
    let bench = Bench::new();
    let urls = [silent.url("a"), silent.url("b"), silent.url("c"), good.url("a")];
    bench.fetch(&one(&body, &urls)).await.unwrap();
    assert_eq!(silent.requests().len(), 1);
    assert_eq!(
        bench.failures(),
        [format!("cannot be reached: 127.0.0.1:{} did not answer within 0.4 s", silent.port)]
    );
}

#[tokio::test]
async fn an_unreachable_host_costs_one_try_and_one_line() {
    let body = content(1000);
    let (closed, good) = (closed_port(), Server::fixed(&body));
    let bench = Bench::new();
    let start = Instant::now();
    let urls = [format!("{closed}/a"), format!("{closed}/b"), good.url("a")];
    bench.fetch(&one(&body, &urls)).await.unwrap();
    let failed: Vec<_> =
        bench.events().into_iter().filter(|e| matches!(e, FetchEvent::SourceFailed { .. })).collect();
    let [FetchEvent::SourceFailed { reason, next, .. }] = &failed[..] else { panic!("{failed:?}") };
    assert!(reason.starts_with("cannot be reached: 127.0.0.1:") && reason.contains("refused"), "{reason}");
    assert_eq!(next.as_ref(), Some(&Origin::Upstream { url: good.url("a") }));
    assert!(start.elapsed() < Duration::from_secs(2));
}

#[tokio::test]
async fn a_host_without_a_name_fails_at_once() {
    let bench = Bench::new();
    let start = Instant::now();
    let error = bench.fetch(&one(b"x", &["https://no-such-host.invalid/a.tar.gz".into()])).await.unwrap_err();
    assert!(
        error.to_string().contains("https://no-such-host.invalid/a.tar.gz: cannot be reached"),
        "{error}"
    );
    assert!(start.elapsed() < Duration::from_secs(5));
}

#[tokio::test]
async fn a_server_that_sends_for_ever_is_cut_off() {
    let endless = Server::new(|_, _, stream| {
        head(stream, "200 OK", &[("Content-Type", "application/gzip")]);
        while stream.write_all(&[0x55; 65536]).is_ok() {}
    });
    let bench = Bench::new();
    let options = FetchOptions { max_bytes: 1 << 20, ..bench.options() };
    let error = bench.fetch_with(options, &one(b"x", &[endless.url("a")])).await.unwrap_err();
    assert!(error.to_string().contains("sends more than 1048576 bytes"), "{error}");
    assert_eq!(endless.requests().len(), 1, "not tried again");
}

#[tokio::test]
async fn a_size_beyond_the_limit_is_refused_by_its_head() {
    let huge = Server::new(|_, _, stream| head(stream, "200 OK", &[("Content-Length", "999999999999")]));
    let bench = Bench::new();
    let options = FetchOptions { max_bytes: 1 << 20, ..bench.options() };
    let error = bench.fetch_with(options, &one(b"x", &[huge.url("a")])).await.unwrap_err();
    assert!(error.to_string().contains("sends more than 1048576 bytes"), "{error}");
}

#[tokio::test]
async fn a_trickle_is_given_up() {
    let dripping = Server::new(|_, _, stream| {
        head(stream, "200 OK", &[]);
        while stream.write_all(b"x").is_ok() {
            sleep(Duration::from_millis(20));
        }
    });
    let bench = Bench::new();
    let slow = Timeouts { slow_window: Duration::from_millis(300), retries: 0, ..timeouts() };
    let options = FetchOptions { timeouts: slow, ..bench.options() };
    let error = bench.fetch_with(options, &one(b"x", &[dripping.url("a")])).await.unwrap_err().to_string();
    assert!(error.contains("sent only ") && error.contains(" bytes in 0.3 s"), "{error}");
}

#[tokio::test]
async fn another_checksum_is_refused_and_the_next_source_tried() {
    let body = content(5000);
    let (wrong, good) = (Server::fixed(&content(5001)), Server::fixed(&body));
    let bench = Bench::new();
    let fetched = bench.fetch(&one(&body, &[wrong.url("a"), good.url("a")])).await.unwrap();
    assert_eq!(fetched.origin, Origin::Upstream { url: good.url("a") });
    let expected =
        format!("sent a file with another checksum: {} instead of {}", sha256(&content(5001)), sha256(&body));
    assert_eq!(bench.failures(), [expected]);
    assert_eq!(wrong.requests().len(), 1);
}

#[tokio::test]
async fn a_web_page_in_place_of_the_archive_is_named() {
    let page = format!("<!DOCTYPE html>\n<html><body>{}</body></html>", "Please log in. ".repeat(50));
    for page in [page.as_str(), "<html>404</html>"] {
        let server = Server::fixed(page.as_bytes());
        let bench = Bench::new();
        let error = bench.fetch(&one(b"x", &[server.url("a.tar.gz")])).await.unwrap_err();
        assert!(error.to_string().contains("sent an HTML page in place of the archive"), "{error}");
        assert!(bench.leftovers().is_empty());
    }
}

#[tokio::test]
async fn redirects_are_followed_within_http_only() {
    let body = content(1000);
    let sent = body.clone();
    let server = Server::new(move |_, head, stream| {
        let location = match head.path.as_str() {
            "/relative" => "/end",
            "/twice" => "/relative",
            "/loop" => "/loop",
            "/file" => "file:///etc/passwd",
            "/ftp" => "ftp://example.org/a",
            "/nowhere" => "http://[broken",
            _ => return ok(stream, &[], &sent),
        };
        answer(stream, "302 Found", &[("Location", location)], b"");
    });
    for path in ["relative", "twice"] {
        Bench::new().fetch(&one(&body, &[server.url(path)])).await.unwrap();
    }
    for (path, says) in [
        ("loop", "redirects more than 10 times"),
        ("file", "redirects to file:///etc/passwd; only http and https are followed"),
        ("ftp", "redirects to ftp://example.org/a; only http and https"),
        ("nowhere", "redirects to no address"),
    ] {
        let error = Bench::new().fetch(&one(&body, &[server.url(path)])).await.unwrap_err().to_string();
        assert!(error.contains(says), "{error}");
    }
    let loops = server.requests().iter().filter(|head| head.path == "/loop").count();
    assert_eq!(loops, 11);
}

#[tokio::test]
async fn a_busy_server_is_asked_again_and_a_forbidding_one_is_not() {
    let body = content(1000);
    let sent = body.clone();
    let busy = Server::new(move |number, _, stream| match number {
        0 => answer(stream, "503 Service Unavailable", &[], b"later"),
        1 => answer(stream, "429 Too Many Requests", &[], b"later"),
        _ => ok(stream, &[], &sent),
    });
    Bench::new().fetch(&one(&body, &[busy.url("a")])).await.unwrap();
    let forbidding = Server::new(|_, _, stream| answer(stream, "403 Forbidden", &[], b"no"));
    let error = Bench::new().fetch(&one(&body, &[forbidding.url("a")])).await.unwrap_err();
    assert!(error.to_string().contains("403 Forbidden"), "{error}");
    assert_eq!(forbidding.requests().len(), 1);
}
