//! Submodules: each is a repository of its own, at the commit that its parent names.

use std::path::{Component, Path, PathBuf};

use reqwest::Url;

use super::repository::Repository;
use super::{Git, GitError, Observer, Tree, Wanted};

/// More than any repository has, many times over.
const MOST: usize = 500;
/// How deep they may be within each other.
const DEEPEST: usize = 8;

/// A submodule that its parent declares.
struct Declared {
    path: String,
    url: String,
}

/// A repository whose submodules are still to be fetched.
struct Parent {
    repository: Repository,
    below: PathBuf,
    depth: usize,
}

impl Git<'_> {
    /// The trees of the submodules of a repository, and of theirs. `paths` chooses among the repository's own.
    pub(super) async fn submodules(
        &self,
        root: Repository,
        paths: &[String],
        observer: Observer<'_>,
    ) -> Result<Vec<Tree>, GitError> {
        let folder = root.folder().to_owned();
        let mut trees = Vec::new();
        let mut parents = vec![Parent { repository: root, below: PathBuf::new(), depth: 0 }];
        while let Some(parent) = parents.pop() {
            for declared in declared(&parent).await? {
                let wanted = parent.depth > 0 || paths.is_empty() || paths.contains(&declared.path);
                if !wanted {
                    continue;
                }
                if trees.len() == MOST || parent.depth == DEEPEST {
                    return Err(wrong(&declared.path, "there are too many of them"));
                }
                let place = folder.join(format!("submodule-{}", trees.len()));
                let child = self.submodule(&parent, &declared, &place, observer).await?;
                trees.push(child.repository.archive(&child.below).await?);
                parents.push(child);
            }
        }
        Ok(trees)
    }

    async fn submodule(
        &self,
        parent: &Parent,
        declared: &Declared,
        place: &Path,
        observer: Observer<'_>,
    ) -> Result<Parent, GitError> {
        let path = &declared.path;
        if !Path::new(path).components().all(|part| matches!(part, Component::Normal(_))) {
            return Err(wrong(path, "its path leads out of the repository"));
        }
        let commit = parent.repository.submodule(path).await?;
        let commit = commit.ok_or_else(|| wrong(path, "its parent names no commit for it"))?;
        let url = resolved(parent.repository.url(), &declared.url);
        let url = url.ok_or_else(|| wrong(path, "it has no address"))?;
        let wanted = Wanted { url, commit: Some(commit), reference: None };
        let repository = self.repository(&wanted, place, observer).await;
        let repository = repository.map_err(|error| wrong(path, error.to_string()))?;
        Ok(Parent { repository, below: parent.below.join(path), depth: parent.depth + 1 })
    }
}

/// What `.gitmodules` declares.
async fn declared(parent: &Parent) -> Result<Vec<Declared>, GitError> {
    if !parent.repository.has_file(".gitmodules").await {
        return Ok(Vec::new());
    }
    let settings = parent.repository.settings(".gitmodules", r"^submodule\..*\.(path|url)$").await?;
    let value = |name: &str| settings.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone());
    let names = settings.iter().filter_map(|(name, _)| name.strip_suffix(".path"));
    Ok(names
        .filter_map(|name| {
            Some(Declared { path: value(&format!("{name}.path"))?, url: value(&format!("{name}.url"))? })
        })
        .collect())
}

/// A submodule's address may be relative to its parent's.
fn resolved(parent: &str, url: &str) -> Option<String> {
    if !(url.starts_with("./") || url.starts_with("../")) {
        return Some(url.to_owned());
    }
    let folder = format!("{}/", parent.trim_end_matches('/'));
    Some(Url::parse(&folder).ok()?.join(url).ok()?.to_string())
}

fn wrong(path: &str, reason: impl Into<String>) -> GitError {
    GitError::Submodule { path: path.escape_debug().to_string(), reason: reason.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn relative_addresses_are_relative_to_the_parents() {
        let of = |url| resolved("https://example.org/group/parent.git", url).unwrap();
        assert_eq!(of("../child.git"), "https://example.org/group/child.git");
        assert_eq!(of("../../other/child.git"), "https://example.org/other/child.git");
        assert_eq!(of("https://elsewhere.org/x"), "https://elsewhere.org/x");
    }
}
