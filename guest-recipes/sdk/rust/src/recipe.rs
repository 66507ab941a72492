use std::path::PathBuf;

use crate::bindings::spack_wasm::recipe::types::EnvironmentChange;
use crate::{Build, Package, Result, Spec};

/// A package recipe. Only [`Recipe::describe`] has no default.
pub trait Recipe {
    /// Declares the package. The same answer at each call.
    fn describe() -> Package;

    /// Changes the sources after they were unpacked and patched.
    ///
    /// # Errors
    /// The recipe can't.
    fn prepare(_build: &Build) -> Result {
        Ok(())
    }

    /// Runs a phase; by default what the spec's build system does in it.
    ///
    /// # Errors
    /// A tool failed, or the recipe can't.
    fn phase(build: &Build, phase: &str) -> Result
    where
        Self: Sized,
    {
        build.usual_phase::<Self>(phase)
    }

    /// The folder with `configure` or `CMakeLists.txt`.
    fn source_directory(build: &Build) -> PathBuf {
        build.source().to_owned()
    }

    /// The folder in which it is built: CMake's is outside of the sources, the others' is the source folder.
    fn build_directory(build: &Build) -> PathBuf {
        match build.build_system().as_str() {
            "cmake" => build.source().with_file_name("spack-build"),
            _ => Self::source_directory(build),
        }
    }

    /// Arguments of `configure` besides the prefix.
    fn configure_args(_build: &Build) -> Vec<String> {
        Vec::new()
    }

    /// Arguments of `cmake` besides the usual ones.
    fn cmake_args(_build: &Build) -> Vec<String> {
        Vec::new()
    }

    /// Targets of the phase `build`; empty: the default target.
    fn build_targets(_build: &Build) -> Vec<String> {
        Vec::new()
    }

    /// Targets of the phase `install`; empty: `install`.
    fn install_targets(_build: &Build) -> Vec<String> {
        Vec::new()
    }

    /// Targets that test the build; empty: the build system's own.
    fn check_targets(_build: &Build) -> Vec<String> {
        Vec::new()
    }

    /// The address of a version's archive; none: the host puts the version into the declared ones.
    fn url_for_version(_version: &str) -> Option<String> {
        None
    }

    /// Whether a variant whose values are a predicate may have this value.
    fn accepts_variant_value(_name: &str, _value: &str) -> bool {
        false
    }

    /// The libraries that dependents link against; none: `lib<name>` below the prefix.
    ///
    /// # Errors
    /// The recipe can't say.
    fn libraries(_spec: &Spec, _query: &[String]) -> Result<Option<Vec<PathBuf>>> {
        Ok(None)
    }

    /// The executable that stands for the package; none: `bin/<name>`.
    ///
    /// # Errors
    /// The recipe can't say.
    fn command(_spec: &Spec, _query: &[String]) -> Result<Option<PathBuf>> {
        Ok(None)
    }

    /// What dependents get by a name, for example `mpicc`.
    ///
    /// # Errors
    /// The recipe can't say.
    fn offered(_spec: &Spec, _name: &str) -> Result<Option<String>> {
        Ok(None)
    }

    /// Changes of the environment in which the package is built.
    ///
    /// # Errors
    /// The recipe can't say.
    fn build_environment(_spec: &Spec) -> Result<Vec<EnvironmentChange>> {
        Ok(Vec::new())
    }

    /// Changes of the environment in which it is used.
    ///
    /// # Errors
    /// The recipe can't say.
    fn run_environment(_spec: &Spec) -> Result<Vec<EnvironmentChange>> {
        Ok(Vec::new())
    }

    /// Changes of the environment in which a dependent is built.
    ///
    /// # Errors
    /// The recipe can't say.
    fn dependent_build_environment(_spec: &Spec, _dependent: &Spec) -> Result<Vec<EnvironmentChange>> {
        Ok(Vec::new())
    }

    /// Changes of the environment in which a dependent is used.
    ///
    /// # Errors
    /// The recipe can't say.
    fn dependent_run_environment(_spec: &Spec, _dependent: &Spec) -> Result<Vec<EnvironmentChange>> {
        Ok(Vec::new())
    }
}
