//! Uploading what was saved, by Spack's own client or by ours.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use serde_json::Value;
use spack_wasm_monitor::{UploadSummary, upload};

use crate::replay::{Exchange, Replay, file, recording};
use crate::run::client;

const RUN: &str = "2026-11-24-15-22-11-1795533731";
const TOP: &str = "181a19581424f99e4a20fd7d11d967af";
const DEPENDENCY: &str = "8052dfe722280bb4eb29145a6653638a";

/// Writes a folder of recording 70 as Spack's client would have: the phases of the dependency first.
fn saved(base: &Path, run: &str) -> PathBuf {
    let folder = base.join(run);
    fs_err::create_dir_all(&folder).unwrap();
    let files = file("70")["directories"][RUN].as_object().unwrap().clone();
    for (name, content) in files {
        let path = folder.join(&name);
        fs_err::write(&path, content["json"].to_string()).unwrap();
        let order = [
            format!("build-{DEPENDENCY}-phase-configure.json"),
            format!("build-{DEPENDENCY}-phase-install.json"),
            format!("build-{TOP}-phase-configure.json"),
            format!("build-{TOP}-phase-install.json"),
        ];
        let at = order.iter().position(|known| known == &name).unwrap_or_default();
        let time = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000 + at as u64);
        fs_err::OpenOptions::new().append(true).open(&path).unwrap().set_modified(time).unwrap();
    }
    folder
}

/// Recording 51, in which the old client sent the phases as the folder happened to list them, with the phases in the
/// order of time.
fn expected() -> Vec<Exchange> {
    let mut expected = recording("51");
    let at = |id: u64, phase: &str, exchanges: &[Exchange]| {
        let is_it =
            |exchange: &&Exchange| exchange.body["build_id"] == id && exchange.body["phase_name"] == phase;
        exchanges.iter().find(is_it).unwrap().clone()
    };
    let first = expected.iter().position(|exchange| exchange.path.ends_with("/phases/update/")).unwrap();
    let phases = [(2, "configure"), (2, "install"), (1, "configure"), (1, "install")]
        .map(|(id, phase)| at(id, phase, &expected));
    expected.splice(first..first + 4, phases);
    expected
}

fn same(body: Value) -> Value {
    body
}

async fn send(folder: &Path, expected: Vec<Exchange>) -> (UploadSummary, Vec<String>) {
    let replay = Replay::start(expected, same);
    let client = client(&replay.host());
    client.check().await.unwrap();
    let mut read = Vec::new();
    let mut observer = |path: &Path| read.push(path.file_name().unwrap().to_str().unwrap().to_owned());
    let summary = upload(folder, &client, &mut observer).await.unwrap();
    replay.assert_done();
    (summary, read)
}

/// Bodies are compared as they are, hashes and all.
#[tokio::test(flavor = "multi_thread")]
async fn a_run_of_spacks_client_at_each_level() {
    let folder = tempfile::tempdir().unwrap();
    let run = saved(folder.path(), RUN);
    for level in [run.as_path(), folder.path(), folder.path().parent().unwrap()].into_iter().take(2) {
        let (summary, read) = send(level, expected()).await;
        let expected = UploadSummary { runs: 1, sent: 9, ..UploadSummary::default() };
        assert_eq!(summary, expected);
        assert_eq!(read.first().map(String::as_str), Some("spec-ztop-1.0-config.json"));
        assert_eq!(read.len(), 9);
    }
}

fn problems(summary: &UploadSummary) -> Vec<String> {
    let name = |path: &Path| path.file_name().unwrap().to_str().unwrap().to_owned();
    summary.problems.iter().map(|problem| format!("{}: {}", name(&problem.path), problem.reason)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn files_whose_metadata_is_missing_are_named_and_the_rest_is_sent() {
    let folder = tempfile::tempdir().unwrap();
    let run = saved(folder.path(), RUN);
    fs_err::remove_file(run.join(format!("build-metadata-{DEPENDENCY}.json"))).unwrap();
    let mut expected = expected();
    let of_dependency = |exchange: &Exchange| {
        exchange.body["build_id"] == 2 || exchange.body["full_hash"] == "3p7tw62zc5zsjbqstlmi3lxi3qzc66uh"
    };
    expected.retain(|exchange| !of_dependency(exchange));
    let (summary, _) = send(folder.path(), expected).await;
    assert_eq!(summary.sent, 5);
    let reason = format!("its build is unknown: build-metadata-{DEPENDENCY}.json is missing or was not sent");
    let names = ["phase-configure", "phase-install", "status"];
    let expected = names.map(|name| format!("build-{DEPENDENCY}-{name}.json: {reason}"));
    assert_eq!(problems(&summary), expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn broken_files_are_named_and_the_rest_is_sent() {
    let folder = tempfile::tempdir().unwrap();
    let run = saved(folder.path(), RUN);
    let phase = format!("build-{TOP}-phase-install.json");
    fs_err::write(run.join(&phase), "{\n  \"build_id\": ").unwrap();
    let status = format!("build-{DEPENDENCY}-status.json");
    fs_err::write(run.join(&status), format!(r#"{{"build_id": "{DEPENDENCY}", "status": "success"}}"#))
        .unwrap();
    let other = folder.path().join("a-run-before");
    fs_err::create_dir(&other).unwrap();
    fs_err::write(other.join("spec-x-1-config.json"), r#"{"spec": [], "spack_version": "0.17.0"}"#).unwrap();
    fs_err::write(other.join("build-metadata-1.json"), r#"{"host_os": "x"}"#).unwrap();
    fs_err::write(other.join("notes.txt"), "hello").unwrap();
    let mut expected = expected();
    let is_broken = |exchange: &Exchange| {
        (exchange.body["build_id"] == 1 && exchange.body["phase_name"] == "install")
            || (exchange.body["build_id"] == 2 && exchange.path == "/ms1/builds/update/")
    };
    expected.retain(|exchange| !is_broken(exchange));
    let (summary, _) = send(folder.path(), expected).await;
    assert_eq!((summary.runs, summary.sent), (2, 7));
    insta::assert_snapshot!(problems(&summary).join("\n"), @r"
    build-181a19581424f99e4a20fd7d11d967af-phase-install.json: EOF while parsing a value at line 2 column 14
    build-8052dfe722280bb4eb29145a6653638a-status.json: `success` is no status of a build
    spec-x-1-config.json: there is no list `nodes` in its `spec`
    build-metadata-1.json: missing field `platform` at line 1 column 16
    ");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_without_a_saved_run() {
    let folder = tempfile::tempdir().unwrap();
    fs_err::create_dir_all(folder.path().join("a/b")).unwrap();
    let (summary, _) = send(folder.path(), recording("54")).await;
    assert_eq!(summary, UploadSummary::default());
}

/// A whole home: the store has specs, too, and not everything may be read.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_saved_run_is_passed_over() {
    let folder = tempfile::tempdir().unwrap();
    saved(folder.path(), RUN);
    let store = folder.path().join("store/zlib/.spack");
    fs_err::create_dir_all(&store).unwrap();
    fs_err::write(store.join("spec.json"), "{}").unwrap();
    let closed = folder.path().join("closed");
    fs_err::create_dir(&closed).unwrap();
    fs_err::set_permissions(&closed, std::os::unix::fs::PermissionsExt::from_mode(0o000)).unwrap();
    // Root may list everything.
    let is_closed = fs_err::read_dir(&closed).is_err();
    let (summary, _) = send(folder.path(), expected()).await;
    assert_eq!((summary.runs, summary.sent, summary.problems.len()), (1, 9, 0));
    assert_eq!(summary.unreadable.iter().any(|problem| problem.path == closed), is_closed);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_no_folder_of_runs() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let error = upload(file.path(), &client("http://127.0.0.1:9"), &mut |_| {}).await.unwrap_err();
    assert_eq!(error.to_string(), format!("{} is no folder", file.path().display()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_that_is_not_there() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("nothing");
    let error = upload(&path, &client("http://127.0.0.1:9"), &mut |_| {}).await.unwrap_err();
    assert_eq!(error.to_string(), format!("{} does not exist.", path.display()));
}

/// Without a server each further file would only wait for nothing.
#[tokio::test(flavor = "multi_thread")]
async fn an_upload_ends_when_the_server_is_gone() {
    let folder = tempfile::tempdir().unwrap();
    saved(folder.path(), RUN);
    let mut expected = expected();
    expected.truncate(5);
    for _ in 0..3 {
        let dropped = Exchange { answer: None, ..expected[4].clone() };
        expected.push(dropped);
    }
    expected.remove(4);
    let (summary, _) = send(folder.path(), expected).await;
    assert_eq!((summary.sent, summary.problems.len()), (1, 1));
    assert!(summary.stopped.is_some_and(|reason| reason.starts_with("no answer from http://127.0.0.1:")));
}
