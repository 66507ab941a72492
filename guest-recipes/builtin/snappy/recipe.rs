//! snappy. Its own tests are built from 1.1.9 on, with the GoogleTest that it expects beside its sources; Spack patches older
//! releases to use an installed one.

use spack_wasm_sdk::prelude::*;

struct Snappy;

/// The release that distributions carry; snappy itself names a commit of the same year.
const GOOGLETEST: &str = "81964fe578e9bd7c94dfdb09c8e4d6e6759e19967e397dbea48d1c10e45d0df2";
const GOOGLETEST_ADDRESS: &str =
    "https://github.com/google/googletest/archive/refs/tags/release-1.12.1.tar.gz";

impl Recipe for Snappy {
    fn describe() -> Package {
        package("snappy", "A fast compressor/decompressor.")
            .homepage("https://github.com/google/snappy")
            .url("https://github.com/google/snappy/archive/1.1.8.tar.gz")
            .license("BSD-3-Clause")
            .build_system(CMAKE)
            .release("1.2.1", "736aeb64d86566d2236ddffa2865ee5d7a82d26c9016b36218fcc27ea4f09f86")
            .release("1.1.10", "49d831bffcc5f3d01482340fe5af59852ca2fe76c3e05df0e67203ebbe0f1d90")
            .preferred_release("1.1.9", "75c1fbb3d618dd3a0483bff0e26d0a92b495bbe5059c8b4f1c962b478b6e06e7")
            .release("1.1.8", "16b677f07832a612b0836178db7f374e414f94657c138e6993cbfc5dcc58651f")
            .release("1.1.7", "3dfa02e873ff51a11ee02b9ca391807f0c8ea0529a4924afa645fbf97163f9d4")
            .variant(boolean("shared", true, "Build shared libraries"))
            .variant(boolean("pic", true, "Build position independent code"))
            .depends_on(build_dependency("c"))
            .depends_on(build_dependency("cxx"))
            .resource(
                resource("googletest", "third_party")
                    .sha256_at(GOOGLETEST, GOOGLETEST_ADDRESS)
                    .named("googletest")
                    .test_only()
                    .when("@1.1.9:"),
            )
            .patch(patch("asm-flag-outputs.patch").when("@1.1.9"))
            // Debian's. Without it gcc refuses to compile the shared library.
            .patch(patch("always-inline.patch").when("@1.1.9"))
            .conflicts(conflict("@1.1.9:").when("%nvhpc@:22.7"))
    }

    fn cmake_args(build: &Build) -> Result<Vec<String>> {
        let spec = build.spec();
        Ok(vec![
            define("CMAKE_INSTALL_LIBDIR", "lib"),
            define("BUILD_SHARED_LIBS", spec.has("+shared")),
            define("CMAKE_POSITION_INDEPENDENT_CODE", spec.has("+pic")),
            define("SNAPPY_BUILD_TESTS", build.run_tests() && spec.has("@1.1.9:")),
            define("SNAPPY_BUILD_BENCHMARKS", false),
        ])
    }

    fn check_targets(build: &Build) -> Result<Vec<String>> {
        let targets = (!build.spec().has("@1.1.9:")).then(|| "all".to_owned());
        Ok(targets.into_iter().collect())
    }

    fn phase(build: &Build, phase: &str) -> Result {
        build.usual_phase::<Self>(phase)?;
        if phase == "install" {
            let file = PkgConfig::new("Snappy", "A fast compressor/decompressor.").libraries("-lsnappy");
            build.install_pkg_config("snappy", &file)?;
        }
        Ok(())
    }
}

recipe!(Snappy);
