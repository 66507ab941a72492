//! The life of a prefix in one process: begun, published, found, removed, found again by `reindex`.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crate::common::{begin, fill, hash_of, hdf5, install, lone, never, node, open, record, zlib};
use insta::assert_snapshot;
use spack_wasm_store::{
    BeginError, BeginOptions, Begun, BuildPlace, CheckOptions, Durability, Holder, LockMode, OpenError,
    Patience, Query, ReindexReport, StageArea, Store, StoreAccess, StoreOptions, UninstallError,
    UninstallOptions,
};
use tempfile::tempdir;

/// Names below a folder, a line each, folders with their content.
fn listing(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs_err::read_dir(next).unwrap() {
            let entry = entry.unwrap();
            found.push(entry.path().strip_prefix(folder).unwrap().display().to_string());
            if entry.file_type().unwrap().is_dir() {
                folders.push(entry.path());
            }
        }
    }
    found.sort();
    found
}

fn building(root: &Path) -> Vec<String> {
    listing(&root.join(".building"))
}

#[test]
fn a_published_prefix_has_spacks_layout_and_record() {
    let root = tempdir().unwrap();
    let log = tempfile::NamedTempFile::new().unwrap();
    fs_err::write(log.path(), "checking for gcc... yes\n").unwrap();
    let store = open(root.path());
    let dag = hdf5();
    let pending = begin(&store, &dag, "zlib", &BeginOptions::default());
    let hash = hash_of(&dag, "zlib");
    assert_eq!(pending.final_path(), store.root().join(format!("linux-x86_64_v3/zlib-1.2.13-{hash}")));
    assert!(!pending.final_path().exists());
    fill(&pending);
    let mut record = record(true);
    record.build_log = Some(log.path().to_owned());
    let installation = pending.check(&CheckOptions::default()).unwrap().publish(&record).unwrap();
    let prefix = installation.installed.prefix.clone();
    assert_snapshot!(listing(&prefix).join("\n"), @r"
    .spack
    .spack/explicit
    .spack/install_environment.json
    .spack/install_manifest.json
    .spack/install_times.json
    .spack/repos
    .spack/repos/builtin
    .spack/repos/builtin/packages
    .spack/repos/builtin/packages/zlib
    .spack/repos/builtin/packages/zlib/patches
    .spack/repos/builtin/packages/zlib/patches/fix.patch
    .spack/repos/builtin/packages/zlib/recipe.wasm
    .spack/repos/builtin/packages/zlib/recipe.wasm.sha256
    .spack/spack-build-env.txt
    .spack/spack-build-out.txt
    .spack/spack-configure-args.txt
    .spack/spack-wasm.json
    .spack/spec.json
    bin
    bin/tool
    lib
    lib/libx.so
    lib/libx.so.1
    ");
    assert_eq!(store.dag(&installation.installed).unwrap(), zlib());
    assert_eq!(store.provenance(&installation.installed).unwrap(), record.provenance);
    assert_eq!(
        fs_err::read_to_string(installation.installed.log_path()).unwrap(),
        "checking for gcc... yes\n"
    );
    let read = |name: &str| fs_err::read_to_string(prefix.join(".spack").join(name)).unwrap();
    assert_snapshot!(read("install_times.json"), @r#"
    {
      "total": 1.5,
      "phases": [
        {
          "name": "build",
          "path": "build",
          "seconds": 1.25,
          "count": 1
        }
      ]
    }
    "#);
    assert_snapshot!(read("install_environment.json"), @r##"
    {
      "host_os": "debian12",
      "platform": "linux",
      "host_target": "zen2",
      "hostname": "node1",
      "spack_version": "spack-wasm-0.1.0",
      "kernel_version": "#1 SMP"
    }
    "##);
    assert_snapshot!(read("spack-wasm.json"), @r#"
    {
      "format": 1,
      "installed_at": 1764000000,
      "builder": "spack-wasm-0.1.0",
      "sandbox": {
        "level": "namespaces",
        "missing_layers": []
      },
      "reproducible": {
        "answer": "yes"
      },
      "sources": [
        {
          "name": "zlib-1.2.13.tar.gz",
          "sha256": "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb",
          "origin": "mirror"
        }
      ],
      "recipe": {
        "component_sha256": "cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc",
        "package_hash": "pppppppppppppppppppppppppppppppppppppppppppppppppppp",
        "origin": "builtin"
      },
      "toolchain": [
        {
          "role": "c",
          "spec": "gcc@12.2.0",
          "path": "/usr/bin/gcc"
        }
      ]
    }
    "#);
    let manifest: serde_json::Value = serde_json::from_str(&read("install_manifest.json")).unwrap();
    let entry = |path: &str| &manifest[prefix.join(path).to_str().unwrap()];
    assert_eq!(entry("lib/libx.so")["dest"], "libx.so.1");
    assert_eq!(entry(".spack/spec.json")["type"], "file");
    assert!(entry(".spack/explicit").is_null() && entry(".spack/install_manifest.json").is_null());
    assert!(building(root.path()).is_empty());
    assert_eq!(installation.lock.mode(), LockMode::Shared);
}

#[test]
fn what_is_installed_is_found_by_each_property() {
    let root = tempdir().unwrap();
    let store = open(root.path());
    let dag = hdf5();
    let zlib = install(&store, &dag, "zlib", false).installed;
    let hdf5 = install(&store, &dag, "hdf5", true).installed;
    let all = store.find(&Query::default()).unwrap();
    assert_eq!(all, [hdf5.clone(), zlib.clone()]);
    assert_eq!(zlib.variants, "+shared build_system=autotools");
    let named = Query { name: Some("zlib".into()), ..Query::default() };
    assert_eq!(store.find(&named).unwrap(), std::slice::from_ref(&zlib));
    let explicit = Query { explicit: Some(true), ..Query::default() };
    assert_eq!(store.find(&explicit).unwrap(), std::slice::from_ref(&hdf5));
    let other_version = Query { version: Some("9".into()), ..named };
    assert_eq!(store.find(&other_version).unwrap(), []);
    assert_eq!(store.get(&zlib.hash).unwrap(), Some(zlib.clone()));
    assert_eq!(store.dependents(&zlib.hash).unwrap(), [hdf5]);
    assert!(store.installed(&zlib.hash).unwrap());
    assert!(!store.installed(&hash_of(&lone("lua", "5.4"), "lua")).unwrap());
    assert!(store.mark_explicit(&zlib.hash, true).unwrap());
    assert_eq!(store.find(&explicit).unwrap().len(), 2);
}

#[test]
fn what_is_missing_is_named_dependencies_first_and_without_externals() {
    let root = tempdir().unwrap();
    let store = open(root.path());
    let dag = hdf5();
    let names = || store.missing(&dag).unwrap().iter().map(|node| node.name().to_owned()).collect::<Vec<_>>();
    assert_eq!(names(), ["zlib", "hdf5"]);
    install(&store, &dag, "zlib", false);
    assert_eq!(names(), ["hdf5"]);
}

#[test]
fn the_beginning_of_a_hash_names_one_package_or_the_candidates() {
    let root = tempdir().unwrap();
    let store = open(root.path());
    let dag = hdf5();
    let zlib = install(&store, &dag, "zlib", false).installed;
    install(&store, &dag, "hdf5", true);
    assert_eq!(store.by_hash_prefix(zlib.hash.short()).unwrap(), zlib);
    assert_snapshot!(store.by_hash_prefix("").unwrap_err(), @r"
    several installed packages have a hash that begins with '':
        hdf5@1.10.8/b5sbhmg2u5lphoebvt7qxjqelopxepz5
        zlib@1.2.13/7x2ndnbyjga3vyjcigj3h3xm3vz4hjcf
    ");
    assert_snapshot!(store.by_hash_prefix("999").unwrap_err(), @"no installed package has a hash that begins with '999'");
}

#[test]
fn a_prefix_that_is_dropped_leaves_nothing() {
    let root = tempdir().unwrap();
    let store = open(root.path());
    for place in [BuildPlace::Apart, BuildPlace::InPlace] {
        let pending = begin(&store, &hdf5(), "zlib", &BeginOptions { place, ..BeginOptions::default() });
        fill(&pending);
        let path = pending.building_path();
        fs_err::set_permissions(path.join("lib"), std::fs::Permissions::from_mode(0o555)).unwrap();
        assert!(path.exists());
        drop(pending);
        assert!(!path.exists());
        assert!(building(root.path()).is_empty());
    }
}

#[test]
fn a_prefix_built_in_place_is_not_installed_before_it_is_published() {
    let root = tempdir().unwrap();
    let store = open(root.path());
    let options = BeginOptions { place: BuildPlace::InPlace, ..BeginOptions::default() };
    let pending = begin(&store, &hdf5(), "zlib", &options);
    assert_eq!(pending.building_path(), pending.final_path());
    fill(&pending);
    let hash = pending.node().hash.clone();
    assert_eq!(store.reindex().unwrap().installed, 0);
    assert!(!store.installed(&hash).unwrap());
    pending.check(&CheckOptions::default()).unwrap().publish(&record(true)).unwrap();
    assert!(store.installed(&hash).unwrap());
    assert!(building(root.path()).is_empty());
    assert_eq!(store.reindex().unwrap().installed, 1);
}

#[test]
fn a_package_that_is_needed_is_not_removed() {
    let root = tempdir().unwrap();
    let store = open(root.path());
    let dag = hdf5();
    drop(install(&store, &dag, "zlib", false));
    let hdf5 = install(&store, &dag, "hdf5", true);
    let zlib = hash_of(&dag, "zlib");
    let error = store.uninstall(&zlib, &UninstallOptions::default(), &mut never()).unwrap_err();
    assert_snapshot!(error, @r"
    zlib@1.2.13/7x2ndnb is needed by:
        hdf5@1.10.8/b5sbhmg2u5lphoebvt7qxjqelopxepz5
    ");
    assert_snapshot!(error.hint().unwrap(), @"--dependents removes these too, and --force leaves them broken");
    let dependents = UninstallOptions { dependents: true, ..UninstallOptions::default() };
    let error = store.uninstall(&zlib, &dependents, &mut never()).unwrap_err();
    assert_snapshot!(error, @"hdf5@1.10.8/b5sbhmg can't be removed: the prefix of b5sbhmg2u5lphoebvt7qxjqelopxepz5 is held by another build of this process");
    assert_eq!(store.find(&Query::default()).unwrap().len(), 2);
    drop(hdf5);
    let removed = store.uninstall(&zlib, &dependents, &mut never()).unwrap();
    assert_eq!(removed.iter().map(|each| each.name.as_str()).collect::<Vec<_>>(), ["hdf5", "zlib"]);
    assert_eq!(store.find(&Query::default()).unwrap(), []);
    assert_eq!(listing(root.path()).iter().filter(|path| path.contains("zlib")).count(), 0);
    let error = store.uninstall(&zlib, &dependents, &mut never()).unwrap_err();
    assert!(matches!(error, UninstallError::NotInstalled(_)));
}

#[test]
fn force_leaves_a_dependent_broken() {
    let root = tempdir().unwrap();
    let store = open(root.path());
    let dag = hdf5();
    drop(install(&store, &dag, "zlib", false));
    drop(install(&store, &dag, "hdf5", true));
    let force = UninstallOptions { force: true, ..UninstallOptions::default() };
    store.uninstall(&hash_of(&dag, "zlib"), &force, &mut never()).unwrap();
    assert_eq!(store.find(&Query::default()).unwrap()[0].name, "hdf5");
}

#[test]
fn an_index_that_was_deleted_is_the_same_again() {
    let root = tempdir().unwrap();
    let store = open(root.path());
    let dag = hdf5();
    install(&store, &dag, "zlib", false);
    install(&store, &dag, "hdf5", true);
    store.mark_explicit(&hash_of(&dag, "zlib"), true).unwrap();
    store.mark_explicit(&hash_of(&dag, "hdf5"), false).unwrap();
    let before = store.find(&Query::default()).unwrap();
    let needs = store.dependents(&hash_of(&dag, "zlib")).unwrap();
    assert_eq!(store.reindex().unwrap(), ReindexReport { installed: 2, ..ReindexReport::default() });
    drop(store);
    for name in ["index.sqlite", "index.sqlite-wal", "index.sqlite-shm"] {
        let _ = fs_err::remove_file(root.path().join(".spack-wasm-db").join(name));
    }
    let store = open(root.path());
    assert_eq!(store.find(&Query::default()).unwrap(), before);
    assert_eq!(store.dependents(&hash_of(&dag, "zlib")).unwrap(), needs);
}

#[test]
fn an_index_whose_maker_was_killed_is_completed() {
    let root = tempdir().unwrap();
    let store = open(root.path());
    let zlib = install(&store, &hdf5(), "zlib", true).installed;
    drop(store);
    // As it is between the making of the tables and the first rows.
    let connection = rusqlite::Connection::open(root.path().join(".spack-wasm-db/index.sqlite")).unwrap();
    connection.execute_batch("DELETE FROM installs; PRAGMA application_id = 0").unwrap();
    drop(connection);
    assert_eq!(open(root.path()).find(&Query::default()).unwrap(), [zlib]);
}

#[test]
fn reindex_says_what_it_found_lost_and_skipped() {
    let root = tempdir().unwrap();
    let store = open(root.path());
    let dag = hdf5();
    let zlib = install(&store, &dag, "zlib", false).installed;
    let lua = install(&store, &lone("lua", "5.4"), "lua", true).installed;
    fs_err::create_dir(store.root().join("linux-x86_64_v3/notes")).unwrap();
    fs_err::rename(&lua.prefix, lua.prefix.with_file_name("renamed")).unwrap();
    fs_err::remove_dir_all(&zlib.prefix).unwrap();
    install(&store, &dag, "hdf5", true);
    let report = store.reindex().unwrap();
    assert_eq!(report.installed, 1);
    assert_eq!(report.added, []);
    assert_eq!(report.removed.len(), 2);
    let reasons: Vec<_> = report.skipped.iter().map(|skipped| skipped.reason.as_str()).collect();
    assert_eq!(reasons, ["has no .spack/spec.json", &format!("says that it is lua@5.4/{}", lua.hash)]);
}

#[test]
fn a_spec_or_record_that_is_cut_off_anywhere_is_no_panic() {
    let root = tempdir().unwrap();
    let store = open(root.path());
    let zlib = install(&store, &hdf5(), "zlib", true).installed;
    let spec = fs_err::read(zlib.spec_path()).unwrap();
    for length in (0..spec.len()).step_by(37) {
        fs_err::write(zlib.spec_path(), &spec[..length]).unwrap();
        let report = store.reindex().unwrap();
        assert_eq!((report.installed, report.skipped.len()), (0, 1), "cut off at {length}");
        assert!(store.dag(&zlib).is_err(), "cut off at {length}");
    }
    fs_err::write(zlib.spec_path(), &spec).unwrap();
    let path = zlib.metadata_path().join("spack-wasm.json");
    let record = fs_err::read(&path).unwrap();
    for length in (0..record.len()).step_by(37) {
        fs_err::write(&path, &record[..length]).unwrap();
        assert_eq!(store.reindex().unwrap().installed, 1, "cut off at {length}");
        assert!(store.provenance(&zlib).is_err(), "cut off at {length}");
    }
}

#[test]
fn threads_that_want_the_same_packages_build_each_once() {
    let root = tempdir().unwrap();
    let store = open(root.path());
    let packages: Vec<_> = (0..6).map(|number| lone(&format!("p{number}"), "1")).collect();
    let built = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for dag in &packages {
                    let wanted = dag.roots().next().unwrap();
                    let mut wait = |_: &Holder| Patience::Wait;
                    let lock = store.lock_prefix(&wanted.hash, LockMode::Exclusive, &mut wait).unwrap();
                    if let Begun::Build(pending) =
                        store.begin(dag, wanted, lock, &BeginOptions::default()).unwrap()
                    {
                        fill(&pending);
                        pending.check(&CheckOptions::default()).unwrap().publish(&record(false)).unwrap();
                        built.fetch_add(1, Ordering::Relaxed);
                    }
                }
            });
        }
    });
    assert_eq!(built.into_inner(), 6);
    assert_eq!(store.find(&Query::default()).unwrap().len(), 6);
}

#[test]
fn one_at_a_time_replaces_packages_and_the_others_learn_who() {
    let root = tempdir().unwrap();
    let (one, other) = (open(root.path()), open(root.path()));
    let held = one.lock_for_replacing(&mut never()).unwrap();
    let error = other.lock_for_replacing(&mut never()).unwrap_err().to_string();
    let own = format!("installed packages are being replaced by process {} on ", std::process::id());
    assert!(error.starts_with(&own), "{error}");
    drop(held);
    other.lock_for_replacing(&mut never()).unwrap();
}

#[test]
fn a_complete_prefix_without_a_row_counts_as_installed() {
    let root = tempdir().unwrap();
    let other = tempdir().unwrap();
    let dag = hdf5();
    let from = install(&open(other.path()), &dag, "zlib", true).installed.prefix;
    let store = open(root.path());
    let zlib = node(&dag, "zlib");
    fs_err::create_dir(root.path().join("linux-x86_64_v3")).unwrap();
    fs_err::rename(from, store.prefix_of(&zlib)).unwrap();
    let lock = store.lock_prefix(&zlib.hash, LockMode::Exclusive, &mut never()).unwrap();
    let begun = store.begin(&dag, &zlib, lock, &BeginOptions::default()).unwrap();
    let Begun::Installed(installation) = begun else { panic!("it would be built again") };
    assert!(installation.installed.explicit);
    assert!(store.installed(&zlib.hash).unwrap());
}

#[test]
fn something_else_at_the_final_path_is_left_alone() {
    let root = tempdir().unwrap();
    let store = open(root.path());
    let dag = hdf5();
    let zlib = node(&dag, "zlib");
    fs_err::create_dir_all(store.prefix_of(&zlib)).unwrap();
    let lock = store.lock_prefix(&zlib.hash, LockMode::Exclusive, &mut never()).unwrap();
    let error = store.begin(&dag, &zlib, lock, &BeginOptions::default()).unwrap_err();
    assert!(matches!(error, BeginError::Occupied { .. }), "{error}");
    assert!(building(root.path()).is_empty());
}

#[test]
fn a_prefix_that_lost_its_spec_with_the_power_is_built_again() {
    let root = tempdir().unwrap();
    let store = open(root.path());
    let zlib = install(&store, &hdf5(), "zlib", true).installed;
    fs_err::write(zlib.spec_path(), "").unwrap();
    assert!(!store.installed(&zlib.hash).unwrap());
    assert_eq!(store.reindex().unwrap().skipped.len(), 1);
    install(&store, &hdf5(), "zlib", true);
    assert!(store.installed(&zlib.hash).unwrap());
    // A torn record costs the provenance only.
    fs_err::write(zlib.metadata_path().join("spack-wasm.json"), "").unwrap();
    assert_eq!(store.reindex().unwrap().installed, 1);
    assert!(store.provenance(&zlib).is_err());
}

#[test]
fn a_prefix_whose_spec_can_not_be_read_is_built_again_and_why_is_said() {
    let root = tempdir().unwrap();
    let store = open(root.path());
    let dag = hdf5();
    for text in [&b"{"[..], b"\xff\xfe", b"{\"spec\": {\"nodes\": 1}}"] {
        let zlib = install(&store, &dag, "zlib", true).installed;
        fs_err::write(zlib.spec_path(), text).unwrap();
        assert_eq!(store.reindex().unwrap().skipped.len(), 1);
        let pending = begin(&store, &dag, "zlib", &BeginOptions { replace: true, ..BeginOptions::default() });
        let wrong = format!("{} can't be used: ", zlib.spec_path().display());
        assert!(pending.displaced().unwrap().starts_with(&wrong), "{:?}", pending.displaced());
        assert!(!zlib.prefix.exists());
        drop(pending);
        assert!(building(root.path()).is_empty());
    }
    assert_eq!(begin(&store, &dag, "zlib", &BeginOptions::default()).displaced(), None);
}

#[test]
fn a_damaged_index_is_moved_aside() {
    let root = tempdir().unwrap();
    let zlib = install(&open(root.path()), &hdf5(), "zlib", true).installed;
    let path = root.path().join(".spack-wasm-db/index.sqlite");
    let right = Store::rebuild(root.path(), StoreOptions::default()).unwrap();
    assert_eq!((right.report.installed, right.damaged), (1, None));
    for damage in ["no database", "DROP TABLE edges; DROP TABLE installs"] {
        if damage.starts_with("DROP") {
            rusqlite::Connection::open(&path).unwrap().execute_batch(damage).unwrap();
        } else {
            fs_err::write(&path, damage.repeat(1000)).unwrap();
        }
        let broken = Store::open(root.path(), StoreOptions::default())
            .map_err(|error| error.hint())
            .and_then(|store| store.find(&Query::default()).map_err(|error| error.hint()));
        assert_eq!(
            broken.unwrap_err(),
            Some("the database is only an index: `spack-wasm reindex` builds it again")
        );
        let rebuilt = Store::rebuild(root.path(), StoreOptions::default()).unwrap();
        assert_eq!(rebuilt.report.installed, 1);
        assert!(rebuilt.damaged.unwrap().is_file());
        assert_eq!(open(root.path()).find(&Query::default()).unwrap(), std::slice::from_ref(&zlib));
    }
}

#[test]
fn of_the_stages_of_one_spec_that_were_kept_the_newest_stays() {
    let area = tempdir().unwrap();
    let stages = StageArea::open(area.path()).unwrap();
    let (zlib, hdf5) = (node(&hdf5(), "zlib"), node(&hdf5(), "hdf5"));
    let kept = stages.create(&zlib, None).unwrap().keep().unwrap();
    let of_other = stages.create(&hdf5, None).unwrap().keep().unwrap();
    let running = stages.create(&zlib, None).unwrap();
    assert!(!kept.exists() && of_other.exists());
    let beside = stages.create(&zlib, None).unwrap();
    assert!(running.path().exists(), "the stage of a build that runs was removed");
    let (one, other) = (running.keep().unwrap(), beside.keep().unwrap());
    drop(stages.create(&zlib, None).unwrap());
    assert!(!one.exists() && !other.exists() && of_other.exists());
}

#[test]
fn everything_can_be_made_durable() {
    let root = tempdir().unwrap();
    let options = StoreOptions { durability: Durability::Everything, ..StoreOptions::default() };
    let store = Store::open(root.path(), options).unwrap();
    let zlib = install(&store, &hdf5(), "zlib", true).installed;
    assert!(store.installed(&zlib.hash).unwrap());
}

#[test]
fn a_rebuilt_prefix_takes_the_place_of_the_old_one() {
    let root = tempdir().unwrap();
    let store = open(root.path());
    let dag = hdf5();
    let old = install(&store, &dag, "zlib", true).installed;
    drop(install(&store, &dag, "hdf5", true));
    let options = BeginOptions { replace: true, ..BeginOptions::default() };
    let pending = begin(&store, &dag, "zlib", &options);
    pending.dir().write("new", "").unwrap();
    assert!(old.prefix.join("bin/tool").exists());
    drop(pending);
    assert!(old.prefix.join("bin/tool").exists());
    let pending = begin(&store, &dag, "zlib", &options);
    pending.dir().write("new", "").unwrap();
    pending.check(&CheckOptions::default()).unwrap().publish(&record(true)).unwrap();
    assert!(old.prefix.join("new").exists() && !old.prefix.join("bin").exists());
    assert!(building(root.path()).is_empty());
    assert_eq!(store.dependents(&old.hash).unwrap().len(), 1);
}

#[test]
fn a_real_spacks_store_is_refused() {
    let root = tempdir().unwrap();
    fs_err::create_dir(root.path().join(".spack-db")).unwrap();
    fs_err::write(root.path().join(".spack-db/index.json"), "{}").unwrap();
    let error = Store::open(root.path(), StoreOptions::default()).unwrap_err();
    assert!(matches!(error, OpenError::SpackStore { .. }));
    assert_snapshot!(error.to_string().replace(&root.path().display().to_string(), "[ROOT]"), @"[ROOT] is the store of a real Spack (it holds .spack-db/index.json), and the two would not see each other's packages");
    assert_snapshot!(error.hint().unwrap(), @"set config:install_tree:root to a folder of spack-wasm's own");
    assert_eq!(listing(root.path()), [".spack-db", ".spack-db/index.json"]);
}

#[test]
fn reading_makes_nothing() {
    let root = tempdir().unwrap();
    let options = StoreOptions { access: StoreAccess::Read, ..StoreOptions::default() };
    let store = Store::open(root.path(), options).unwrap();
    assert_eq!(store.find(&Query::default()).unwrap(), []);
    assert!(listing(root.path()).is_empty());
    assert!(Store::open(&root.path().join("missing"), options).is_err());
}

#[test]
fn readers_find_what_is_there_although_the_index_is_gone() {
    let root = tempdir().unwrap();
    let store = open(root.path());
    let installed = install(&store, &lone("lua", "5.4"), "lua", true).installed;
    drop(store);
    fs_err::remove_dir_all(root.path().join(".spack-wasm-db")).unwrap();
    let options = StoreOptions { access: StoreAccess::Read, ..StoreOptions::default() };
    let store = Store::open(root.path(), options).unwrap();
    assert_eq!(store.find(&Query::default()).unwrap(), [installed]);
    assert!(!root.path().join(".spack-wasm-db").exists());
}

/// The project promises 20 ms for the whole command. Other tests run meanwhile, so this thread's own time is taken.
#[test]
fn find_among_ten_thousand_is_fast() {
    let root = tempdir().unwrap();
    let store = open(root.path());
    let first = install(&store, &lone("lua", "5.4"), "lua", true).installed;
    drop(store);
    let letters = b"abcdefghijklmnopqrstuvwxyz234567";
    let connection = rusqlite::Connection::open(root.path().join(".spack-wasm-db/index.sqlite")).unwrap();
    let transaction = connection.unchecked_transaction().unwrap();
    for number in 0..9_999_usize {
        let digits = [number / 1024 % 32, number / 32 % 32, number % 32].map(|digit| letters[digit] as char);
        let hash = digits.iter().collect::<String>() + &"q".repeat(29);
        let row = "INSERT INTO installs SELECT ?, 'p' || (? % 977), version, namespace, platform, os, target, variants, \
                   prefix, explicit, installed_at FROM installs WHERE hash = ?";
        transaction.execute(row, (hash, number as i64, first.hash.as_str())).unwrap();
    }
    transaction.commit().unwrap();
    let all = (0..5).map(|_| {
        let start = cpu_time();
        let store = open(root.path());
        assert_eq!(store.find(&Query::default()).unwrap().len(), 10_000);
        cpu_time() - start
    });
    let all = all.min().unwrap();
    println!("open and find among 10,000: {all:?}");
    assert!(all < Duration::from_millis(if cfg!(debug_assertions) { 60 } else { 15 }), "{all:?}");
    let store = open(root.path());
    let start = cpu_time();
    assert_eq!(store.by_hash_prefix(&first.hash.as_str()[..20]).unwrap(), first);
    assert!(cpu_time() - start < Duration::from_millis(5), "the key is not used");
}

fn cpu_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap())
}
