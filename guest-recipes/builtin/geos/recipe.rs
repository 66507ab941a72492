//! GEOS. Spack allows ninja only; here make is taken where there is no ninja.

use std::path::PathBuf;

use spack_wasm_sdk::prelude::*;

mod versions;

struct Geos;

impl Recipe for Geos {
    fn describe() -> Package {
        let patch = "https://github.com/libgeos/geos/commit/cb127eeac823c8b48364c1b437844a5b65ff4748.patch?full_index=1";
        package("geos", "Computational geometry with the OGC's Simple Features, in C and C++.")
            .homepage("https://libgeos.org/")
            .url("https://download.osgeo.org/geos/geos-3.8.1.tar.bz2")
            .git("https://github.com/libgeos/geos.git")
            .license("LGPL-2.1-or-later")
            .build_system(CMAKE)
            .versions(versions::declared())
            .variant(choice("generator", "ninja", &["make", "ninja"], "the build system generator to use"))
            .variant(boolean("shared", true, "Build shared library"))
            .depends_on(build_dependency("c"))
            .depends_on(build_dependency("cxx"))
            .depends_on(build_dependency("cmake@3.15:").when("@3.13:"))
            .depends_on(build_dependency("cmake@3.13:").when("@3.10:"))
            .depends_on(build_dependency("cmake@3.8:"))
            .patch(
                fetched_patch(patch, "ab78db7ff2e8fc89e899b8233cf77d90b24d88940dd202c4219decba479c8d35")
                    .when("@3.8:3.9"),
            )
    }

    fn cmake_args(build: &Build) -> Result<Vec<String>> {
        let spec = build.spec();
        let mut arguments = vec![
            define("BUILD_SHARED_LIBS", spec.has("+shared")),
            // Four fifths of the time, unless told otherwise.
            define("BUILD_TESTING", build.run_tests()),
        ];
        arguments.extend(spec.has("%intel").then(|| define("BUILD_ASTYLE", false)));
        Ok(arguments)
    }

    fn command(spec: &Spec, _query: &[String]) -> Result<Option<PathBuf>> {
        Ok(Some(spec.prefix().join("bin/geos-config")))
    }
}

recipe!(Geos);
