//! zlib, by its own configure script and makefile.

use spack_wasm_sdk::prelude::*;

struct Zlib;

impl Recipe for Zlib {
    fn describe() -> Package {
        package("zlib", "A free, general-purpose, legally unencumbered lossless data-compression library.")
            .homepage("https://zlib.net")
            .url("http://zlib.net/fossils/zlib-1.2.11.tar.gz")
            .git("https://github.com/madler/zlib.git")
            .tag("core-packages")
            .license("Zlib")
            .build_system(MAKEFILE)
            .version(
                version("1.3.2").sha256("bb329a0a2cd0274d05519d61c667c062e06990d72e125ee2dfa8de64f0119d16"),
            )
            .version(
                version("1.3.1").sha256("9a93b2b7dfdac77ceba5a558a580e74667dd6fede4585b91eefb60f03b72df23"),
            )
            .version(
                version("1.3").sha256("ff0ba4c292013dbc27530b3a81e1f9a813cd39de01ca5e0f8bf355702efa593e"),
            )
            .version(
                // The second is Debian's archive of the same release, without the files that it may not pass on.
                version("1.2.13")
                    .sha256("b3a24de97a8fdbc835b9833169501030b8977031bcb54b3b3ac13740f846ab30")
                    .sha256("71feb7947e3c00ef125f83b79a4e529bde31171e5babe48b391f06758d1ab0a1")
                    .preferred(),
            )
            .variant(boolean("pic", true, "Produce position-independent code (for shared libs)"))
            .variant(boolean("shared", true, "Enables the build of shared libraries."))
            .variant(boolean("optimize", true, "Enable -O2 for a more optimized lib"))
            .depends_on(build_dependency("c"))
            .provides("zlib-api")
    }

    fn phase(build: &Build, phase: &str) -> Result {
        if phase != "edit" {
            return build.usual_phase::<Self>(phase);
        }
        let static_only = (!build.spec().has("+shared")).then_some("--static");
        build
            .script("configure")
            .arg(format!("--prefix={}", build.prefix().display()))
            .args(static_only)
            .env("CFLAGS", compiler_flags(build.spec()))
            .run()
    }

    fn libraries(spec: &Spec, _query: &[String]) -> Result<Option<Libraries>> {
        let name = if spec.has("+shared") { "libz.so" } else { "libz.a" };
        Ok(Some(Libraries::from_iter([spec.prefix().join("lib").join(name)])))
    }
}

/// zlib's configure takes what it finds in `CFLAGS` and adds nothing to it.
fn compiler_flags(spec: &Spec) -> String {
    let pic = spec.has("+pic").then_some("-fPIC");
    let optimize = spec.has("+optimize").then_some("-O2");
    pic.into_iter().chain(optimize).collect::<Vec<_>>().join(" ")
}

recipe!(Zlib);
