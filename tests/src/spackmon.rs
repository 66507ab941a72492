//! A stand-in for a Spackmon server: the endpoints that a build's client uses, on loopback, in memory.
//!
//! It answers as the published server does where a test of the whole program can tell the difference: challenge and bearer
//! token, ids of builds, the status that an update gives to dependencies. It is not that server: what it keeps of a spec are
//! names and dependencies. The client's own tests, in `host/monitor`, replay exchanges with the real one.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use data_encoding::BASE64;
use serde_json::{Value, json};
use tokio::runtime::Runtime;
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, Request, Respond, ResponseTemplate};

const PREFIX: &str = "/ms1/";
/// Stands for no answer at all, in the place of a status.
const SILENT: u16 = 0;
/// Longer than any test.
const NEVER: Duration = Duration::from_secs(3600);
const BEARER: &str = "stand-in-bearer-token";

/// Who may write.
#[derive(Clone, Debug)]
pub enum Access {
    /// Everybody.
    Open,
    /// Who fetches a bearer token with these first.
    Credentials {
        /// The user.
        user: String,
        /// Their token.
        token: String,
    },
}

/// A request as it came in, whatever was answered.
#[derive(Clone, Debug)]
pub struct Recorded {
    /// `GET` or `POST`.
    pub method: String,
    /// With the prefix, for example `/ms1/builds/new/`.
    pub path: String,
    /// The header `Authorization`.
    pub authorization: Option<String>,
    /// The JSON in the body; null where there is none.
    pub body: Value,
    /// The status that was answered.
    pub answered: u16,
}

/// What is kept of a build.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Build {
    /// The package's name.
    pub name: String,
    /// `NOTRUN`, `SUCCESS`, `FAILED` or `CANCELLED`.
    pub status: String,
    /// Name and status of each phase, in the order in which they were reported.
    pub phases: Vec<(String, String)>,
    /// As they were sent: one text, separated by commas.
    pub tags: Option<String>,
    full_hash: String,
}

/// The stand-in. It listens until it is dropped.
#[derive(Debug)]
pub struct SpackmonStandIn {
    server: MockServer,
    state: Arc<Mutex<State>>,
    _runtime: Runtime,
}

impl SpackmonStandIn {
    /// Starts on a free port.
    ///
    /// # Panics
    ///
    /// When it cannot listen.
    pub fn start(access: Access) -> Self {
        let runtime = Runtime::new().unwrap();
        let server = runtime.block_on(MockServer::start());
        let state = Arc::new(Mutex::new(State { host: server.uri(), access, ..State::empty() }));
        runtime.block_on(Mock::given(any()).respond_with(Answers(Arc::clone(&state))).mount(&server));
        Self { server, state, _runtime: runtime }
    }

    /// What `--monitor-host` gets.
    pub fn host(&self) -> String {
        self.server.uri()
    }

    /// From now on, requests whose path ends so get this status and nothing else, this many times.
    pub fn fail(&self, path_end: &str, status: u16, times: usize) {
        lock(&self.state).faults.push(Fault { path_end: path_end.to_owned(), status, left: times });
    }

    /// From now on, requests whose path ends so get no answer.
    pub fn hang(&self, path_end: &str) {
        lock(&self.state).faults.push(Fault {
            path_end: path_end.to_owned(),
            status: SILENT,
            left: usize::MAX,
        });
    }

    /// All requests so far.
    pub fn requests(&self) -> Vec<Recorded> {
        lock(&self.state).requests.clone()
    }

    /// The builds, in the order of their ids.
    pub fn builds(&self) -> Vec<Build> {
        lock(&self.state).builds.clone()
    }
}

#[derive(Debug)]
struct Fault {
    path_end: String,
    status: u16,
    left: usize,
}

#[derive(Debug)]
struct State {
    host: String,
    access: Access,
    requests: Vec<Recorded>,
    /// Name and hashes of the dependencies, by hash.
    specs: BTreeMap<String, (String, Vec<String>)>,
    /// The id is the position, counted from 1.
    builds: Vec<Build>,
    faults: Vec<Fault>,
}

struct Answers(Arc<Mutex<State>>);

impl Respond for Answers {
    fn respond(&self, request: &Request) -> ResponseTemplate {
        let mut state = lock(&self.0);
        let recorded = Recorded {
            method: request.method.to_string(),
            path: request.url.path().to_owned(),
            authorization: header(request, "authorization"),
            body: serde_json::from_slice(&request.body).unwrap_or_default(),
            answered: 0,
        };
        let (status, body) = state.answer(&recorded);
        state.requests.push(Recorded { answered: status, ..recorded });
        if status == SILENT {
            return ResponseTemplate::new(200).set_delay(NEVER);
        }
        let template = ResponseTemplate::new(status);
        match body {
            Body::Json(body) => template.set_body_json(body),
            Body::Empty => template,
            Body::Challenge(challenge) => template.insert_header("Www-Authenticate", challenge),
        }
    }
}

enum Body {
    Json(Value),
    Empty,
    Challenge(String),
}

impl State {
    fn empty() -> Self {
        Self {
            host: String::new(),
            access: Access::Open,
            requests: Vec::new(),
            specs: BTreeMap::new(),
            builds: Vec::new(),
            faults: Vec::new(),
        }
    }

    fn answer(&mut self, request: &Recorded) -> (u16, Body) {
        if let Some(fault) =
            self.faults.iter_mut().find(|fault| fault.left > 0 && request.path.ends_with(&fault.path_end))
        {
            fault.left -= 1;
            return (fault.status, Body::Empty);
        }
        match (request.method.as_str(), request.path.as_str()) {
            ("GET", PREFIX) => {
                (200, Body::Json(json!({"id": "spackmon", "status": "running", "version": "0.0.1"})))
            }
            ("GET", "/auth/token/") => self.token(request),
            ("POST", path) if path.starts_with(PREFIX) => self.write(path, request),
            _ => (404, Body::Empty),
        }
    }

    fn token(&self, request: &Recorded) -> (u16, Body) {
        let Access::Credentials { user, token } = &self.access else { return (404, Body::Empty) };
        let basic = format!("Basic {}", BASE64.encode(format!("{user}:{token}").as_bytes()));
        if request.authorization.as_ref() != Some(&basic) {
            return (403, Body::Empty);
        }
        let issued = "2026-11-24T15:20:31Z";
        (200, Body::Json(json!({"token": BEARER, "expires_in": 6000, "issued_at": issued})))
    }

    fn write(&mut self, path: &str, request: &Recorded) -> (u16, Body) {
        let allowed = match &self.access {
            Access::Open => true,
            Access::Credentials { .. } => {
                request.authorization.as_deref() == Some(&format!("Bearer {BEARER}"))
            }
        };
        if !allowed {
            let host = &self.host;
            let challenge = format!(r#"realm="{host}/auth/token/",service="{host}",scope="build""#);
            return (401, Body::Challenge(challenge));
        }
        let answer = match path.strip_prefix(PREFIX) {
            Some("specs/new/") => self.new_spec(&request.body),
            Some("builds/new/") => self.new_build(&request.body),
            Some("builds/phases/update/") => self.update_phase(&request.body),
            Some("builds/update/") => self.update_status(&request.body),
            _ => return (404, Body::Empty),
        };
        // Where a field is missing, the published server fails, too.
        answer.map_or((500, Body::Empty), |(status, data)| {
            (status, Body::Json(json!({"message": "success", "code": status, "data": data})))
        })
    }

    fn new_spec(&mut self, body: &Value) -> Option<(u16, Value)> {
        body["spack_version"].as_str()?;
        let mut created = false;
        for node in body["spec"]["nodes"].as_array()? {
            let dependencies = node["dependencies"].as_array().map_or(&[][..], Vec::as_slice);
            let hashes = dependencies.iter().filter_map(|one| Some(one["full_hash"].as_str()?.to_owned()));
            let spec = (text(&node["name"])?, hashes.collect());
            created |= self.specs.insert(text(&node["full_hash"])?, spec).is_none();
        }
        Some((if created { 201 } else { 200 }, json!({"created": created, "spec": null})))
    }

    fn new_build(&mut self, body: &Value) -> Option<(u16, Value)> {
        let full_hash = text(&body["full_hash"])?;
        let (name, _) = self.specs.get(&full_hash)?;
        let known = self.builds.iter().position(|build| build.full_hash == full_hash);
        let tags = text(&body["tags"]);
        let build =
            Build { name: name.clone(), status: "NOTRUN".into(), tags, full_hash, phases: Vec::new() };
        let index = known.unwrap_or_else(|| {
            self.builds.push(build);
            self.builds.len() - 1
        });
        let data = json!({"build_created": known.is_none(), "build": self.shown(index)});
        Some((if known.is_none() { 201 } else { 200 }, data))
    }

    fn update_phase(&mut self, body: &Value) -> Option<(u16, Value)> {
        let index = self.build(body)?;
        let (name, status) = (text(&body["phase_name"])?, text(&body["status"])?);
        let phases = &mut self.builds[index].phases;
        phases.retain(|(known, _)| *known != name);
        phases.push((name, status));
        Some((200, json!({"build_phase": {"id": phases.len()}})))
    }

    /// Sets the status, and cancels every dependency's build that has not succeeded, as the published server does.
    fn update_status(&mut self, body: &Value) -> Option<(u16, Value)> {
        let index = self.build(body)?;
        self.builds[index].status = text(&body["status"])?;
        let (_, dependencies) = &self.specs[&self.builds[index].full_hash];
        for build in &mut self.builds {
            if dependencies.contains(&build.full_hash) && build.status != "SUCCESS" {
                "CANCELLED".clone_into(&mut build.status);
            }
        }
        Some((200, json!({"build": self.shown(index)})))
    }

    fn build(&self, body: &Value) -> Option<usize> {
        let id = usize::try_from(body["build_id"].as_u64()?).ok()?;
        (1..=self.builds.len()).contains(&id).then(|| id - 1)
    }

    fn shown(&self, index: usize) -> Value {
        let build = &self.builds[index];
        json!({"build_id": index + 1, "spec_full_hash": build.full_hash, "spec_name": build.name})
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

fn header(request: &Request, name: &str) -> Option<String> {
    request.headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
}

fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpStream;

    use super::*;

    /// Sends a request as a client does, and returns status and whole answer.
    fn ask(server: &SpackmonStandIn, start: &str, authorization: &str, body: &Value) -> (u16, String) {
        let host = server.host().replace("http://", "");
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let mut stream = TcpStream::connect(&host).unwrap();
        write!(
            stream,
            "{start} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nContent-Length: {}\r\n{authorization}\r\n{body}",
            body.len()
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        (answer.split(' ').nth(1).unwrap().parse().unwrap(), answer)
    }

    fn spec() -> Value {
        let zlib = json!({"name": "zlib", "full_hash": "z"});
        let hdf5 =
            json!({"name": "hdf5", "full_hash": "h", "dependencies": [{"name": "zlib", "full_hash": "z"}]});
        json!({"spec": {"nodes": [hdf5, zlib]}, "spack_version": "spack-wasm-0.1.0"})
    }

    #[test]
    fn the_challenge_is_answered_with_a_token() {
        let access = Access::Credentials { user: "spacky".into(), token: "t0ken".into() };
        let server = SpackmonStandIn::start(access);
        assert_eq!(ask(&server, "GET /ms1/", "", &Value::Null).0, 200);
        let (status, answer) = ask(&server, "POST /ms1/specs/new/", "", &spec());
        let challenge = format!("realm=\"{}/auth/token/\"", server.host());
        assert!(status == 401 && answer.contains(&challenge), "{answer}");
        let wrong = "Authorization: Basic c3BhY2t5Ondyb25n\r\n";
        assert_eq!(ask(&server, "GET /auth/token/", wrong, &Value::Null).0, 403);
        let right = "Authorization: Basic c3BhY2t5OnQwa2Vu\r\n";
        let (status, answer) = ask(&server, "GET /auth/token/", right, &Value::Null);
        assert!(status == 200 && answer.contains(BEARER), "{answer}");
        let bearer = format!("Authorization: Bearer {BEARER}\r\n");
        assert_eq!(ask(&server, "POST /ms1/specs/new/", &bearer, &spec()).0, 201);
        let answered: Vec<u16> = server.requests().iter().map(|request| request.answered).collect();
        assert_eq!(answered, [200, 401, 403, 200, 201]);
    }

    #[test]
    fn builds_have_phases_and_statuses_and_cancel_their_dependencies() {
        let server = SpackmonStandIn::start(Access::Open);
        let post = |path: &str, body: Value| ask(&server, &format!("POST /ms1/{path}/"), "", &body).0;
        assert_eq!(post("builds/new", json!({"full_hash": "h"})), 500, "the spec is not known");
        assert_eq!(post("specs/new", spec()), 201);
        assert_eq!(post("specs/new", spec()), 200);
        assert_eq!(post("builds/new", json!({"full_hash": "h", "tags": "a,b"})), 201);
        assert_eq!(post("builds/new", json!({"full_hash": "z"})), 201);
        assert_eq!(post("builds/new", json!({"full_hash": "z"})), 200);
        let phase = json!({"build_id": 2, "status": "ERROR", "phase_name": "install", "output": "log"});
        assert_eq!(post("builds/phases/update", phase), 200);
        assert_eq!(post("builds/update", json!({"build_id": 2, "status": "FAILED"})), 200);
        assert_eq!(server.builds()[1].status, "FAILED");
        assert_eq!(post("builds/update", json!({"build_id": 1, "status": "CANCELLED"})), 200);
        assert_eq!(post("builds/update", json!({"build_id": 3, "status": "FAILED"})), 500);
        let [hdf5, zlib] = &server.builds()[..] else { panic!("{:?}", server.builds()) };
        assert_eq!((hdf5.name.as_str(), hdf5.status.as_str()), ("hdf5", "CANCELLED"));
        assert_eq!(hdf5.tags.as_deref(), Some("a,b"));
        assert_eq!((zlib.name.as_str(), zlib.status.as_str()), ("zlib", "CANCELLED"));
        assert_eq!(zlib.phases, [("install".to_owned(), "ERROR".to_owned())]);
    }

    #[test]
    fn a_fault_lasts_as_often_as_it_was_asked_for() {
        let server = SpackmonStandIn::start(Access::Open);
        server.fail("specs/new/", 503, 2);
        let statuses = [(); 3].map(|()| ask(&server, "POST /ms1/specs/new/", "", &spec()).0);
        assert_eq!(statuses, [503, 503, 201]);
    }
}
