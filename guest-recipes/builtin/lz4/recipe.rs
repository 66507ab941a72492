//! LZ4, by its makefile or by CMake. Of Spack's declarations the test dependency on valgrind is left out: `make check` does
//! without.

use std::path::PathBuf;

use spack_wasm_sdk::prelude::*;

struct Lz4;

impl Recipe for Lz4 {
    fn describe() -> Package {
        package("lz4", "Lossless compression that is very fast to compress and faster still to decompress.")
            .homepage("https://lz4.github.io/lz4/")
            .license("BSD-2-Clause AND GPL-2.0-only")
            .build_system(MAKEFILE)
            .build_system(CMAKE)
            .release("1.10.0", "537512904744b35e232912055ccf8ec66d768639ff3abe5788d90d792ec5f48b")
            .preferred_release("1.9.4", "0b0e3aa07c8c063ddf40b082bdf7e37a1562bda40a0ff5272957f3e987e0e54b")
            .release("1.9.3", "030644df4611007ff7dc962d981f390361e6c97a34e5cbc393ddfbe019ffe2c1")
            .release("1.9.2", "658ba6191fa44c92280d4aa2c271b0f4fbc0e34d249578dd05e50e76d0e5efcc")
            .release("1.9.0", "f8b6d5662fa534bd61227d313535721ae41a68c9d84058b7b7d86e143572dcfb")
            .release("1.8.3", "33af5936ac06536805f9745e0b6d61da606a1f8b4cc5c04dd3cbaca3b9b4fc43")
            .release("1.8.1.2", "12f3a9e776a923275b2dc78ae138b4967ad6280863b77ff733028ce89b8123f9")
            .release("1.7.5", "0190cacd63022ccb86f44fa5041dc6c3804407ad61550ca21c382827319e7e7e")
            .release("1.3.1", "9d4d00614d6b9dec3114b33d1224b6262b99ace24434c53487a0c8fd0b18cfed")
            .variant(
                choice("libs", "shared", &["shared", "static"], "Build shared libs, static libs or both")
                    .defaults(&["shared", "static"]),
            )
            .variant(boolean("pic", true, "Enable position-independent code (PIC)"))
            .depends_on(build_dependency("c"))
            .depends_on(build_dependency("cxx"))
    }

    fn url_for_version(version: &str) -> Option<String> {
        let tag = if version == "1.3.1" { "r131".to_owned() } else { format!("v{version}") };
        Some(format!("https://github.com/lz4/lz4/archive/{tag}.tar.gz"))
    }

    /// The makefile takes what it finds in `CFLAGS`, and optimizes only where it finds nothing.
    fn build_environment(spec: &Spec) -> Result<Environment> {
        let mut changes = Environment::new();
        if spec.has("+pic build_system=makefile") {
            changes.set("CFLAGS", "-O3 -fPIC");
        }
        Ok(changes)
    }

    fn install_targets(build: &Build) -> Result<Vec<String>> {
        if build.build_system() != "makefile" {
            return Ok(Vec::new());
        }
        let prefix = format!("PREFIX={}", build.prefix().display());
        let kinds =
            [("BUILD_SHARED", "libs=shared"), ("BUILD_STATIC", "libs=static")].map(|(variable, kind)| {
                format!("{variable}={}", if build.spec().has(kind) { "yes" } else { "no" })
            });
        Ok(["install".to_owned(), prefix].into_iter().chain(kinds).collect())
    }

    fn source_directory(build: &Build) -> PathBuf {
        let folder = if build.build_system() == "cmake" { "build/cmake" } else { "" };
        build.source().join(folder)
    }

    fn cmake_args(build: &Build) -> Result<Vec<String>> {
        let spec = build.spec();
        Ok(vec![
            define("BUILD_SHARED_LIBS", spec.has("libs=shared")),
            define("BUILD_STATIC_LIBS", spec.has("libs=static")),
            define("CMAKE_POSITION_INDEPENDENT_CODE", spec.has("+pic")),
        ])
    }
}

recipe!(Lz4);
