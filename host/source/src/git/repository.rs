//! One repository, bare, with the wanted commit in it.

use std::path::{Path, PathBuf};

use fs_err as fs;

use super::names::{Commit, Reference};
use super::program::Program;
use super::{GitError, Tree, Wanted};
use crate::request::Origin;

/// What the commit is called in the repository.
const WANTED: &str = "refs/spack-wasm/wanted";

/// Attributes that leave things out of an archive, or write into it, do not count: the tree is to be what a checkout has.
const ATTRIBUTES: &str = "* -export-ignore -export-subst\n";

pub(crate) struct Repository {
    program: Program,
    url: String,
    commit: Commit,
    origin: Origin,
}

impl Repository {
    /// From a bundle. Git hashes each object as it reads it, so a bundle that has the commit has its very tree.
    pub(crate) async fn from_bundle(
        program: &Program,
        bundle: &Path,
        wanted: &Wanted,
        commit: &Commit,
        origin: Origin,
    ) -> Result<Self, GitError> {
        init(program).await?;
        // A bundle is read, not fetched from a repository that could have programs.
        let path = bundle.as_os_str();
        program.run("bundle", ["verify".as_ref(), "-q".as_ref(), path]).await?;
        program.run("bundle", ["unbundle".as_ref(), path]).await?;
        Self::with(program, wanted, commit.clone(), origin).await
    }

    pub(crate) async fn from_address(
        program: &Program,
        wanted: &Wanted,
        origin: Origin,
    ) -> Result<Self, GitError> {
        init(program).await?;
        let commit = match (&wanted.commit, &wanted.reference) {
            (Some(commit), None) => {
                fetch_commit(program, &wanted.url, commit).await?;
                commit.clone()
            }
            (commit, Some(reference)) => {
                let found = fetch_reference(program, &wanted.url, reference).await?;
                match commit {
                    Some(commit) if *commit != found => {
                        agree(program, &wanted.url, commit, reference, &found).await?
                    }
                    _ => found,
                }
            }
            (None, None) => fetch(program, &wanted.url, "HEAD").await?,
        };
        Self::with(program, wanted, commit, origin).await
    }

    async fn with(
        program: &Program,
        wanted: &Wanted,
        commit: Commit,
        origin: Origin,
    ) -> Result<Self, GitError> {
        if !has(program, &commit).await {
            return Err(GitError::NoCommit(commit.to_string()));
        }
        program.run("update-ref", [WANTED, commit.as_str()]).await?;
        Ok(Self { program: program.clone(), url: wanted.url.clone(), commit, origin })
    }

    pub(crate) fn commit(&self) -> &Commit {
        &self.commit
    }

    pub(crate) fn origin(&self) -> &Origin {
        &self.origin
    }

    /// Its address.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.program.folder
    }

    /// The tree as a tar archive.
    pub(crate) async fn archive(&self, below: &Path) -> Result<Tree, GitError> {
        let archive = self.program.folder.join("tree.tar");
        let output = format!("--output={}", archive.display());
        self.program.run("archive", ["--format=tar", &output, WANTED]).await?;
        Ok(Tree { below: below.to_owned(), archive })
    }

    /// The commit with what it needs, in one file.
    pub(crate) async fn bundle(&self) -> Result<PathBuf, GitError> {
        let bundle = self.program.folder.join("commit.bundle");
        self.program.run("bundle", ["create", "-q", &bundle.display().to_string(), WANTED]).await?;
        Ok(bundle)
    }

    /// A file of the tree; none where it has none of that name.
    pub(crate) async fn has_file(&self, path: &str) -> bool {
        self.program.run("cat-file", ["-e", &format!("{WANTED}:{path}")]).await.is_ok()
    }

    /// Settings in a file of the tree: names and values.
    pub(crate) async fn settings(&self, path: &str, names: &str) -> Result<Vec<(String, String)>, GitError> {
        let blob = format!("--blob={WANTED}:{path}");
        let listed = self.program.run("config", [&blob, "-z", "--get-regexp", names]).await?;
        let pairs = listed.split('\0').filter_map(|entry| entry.split_once('\n'));
        Ok(pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
    }

    /// The commit of a submodule at a path; none where there is none.
    pub(crate) async fn submodule(&self, path: &str) -> Result<Option<Commit>, GitError> {
        let listed = self.program.run("ls-tree", ["-z", WANTED, "--", path]).await?;
        let entry = listed.split('\0').find_map(|entry| entry.strip_prefix("160000 commit "));
        entry.and_then(|entry| entry.split('\t').next()).map(str::parse).transpose()
    }
}

async fn init(program: &Program) -> Result<(), GitError> {
    let folder = program.folder.join("repository");
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    program.run("init", ["-q", "--bare", "--template="]).await?;
    fs::create_dir_all(folder.join("info"))?;
    Ok(fs::write(folder.join("info/attributes"), ATTRIBUTES)?)
}

async fn has(program: &Program, commit: &Commit) -> bool {
    program.run("cat-file", ["-e", &format!("{commit}^{{commit}}")]).await.is_ok()
}

/// Fetches one commit or reference without its history.
async fn fetch(program: &Program, url: &str, what: &str) -> Result<Commit, GitError> {
    let refspec = format!("+{what}:{WANTED}");
    program
        .run(
            "fetch",
            ["-q", "--no-tags", "--no-recurse-submodules", "--depth=1", "--end-of-options", url, &refspec],
        )
        .await?;
    program.run("rev-parse", ["--verify", "-q", &format!("{WANTED}^{{commit}}")]).await?.parse()
}

async fn fetch_reference(program: &Program, url: &str, reference: &Reference) -> Result<Commit, GitError> {
    fetch(program, url, reference.as_str()).await
}

/// Fetches a commit by its hash; a server that does not give single commits is asked for everything.
async fn fetch_commit(program: &Program, url: &str, commit: &Commit) -> Result<(), GitError> {
    if fetch(program, url, commit.as_str()).await.is_ok() {
        return Ok(());
    }
    let everything = ["+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*"];
    let options = ["-q", "--no-tags", "--no-recurse-submodules", "--end-of-options", url];
    program.run("fetch", options.into_iter().chain(everything)).await?;
    if has(program, commit).await { Ok(()) } else { Err(GitError::NoCommit(commit.to_string())) }
}

/// A branch may have moved on from a commit; a tag may not.
async fn agree(
    program: &Program,
    url: &str,
    commit: &Commit,
    reference: &Reference,
    found: &Commit,
) -> Result<Commit, GitError> {
    if reference.as_str().starts_with("refs/tags/") {
        return Err(GitError::Moved {
            reference: reference.as_str().to_owned(),
            found: found.to_string(),
            expected: commit.to_string(),
        });
    }
    fetch_commit(program, url, commit).await?;
    Ok(commit.clone())
}
