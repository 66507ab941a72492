//! What the commands share: made of the command line, the environment and the configuration.

use std::path::{Path, PathBuf};

use spack_wasm_build::chain;
use spack_wasm_builtin::{NAMESPACE, RECIPES};
use spack_wasm_machine::{External, ExternalCache, Inputs, Machine, best_target, find_externals};
use spack_wasm_recipe_host::{Catalog, CatalogError, Limits, RecipeHost, RepositoryError};
use spack_wasm_solve::{ExternalPackage, Facts};
use spack_wasm_spec::{Architecture, Version, same_family};
use spack_wasm_store::{Store, StoreAccess, StoreOptions};

use crate::args::{Format, Globals};
use crate::config::{self, Settings};
use crate::environment::Environment;
use crate::error::CommandError;
use crate::paths::Paths;
use crate::ui::Ui;

/// What the program calls itself in records and to servers.
pub(crate) const PROGRAM: &str = concat!("spack-wasm-", env!("CARGO_PKG_VERSION"));

/// Folders of programs that are looked into first.
const STANDARD_PATH: [&str; 3] = ["/usr/bin", "/bin", "/usr/local/bin"];

/// What the commands share.
#[derive(Debug)]
pub(crate) struct Session {
    /// The terminal.
    pub(crate) ui: Ui,
    /// What the process was given.
    pub(crate) environment: Environment,
    /// Where things are.
    pub(crate) paths: Paths,
    /// The configuration.
    pub(crate) settings: Settings,
    /// How results are written.
    pub(crate) format: Format,
}

impl Session {
    /// Reads the configuration.
    ///
    /// # Errors
    /// Something in it is wrong, or there is no home.
    pub(crate) fn new(ui: Ui, environment: Environment, globals: &Globals) -> Result<Self, CommandError> {
        let paths = Paths::new(&environment)?;
        let settings = config::load(&paths, &globals.config)?;
        ui.debug(|| {
            format!("configuration from {}, store {}", paths.config.display(), settings.store.display())
        });
        Ok(Self { ui, environment, paths, settings, format: globals.format.unwrap_or_default() })
    }

    /// Refuses a form of output that the command does not have.
    ///
    /// # Errors
    /// It is not among `known`.
    pub(crate) fn expect_format(&self, known: &[Format]) -> Result<(), CommandError> {
        if known.contains(&self.format) {
            return Ok(());
        }
        let name = format!("{:?}", self.format).to_lowercase();
        Err(CommandError::usage(format!("this command has no output in the format `{name}`")))
    }

    /// Whether results are written as JSON.
    pub(crate) fn is_json(&self, flag: bool) -> bool {
        flag || self.format == Format::Json
    }

    /// Whether there is a store; also where nobody can tell, so that opening it says why.
    pub(crate) fn has_store(&self) -> bool {
        !matches!(self.settings.store.try_exists(), Ok(false))
    }

    /// Opens the store for changes.
    ///
    /// # Errors
    /// It can't be opened or made.
    pub(crate) fn store(&self) -> Result<Store, CommandError> {
        Ok(Store::open(&self.settings.store, StoreOptions::default())?)
    }

    /// Opens the store for questions; nothing is made. `None` where there is no store yet.
    ///
    /// # Errors
    /// It can't be opened.
    pub(crate) fn store_for_reading(&self) -> Result<Option<Store>, CommandError> {
        if !self.has_store() {
            return Ok(None);
        }
        let options = StoreOptions { access: StoreAccess::Read, ..StoreOptions::default() };
        Ok(Some(Store::open(&self.settings.store, options)?))
    }

    /// All recipes: those in `files`, those of the configured folders, and the program's own. Gives the packages'
    /// names of the files, too.
    ///
    /// # Errors
    /// A folder is no repository, or a file no recipe.
    pub(crate) fn catalog(&self, files: &[PathBuf]) -> Result<(Catalog, Vec<String>), CommandError> {
        self.paths.make_cache()?;
        let host = RecipeHost::new(Some(&self.paths.recipes()), Limits::default())
            .map_err(|error| CommandError::caused("recipes can't be run", &error))?;
        let mut catalog = Catalog::new(host, NAMESPACE, RECIPES);
        for folder in &self.settings.repositories {
            add_repository(&mut catalog, folder)?;
        }
        let base = &self.environment.working_directory;
        let names = files.iter().map(|file| catalog.add_recipe(&base.join(file)));
        let names = names.collect::<Result<_, _>>()?;
        Ok((catalog, names))
    }

    /// This machine.
    pub(crate) fn machine(&self) -> Machine {
        Machine::detect(&Inputs::default())
    }

    /// What the concretizer has to know of this machine and its configuration.
    ///
    /// # Errors
    /// The folder of caches can't be made.
    pub(crate) fn facts(&self, machine: &Machine) -> Result<Facts, CommandError> {
        let found = self.found_externals()?;
        let target = target(machine, &found);
        let required = self.settings.packages.target.clone();
        let target = required.filter(|required| same_family(required, &target)).unwrap_or(target);
        let (platform, os) = (machine.platform.clone(), machine.os.clone());
        let mut facts = Facts::new(Architecture { platform, os, target });
        facts.externals.clone_from(&self.settings.packages.externals);
        facts.externals.extend(found.into_iter().map(external));
        facts.preferences = self.settings.packages.preferences.clone();
        facts.allow_deprecated = self.settings.deprecated;
        Ok(facts)
    }

    fn found_externals(&self) -> Result<Vec<External>, CommandError> {
        self.paths.make_cache()?;
        let standard = STANDARD_PATH.iter().map(PathBuf::from);
        let own = self.environment.path.iter().filter(|folder| folder.is_absolute()).cloned();
        let mut path: Vec<PathBuf> = Vec::new();
        for folder in standard.chain(own) {
            if !path.contains(&folder) {
                path.push(folder);
            }
        }
        let mut cache = ExternalCache::load(&self.paths.externals());
        let found = find_externals(&path, &mut cache);
        if let Err(error) = cache.save(&self.paths.externals()) {
            self.ui.warn(&chain(&error));
        }
        self.ui.debug(|| {
            let names = found.iter().map(|external| format!("{}@{}", external.name, external.version));
            format!("externals: {}", names.collect::<Vec<_>>().join(" "))
        });
        Ok(found)
    }
}

fn add_repository(catalog: &mut Catalog, folder: &Path) -> Result<(), CommandError> {
    catalog.add_repository(folder).map_err(|error| {
        let absent = matches!(error, CatalogError::Repository(RepositoryError::Read { .. }));
        let what = if absent { "if it is gone for good" } else { "to do without it" };
        let hint = format!("`spack-wasm repo remove {}` {what}", folder.display());
        CommandError::from(error).hinted(hint)
    })
}

/// The best target that the first C compiler can build for; the generic one where there is no compiler that is known.
fn target(machine: &Machine, externals: &[External]) -> String {
    let compiler = externals.iter().find(|external| external.executables.contains_key("c"));
    let best = compiler.and_then(|found| best_target(&machine.target, &found.name, &found.version).ok());
    best.unwrap_or_else(|| machine.target_family.clone())
}

fn external(found: External) -> ExternalPackage {
    let mut virtuals: std::collections::BTreeSet<String> =
        found.languages().into_iter().map(|language| language.name().to_owned()).collect();
    if matches!(found.name.as_str(), "pkgconf" | "pkg-config") {
        virtuals.insert("pkgconfig".to_owned());
    }
    ExternalPackage {
        version: Version::new(found.version),
        name: found.name,
        variants: std::collections::BTreeMap::default(),
        prefix: found.prefix,
        executables: found.executables,
        virtuals,
    }
}
