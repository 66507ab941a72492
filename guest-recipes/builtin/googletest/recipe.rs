//! GoogleTest.

use spack_wasm_sdk::prelude::*;

struct Googletest;

impl Recipe for Googletest {
    fn describe() -> Package {
        package("googletest", "Google test framework for C++. Also called gtest.")
            .homepage("https://github.com/google/googletest")
            .git("https://github.com/google/googletest")
            .license("BSD-3-Clause")
            .build_system(CMAKE)
            .version(version("main").branch("main"))
            .release("1.17.0", "65fab701d9829d38cb77c14acdc431d2108bfdbf8979e40eb8ae567edf10b27c")
            .release("1.15.2", "7b42b4d6ed48810c5362c265a17faebe90dc2373c885e5216439d37927f02926")
            .release("1.15.0", "7315acb6bf10e99f332c8a43f00d5fbb1ee6ca48c52f6b936991b216c586aaad")
            .release("1.14.0", "8ad598c73ad796e0d8280b082cebd82a630d73e73cd3c70057938a6501bba5d7")
            .release("1.13.0", "ad7fdba11ea011c1d925b3289cf4af2c66a352e18d4c7264392fead75e919363")
            .preferred_release("1.12.1", "81964fe578e9bd7c94dfdb09c8e4d6e6759e19967e397dbea48d1c10e45d0df2")
            .release("1.12.0", "2a4f11dce6188b256f3650061525d0fe352069e5c162452818efbbf8d0b5fe1c")
            .release("1.11.0", "b4870bf121ff7795ba20d20bcdd8627b8e088f2d1dab299a031c1034eddc93d5")
            .release("1.10.0", "9dc9157a9a1551ec7a7e43daea9a694a0bb5fb8bec81235d8a1e6ef64c716dcb")
            .release("1.8.1", "9bf1fe5182a604b4135edc1a425ae356c9ad15e9b23f9f12a02e80184c3a249c")
            .release("1.8.0", "58a6f4277ca2bc8565222b3bbd58a177609e9c488e8a72649359ba51450db7d8")
            .release("1.7.0", "f73a6546fdf9fce9ff93a5015e0333a8af3062a152a9ad6bcb772c96687016cc")
            .release("1.6.0", "5fbc058e5b662b9c86d93ac76fefb58eec89cbf26144b49669a38ecb62758447")
            .variant(boolean("absl", false, "Build with abseil and RE2").when("@1.12.1:"))
            .variant(boolean("gmock", true, "Build with gmock").when("@1.8:"))
            .variant(boolean("pthreads", true, "Build multithreaded version with pthreads"))
            .variant(boolean("shared", true, "Build shared libraries (DLLs)"))
            .variant(choice(
                "cxxstd",
                "17",
                &["98", "11", "14", "17", "20"],
                "Use the specified C++ standard when building",
            ))
            .depends_on(build_dependency("c"))
            .depends_on(build_dependency("cxx"))
            .depends_on(dependency("abseil-cpp").when("+absl"))
            .depends_on(dependency("re2").when("+absl"))
            .conflicts(conflict("cxxstd=98").when("@1.9:"))
            .conflicts(conflict("cxxstd=11").when("@1.13:"))
            .conflicts(conflict("cxxstd=14").when("@1.17:"))
    }

    /// The tags were named `release-1.2.3` at first, and the oldest ones have an address of the old kind only.
    fn url_for_version(version: &str) -> Option<String> {
        let archive = match version {
            "1.6.0" | "1.7.0" | "1.8.0" => format!("release-{version}"),
            "1.8.1" | "1.10.0" | "1.11.0" | "1.12.0" | "1.12.1" => format!("refs/tags/release-{version}"),
            _ => format!("refs/tags/v{version}"),
        };
        Some(format!("https://github.com/google/googletest/archive/{archive}.tar.gz"))
    }

    fn cmake_args(build: &Build) -> Result<Vec<String>> {
        let (spec, tested) = (build.spec(), build.run_tests());
        let mut arguments = vec![
            define("BUILD_SHARED_LIBS", spec.has("+shared")),
            define("BUILD_GMOCK", spec.has("+gmock")),
            define("GTEST_HAS_ABSL", spec.has("+absl")),
            define("gtest_disable_pthreads", spec.has("~pthreads")),
            define("gtest_build_tests", tested),
            define("gmock_build_tests", tested && spec.has("+gmock")),
        ];
        arguments.extend(spec.variant("cxxstd").map(|standard| define("CMAKE_CXX_STANDARD", standard)));
        arguments.extend(spec.has("@:1.8.0").then(|| define("BUILD_GTEST", true)));
        Ok(arguments)
    }

    /// Releases before 1.8 have no target that installs.
    fn phase(build: &Build, phase: &str) -> Result {
        if phase != "install" || build.spec().has("@1.8:") {
            return build.usual_phase::<Self>(phase);
        }
        build.install_tree(build.source().join("include"), build.prefix().join("include"))?;
        let libraries = build.prefix().join("lib");
        build.mkdirp(&libraries)?;
        let extension = if build.spec().has("+shared") { "so" } else { "a" };
        for name in ["libgtest", "libgtest_main"] {
            build.install(Self::build_directory(build).join(format!("{name}.{extension}")), &libraries)?;
        }
        Ok(())
    }

    fn libraries(spec: &Spec, _query: &[String]) -> Result<Option<Libraries>> {
        let names = ["libgmock_main", "libgmock", "libgtest_main", "libgtest"];
        find_libraries(&names, spec.prefix(), spec.has("+shared")).map(Some)
    }
}

recipe!(Googletest);
