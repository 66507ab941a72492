//! What the package is: variants, dependencies and conflicts, with Spack's names.
//!
//! Of Spack's declarations are left out, because here configure builds it: CMake and its variants; the run dependency on
//! pkg-config, which only the `h5cc` of a CMake build calls; the patches of CMake files.

use spack_wasm_sdk::prelude::*;

use crate::{tested, versions};

const DESCRIPTION: &str = "HDF5 is a data model, library, and file format for storing and managing data.
It supports an unlimited variety of datatypes, and is designed for flexible and efficient I/O and for high volume and complex data.";

const APIS: &[&str] = &["default", "v200", "v114", "v112", "v110", "v18", "v16"];

pub(crate) fn hdf5() -> Package {
    let package = package("hdf5", DESCRIPTION)
        .homepage("https://support.hdfgroup.org")
        .url("https://support.hdfgroup.org/releases/hdf5/v1_14/v1_14_5/downloads/hdf5-1.14.5.tar.gz")
        .git("https://github.com/HDFGroup/hdf5.git")
        .tag("e4s")
        .license("custom")
        .build_system(AUTOTOOLS)
        .detection(detected_by(&["^h5cc$", "^h5pcc$"]).asked_with(&["-showconfig"]))
        .stand_alone_test(
            stand_alone_test(
                tested::VERSIONS,
                "ensure that the tools run and tell the version of the package",
            )
            .when("+tools"),
        )
        .versions(versions::declared());
    limits(needs(variants(package)))
}

fn variants(package: Package) -> Package {
    package
        .variant(boolean("shared", true, "Builds a shared version of the library"))
        .variant(boolean("hl", false, "Enable the high-level library"))
        .variant(boolean("cxx", false, "Enable C++ support"))
        .variant(
            choice(
                "cxxstd",
                "11",
                &["98", "11", "14", "17", "20", "23"],
                "Use the specified C++ standard when building.",
            )
            .when("+cxx"),
        )
        .variant(boolean("map", false, "Enable MAP API support").when("@1.14:"))
        .variant(boolean("subfiling", false, "Enable Subfiling VFD support").when("@1.14: +mpi"))
        .variant(boolean("fortran", false, "Enable Fortran support"))
        .variant(boolean("java", false, "Enable Java support").when("@1.10:"))
        .variant(boolean("threadsafe", false, "Enable thread-safe capabilities"))
        .variant(boolean("tools", true, "Enable building tools"))
        // On in Spack, where there are recipes of MPI.
        .variant(boolean("mpi", false, "Enable MPI support"))
        .variant(boolean("szip", false, "Enable szip support"))
        .variant(choice("api", "default", APIS, "Choose api compatibility for earlier version"))
}

fn needs(package: Package) -> Package {
    package
        .depends_on(build_dependency("c"))
        .depends_on(build_dependency("cxx").when("+cxx"))
        .depends_on(build_dependency("fortran").when("+fortran"))
        .depends_on(dependency("zlib-api"))
        // zlib-ng's newer strategies compress differently from what HDF5's own tests expect.
        .depends_on(dependency("zlib-ng~new_strategies").when("@:1.14.3 ^[virtuals=zlib-api] zlib-ng"))
        .depends_on(dependency("mpi").when("+mpi"))
        .depends_on(dependency("mpich+fortran").when("+fortran +mpi ^[virtuals=mpi] mpich"))
        .depends_on(build_dependency("java").and_run().when("+java"))
        .depends_on(dependency("szip").when("+szip"))
}

fn limits(package: Package) -> Package {
    package
        .conflicts_all(apis_newer_than_the_release())
        .conflicts(conflict("+mpi").when("^mpich@4.0:4.0.3"))
        .conflicts(conflict("+java").when("~shared").message("the Java wrappers need the shared library"))
        .conflicts(conflict("+fortran").when("@:1.8.15 +shared"))
        .conflicts(conflict("+fortran +mpi").when("@1.8.22"))
        // Spack patches the Fortran tests of these for gcc 10, and the next one for `+mpi~cxx`.
        .conflicts(
            conflict("+fortran").when("@:1.8.21 %gcc@10:").message("gcc 10 and newer refuse its Fortran sources"),
        )
        .conflicts(
            conflict("+mpi ~cxx")
                .when("@1.8.10:1.8.21,1.10.0:1.10.5")
                .message("its header pulls in the C++ interface of MPI, which dependents can't link"),
        )
        .patch(
            fetched_patch(
                "https://salsa.debian.org/debian-gis-team/hdf5/raw/bf94804af5f80f662cad80a5527535b3c6537df6/debian/patches/gcc-8.patch",
                "57cee5ff1992b4098eda079815c36fc2da9b10e00a9056df054f2384c4fc7523",
            )
            .when("@1.10.2 %gcc@8:"),
        )
}

/// An API is offered from the release on that it is named after.
fn apis_newer_than_the_release() -> impl Iterator<Item = Conflict> {
    let last_without =
        [("v200", "1.14"), ("v114", "1.12"), ("v112", "1.10"), ("v110", "1.8"), ("v18", "1.6")];
    last_without.into_iter().map(|(api, release)| {
        conflict(&format!("api={api}"))
            .when(&format!("@1.6:{release}"))
            .message(&format!("{api} is not compatible with this release"))
    })
}
