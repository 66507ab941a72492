//! Prefixes, their records, the database and its locks.
//!
//! A [`Store`] is a folder of prefixes, one for each concrete spec. The `.spack` folder in a prefix is the truth about
//! it; the database is an index over these folders, built again whenever it is missing. A prefix comes into being in
//! these steps, each a type: [`Store::begin`] with the prefix's exclusive lock gives a [`PendingPrefix`], into which the
//! build installs; [`PendingPrefix::check`] makes it a [`CheckedPrefix`]; [`CheckedPrefix::publish`] moves it to its
//! final path in one step and records it. Whatever is killed and whenever, a prefix is either absent or complete.
//!
//! Nothing here reads the environment or the user's home; paths come from the caller.

mod check;
mod claim;
mod database;
mod error;
mod index;
mod installed;
mod layout;
mod leftovers;
mod links;
mod lock;
mod manifest;
mod metadata;
mod open;
mod pending;
mod problem;
mod process;
mod publish;
mod query;
mod record;
mod recover;
mod reindex;
mod rewrite;
mod schema;
mod stage;
mod trace;
mod tree;
mod uninstall;

pub use check::CheckOptions;
pub use claim::{Claim, ReplaceLock};
pub use error::{DatabaseError, FileError, StoreError};
pub use installed::{Installation, Installed};
pub use lock::{Holder, LockError, LockMode, Patience, PrefixLock};
pub use open::{Durability, OpenError, Store, StoreAccess, StoreOptions};
pub use pending::{BeginError, BeginOptions, Begun, BuildIdentity, BuildPlace, CheckError, PendingPrefix};
pub use problem::{Problem, ProblemKind};
pub use process::{Liveness, ProcessIdentity};
pub use publish::{CheckedPrefix, PublishError, PublishStep};
pub use query::{LookupError, Query};
pub use record::{
    InstallEnvironment, InstallRecord, InstallTimes, PhaseTime, Provenance, RecipeIdentity, RecipeRecord,
    Reproducibility, SandboxRecord, SourceRecord, ToolRecord,
};
pub use recover::Rebuilt;
pub use reindex::{ReindexReport, SkippedFolder};
pub use rewrite::Replacement;
pub use stage::{Stage, StageArea};
pub use trace::Trace;
pub use uninstall::{UninstallError, UninstallOptions, UninstallStep};
