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
    #[error("{}/repo.yaml{}: {reason}; expected are the lines `repo:` and `  namespace: NAME`", folder.display(), line.map(|line| format!(":{line}")).unwrap_or_default())]
    Malformed {
        /// The folder.
        folder: PathBuf,
        /// The line, where the mistake has one.
        line: Option<u64>,
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
        let malformed =
            |(line, reason)| RepositoryError::Malformed { folder: folder.to_owned(), line, reason };
        let namespace = namespace(&text).map_err(malformed)?;
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

/// The namespace that the text of a `repo.yaml` names, or what is wrong with it and in which line.
fn namespace(text: &str) -> Result<String, (Option<u64>, String)> {
    // An empty text is no error of the YAML's.
    let file: Option<RepoFile> = serde_saphyr::from_str(text).map_err(|error| {
        let error = error.without_snippet();
        (error.location().map(|location| location.line()), without_position(&error.to_string()))
    })?;
    let namespace = file.ok_or_else(|| (None, "it is empty".to_owned()))?.repo.namespace;
    if namespace.split('.').all(is_package_name) {
        Ok(namespace)
    } else {
        Err((None, format!("'{}' is not a namespace", namespace.escape_debug())))
    }
}

/// The message alone: the place is told in front of it.
fn without_position(message: &str) -> String {
    message.rfind(" at line ").map_or(message, |end| &message[..end]).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mistake_is_told_with_its_line() {
        assert_eq!(namespace("repo:\n  namespace: mine\n").unwrap(), "mine");
        assert_eq!(namespace("").unwrap_err(), (None, "it is empty".to_owned()));
        let (line, reason) = namespace("# mine\nrepo: [namespace\n").unwrap_err();
        assert_eq!(line, Some(2), "{reason}");
        assert!(!reason.contains('\n') && !reason.contains("<input>"), "{reason}");
        let (line, reason) = namespace("repo:\n  namespac: mine\n").unwrap_err();
        assert!(line.is_some() && reason.contains("namespac"), "{line:?} {reason}");
        assert_eq!(namespace("repo:\n  namespace: ../x\n").unwrap_err().1, "'../x' is not a namespace");
    }
}
