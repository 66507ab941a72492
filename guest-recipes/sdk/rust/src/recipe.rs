use std::path::PathBuf;

use crate::{
    Build, Environment, Found, FoundExecutable, Headers, Libraries, Package, PlacedFlags, Result, Spec, Test,
    TestOutcome,
};

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
    ///
    /// # Errors
    /// A dependency gives no answer that is needed for them.
    fn configure_args(_build: &Build) -> Result<Vec<String>> {
        Ok(Vec::new())
    }

    /// Arguments of `cmake` besides the usual ones.
    ///
    /// # Errors
    /// A dependency gives no answer that is needed for them.
    fn cmake_args(_build: &Build) -> Result<Vec<String>> {
        Ok(Vec::new())
    }

    /// Targets of the phase `build`; empty: the default target. A makefile takes `NAME=value` among them.
    ///
    /// # Errors
    /// A dependency gives no answer that is needed for them.
    fn build_targets(_build: &Build) -> Result<Vec<String>> {
        Ok(Vec::new())
    }

    /// Targets of the phase `install`; empty: `install`.
    ///
    /// # Errors
    /// A dependency gives no answer that is needed for them.
    fn install_targets(_build: &Build) -> Result<Vec<String>> {
        Ok(Vec::new())
    }

    /// Targets that test the build; empty: the build system's own.
    ///
    /// # Errors
    /// A dependency gives no answer that is needed for them.
    fn check_targets(_build: &Build) -> Result<Vec<String>> {
        Ok(Vec::new())
    }

    /// The address of a version's archive; none: the host puts the version into the declared ones.
    fn url_for_version(_version: &str) -> Option<String> {
        None
    }

    /// Whether a variant whose values are a predicate may have this value.
    fn accepts_variant_value(_name: &str, _value: &str) -> bool {
        false
    }

    /// What is wrong with the values of a variant that was declared as `validated`, in words for the user; none: nothing.
    fn check_variant_values(_name: &str, _values: &[String]) -> Option<String> {
        None
    }

    /// The installations that these executables belong to, by their specs, for example `hdf5@1.10.8 +cxx`; called for what the
    /// package's detection found.
    ///
    /// # Errors
    /// The recipe can't say.
    fn detect(_executables: &[FoundExecutable]) -> Result<Vec<Found>> {
        Ok(Vec::new())
    }

    /// The libraries that dependents link against; none: `lib<name>` below the prefix. `query` narrows it down as the recipe
    /// defines, for example to `hl` and `cxx`.
    ///
    /// # Errors
    /// The recipe can't say.
    fn libraries(_spec: &Spec, _query: &[String]) -> Result<Option<Libraries>> {
        Ok(None)
    }

    /// The headers that dependents include; none: `include` below the prefix.
    ///
    /// # Errors
    /// The recipe can't say.
    fn headers(_spec: &Spec, _query: &[String]) -> Result<Option<Headers>> {
        Ok(None)
    }

    /// The executable that stands for the package; none: `bin/<name>`.
    ///
    /// # Errors
    /// The recipe can't say.
    fn command(_spec: &Spec, _query: &[String]) -> Result<Option<PathBuf>> {
        Ok(None)
    }

    /// The package's home; none: the prefix.
    ///
    /// # Errors
    /// The recipe can't say.
    fn home(_spec: &Spec) -> Result<Option<PathBuf>> {
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
    fn build_environment(_spec: &Spec) -> Result<Environment> {
        Ok(Environment::new())
    }

    /// Changes of the environment in which it is used.
    ///
    /// # Errors
    /// The recipe can't say.
    fn run_environment(_spec: &Spec) -> Result<Environment> {
        Ok(Environment::new())
    }

    /// Changes of the environment in which a dependent is built.
    ///
    /// # Errors
    /// The recipe can't say.
    fn dependent_build_environment(_spec: &Spec, _dependent: &Spec) -> Result<Environment> {
        Ok(Environment::new())
    }

    /// Changes of the environment in which a dependent is used.
    ///
    /// # Errors
    /// The recipe can't say.
    fn dependent_run_environment(_spec: &Spec, _dependent: &Spec) -> Result<Environment> {
        Ok(Environment::new())
    }

    /// Where the user's compiler flags of a kind (`cflags`, `cxxflags`, ...) go; none: the compiler wrapper adds them.
    ///
    /// # Errors
    /// The recipe can't say.
    fn place_flags(_spec: &Spec, _kind: &str, _given: &[String]) -> Result<Option<PlacedFlags>> {
        Ok(None)
    }

    /// Runs one of the declared tests of the package as it is installed.
    ///
    /// # Errors
    /// It shows something else than it should.
    fn test(_test: &Test, name: &str) -> Result<TestOutcome> {
        Err(format!("the recipe declares the test '{name}' and does not define it").into())
    }
}
