//! A prefix while it is built.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use cap_std::fs::Dir;
use rustix::fs::{AtFlags, Mode};
use rustix::process::{Gid, Uid};
use spack_wasm_spec::{Dag, DagHash, Node};

use crate::check::{self, CheckOptions, Findings, Subject};
use crate::error::{At, FileError, StoreError};
use crate::installed::Installation;
use crate::layout::{incomplete_marker, relative_prefix};
use crate::lock::{LockMode, PrefixLock};
use crate::open::{Store, make_folder};
use crate::problem::Problem;
use crate::publish::CheckedPrefix;
use crate::rewrite::{self, Replacement};
use crate::trace::Trace;
use crate::{metadata, tree};

/// As whom the tools of a build run; only for a host that runs as root.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BuildIdentity {
    /// User number.
    pub uid: u32,
    /// Group number.
    pub gid: u32,
}

/// Where a prefix is built.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BuildPlace {
    /// In a folder of its own, to be bound at the final path by a mount namespace.
    #[default]
    Apart,
    /// At the final path, with a marker outside it that says it is incomplete; for a sandbox without a mount namespace.
    InPlace,
}

/// How a prefix is begun.
#[derive(Clone, Copy, Debug, Default)]
pub struct BeginOptions {
    /// Who owns the prefix during the build; the caller where there is none.
    pub identity: Option<BuildIdentity>,
    /// Where it is built.
    pub place: BuildPlace,
    /// Whether an installed prefix is built again. [`BuildPlace::Apart`] leaves it in use until the new one takes its
    /// place in one step; [`BuildPlace::InPlace`] removes it first.
    pub replace: bool,
}

/// What [`Store::begin`] found.
#[derive(Debug)]
pub enum Begun {
    /// An empty prefix, to be built.
    Build(Box<PendingPrefix>),
    /// It is installed already, maybe by another process while the lock was waited for.
    Installed(Box<Installation>),
}

/// Why a prefix can't be begun.
#[derive(Debug, thiserror::Error)]
pub enum BeginError {
    /// The lock isn't the exclusive one of this node.
    #[error("building {0} needs the exclusive lock of its prefix")]
    WrongLock(String),
    /// The node isn't one of the DAG, or something else installed it.
    #[error("{0} is nothing that this store builds")]
    NotOurs(String),
    /// Something that isn't an installed prefix lies at the final path.
    #[error("{} is there, but it is not an installed package", path.display())]
    Occupied {
        /// The final path.
        path: PathBuf,
    },
    /// Only root can give a prefix to another user.
    #[error("a build as user {uid} needs root's rights, and this process has those of user {own}")]
    NotRoot {
        /// The wanted user.
        uid: u32,
        /// The process's user.
        own: u32,
    },
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl BeginError {
    /// What the user can do about it, where that is known.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Occupied { .. } => Some("look at it, and move it away"),
            Self::NotRoot { .. } => Some("leave config:sandbox:build_uid unset"),
            Self::Store(error) => error.hint(),
            Self::WrongLock(_) | Self::NotOurs(_) => None,
        }
    }
}

impl From<FileError> for BeginError {
    fn from(error: FileError) -> Self {
        Self::Store(error.into())
    }
}

/// Why a prefix can't be installed as it is.
#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    /// It holds what no prefix may hold.
    #[error("the files that {package} installed can't be accepted:{}", list(problems))]
    Rejected {
        /// `name@version`.
        package: String,
        /// The entries; at most a hundred.
        problems: Vec<Problem>,
    },
    /// It can't be read.
    #[error(transparent)]
    File(#[from] FileError),
}

fn list(problems: &[Problem]) -> String {
    problems.iter().map(|problem| format!("\n    {problem}")).collect()
}

/// A prefix that is being built; dropped without being published, it is removed.
#[derive(Debug)]
pub struct PendingPrefix {
    pub(crate) store: Store,
    pub(crate) dag: Dag,
    pub(crate) node: Arc<Node>,
    pub(crate) place: Place,
    pub(crate) dir: Dir,
    pub(crate) replace: bool,
    pub(crate) identity: Option<BuildIdentity>,
    /// What was wrong with the prefix that was in its place.
    displaced: Option<String>,
    /// Held until the prefix is published or removed; none afterwards.
    pub(crate) lock: Option<PrefixLock>,
}

/// Where the prefix is.
#[derive(Clone, Debug)]
pub(crate) enum Place {
    /// In `.building` under this name.
    Apart(String),
    InPlace,
}

impl Store {
    /// Begins to build the prefix of `node`, whose exclusive lock the caller has.
    ///
    /// What killed builds of it left is removed. A complete prefix that only the index doesn't know is entered there,
    /// and counts as installed.
    ///
    /// # Errors
    /// The final path is taken by something else, or the store can't be written.
    pub fn begin(
        &self,
        dag: &Dag,
        node: &Node,
        lock: PrefixLock,
        options: &BeginOptions,
    ) -> Result<Begun, BeginError> {
        if lock.hash() != &node.hash || lock.mode() != LockMode::Exclusive {
            return Err(BeginError::WrongLock(node.name_version()));
        }
        let dag = dag.subdag(&node.hash).filter(|_| !node.is_external());
        let dag = dag.ok_or_else(|| BeginError::NotOurs(node.name_version()))?;
        check_identity(options.identity)?;
        self.clear_leftovers_of(&lock)?;
        let mut displaced = None;
        if let Some(installed) = self.complete_prefix(node)? {
            if !options.replace {
                let lock = lock.into_shared()?;
                return Ok(Begun::Installed(Box::new(Installation { installed, lock })));
            }
            if options.place == BuildPlace::InPlace {
                self.remove_prefix(&installed, &lock)?;
            }
        } else {
            displaced = self.remove_torn(&relative_prefix(node), &node.hash)?;
        }
        let mut begun = self.make_prefix(dag, node, lock, options)?;
        if let Begun::Build(pending) = &mut begun {
            pending.displaced = displaced;
        }
        Ok(begun)
    }

    fn make_prefix(
        &self,
        dag: Dag,
        node: &Node,
        lock: PrefixLock,
        options: &BeginOptions,
    ) -> Result<Begun, BeginError> {
        let path = self.prefix_of(node);
        let (folder, name) = self.final_place(node)?;
        let replace = tree::exists(&folder, &name).at("look at", &path)?;
        if replace && !options.replace {
            return Err(BeginError::Occupied { path });
        }
        let (place, dir) = match options.place {
            BuildPlace::Apart => {
                let name = unique_name(&node.hash);
                let dir = new_prefix(&self.building()?, name.as_ref());
                (Place::Apart(name), dir)
            }
            BuildPlace::InPlace => {
                self.mark_incomplete(node)?;
                (Place::InPlace, new_prefix(&folder, &name))
            }
        };
        let dir = dir.at("make the prefix", &path)?;
        let node = dag.get(&node.hash).map_or_else(|| Arc::new(node.clone()), Arc::clone);
        let (store, identity) = (self.clone(), options.identity);
        let lock = Some(lock);
        let pending =
            PendingPrefix { store, dag, node, place, dir, replace, identity, displaced: None, lock };
        pending.give_to_builder().at("give away", pending.building_path())?;
        Ok(Begun::Build(Box::new(pending)))
    }

    /// The folder that holds a node's prefix, made where it isn't there, and the prefix's name in it.
    pub(crate) fn final_place(&self, node: &Node) -> Result<(Dir, OsString), FileError> {
        let relative = relative_prefix(node);
        let (arch, name) = (relative.parent().unwrap_or(&relative), relative.file_name().unwrap_or_default());
        let shown = self.root().join(arch);
        make_folder(&self.inner.dir, arch, self.inner.folder_mode).at("make the folder", &shown)?;
        Ok((tree::open_folder(&self.inner.dir, arch).at("open the folder", shown)?, name.to_owned()))
    }

    /// Leaves the marker that every reader of a prefix at its final path honours.
    fn mark_incomplete(&self, node: &Node) -> Result<(), FileError> {
        let marker = incomplete_marker(&node.hash);
        let path = self.building_path().join(&marker);
        let prefix = relative_prefix(node);
        metadata::write_file(&self.building()?, marker.as_ref(), prefix.as_os_str().as_encoded_bytes())
            .at("write", path)
    }
}

fn check_identity(identity: Option<BuildIdentity>) -> Result<(), BeginError> {
    let own = rustix::process::geteuid().as_raw();
    match identity {
        Some(identity) if own != 0 && identity.uid != own => {
            Err(BeginError::NotRoot { uid: identity.uid, own })
        }
        _ => Ok(()),
    }
}

/// Makes an empty folder that everybody may enter, whatever the umask is.
fn new_prefix(parent: &Dir, name: &OsStr) -> std::io::Result<Dir> {
    let mode = Mode::from_raw_mode(0o755);
    rustix::fs::mkdirat(parent, name, mode)?;
    rustix::fs::chmodat(parent, name, mode, AtFlags::empty())?;
    tree::open_folder(parent, name)
}

/// A name in `.building` that nothing else has or had.
pub(crate) fn unique_name(hash: &DagHash) -> String {
    static COUNTER: AtomicU64 = AtomicU64::new(0);
    let since = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos());
    format!("{hash}-{}-{since:x}-{}", std::process::id(), COUNTER.fetch_add(1, Ordering::Relaxed))
}

impl PendingPrefix {
    /// The node that is built.
    pub fn node(&self) -> &Node {
        &self.node
    }

    /// The prefix, as a handle that can't be left.
    pub fn dir(&self) -> &Dir {
        &self.dir
    }

    /// What was wrong with the prefix that was removed to make room, where there was one that was not complete.
    pub fn displaced(&self) -> Option<&str> {
        self.displaced.as_deref()
    }

    /// Where it is during the build.
    pub fn building_path(&self) -> PathBuf {
        match &self.place {
            Place::Apart(name) => self.store.building_path().join(name),
            Place::InPlace => self.final_path(),
        }
    }

    /// Where it will be.
    pub fn final_path(&self) -> PathBuf {
        self.store.prefix_of(&self.node)
    }

    /// Replaces byte strings in text files, for example the compiler wrapper by the compiler; binary files stay.
    ///
    /// Modes, owners and times stay too. Returns the changed files, beneath the prefix.
    ///
    /// # Errors
    /// A file can't be read or written.
    pub fn rewrite_text(&self, replacements: &[Replacement]) -> Result<Vec<PathBuf>, FileError> {
        rewrite::rewrite(&self.dir, &self.building_path(), replacements)
    }

    /// Looks for what no prefix may hold, after the last process of the build has ended.
    ///
    /// # Errors
    /// An entry can't be read.
    pub fn problems(&self, options: &CheckOptions) -> Result<Vec<Problem>, FileError> {
        Ok(self.findings(options, &|| false)?.problems)
    }

    /// Looks for what no prefix may hold, after the last process of the build has ended; without such, the prefix can
    /// be published.
    ///
    /// # Errors
    /// There is something, or an entry can't be read; the prefix is removed.
    pub fn check(self, options: &CheckOptions) -> Result<CheckedPrefix, CheckError> {
        self.check_unless(options, &|| false)
    }

    /// As [`check`](Self::check), until `is_unwanted` says that nobody waits for it any more: reading may take long.
    ///
    /// # Errors
    /// As [`check`](Self::check), and when it was ended.
    pub fn check_unless(
        self,
        options: &CheckOptions,
        is_unwanted: &dyn Fn() -> bool,
    ) -> Result<CheckedPrefix, CheckError> {
        let Findings { problems, hashes } = self.findings(options, is_unwanted)?;
        if problems.is_empty() {
            return Ok(CheckedPrefix { pending: self, hashes });
        }
        Err(CheckError::Rejected { package: self.node.name_version(), problems })
    }

    fn findings(
        &self,
        options: &CheckOptions,
        is_unwanted: &dyn Fn() -> bool,
    ) -> Result<Findings, FileError> {
        let (shown, final_path) = (self.building_path(), self.final_path());
        let mut options = options.clone();
        if let Place::Apart(_) = self.place {
            let bytes = shown.as_os_str().as_encoded_bytes().to_vec();
            let what = "the folder in which it was built".to_owned();
            options.traces.push(Trace { bytes, what, whole_path: false });
        }
        let subject = Subject { dir: &self.dir, shown: &shown, final_path: &final_path };
        check::check(&subject, &options, is_unwanted)
    }

    /// The prefix belongs to the build's user while tools run.
    fn give_to_builder(&self) -> std::io::Result<()> {
        if let Some(BuildIdentity { uid, gid }) = self.identity {
            let (uid, gid) = (Uid::from_raw(uid), Gid::from_raw(gid));
            rustix::fs::fchown(&self.dir, Some(uid), Some(gid))?;
        }
        Ok(())
    }

    fn remove(&self) -> Result<(), StoreError> {
        match &self.place {
            Place::Apart(name) => {
                let path = self.building_path();
                Ok(tree::remove(&self.store.building()?, name.as_ref()).at("remove", path)?)
            }
            Place::InPlace => {
                self.store.remove_incomplete(&incomplete_marker(&self.node.hash), &self.node.hash)
            }
        }
    }
}

impl Drop for PendingPrefix {
    fn drop(&mut self) {
        if self.lock.is_some() {
            // What can't be removed now is removed by the next command.
            drop(self.remove());
        }
    }
}
