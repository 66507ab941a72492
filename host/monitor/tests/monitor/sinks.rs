//! Events from the emitter to the sinks.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use spack_wasm_monitor::{
    Access, BuildEnd, CancelCause, Certainty, Emitter, Event, EventKind, Fanout, HostFacts, NdjsonSink,
    OutputChunk, PhaseExit, PlanAction, PlanStep, RunId, Sink, SinkError, Stream, Usage,
};
use spack_wasm_spec::{DagHash, Version};

use crate::packages::{dag, hash_of};

/// A writer whose content can be looked at.
#[derive(Clone, Default)]
struct Shared(Arc<Mutex<Vec<u8>>>);

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Shared {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

fn node() -> DagHash {
    "utyylwxagaiood5q275hodzxdu5ug7z7".parse().unwrap()
}

/// What `emit` emits, as lines of JSON.
fn lines(emit: impl FnOnce(&Emitter)) -> String {
    let writer = Shared::default();
    let sink = NdjsonSink::new("a test", writer.clone());
    let fanout = Fanout::start(RunId::random(), vec![Box::new(sink)]).unwrap();
    emit(&fanout.emitter());
    assert!(fanout.finish().is_empty());
    writer.text()
}

fn events(emit: impl FnOnce(&Emitter)) -> Vec<Event> {
    lines(emit).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The lines without what differs from run to run.
fn stable(lines: &str) -> String {
    let strip = |line: &str| {
        let event: Event = serde_json::from_str(line).unwrap();
        line.replace(&event.run.to_string(), "RUN").replace(&event.time.to_string(), "TIME")
    };
    lines.lines().map(strip).collect::<Vec<_>>().join("\n")
}

fn every_kind() -> Vec<EventKind> {
    let text = str::to_owned;
    let host = HostFacts {
        host_os: text("debian12"),
        platform: text("linux"),
        host_target: text("x86_64_v3"),
        hostname: text("vm"),
        kernel_version: text("#1 SMP"),
    };
    let usage = Usage { wall_ms: 1, user_ms: 2, system_ms: 3, peak_memory_kib: 4 };
    let package = EventKind::Package {
        name: text("zlib"),
        version: Version::new("1.3"),
        namespace: text("builtin"),
        dependencies: vec![node()],
    };
    let refusal = EventKind::Refusal {
        path: "/etc/passwd".into(),
        access: Access::Read,
        certainty: Certainty::Probable,
        setting: text("config:sandbox:read"),
    };
    let interrupted = BuildEnd::Cancelled(CancelCause::Interrupted);
    let skipped = BuildEnd::Cancelled(CancelCause::DependencyFailed { dependency: node() });
    vec![
        EventKind::RunStarted { command: vec![text("install"), text("zlib")], version: text("0.1.0"), host },
        EventKind::SolveStarted { specs: vec![text("zlib")] },
        EventKind::SolveFailed { message: text("no"), roots: vec![text("zlib")] },
        package,
        EventKind::SolveFinished { roots: vec![node()], packages: 1 },
        EventKind::Plan { steps: vec![PlanStep { hash: node(), action: PlanAction::Build }] },
        EventKind::FetchStarted { origin: text("cache") },
        EventKind::SourceFailed {
            origin: text("cache"),
            reason: text("not there"),
            next: Some(text("a mirror")),
        },
        EventKind::FetchProgress { bytes: 1, total: None },
        EventKind::FetchFinished { origin: text("a mirror"), checksum: text("abc"), bytes: 2 },
        EventKind::BuildStarted,
        EventKind::PhaseStarted { phase: text("build") },
        EventKind::Output(OutputChunk::new(Some(text("build")), Stream::Stderr, b"caf\xe9\n")),
        refusal,
        EventKind::Progress { done: 1, total: Some(2), text: text("half") },
        EventKind::PhaseEnded { phase: text("build"), exit: PhaseExit::Success, usage },
        EventKind::PhaseEnded { phase: text("test"), exit: PhaseExit::Error { message: text("bad") }, usage },
        EventKind::BuildEnded(BuildEnd::Installed { prefix: "/p".into() }),
        EventKind::BuildEnded(BuildEnd::Failed { message: text("bad") }),
        EventKind::BuildEnded(interrupted),
        EventKind::BuildEnded(skipped),
        EventKind::Warning { message: text("mind") },
        EventKind::RunFailed { message: text("no store") },
        EventKind::BuildEnded(BuildEnd::Cancelled(CancelCause::Declined)),
        EventKind::RunEnded { exit_status: 1 },
    ]
}

#[test]
fn every_kind_is_read_back_as_it_was_written() {
    let written = every_kind();
    let read = events(|emitter| written.iter().for_each(|kind| emitter.emit_for(&node(), kind.clone())));
    assert_eq!(read.into_iter().map(|event| event.kind).collect::<Vec<_>>(), written);
}

#[test]
fn lines_of_schema_0() {
    let written = every_kind();
    let lines = lines(|emitter| {
        emitter.emit(written[1].clone());
        [10, 12, 15, 20].iter().for_each(|&index| emitter.emit_for(&node(), written[index].clone()));
    });
    insta::assert_snapshot!(stable(&lines), @r#"
    {"schema":0,"run":"RUN","sequence":0,"time":"TIME","event":"solve-started","specs":["zlib"]}
    {"schema":0,"run":"RUN","sequence":1,"time":"TIME","node":"utyylwxagaiood5q275hodzxdu5ug7z7","event":"build-started"}
    {"schema":0,"run":"RUN","sequence":2,"time":"TIME","node":"utyylwxagaiood5q275hodzxdu5ug7z7","event":"output","phase":"build","stream":"stderr","text":"caf�\n","raw":"Y2Fm6Qo="}
    {"schema":0,"run":"RUN","sequence":3,"time":"TIME","node":"utyylwxagaiood5q275hodzxdu5ug7z7","event":"phase-ended","phase":"build","exit":"success","wall_ms":1,"user_ms":2,"system_ms":3,"peak_memory_kib":4}
    {"schema":0,"run":"RUN","sequence":4,"time":"TIME","node":"utyylwxagaiood5q275hodzxdu5ug7z7","event":"build-ended","end":"cancelled","cause":"dependency-failed","dependency":"utyylwxagaiood5q275hodzxdu5ug7z7"}
    "#);
}

#[test]
fn what_a_hash_stands_for_comes_before_its_use() {
    let dag = dag(&[("leaf", "1.0", &[]), ("top", "2.0", &["leaf"])], &["top"]);
    let events = events(|emitter| emitter.concretized(Arc::clone(&dag)));
    let names: Vec<_> = events
        .iter()
        .map(|event| match &event.kind {
            EventKind::Package { name, .. } => name.as_str(),
            EventKind::SolveFinished { roots, packages: 3 } if roots == &[hash_of(&dag, "top")] => "finished",
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(names, ["gcc", "leaf", "top", "finished"]);
}

#[test]
fn the_log_is_whole_however_it_is_cut() {
    let log = "==> \u{e9}\u{20ac}\u{1f600}\n".repeat(5).into_bytes();
    let events = events(|emitter| {
        let span = emitter.build(&node());
        let mut phase = span.phase("build");
        log.chunks(3).for_each(|bytes| phase.output(Stream::Stdout, bytes));
        phase.output(Stream::Stdout, b"\xf0\x9f");
        phase.end(PhaseExit::Success, Usage::default());
        span.end(BuildEnd::Installed { prefix: "/p".into() });
    });
    let chunks = events.iter().filter_map(|event| match &event.kind {
        EventKind::Output(chunk) => Some(chunk.bytes()),
        _ => None,
    });
    assert_eq!(chunks.collect::<Vec<_>>().concat(), [log.as_slice(), b"\xf0\x9f"].concat());
}

/// Whatever happens to who builds, a started phase and build get their ends, the phase first.
#[test]
fn an_early_return_and_a_panic_end_the_spans() {
    let ends = |events: &[Event]| -> Vec<String> {
        let message = |event: &Event| match &event.kind {
            EventKind::PhaseEnded { exit: PhaseExit::Error { message }, .. } => Some(message.clone()),
            EventKind::BuildEnded(BuildEnd::Failed { message }) => Some(message.clone()),
            _ => None,
        };
        events.iter().filter_map(message).collect()
    };
    let returned = events(|emitter| {
        let span = emitter.build(&node());
        let _phase = span.phase("build");
    });
    assert_eq!(ends(&returned), ["the phase ended without a result", "the build ended without a result"]);
    let panicked = events(|emitter| {
        let emitter = emitter.clone();
        let thread = thread::spawn(move || {
            let span = emitter.build(&node());
            let _phase = span.phase("build");
            panic!("on purpose");
        });
        assert!(thread.join().is_err());
    });
    let by_panic = |what| format!("the {what} ended by a panic of the host (this is a bug)");
    assert_eq!(ends(&panicked), [by_panic("phase"), by_panic("build")]);
}

#[test]
fn numbers_have_no_gap_and_each_sink_gets_all_in_order() {
    let emit = |emitter: &Emitter| {
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| (0..500).for_each(|_| emitter.emit_for(&node(), EventKind::BuildStarted)));
            }
        });
    };
    let numbers: Vec<u64> = events(emit).iter().map(|event| event.sequence).collect();
    assert_eq!(numbers, (0..2000).collect::<Vec<_>>());
}

/// A sink that takes a while for each event.
struct Slow(Arc<Mutex<usize>>);

impl Sink for Slow {
    fn accept(&mut self, _event: &Event) {
        thread::sleep(Duration::from_millis(5));
        *self.0.lock().unwrap() += 1;
    }

    fn finish(self: Box<Self>) -> Result<(), SinkError> {
        Ok(())
    }
}

#[test]
fn a_slow_sink_holds_nobody_up_and_loses_nothing() {
    let seen = Arc::new(Mutex::new(0));
    let fanout = Fanout::start(RunId::random(), vec![Box::new(Slow(Arc::clone(&seen)))]).unwrap();
    let started = Instant::now();
    (0..200).for_each(|_| fanout.emitter().emit(EventKind::BuildStarted));
    let emitted = started.elapsed();
    assert!(fanout.finish().is_empty());
    assert!(emitted < started.elapsed() / 2, "emitting took {emitted:?}");
    assert_eq!(*seen.lock().unwrap(), 200);
}

/// A sink that takes nothing before it is let.
struct Stalled(std::sync::mpsc::Receiver<()>);

impl Sink for Stalled {
    fn accept(&mut self, _event: &Event) {
        // Once the other end is gone it takes everything.
        let _ = self.0.recv();
    }

    fn finish(self: Box<Self>) -> Result<(), SinkError> {
        Ok(())
    }
}

#[test]
fn output_waits_for_its_reader_and_nothing_else_does() {
    let (go, stalled) = std::sync::mpsc::channel();
    let fanout = Fanout::start(RunId::random(), vec![Box::new(Stalled(stalled))]).unwrap();
    let (emitter, counter) = (fanout.emitter(), Arc::new(Mutex::new(0)));
    let counted = Arc::clone(&counter);
    let prints = thread::spawn(move || {
        for _ in 0..64 {
            let chunk = OutputChunk::new(None, Stream::Stdout, &vec![b'x'; 1 << 20]);
            emitter.emit_for(&node(), EventKind::Output(chunk));
            *counted.lock().unwrap() += 1;
        }
    });
    thread::sleep(Duration::from_millis(300));
    let printed = *counter.lock().unwrap();
    assert!((1..=16).contains(&printed), "{printed} MiB wait");
    fanout.emitter().emit(EventKind::BuildStarted);
    drop(go);
    prints.join().unwrap();
    assert!(fanout.finish().is_empty());
}

#[test]
fn a_broken_sink_keeps_no_output_waiting() {
    let fanout = Fanout::start(RunId::random(), vec![Box::new(Broken)]).unwrap();
    for _ in 0..32 {
        let chunk = OutputChunk::new(None, Stream::Stdout, &vec![b'x'; 1 << 20]);
        fanout.emitter().emit_for(&node(), EventKind::Output(chunk));
    }
    assert_eq!(fanout.finish().len(), 1);
}

#[test]
fn the_first_sink_is_told_the_end_when_the_others_have_ended() {
    let writers = [Shared::default(), Shared::default()];
    let sink = |writer: &Shared| -> Box<dyn Sink> { Box::new(NdjsonSink::new("a test", writer.clone())) };
    let mut fanout = Fanout::start(RunId::random(), writers.iter().map(sink).collect()).unwrap();
    let emitter = fanout.emitter();
    emitter.emit(EventKind::BuildStarted);
    assert!(fanout.finish_others().is_empty());
    emitter.emit(EventKind::RunEnded { exit_status: 4 });
    emitter.emit(EventKind::Warning { message: "too late".to_owned() });
    assert!(fanout.finish().is_empty());
    let [first, second] = writers.map(|writer| writer.text());
    assert_eq!((first.lines().count(), second.lines().count()), (2, 1));
    assert!(first.contains("\"exit_status\":4"), "{first}");
}

/// A sink with a bug.
struct Broken;

impl Sink for Broken {
    fn accept(&mut self, _event: &Event) {
        panic!("on purpose");
    }

    fn finish(self: Box<Self>) -> Result<(), SinkError> {
        Ok(())
    }
}

/// A full disk.
struct Full;

impl Write for Full {
    fn write(&mut self, _bytes: &[u8]) -> io::Result<usize> {
        Err(io::ErrorKind::StorageFull.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_sink_that_fails_is_reported_and_harms_no_other() {
    let writer = Shared::default();
    let sinks: Vec<Box<dyn Sink>> = vec![
        Box::new(Broken),
        Box::new(NdjsonSink::new("events.ndjson", Full)),
        Box::new(NdjsonSink::new("a test", writer.clone())),
    ];
    let fanout = Fanout::start(RunId::random(), sinks).unwrap();
    (0..3).for_each(|_| fanout.emitter().emit(EventKind::BuildStarted));
    let errors: Vec<_> = fanout.finish().iter().map(ToString::to_string).collect();
    assert_eq!(writer.text().lines().count(), 3);
    insta::assert_snapshot!(errors.join("\n"), @r"
    an event sink stopped unexpectedly; its part of the record is incomplete (this is a bug)
    events could not be written to events.ndjson: no storage space
    ");
}
