//! Where things are unless the configuration says otherwise.

use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use crate::environment::{Environment, USER_CACHE_PATH, USER_CONFIG_PATH};
use crate::error::CommandError;

/// The user's folder in Spack.
const SPACK_FOLDER: &str = ".spack";
/// Our own folder in the home.
const OWN_FOLDER: &str = ".spack-wasm";

/// Folders and files, all absolute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Paths {
    /// The user's home.
    pub(crate) home: Option<PathBuf>,
    /// The user's name.
    pub(crate) user: Option<String>,
    /// The folder for temporary files.
    pub(crate) temporary: PathBuf,
    /// What relative paths are read against.
    pub(crate) working_directory: PathBuf,
    /// The user's configuration.
    pub(crate) config: PathBuf,
    /// Spack's folder of caches and reports.
    pub(crate) user_cache: PathBuf,
    /// Our own caches.
    pub(crate) cache: PathBuf,
    /// The store.
    pub(crate) store: PathBuf,
    /// Stages of builds.
    pub(crate) stages: PathBuf,
    /// Downloaded archives.
    pub(crate) sources: PathBuf,
    /// Saved reports for a Spackmon server.
    pub(crate) reports: PathBuf,
}

impl Paths {
    /// The paths for a user.
    ///
    /// # Errors
    /// There is no home, and a variable that could stand in for it is missing.
    pub(crate) fn new(environment: &Environment) -> Result<Self, CommandError> {
        let base = &environment.working_directory;
        let in_home = |folder: &str| environment.home.as_ref().map(|home| base.join(home).join(folder));
        let chosen = |variable: &Option<PathBuf>, name: &str| {
            let chosen = variable.as_ref().map(|path| base.join(path));
            chosen.or_else(|| in_home(SPACK_FOLDER)).ok_or_else(|| no_home(name))
        };
        let config = chosen(&environment.user_config_path, USER_CONFIG_PATH)?;
        let user_cache = chosen(&environment.user_cache_path, USER_CACHE_PATH)?;
        let cache = user_cache.join("spack-wasm");
        Ok(Self {
            store: in_home(OWN_FOLDER).unwrap_or_else(|| cache.clone()).join("store"),
            stages: cache.join("stage"),
            sources: cache.join("sources"),
            reports: user_cache.join("reports").join("monitor"),
            home: environment.home.clone(),
            user: environment.user.clone(),
            temporary: environment.temporary.clone(),
            working_directory: base.clone(),
            config,
            user_cache,
            cache,
        })
    }

    /// Recipes that were compiled.
    pub(crate) fn recipes(&self) -> PathBuf {
        self.cache.join("recipes")
    }

    /// Helper programs of the sandbox.
    pub(crate) fn tools(&self) -> PathBuf {
        self.cache.join("tools")
    }

    /// What programs of the machine said of their versions.
    pub(crate) fn externals(&self) -> PathBuf {
        self.cache.join("externals.json")
    }

    /// The state of the registry mirror `apt`.
    pub(crate) fn apt(&self) -> PathBuf {
        self.cache.join("apt")
    }

    /// Where the logs of failed builds are found.
    pub(crate) fn failed_logs(&self) -> PathBuf {
        self.cache.join("failed")
    }

    /// Makes the folder of our caches, which nobody else may enter: compiled recipes in it are run.
    ///
    /// # Errors
    /// It can't be made.
    pub(crate) fn make_cache(&self) -> Result<(), CommandError> {
        make_private(&self.cache)
    }
}

/// Makes a folder and those above it; the ones that are new are the user's alone.
pub(crate) fn make_private(folder: &Path) -> Result<(), CommandError> {
    let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder);
    made.map_err(|error| {
        CommandError::failure(format!("the folder {} can't be made: {error}", folder.display()))
            .hinted(format!("set {USER_CACHE_PATH} to a folder that you may write"))
    })
}

fn no_home(variable: &str) -> CommandError {
    CommandError::failure("you have no home folder").hinted(format!("set HOME, or {variable} to a folder"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_move_the_folders() {
        let environment = Environment {
            home: Some("/home/u".into()),
            working_directory: "/work".into(),
            ..Environment::default()
        };
        let paths = Paths::new(&environment).unwrap();
        assert_eq!(paths.config, Path::new("/home/u/.spack"));
        assert_eq!(paths.store, Path::new("/home/u/.spack-wasm/store"));
        assert_eq!(paths.reports, Path::new("/home/u/.spack/reports/monitor"));
        assert_eq!(paths.tools(), Path::new("/home/u/.spack/spack-wasm/tools"));

        let moved = Environment { user_cache_path: Some("c".into()), ..environment };
        let paths = Paths::new(&moved).unwrap();
        assert_eq!(paths.cache, Path::new("/work/c/spack-wasm"));
        assert_eq!(paths.config, Path::new("/home/u/.spack"));
    }

    #[test]
    fn without_a_home_the_variables_are_enough() {
        let environment = Environment {
            working_directory: "/".into(),
            user_config_path: Some("/cfg".into()),
            user_cache_path: Some("/cache".into()),
            ..Environment::default()
        };
        assert_eq!(Paths::new(&environment).unwrap().store, Path::new("/cache/spack-wasm/store"));
        let error = Paths::new(&Environment::default()).unwrap_err();
        assert_eq!(error.hints, ["set HOME, or SPACK_USER_CONFIG_PATH to a folder"]);
    }
}
