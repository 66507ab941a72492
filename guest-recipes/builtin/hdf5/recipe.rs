//! HDF5, by its own configure script: a fresh machine has no CMake.

mod configure;
mod declared;
mod detected;
mod offered;
mod settings;
mod tested;
mod versions;

use spack_wasm_sdk::prelude::*;

struct Hdf5;

impl Recipe for Hdf5 {
    fn describe() -> Package {
        declared::hdf5()
    }

    /// `h5fget_file_image_c` writes to `buf_size`, which its Fortran interface declares as input only, so that compilers which
    /// take that at its word go wrong.
    fn prepare(build: &Build) -> Result {
        for file in ["fortran/src/H5Fff.F90", "fortran/src/H5Fff_F03.f90"] {
            let path = build.source().join(file);
            if path.exists() {
                let argument = |intent| format!("INTEGER(SIZE_T), INTENT({intent}) :: buf_size");
                build.filter_file(path, &argument("IN"), &argument("OUT"))?;
            }
        }
        Ok(())
    }

    fn phase(build: &Build, phase: &str) -> Result {
        build.usual_phase::<Self>(phase)?;
        match phase {
            "configure" => settings::forget_the_build_machine(build),
            _ => Ok(()),
        }
    }

    fn configure_args(build: &Build) -> Result<Vec<String>> {
        configure::arguments(build)
    }

    fn url_for_version(version: &str) -> Option<String> {
        versions::url(version)
    }

    fn build_environment(spec: &Spec) -> Result<Environment> {
        let mut changes = Environment::new();
        if spec.has("@:1.8.21,1.10.0:1.10.5 +szip") {
            changes.set_path("SZIP_INSTALL", spec.dependency("szip")?.prefix());
        }
        Ok(changes)
    }

    fn libraries(spec: &Spec, query: &[String]) -> Result<Option<Libraries>> {
        offered::libraries(spec, query).map(Some)
    }

    fn test(test: &Test, name: &str) -> Result<TestOutcome> {
        match name {
            tested::VERSIONS => Ok(tested::versions(test)),
            other => Err(format!("hdf5 has no test '{other}'").into()),
        }
    }

    fn detect(executables: &[FoundExecutable]) -> Result<Vec<Found>> {
        let specs = executables.iter().filter_map(|executable| detected::spec(&executable.output));
        Ok(specs.map(Found::from).collect())
    }
}

recipe!(Hdf5);
