//! A loopback server that expects the requests of a recording in order and gives the recorded answers.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use serde_json::{Value, json};

/// One recorded request with its answer.
#[derive(Clone, Debug)]
pub(crate) struct Exchange {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Value,
    /// Nothing: the connection is closed instead.
    pub(crate) answer: Option<Answer>,
}

#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u64,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn json(status: u64, body: &Value) -> Self {
        Self { status, headers: Vec::new(), body: body.to_string() }
    }
}

/// The exchanges of a file in `tests/exchanges/`, by its number.
pub(crate) fn recording(number: &str) -> Vec<Exchange> {
    file(number)["exchanges"].as_array().unwrap().iter().map(exchange).collect()
}

/// A file in `tests/exchanges/`, by its number.
pub(crate) fn file(number: &str) -> Value {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/exchanges");
    let entries = fs_err::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let path = entries
        .into_iter()
        .find(|path| path.file_name().unwrap().to_str().unwrap().starts_with(&format!("{number}-")))
        .unwrap_or_else(|| panic!("no recording {number}"));
    serde_json::from_str(&fs_err::read_to_string(path).unwrap()).unwrap()
}

fn exchange(recorded: &Value) -> Exchange {
    let (request, response) = (&recorded["request"], &recorded["response"]);
    let answer = (!response["status"].is_null()).then(|| Answer {
        status: response["status"].as_u64().unwrap(),
        headers: headers(&response["headers"]),
        body: body(&response["body"]),
    });
    Exchange {
        method: request["method"].as_str().unwrap().into(),
        path: request["path"].as_str().unwrap().into(),
        headers: headers(&request["headers"]),
        body: request["body"].get("json").cloned().unwrap_or(Value::Null),
        answer,
    }
}

fn headers(list: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    list.as_array().unwrap().iter().map(|pair| (text(&pair[0]), text(&pair[1]))).collect()
}

fn body(recorded: &Value) -> String {
    match recorded.get("json") {
        Some(value) => value.to_string(),
        // The recordings leave HTML pages out.
        None if recorded.get("omitted").is_some() => "<html><head><title>A page</title></head></html>".into(),
        None => String::new(),
    }
}

/// The running server.
pub(crate) struct Replay {
    pub(crate) address: SocketAddr,
    state: Arc<Mutex<State>>,
}

struct State {
    expected: std::vec::IntoIter<Exchange>,
    complaints: Vec<String>,
}

impl Replay {
    /// Expects the exchanges; `normalize` is applied to the text of both bodies.
    pub(crate) fn start(
        expected: Vec<Exchange>,
        normalize: impl Fn(Value) -> Value + Send + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(Mutex::new(State { expected: expected.into_iter(), complaints: Vec::new() }));
        let shared = Arc::clone(&state);
        thread::spawn(move || {
            for stream in listener.incoming() {
                serve(stream.unwrap(), address, &shared, &normalize);
            }
        });
        Self { address, state }
    }

    pub(crate) fn host(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Fails unless exactly the expected requests came.
    pub(crate) fn assert_done(&self) {
        let state = self.state.lock().unwrap();
        let missing: Vec<_> = state.expected.as_slice().iter().map(|left| &left.path).collect();
        assert!(state.complaints.is_empty(), "{}", state.complaints.join("\n"));
        assert!(missing.is_empty(), "requests that did not come: {missing:?}");
    }
}

fn serve(stream: TcpStream, address: SocketAddr, state: &Mutex<State>, normalize: &impl Fn(Value) -> Value) {
    let Some(request) = read_request(&stream) else { return };
    let mut state = state.lock().unwrap();
    let Some(expected) = state.expected.next() else {
        state.complaints.push(format!("one request too many: {} {}", request.method, request.path));
        return write_answer(stream, address, &Answer::json(599, &json!({"message": "not expected"})));
    };
    if let Err(complaint) = compare(&expected, &request, address, normalize) {
        state.complaints.push(complaint);
    }
    if let Some(answer) = expected.answer {
        write_answer(stream, address, &answer);
    }
}

struct Request {
    method: String,
    path: String,
    headers: Vec<(String, String)>,
    body: Value,
}

impl Request {
    fn header(&self, name: &str) -> Option<&str> {
        value_of(&self.headers, name)
    }
}

fn value_of<'a>(headers: &'a [(String, String)], name: &str) -> Option<&'a str> {
    headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
}

fn read_request(stream: &TcpStream) -> Option<Request> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let mut words = line.split_whitespace().map(str::to_owned);
    let (method, path) = (words.next()?, words.next()?);
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        match line.trim_end().split_once(": ") {
            Some((name, value)) => headers.push((name.to_owned(), value.to_owned())),
            None => break,
        }
    }
    let length = value_of(&headers, "content-length").map_or(0, |length| length.parse().unwrap());
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let body = if body.is_empty() { Value::Null } else { serde_json::from_slice(&body).unwrap() };
    Some(Request { method, path, headers, body })
}

/// The headers that mean something to the server.
const COMPARED: [&str; 2] = ["Authorization", "Service"];

fn compare(
    expected: &Exchange,
    request: &Request,
    address: SocketAddr,
    normalize: &impl Fn(Value) -> Value,
) -> Result<(), String> {
    let here = format!("{} {}", request.method, request.path);
    if (&expected.method, &expected.path) != (&request.method, &request.path) {
        return Err(format!("expected {} {}, got {here}", expected.method, expected.path));
    }
    for name in COMPARED {
        let wanted = value_of(&expected.headers, name).map(|value| localize(value, address));
        if wanted.as_deref() != request.header(name) {
            return Err(format!("{here}: {name} is {:?} instead of {wanted:?}", request.header(name)));
        }
    }
    let (wanted, got) = (normalize(expected.body.clone()), normalize(request.body.clone()));
    if wanted == got { Ok(()) } else { Err(format!("{here}: the body is\n{got:#}\ninstead of\n{wanted:#}")) }
}

/// The recordings name the server that they were made with.
fn localize(text: &str, address: SocketAddr) -> String {
    text.replace("127.0.0.1:8080", &address.to_string())
}

fn write_answer(mut stream: TcpStream, address: SocketAddr, answer: &Answer) {
    let mut head = format!("HTTP/1.1 {} Recorded\r\nConnection: close\r\n", answer.status);
    for (name, value) in &answer.headers {
        if !["connection", "content-length"].contains(&name.to_ascii_lowercase().as_str()) {
            head += &format!("{name}: {}\r\n", localize(value, address));
        }
    }
    let body = localize(&answer.body, address);
    head += &format!("Content-Length: {}\r\n\r\n{body}", body.len());
    // A client that has gone away notices itself.
    drop(stream.write_all(head.as_bytes()));
}
