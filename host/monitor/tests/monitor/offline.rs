//! The files that `--monitor-save-local` leaves.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::{Timestamp, ZonedDateTime, tz::TimeZone};
use serde_json::Value;
use spack_wasm_monitor::{Fanout, OfflineSink, RunId};

use crate::packages::{hash_of, recorded_dag};
use crate::replay::file;
use crate::run::{build, identity, installed};

fn now() -> ZonedDateTime {
    "2026-11-24T15:22:11Z".parse::<Timestamp>().unwrap().to_zoned_datetime(TimeZone::UTC)
}

/// The folder of Spack's own client in recording 70.
fn recorded() -> BTreeMap<String, Value> {
    let directories = file("70")["directories"].clone();
    serde_json::from_value(directories["2026-11-24-15-22-11-1795533731"].clone()).unwrap()
}

fn files(folder: &Path) -> BTreeMap<String, String> {
    let entries = fs_err::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let name = |path: &PathBuf| path.file_name().unwrap().to_str().unwrap().to_owned();
    entries.map(|path| (name(&path), fs_err::read_to_string(path).unwrap())).collect()
}

/// The same install as in the recording gives the same files, but for the hashes.
#[test]
fn the_layout_is_that_of_spacks_client() {
    let recorded = recorded();
    let dag = recorded_dag(&[&recorded["spec-ztop-1.0-config.json"]["json"]]);
    let folder = tempfile::tempdir().unwrap();
    let sink = OfflineSink::create(folder.path(), &now(), identity("0.17.0", Some("pizza,pasta"))).unwrap();
    let path = sink.path().to_owned();
    assert_eq!(path, folder.path().join("2026-11-24-15-22-11-1795533731"));
    let fanout = Fanout::start(RunId::random(), vec![Box::new(sink)]).unwrap();
    fanout.emitter().concretized(Arc::clone(&dag));
    for name in ["zdep", "ztop"] {
        let log = format!("==> {name}: Executing phase: 'configure'\n");
        build(
            &fanout.emitter(),
            &hash_of(&dag, name),
            &[("configure", &log), ("install", "h\u{e9}\n")],
            installed(),
        );
    }
    assert!(fanout.finish().is_empty());
    let saved = files(&path);
    let shape = |names: Vec<&String>| {
        let mut shapes: Vec<_> = names.into_iter().map(|name| without_id(name)).collect();
        shapes.sort();
        shapes
    };
    assert_eq!(shape(saved.keys().collect()), shape(recorded.keys().collect()));
    for (name, text) in &saved {
        assert!(text.is_ascii() && !text.ends_with('\n'), "{name}");
        let value: Value = serde_json::from_str(text).unwrap();
        let same = recorded.iter().find(|(other, _)| without_id(other) == without_id(name)).unwrap();
        assert_eq!(keys(text), keys(same.1["raw"].as_str().unwrap_or(text)), "{name}");
        if let Some(id) = value.get("build_id") {
            assert!(name.contains(id.as_str().unwrap()));
        }
    }
}

fn without_id(name: &str) -> String {
    name.split('-').filter(|part| part.trim_end_matches(".json").len() != 32).collect::<Vec<_>>().join("-")
}

/// The lines of a file up to the first colon: indent, names and order of the fields.
fn keys(text: &str) -> Vec<&str> {
    text.lines().filter_map(|line| line.split_once("\":")).map(|(key, _)| key).collect()
}

#[test]
fn two_runs_in_one_second_do_not_mix() {
    let folder = tempfile::tempdir().unwrap();
    let create = || OfflineSink::create(folder.path(), &now(), identity("0.17.0", None)).unwrap();
    let (first, second) = (create(), create());
    assert_ne!(first.path(), second.path());
    assert!(first.path().is_dir() && second.path().is_dir());
}

#[test]
fn a_run_without_anything_to_save_leaves_no_folder() {
    let folder = tempfile::tempdir().unwrap();
    let sink = OfflineSink::create(folder.path(), &now(), identity("0.17.0", None)).unwrap();
    let fanout = Fanout::start(RunId::random(), vec![Box::new(sink)]).unwrap();
    assert!(fanout.finish().is_empty());
    assert!(files(folder.path()).is_empty());
}

#[test]
fn a_folder_that_cannot_be_made_is_named() {
    let folder = tempfile::NamedTempFile::new().unwrap();
    let error = OfflineSink::create(folder.path(), &now(), identity("0.17.0", None)).unwrap_err();
    assert!(error.to_string().contains(folder.path().to_str().unwrap()), "{error}");
}
