use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::convert::is_package_name;

/// Why a folder is no repository of recipes.
#[derive(Debug, thiserror::Error)]
pub enum RepositoryError {
    /// `repo.yaml` can't be read.
    #[error("{} is not a repository of recipes: its repo.yaml can't be read", folder.display())]
    Read {
        /// The folder.
        folder: PathBuf,
        /// What the operating system says.
        #[source]
        source: std::io::Error,
    },
    /// `repo.yaml` says something else than a namespace.
    #[error("{}/repo.yaml does not name a namespace (expected are the lines 'repo:' and '  namespace: NAME'): {reason}", folder.display())]
    Malformed {
        /// The folder.
        folder: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// Two repositories with one namespace.
    #[error("{} has the namespace '{namespace}', which another repository has already", folder.display())]
    NamespaceTaken {
        /// The folder.
        folder: PathBuf,
        /// The namespace.
        namespace: String,
    },
}

/// A folder with `repo.yaml` and `packages/<name>/recipe.wasm`, each beside the recipe's own files.
#[derive(Clone, Debug)]
pub(crate) struct FolderRepository {
    folder: PathBuf,
    namespace: String,
}

#[derive(Deserialize)]
struct RepoFile {
    repo: RepoSection,
}

#[derive(Deserialize)]
struct RepoSection {
    namespace: String,
}

impl FolderRepository {
    pub(crate) fn open(folder: &Path) -> Result<Self, RepositoryError> {
        let text = fs_err::read_to_string(folder.join("repo.yaml"))
            .map_err(|source| RepositoryError::Read { folder: folder.to_owned(), source })?;
        let malformed = |reason: String| RepositoryError::Malformed { folder: folder.to_owned(), reason };
        let file: RepoFile = serde_saphyr::from_str(&text).map_err(|error| malformed(error.to_string()))?;
        let namespace = file.repo.namespace;
        if !namespace.split('.').all(is_package_name) {
            return Err(malformed(format!("'{}' is not a namespace", namespace.escape_debug())));
        }
        Ok(Self { folder: folder.to_owned(), namespace })
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(crate) fn namespace(&self) -> &str {
        &self.namespace
    }

    /// The component of a package's recipe.
    pub(crate) fn recipe(&self, name: &str) -> Option<PathBuf> {
        let file = self.folder.join("packages").join(name).join("recipe.wasm");
        (is_package_name(name) && file.is_file()).then_some(file)
    }

    /// The packages that have a recipe, sorted. A folder that can't be read has none.
    pub(crate) fn names(&self) -> Vec<String> {
        let Ok(entries) = fs_err::read_dir(self.folder.join("packages")) else { return Vec::new() };
        let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        let mut names: Vec<_> = names.filter(|name| self.recipe(name).is_some()).collect();
        names.sort();
        names
    }
}
