//! The promise of the README: HDF5 with its dependency, from its real sources.

use spack_wasm_tests::{Access, SpackmonStandIn, TestContext, assert_output, require, skip};

use crate::sources::cache;
use crate::{location, user};

const PROGRAM: &str = r#"
#include <stdio.h>
#include "hdf5.h"

int main(void) {
    unsigned major, minor, release;
    hsize_t size = 4;
    int values[4] = {3, 1, 4, 1};
    hid_t file = H5Fcreate("numbers.h5", H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    hid_t space = H5Screate_simple(1, &size, NULL);
    hid_t create = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_chunk(create, 1, &size);
    if (H5Pset_deflate(create, 9) < 0) return 1;
    hid_t set = H5Dcreate2(file, "numbers", H5T_NATIVE_INT, space, H5P_DEFAULT, create, H5P_DEFAULT);
    if (H5Dwrite(set, H5T_NATIVE_INT, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) < 0) return 2;
    H5Dclose(set); H5Pclose(create); H5Sclose(space); H5Fclose(file);
    H5get_libversion(&major, &minor, &release);
    printf("HDF5 %u.%u.%u\n", major, minor, release);
    return 0;
}
"#;

/// A program that was compiled outside the sandbox by the installed `h5cc` writes a compressed file, and `h5dump` reads it.
fn use_it(user: &TestContext, hdf5: &std::path::Path) {
    fs_err::write(user.work().join("numbers.c"), PROGRAM).unwrap();
    user.run_program(hdf5.join("bin/h5cc"), ["-o", "numbers", "numbers.c"]).succeeded();
    let output = user.run_program(user.work().join("numbers"), None::<&str>).succeeded();
    assert_eq!(output.stdout, "HDF5 1.10.8\n");
    let dump = user.run_program(hdf5.join("bin/h5dump"), ["-p", "numbers.h5"]).succeeded();
    for part in ["COMPRESSION DEFLATE { LEVEL 9 }", "(0): 3, 1, 4, 1"] {
        assert!(dump.stdout.contains(part), "{}", dump.report());
    }
}

/// The library takes zlib from the prefix of the zlib that was built, and not from the system.
fn assert_links_its_own_zlib(user: &TestContext, hdf5: &std::path::Path, zlib: &std::path::Path) {
    let library = hdf5.join("lib/libhdf5.so");
    let output = user.run_program("ldd", [&library]).succeeded();
    let own = zlib.join("lib/libz.so.1");
    assert!(output.stdout.contains(&format!("libz.so.1 => {} ", own.display())), "{}", output.report());
    if require("readelf") {
        let output = user.run_program("readelf", ["-d".as_ref(), library.as_os_str()]).succeeded();
        let run_path =
            output.stdout.lines().find(|line| line.contains("(RUNPATH)") || line.contains("(RPATH)"));
        let folder = zlib.join("lib").display().to_string();
        assert!(run_path.is_some_and(|line| line.contains(&folder)), "{}", output.report());
    }
}

/// What was saved for the monitor tells a server of both builds, with all their phases.
fn assert_reports_are_complete(user: &TestContext) {
    let server = SpackmonStandIn::start(Access::Open);
    let (host, folder) = (server.host(), user.monitor());
    let folder = folder.to_str().unwrap();
    user.run(["monitor", "upload", folder, "--monitor-host", &host, "--monitor-disable-auth"]).succeeded();
    let mut builds = server.builds();
    builds.sort_unstable_by(|one, other| one.name.cmp(&other.name));
    let phases = builds.iter().map(|build| {
        assert_eq!(build.status, "SUCCESS", "{build:?}");
        let names = build.phases.iter().map(|(name, status)| {
            assert_eq!(status, "SUCCESS", "{build:?}");
            name.as_str()
        });
        (build.name.as_str(), names.collect::<Vec<_>>())
    });
    let phases: Vec<_> = phases.collect();
    assert_eq!(
        phases,
        [
            ("hdf5", vec!["autoreconf", "configure", "build", "install"]),
            ("zlib", vec!["edit", "build", "install"])
        ]
    );
}

#[test]
fn hdf5_is_built_with_its_dependency_and_is_of_use() {
    let user = user();
    let [hdf5_cache, zlib_cache] = ["hdf5", "zlib"].map(cache);
    let setting = format!("config:source_cache:{}", hdf5_cache.display());
    let mirror = format!("mirrors:zlib:file://{}", zlib_cache.display());
    let monitor = ["--monitor", "--monitor-save-local"];
    let arguments = ["-c", &setting, "-c", &mirror, "install", "-j2", "hdf5"];
    let output = user.run(arguments.iter().chain(&monitor));
    if output.code() == Some(1) && output.stderr.contains("cannot be reached") {
        return skip("network, for the sources of hdf5");
    }
    output.succeeded();
    assert_reports_are_complete(&user);
    let (hdf5, zlib) = (location(&user, "hdf5"), location(&user, "zlib"));
    use_it(&user, &hdf5);
    assert_links_its_own_zlib(&user, &hdf5, &zlib);
    assert_output!(user, user.run(["find"]), @"
    exit status: 0
    ----- stdout -----
    -- linux-[OS]-[TARGET] / %c=gcc@[VERSION] [RULE]
    hdf5@1.10.8
    zlib@1.2.13

    ==> 2 installed packages
    ");
    assert_output!(user, user.run(["uninstall", "-y", "zlib"]), @"
    exit status: 1
    ----- stderr -----
    ==> Error: zlib@1.2.13/[HASH] is needed by:
        hdf5@1.10.8/[HASH]
    hint: --dependents removes these too, and --force leaves them broken
    ");
    assert!(zlib.join("lib/libz.so").exists());
    user.run(["uninstall", "-y", "--dependents", "zlib"]).succeeded();
    assert!(!zlib.exists() && !hdf5.exists());
}
