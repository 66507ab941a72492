use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use spack_wasm_monitor::{
    Access, BuildEnd, CancelCause, Certainty, Emitter, EventKind, Fanout, OutputChunk, PhaseExit, PlanAction,
    PlanStep, RunId, Sink, SinkError, Stream, Usage,
};
use spack_wasm_spec::{
    Architecture, Dag, DagBuilder, DagHash, DependencyTypes, External, NodeFacts, VariantValue, Version,
};

use super::progress::last_line;
use super::row::{Row, cut, short};
use super::screen::Screen;
use super::*;
use crate::text::Text;

fn facts(name: &str, version: &str, external: bool) -> NodeFacts {
    NodeFacts {
        name: name.into(),
        version: Version::new(version),
        architecture: Architecture {
            platform: "linux".into(),
            os: "debian12".into(),
            target: "x86_64_v3".into(),
        },
        namespace: "builtin".into(),
        variants: [("shared".to_owned(), VariantValue::Bool(true))].into(),
        flags: BTreeMap::new(),
        patches: Vec::new(),
        package_hash: String::new(),
        external: external.then(|| External { path: "/usr".into(), executables: BTreeMap::new() }),
    }
}

/// hdf5, which needs zlib; both are built by gcc.
struct Example {
    dag: Arc<Dag>,
    zlib: DagHash,
    hdf5: DagHash,
}

fn example() -> Example {
    let mut builder = DagBuilder::new();
    let build = spack_wasm_spec::DependencyType::Build.into();
    let gcc = builder.add(facts("gcc", "12.2.0", true), []);
    let zlib = builder.add(facts("zlib", "1.2.13", false), [(gcc, build, vec!["c".into()])]);
    let edges = [(zlib, DependencyTypes::DEFAULT, vec!["zlib-api".into()]), (gcc, build, vec!["c".into()])];
    let hdf5 = builder.add(facts("hdf5", "1.10.8", false), edges);
    let (zlib_hash, hdf5_hash) = (builder.hash(zlib).clone(), builder.hash(hdf5).clone());
    Example { dag: Arc::new(builder.finish([hdf5])), zlib: zlib_hash, hdf5: hdf5_hash }
}

impl Example {
    fn plan(&self) -> EventKind {
        let step = |node: &Arc<spack_wasm_spec::Node>| PlanStep {
            hash: node.hash.clone(),
            action: if node.is_external() { PlanAction::External } else { PlanAction::Build },
        };
        EventKind::Plan { steps: self.dag.topological().iter().map(step).collect() }
    }
}

/// Runs `emit` with an emitter, and gives what a plain terminal shows.
fn shown(example: &Example, emit: impl FnOnce(&Emitter)) -> String {
    let written = Shared::default();
    let fanout = Fanout::start(RunId::random(), vec![Box::new(PlainSink::new(written.clone()))]).unwrap();
    let emitter = fanout.emitter();
    emitter.concretized(Arc::clone(&example.dag));
    emitter.emit(example.plan());
    emit(&emitter);
    assert!(fanout.finish().is_empty());
    let bytes = written.0.lock().unwrap().clone();
    let text = anstream::adapter::strip_str(&String::from_utf8(bytes).unwrap()).to_string();
    let text = text.replace(example.zlib.as_str(), "ZLIB").replace(example.hdf5.as_str(), "HDF5");
    text.replace(example.zlib.short(), "ZLIB")
        .replace(example.hdf5.short(), "HDF5")
        .replace("(0.0s)", "(TIME)")
}

#[derive(Clone, Default)]
struct Shared(Arc<std::sync::Mutex<Vec<u8>>>);

impl std::io::Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn output(text: &str) -> OutputChunk {
    OutputChunk::new(None, Stream::Stdout, text.as_bytes())
}

#[test]
fn an_installation_that_goes_well() {
    let example = example();
    let text = shown(&example, |emitter| {
        let origin = || "https://zlib.net/zlib-1.2.13.tar.gz".to_owned();
        let mut zlib = emitter.build(&example.zlib);
        zlib.output(Stream::Host, b"==> zlib@1.2.13: waiting for process 7, which has it locked\n");
        zlib.emit(EventKind::FetchStarted { origin: origin() });
        zlib.emit(EventKind::SourceFailed {
            origin: origin(),
            reason: "cannot be reached: timed out".into(),
            next: Some("the registry mirror apt".into()),
        });
        let mut phase = zlib.phase("edit");
        phase.output(Stream::Stdout, b"checking\n");
        phase.end(PhaseExit::Success, Usage::default());
        zlib.end(BuildEnd::Installed { prefix: PathBuf::from("/store/zlib") });
        emitter.emit_for(
            &example.hdf5,
            EventKind::BuildEnded(BuildEnd::AlreadyInstalled { prefix: "/store/hdf5".into() }),
        );
        emitter.emit(EventKind::Warning { message: "mind\x1b[2J this".into() });
    });
    insta::assert_snapshot!(text, @r"
     -   HDF5 hdf5@1.10.8+shared arch=linux-debian12-x86_64_v3
    [e]  utyylwx     ^gcc@12.2.0+shared arch=linux-debian12-x86_64_v3
     -   ZLIB     ^zlib@1.2.13+shared arch=linux-debian12-x86_64_v3
    ==> Plan: 2 packages to build, 0 installed already, 1 of the system
    ==> Installing zlib-1.2.13-ZLIB [1/2]
    ==> zlib@1.2.13: waiting for process 7, which has it locked
    ==> zlib: Fetching https://zlib.net/zlib-1.2.13.tar.gz
    ==> zlib: https://zlib.net/zlib-1.2.13.tar.gz: cannot be reached: timed out; trying the registry mirror apt
    ==> zlib: Executing phase: 'edit'
    [+] /store/zlib  (TIME)
    [+] /store/hdf5 (by another process)
    ==> Warning: mind[2J this
    ");
}

#[test]
fn an_installation_that_fails() {
    let example = example();
    let text = shown(&example, |emitter| {
        let zlib = emitter.build(&example.zlib);
        let phase = zlib.phase("build");
        phase.emit(EventKind::Refusal {
            path: "/root/.netrc".into(),
            access: Access::Read,
            certainty: Certainty::Probable,
            setting: "config:sandbox:read:[/root/.netrc]".into(),
        });
        phase.end(PhaseExit::Error { message: "no".into() }, Usage::default());
        zlib.end(BuildEnd::Failed { message: "`make` exited with status 2".into() });
        let cause = CancelCause::DependencyFailed { dependency: example.zlib.clone() };
        emitter.emit_for(&example.hdf5, EventKind::BuildEnded(BuildEnd::Cancelled(cause)));
    });
    insta::assert_snapshot!(text, @r"
     -   HDF5 hdf5@1.10.8+shared arch=linux-debian12-x86_64_v3
    [e]  utyylwx     ^gcc@12.2.0+shared arch=linux-debian12-x86_64_v3
     -   ZLIB     ^zlib@1.2.13+shared arch=linux-debian12-x86_64_v3
    ==> Plan: 2 packages to build, 0 installed already, 1 of the system
    ==> Installing zlib-1.2.13-ZLIB [1/2]
    ==> zlib: Executing phase: 'build'
    ==> zlib: probably refused by the sandbox: /root/.netrc (allowed by config:sandbox:read:[/root/.netrc])
    [x] zlib@1.2.13 failed in phase 'build'  (TIME)
    [-] hdf5@1.10.8 not built: zlib@1.2.13 failed
    ");
}

#[test]
fn rows_are_cut_to_the_terminal() {
    let start = Instant::now();
    let mut row = Row::new("abcdefg", "hdf5@1.10.8", start);
    row.phase("build");
    row.output(&output("\x1b[31mgcc -c\ta.c\x1b[0m\nlast \u{202e}line\n\n"));
    let now = start + Duration::from_secs(75);
    let at = |width| row.text(now, width).unstyled();
    assert_eq!(at(200), "abcdefg hdf5@1.10.8              build         1m15s  last line");
    assert_eq!(at(40), "hdf5@1.10.8 build 1m15s  last line");
    assert_eq!(at(20), "hdf5@1.10.8 build 1m");
    assert_eq!(at(0), "");
    row.progress(3, Some(9), "compiling");
    assert!(row.text(now, 200).unstyled().ends_with("  [3/9] compiling"));
}

#[test]
fn wide_characters_count_twice() {
    assert_eq!(cut("漢字ab", 5), "漢字a");
    assert_eq!(cut("漢字ab", 3), "漢");
}

#[test]
fn times_are_short() {
    let shown = [(1_234, "1.2s"), (45_000, "45s"), (65_000, "1m05s"), (7_380_000, "2h03m")];
    for (milliseconds, text) in shown {
        assert_eq!(short(Duration::from_millis(milliseconds)), text);
    }
}

#[test]
fn the_last_line_that_says_something() {
    assert_eq!(last_line(&output("one\r[ 10%]\r[ 20%] x\n  \n")).as_deref(), Some("[ 20%] x"));
    assert_eq!(last_line(&output("\n\n")), None);
}

#[test]
fn rows_are_drawn_over_the_ones_before() {
    let mut written = Vec::new();
    let mut screen = Screen::new(&mut written, true);
    let rows = |texts: &[&str]| texts.iter().map(|text| Text::plain(text)).collect::<Vec<_>>();
    screen.draw(&Text::new(), &rows(&["one", "two"]), 80).unwrap();
    screen.draw(&Text::plain("done\n"), &rows(&["two"]), 80).unwrap();
    screen.draw(&Text::new(), &[], 80).unwrap();
    let written = String::from_utf8(written).unwrap();
    assert_eq!(written, "one\ntwo\n\x1b[2A\r\x1b[Jdone\ntwo\n\x1b[1A\r\x1b[J");
}

#[test]
fn rows_are_drawn_over_the_ones_before_also_without_colours() {
    let mut written = Vec::new();
    let mut screen = Screen::new(&mut written, false);
    let mut row = Text::new();
    row.styled(crate::text::GOOD, "green");
    screen.draw(&Text::new(), std::slice::from_ref(&row), 80).unwrap();
    screen.draw(&row, &[], 80).unwrap();
    assert_eq!(String::from_utf8(written).unwrap(), "green\n\x1b[1A\r\x1b[Jgreen");
}

#[test]
fn a_terminal_that_became_narrower_has_more_lines_to_clear() {
    let mut written = Vec::new();
    let mut screen = Screen::new(&mut written, true);
    screen.draw(&Text::new(), &[Text::plain(&"x".repeat(79)), Text::new()], 80).unwrap();
    screen.draw(&Text::new(), &[], 30).unwrap();
    assert!(String::from_utf8(written).unwrap().ends_with("\x1b[4A\r\x1b[J"));
}

#[test]
fn a_live_terminal_ends_with_lines_only() {
    let example = example();
    let written = Shared::default();
    let mut sink = Box::new(LiveSink::start(written.clone(), true).unwrap());
    sink.concretized(&example.dag);
    let recorder = Recorder::default();
    let fanout = Fanout::start(RunId::random(), vec![Box::new(recorder.clone())]).unwrap();
    let emitter = fanout.emitter();
    emitter.emit(example.plan());
    let span = emitter.build(&example.zlib);
    let phase = span.phase("edit");
    drop((phase, span));
    fanout.finish();
    for event in recorder.0.lock().unwrap().iter() {
        sink.accept(event);
    }
    sink.finish().unwrap();
    let text = String::from_utf8(written.0.lock().unwrap().clone()).unwrap();
    let text = anstream::adapter::strip_str(&text).to_string();
    assert!(text.contains("Plan: 2 packages to build"), "{text}");
    assert!(
        text.trim_end().ends_with(")") && text.contains("[x] zlib@1.2.13 failed in phase 'edit'"),
        "{text}"
    );
}

#[test]
fn a_plan_is_on_the_screen_when_it_is_said_to_be() {
    let example = example();
    let written = Shared::default();
    let (sink, plan) = announced(Box::new(LiveSink::start(written.clone(), false).unwrap()));
    let fanout = Fanout::start(RunId::random(), vec![Box::new(sink)]).unwrap();
    let emitter = fanout.emitter();
    emitter.concretized(Arc::clone(&example.dag));
    assert!(plan.try_recv().is_err());
    emitter.emit(example.plan());
    plan.recv_timeout(Duration::from_secs(60)).unwrap();
    let shown = String::from_utf8(written.0.lock().unwrap().clone()).unwrap();
    assert!(shown.contains("==> Plan: 2 packages to build"), "{shown}");
    fanout.finish();
}

#[derive(Clone, Default)]
struct Recorder(Arc<std::sync::Mutex<Vec<spack_wasm_monitor::Event>>>);

impl Sink for Recorder {
    fn accept(&mut self, event: &spack_wasm_monitor::Event) {
        self.0.lock().unwrap().push(event.clone());
    }

    fn finish(self: Box<Self>) -> Result<(), SinkError> {
        Ok(())
    }
}
