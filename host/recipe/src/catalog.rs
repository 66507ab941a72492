use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use fs_err::os::unix::fs::OpenOptionsExt;
use rustix::fs::OFlags;
use spack_wasm_package::{Package, Repository, provides};

use crate::convert::MetadataError;
use crate::folder_repository::{FolderRepository, RepositoryError};
use crate::{FilesError, LoadError, Recipe, RecipeFiles, RecipeHost, RecipeSource, RunError};

/// The largest component that is read, in bytes.
const LARGEST: u64 = 256 << 20;

/// A recipe that is part of the program.
#[derive(Clone, Copy, Debug)]
pub struct Embedded {
    name: &'static str,
    component: &'static [u8],
    compiled: &'static [u8],
    files: EmbeddedFiles,
}

/// Files that are part of the program, by their paths.
pub type EmbeddedFiles = &'static [(&'static str, &'static [u8])];

impl Embedded {
    /// A recipe by its package's name, its component, the component compiled ahead of time, and the recipe's own files.
    ///
    /// # Safety
    /// `compiled` must come from [`RecipeHost::precompile`] with `component`, unchanged: it is native code that will be run.
    #[expect(unsafe_code, reason = "compiled code can't be checked; the caller vouches for it")]
    pub const unsafe fn new(
        name: &'static str,
        component: &'static [u8],
        compiled: &'static [u8],
        files: EmbeddedFiles,
    ) -> Self {
        Self { name, component, compiled, files }
    }
}

/// A recipe with what it declares.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The recipe.
    pub recipe: Arc<Recipe>,
    /// Its declarations.
    pub package: Arc<Package>,
    /// The component's bytes, kept in the prefix of what it builds.
    pub component: Arc<[u8]>,
    /// Where it was taken from, for people: a file, or `builtin`.
    pub origin: String,
}

/// A recipe that can't be used.
#[derive(Debug, thiserror::Error)]
pub enum CatalogError {
    /// The file can't be read.
    #[error("the recipe {origin} can't be read")]
    Read {
        /// The file.
        origin: String,
        /// What the operating system says.
        #[source]
        source: std::io::Error,
    },
    /// The component is none that this host can run.
    #[error("{origin} can't be used as a recipe")]
    Load {
        /// The file, or `builtin`.
        origin: String,
        /// Why.
        #[source]
        source: LoadError,
    },
    /// Its own files can't be had.
    #[error("{origin} can't be used as a recipe")]
    Files {
        /// The component's file.
        origin: String,
        /// Why.
        #[source]
        source: FilesError,
    },
    /// It does not say what it declares.
    #[error("{origin} does not describe its package")]
    Describe {
        /// The file, or `builtin`.
        origin: String,
        /// Why.
        #[source]
        source: RunError,
    },
    /// What it declares makes no sense.
    #[error("{origin} declares something that makes no sense")]
    Metadata {
        /// The file, or `builtin`.
        origin: String,
        /// What.
        #[source]
        source: MetadataError,
    },
    /// A repository.
    #[error(transparent)]
    Repository(#[from] RepositoryError),
}

/// All recipes that are known: single files first, then repositories in their order, then those of the program.
#[derive(Debug)]
pub struct Catalog {
    host: RecipeHost,
    namespace: &'static str,
    embedded: BTreeMap<&'static str, Embedded>,
    repositories: Vec<FolderRepository>,
    singles: BTreeMap<String, Entry>,
    loaded: Mutex<BTreeMap<String, Option<Entry>>>,
    problems: Mutex<Vec<CatalogError>>,
}

impl Catalog {
    /// A catalog of the recipes of the program, whose namespace is `namespace`.
    pub fn new(host: RecipeHost, namespace: &'static str, embedded: &[Embedded]) -> Self {
        Self {
            host,
            namespace,
            embedded: embedded.iter().map(|recipe| (recipe.name, *recipe)).collect(),
            repositories: Vec::new(),
            singles: BTreeMap::new(),
            loaded: Mutex::default(),
            problems: Mutex::default(),
        }
    }

    /// Adds a folder with `repo.yaml` and `packages/<name>/recipe.wasm`, behind those that were added before.
    ///
    /// # Errors
    /// It is no such folder, or its namespace is taken.
    pub fn add_repository(&mut self, folder: &Path) -> Result<(), CatalogError> {
        let repository = FolderRepository::open(folder)?;
        let taken = repository.namespace() == self.namespace
            || self.repositories.iter().any(|known| known.namespace() == repository.namespace());
        if taken {
            let namespace = repository.namespace().to_owned();
            return Err(RepositoryError::NamespaceTaken { folder: folder.to_owned(), namespace }.into());
        }
        self.repositories.push(repository);
        Ok(())
    }

    /// Adds one recipe from a file, before all repositories; returns its package's name.
    ///
    /// Of what lies beside it only `files/`, `patches/`, `*.patch` and `*.diff` are its own: the folder may be a home.
    ///
    /// # Errors
    /// The file is no recipe that this host can run, or what it declares makes no sense.
    pub fn add_recipe(&mut self, file: &Path) -> Result<String, CatalogError> {
        let origin = || file.display().to_string();
        let (name, namespace) = (String::new(), "local".to_owned());
        // The folder may hold anything: a target folder of cargo's, a home.
        let files = own_files(file, RecipeFiles::read_by_name, origin)?;
        let entry = self.read(file, RecipeSource { name, namespace, files })?;
        let name = entry.package.name.clone();
        self.singles.insert(name.clone(), entry);
        Ok(name)
    }

    /// The recipe of a package; none where nobody has one.
    ///
    /// # Errors
    /// There is one, and it can't be used.
    pub fn entry(&self, name: &str) -> Result<Option<Entry>, CatalogError> {
        if let Some(entry) = self.singles.get(name) {
            return Ok(Some(entry.clone()));
        }
        if let Some(known) = lock(&self.loaded).get(name) {
            return Ok(known.clone());
        }
        let entry = self.find(name)?;
        lock(&self.loaded).insert(name.to_owned(), entry.clone());
        Ok(entry)
    }

    fn find(&self, name: &str) -> Result<Option<Entry>, CatalogError> {
        for repository in &self.repositories {
            if let Some(file) = repository.recipe(name) {
                let namespace = repository.namespace().to_owned();
                let files = own_files(&file, RecipeFiles::read, || file.display().to_string())?;
                let source = RecipeSource { name: name.to_owned(), namespace, files };
                return self.read(&file, source).map(Some);
            }
        }
        self.embedded.get(name).map(|embedded| self.embedded(embedded)).transpose()
    }

    fn embedded(&self, embedded: &Embedded) -> Result<Entry, CatalogError> {
        let source = RecipeSource {
            name: embedded.name.to_owned(),
            namespace: self.namespace.to_owned(),
            files: RecipeFiles::embedded(embedded.files),
        };
        let origin = || self.namespace.to_owned();
        #[expect(unsafe_code, reason = "whoever made the `Embedded` vouches for it")]
        // SAFETY: the promise of `Embedded::new`.
        let loaded = unsafe { self.host.load_precompiled(embedded.compiled, embedded.component, source) };
        let recipe = loaded.map_err(|source| CatalogError::Load { origin: origin(), source })?;
        describe(recipe, embedded.component.into(), origin())
    }

    fn read(&self, file: &Path, source: RecipeSource) -> Result<Entry, CatalogError> {
        let origin = || file.display().to_string();
        let bytes = read_component(file).map_err(|source| CatalogError::Read { origin: origin(), source })?;
        let loaded = self.host.load(&bytes, source);
        let recipe = loaded.map_err(|source| CatalogError::Load { origin: origin(), source })?;
        describe(recipe, bytes.into(), origin())
    }

    /// The names that more than one repository has, with the namespace that wins and those that lose.
    pub fn shadowed(&self) -> Vec<(String, Vec<String>)> {
        let mut holders: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for repository in &self.repositories {
            for name in repository.names() {
                holders.entry(name).or_default().push(repository.namespace().to_owned());
            }
        }
        for name in self.embedded.keys() {
            holders.entry((*name).to_owned()).or_default().push(self.namespace.to_owned());
        }
        holders.into_iter().filter(|(_, namespaces)| namespaces.len() > 1).collect()
    }

    /// The recipes that could not be used since the last call: the concretizer took them for absent.
    pub fn take_problems(&self) -> Vec<CatalogError> {
        std::mem::take(&mut *lock(&self.problems))
    }
}

/// The bytes of a component. What is no file is not waited for: a FIFO might have no other end.
fn read_component(path: &Path) -> std::io::Result<Vec<u8>> {
    let open = fs_err::OpenOptions::new()
        .read(true)
        .custom_flags(OFlags::NONBLOCK.bits().cast_signed())
        .open(path)?;
    if !open.metadata()?.is_file() {
        return Err(std::io::Error::other(format!("{} is not a file", path.display())));
    }
    let mut bytes = Vec::new();
    open.take(LARGEST + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LARGEST {
        let most = LARGEST >> 20;
        return Err(std::io::Error::other(format!("{} has more than {most} MiB", path.display())));
    }
    Ok(bytes)
}

/// The recipe's own files, in the folder of its component.
fn own_files(
    file: &Path,
    read: impl Fn(&Path) -> Result<RecipeFiles, FilesError>,
    origin: impl Fn() -> String,
) -> Result<RecipeFiles, CatalogError> {
    let parent = file.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = parent.unwrap_or(Path::new("."));
    // A component that is not there is said as such.
    if !folder.is_dir() {
        return Ok(RecipeFiles::default());
    }
    read(folder).map_err(|source| CatalogError::Files { origin: origin(), source })
}

fn describe(recipe: Recipe, component: Arc<[u8]>, origin: String) -> Result<Entry, CatalogError> {
    let described = recipe.describe();
    let metadata = described.map_err(|source| CatalogError::Describe { origin: origin.clone(), source })?;
    let recipe = recipe.named(&metadata.name);
    let package = recipe.package(metadata).and_then(|package| {
        recipe.check_addresses(&package)?;
        Ok(package)
    });
    let package = package.map_err(|source| CatalogError::Metadata { origin: origin.clone(), source })?;
    Ok(Entry { recipe: Arc::new(recipe), package: Arc::new(package), component, origin })
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Repository for Catalog {
    fn package(&self, name: &str) -> Option<Arc<Package>> {
        match self.entry(name) {
            Ok(entry) => entry.map(|entry| entry.package),
            Err(error) => {
                lock(&self.loaded).insert(name.to_owned(), None);
                lock(&self.problems).push(error);
                None
            }
        }
    }

    fn providers(&self, name: &str) -> Vec<String> {
        let packages: Vec<_> = self.names().iter().filter_map(|name| self.package(name)).collect();
        provides(packages.iter().map(Arc::as_ref), name)
    }

    fn names(&self) -> Vec<String> {
        let embedded = self.embedded.keys().map(|name| (*name).to_owned());
        let repositories = self.repositories.iter().flat_map(FolderRepository::names);
        let names: BTreeSet<String> =
            self.singles.keys().cloned().chain(repositories).chain(embedded).collect();
        names.into_iter().collect()
    }

    fn virtual_names(&self) -> Vec<String> {
        let packages = self.names().into_iter().filter_map(|name| self.package(&name));
        let names: BTreeSet<String> = packages
            .flat_map(|package| {
                package
                    .provides
                    .iter()
                    .filter_map(|provided| provided.name().map(str::to_owned))
                    .collect::<Vec<_>>()
            })
            .collect();
        names.into_iter().collect()
    }
}

/// The folder of a repository, as `repo list` shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RepositoryInfo {
    /// Its namespace.
    pub namespace: String,
    /// Where it is; none for the program's own.
    pub folder: Option<PathBuf>,
    /// How many recipes it has.
    pub recipes: usize,
}

impl Catalog {
    /// The repositories in the order in which they are searched.
    pub fn repositories(&self) -> Vec<RepositoryInfo> {
        let folders = self.repositories.iter().map(|repository| RepositoryInfo {
            namespace: repository.namespace().to_owned(),
            folder: Some(repository.folder().to_owned()),
            recipes: repository.names().len(),
        });
        let own = RepositoryInfo {
            namespace: self.namespace.to_owned(),
            folder: None,
            recipes: self.embedded.len(),
        };
        folders.chain([own]).collect()
    }
}

#[cfg(test)]
mod tests {
    use rustix::fs::{CWD, FileType, Mode, mknodat};

    use super::*;

    #[test]
    fn what_is_no_file_or_too_large_is_not_read() {
        let folder = tempfile::tempdir().unwrap();
        let (pipe, large) = (folder.path().join("pipe"), folder.path().join("large"));
        mknodat(CWD, &pipe, FileType::Fifo, Mode::from_raw_mode(0o600), 0).unwrap();
        fs_err::File::create(&large).unwrap().set_len(LARGEST + 1).unwrap();
        let refused = |path: &Path| read_component(path).unwrap_err().to_string();
        assert_eq!(refused(&pipe), format!("{} is not a file", pipe.display()));
        assert_eq!(refused(folder.path()), format!("{} is not a file", folder.path().display()));
        assert_eq!(refused(&large), format!("{} has more than 256 MiB", large.display()));
    }
}
