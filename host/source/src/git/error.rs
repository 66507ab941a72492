use std::io;
use std::path::PathBuf;
use std::time::Duration;

/// Why a state of a repository could not be had.
#[derive(Debug, thiserror::Error)]
pub enum GitError {
    /// Nothing says which commit it has to be.
    #[error("its recipe names no commit, so nothing can vouch for what is fetched")]
    NotPinned,
    /// The recipe's commit is none.
    #[error("'{0}' is not a full commit: 40 hexadecimal digits were expected")]
    Commit(String),
    /// The recipe's branch or tag is none.
    #[error("'{0}' is not the name of a branch or tag")]
    Reference(String),
    /// An address that is not followed.
    #[error("the repository {url} is not followed: {reason}")]
    Address {
        /// The address, without credentials.
        url: String,
        /// Why not.
        reason: String,
    },
    /// The program is not there.
    #[error("{} is not there, which fetches repositories", .0.display())]
    NotHere(PathBuf),
    /// It failed.
    #[error("git {command} failed: {reason}")]
    Failed {
        /// Its subcommand.
        command: String,
        /// Its last words.
        reason: String,
    },
    /// It took too long.
    #[error("git {command} was not done after {} s", .after.as_secs())]
    TooSlow {
        /// Its subcommand.
        command: String,
        /// The limit.
        after: Duration,
    },
    /// More than any source needs.
    #[error("the repository has more than {} MiB", .limit >> 20)]
    TooLarge {
        /// The limit in bytes.
        limit: u64,
    },
    /// A tag that stands for another commit than the recipe says.
    #[error("{reference} is commit {found}, and the recipe says {expected}; somebody moved it")]
    Moved {
        /// The tag.
        reference: String,
        /// What it stands for.
        found: String,
        /// What the recipe says.
        expected: String,
    },
    /// The commit is not in the repository.
    #[error("the repository has no commit {0}")]
    NoCommit(String),
    /// A submodule that is not what it should be.
    #[error("its submodule '{path}' can't be fetched: {reason}")]
    Submodule {
        /// Its path in the repository.
        path: String,
        /// Why.
        reason: String,
    },
    /// The network is not to be used.
    #[error("it is in no cache or mirror, and --offline leaves no other source")]
    Offline,
    /// The cache folder.
    #[error("the source cache can't be used: {0}")]
    Io(#[from] io::Error),
}

impl GitError {
    /// What the user can do.
    pub(crate) fn hints(&self) -> Vec<String> {
        match self {
            Self::NotPinned => vec![
                "add the commit to the recipe, or use --no-checksum to take whatever the branch or tag stands for"
                    .to_owned(),
            ],
            Self::NotHere(_) => vec!["install git".to_owned()],
            Self::Offline => vec!["leave --offline out, or add a mirror that has the commit".to_owned()],
            _ => Vec::new(),
        }
    }
}
