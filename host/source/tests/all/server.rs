//! A loopback HTTP server whose every byte is under the test's control.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// The head of a request.
#[derive(Debug, Clone)]
pub(crate) struct Head {
    pub(crate) path: String,
    lines: Vec<String>,
}

impl Head {
    /// Value of a header.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.lines.iter().find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }

    /// First byte that a range request asks for.
    pub(crate) fn range_start(&self) -> Option<usize> {
        self.header("range")?.strip_prefix("bytes=")?.strip_suffix('-')?.parse().ok()
    }
}

/// The server; it ends with the test's process.
pub(crate) struct Server {
    pub(crate) port: u16,
    requests: Arc<Mutex<Vec<Head>>>,
}

impl Server {
    /// Answers each connection's one request with the handler, which gets the number of the request, from 0.
    pub(crate) fn new(handler: impl Fn(usize, &Head, &mut TcpStream) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let (seen, handler) = (requests.clone(), Arc::new(handler));
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (seen, handler) = (seen.clone(), handler.clone());
                thread::spawn(move || serve(stream.unwrap(), &seen, &*handler));
            }
        });
        Server { port, requests }
    }

    /// Answers every request with these bytes.
    pub(crate) fn fixed(body: &[u8]) -> Self {
        let body = body.to_vec();
        Server::new(move |_, _, stream| ok(stream, &[], &body))
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}/{path}", self.port)
    }

    pub(crate) fn requests(&self) -> Vec<Head> {
        self.requests.lock().unwrap().clone()
    }
}

fn serve(mut stream: TcpStream, seen: &Mutex<Vec<Head>>, handler: &dyn Fn(usize, &Head, &mut TcpStream)) {
    let mut lines = Vec::new();
    for line in BufReader::new(stream.try_clone().unwrap()).lines() {
        match line {
            Ok(line) if !line.is_empty() => lines.push(line),
            Ok(_) => break,
            Err(_) => return,
        }
    }
    let Some(first) = lines.first() else { return };
    assert!(first.starts_with("GET "), "only GET is ever sent: {first}");
    let head = Head { path: first.split(' ').nth(1).unwrap_or_default().to_owned(), lines };
    let number = {
        let mut seen = seen.lock().unwrap();
        seen.push(head.clone());
        seen.len() - 1
    };
    handler(number, &head, &mut stream);
}

/// Sends a head; a client that has gone is no failure of the test.
pub(crate) fn head(stream: &mut TcpStream, status: &str, headers: &[(&str, &str)]) {
    let mut text = format!("HTTP/1.1 {status}\r\nConnection: close\r\n");
    for (key, value) in headers {
        text.push_str(&format!("{key}: {value}\r\n"));
    }
    let _ = stream.write_all(format!("{text}\r\n").as_bytes());
}

/// Sends a whole answer.
pub(crate) fn answer(stream: &mut TcpStream, status: &str, headers: &[(&str, &str)], body: &[u8]) {
    let length = body.len().to_string();
    let mut all = vec![("Content-Length", length.as_str())];
    all.extend(headers);
    head(stream, status, &all);
    let _ = stream.write_all(body);
}

pub(crate) fn ok(stream: &mut TcpStream, headers: &[(&str, &str)], body: &[u8]) {
    answer(stream, "200 OK", headers, body);
}

/// Sends the head for the whole body, but only its first bytes, and then breaks off.
pub(crate) fn break_off(stream: &mut TcpStream, headers: &[(&str, &str)], body: &[u8], after: usize) {
    let length = body.len().to_string();
    let mut all = vec![("Content-Length", length.as_str())];
    all.extend(headers);
    head(stream, "200 OK", &all);
    let _ = stream.write_all(&body[..after]);
    let _ = stream.flush();
    // The bytes have to arrive before the end does.
    thread::sleep(Duration::from_millis(50));
}

/// Sends the rest of a body from the byte that was asked for.
pub(crate) fn partial(stream: &mut TcpStream, headers: &[(&str, &str)], body: &[u8], start: usize) {
    let range = format!("bytes {start}-{}/{}", body.len() - 1, body.len());
    let mut all = vec![("Content-Range", range.as_str())];
    all.extend(headers);
    answer(stream, "206 Partial Content", &all, &body[start..]);
}
