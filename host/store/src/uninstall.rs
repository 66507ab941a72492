//! Removing installed packages.

use std::collections::BTreeSet;
use std::ffi::OsStr;

use spack_wasm_spec::DagHash;

use crate::error::{At, DatabaseError, FileError, StoreError};
use crate::index;
use crate::installed::Installed;
use crate::lock::{Holder, LockError, LockMode, Patience, PrefixLock};
use crate::open::Store;
use crate::query::list;
use crate::tree;

/// What else may go when a package is removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UninstallOptions {
    /// Remove it although others depend on it, which then are broken.
    pub force: bool,
    /// Remove what depends on it too.
    pub dependents: bool,
}

/// Why a package wasn't removed.
#[derive(Debug, thiserror::Error)]
pub enum UninstallError {
    /// It isn't installed.
    #[error("no package with the hash {0} is installed")]
    NotInstalled(DagHash),
    /// Others depend on it.
    #[error("{package} is needed by:{}", list(dependents))]
    Needed {
        /// What was to be removed.
        package: Box<Installed>,
        /// What depends on it, directly.
        dependents: Vec<Installed>,
    },
    /// Somebody uses it right now.
    #[error("{package} can't be removed: {cause}")]
    InUse {
        /// What was to be removed.
        package: Box<Installed>,
        /// Who uses it.
        cause: LockError,
    },
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl UninstallError {
    /// What the user can do about it, where that is known.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Needed { .. } => Some("--dependents removes these too, and --force leaves them broken"),
            Self::InUse { .. } => Some("wait until it has ended"),
            Self::Store(error) => error.hint(),
            Self::NotInstalled(_) => None,
        }
    }
}

impl From<DatabaseError> for UninstallError {
    fn from(error: DatabaseError) -> Self {
        Self::Store(error.into())
    }
}

/// What has just been done of a removal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UninstallStep {
    /// The prefix is out of sight.
    Moved,
    /// The index knows it no more.
    Forgotten,
}

impl UninstallStep {
    /// All steps, in order.
    pub const ALL: [Self; 2] = [Self::Moved, Self::Forgotten];
}

impl Store {
    /// Removes a package, and what depends on it where that is wanted; says what was removed, dependents first.
    ///
    /// Where somebody uses a prefix, `waiting` is called as in [`lock_prefix`](Self::lock_prefix).
    ///
    /// # Errors
    /// It isn't installed, others need it, or somebody uses it and `waiting` gave up; then nothing was removed. Or a file
    /// can't be removed; then the package is uninstalled, and the next command removes the rest.
    pub fn uninstall(
        &self,
        hash: &DagHash,
        options: &UninstallOptions,
        waiting: &mut dyn FnMut(&Holder) -> Patience,
    ) -> Result<Vec<Installed>, UninstallError> {
        self.uninstall_observed(hash, options, waiting, &mut |_| {})
    }

    /// As [`uninstall`](Self::uninstall), with a call behind each step.
    ///
    /// # Errors
    /// As [`uninstall`](Self::uninstall).
    pub fn uninstall_observed(
        &self,
        hash: &DagHash,
        options: &UninstallOptions,
        waiting: &mut dyn FnMut(&Holder) -> Patience,
        observe: &mut dyn FnMut(UninstallStep),
    ) -> Result<Vec<Installed>, UninstallError> {
        let root = self.get(hash)?.ok_or_else(|| UninstallError::NotInstalled(hash.clone()))?;
        let mut seen = BTreeSet::new();
        let mut doomed = Vec::new();
        if options.dependents {
            self.with_dependents(root, &mut seen, &mut doomed)?;
        } else {
            doomed.push(root);
        }
        let locks: Vec<PrefixLock> =
            doomed.iter().map(|package| self.lock_for_removal(package, waiting)).collect::<Result<_, _>>()?;
        if !options.force {
            self.refuse_needed(&doomed)?;
        }
        for (package, lock) in doomed.iter().zip(&locks) {
            self.remove_observed(package, lock, observe)?;
        }
        Ok(doomed)
    }

    /// A package behind everything that depends on it.
    fn with_dependents(
        &self,
        package: Installed,
        seen: &mut BTreeSet<DagHash>,
        found: &mut Vec<Installed>,
    ) -> Result<(), DatabaseError> {
        let mut stack = vec![(package, false)];
        while let Some((package, dependents_done)) = stack.pop() {
            if dependents_done {
                found.push(package);
            } else if seen.insert(package.hash.clone()) {
                let dependents = self.dependents(&package.hash)?;
                stack.push((package, true));
                stack.extend(dependents.into_iter().map(|dependent| (dependent, false)));
            }
        }
        Ok(())
    }

    fn lock_for_removal(
        &self,
        package: &Installed,
        waiting: &mut dyn FnMut(&Holder) -> Patience,
    ) -> Result<PrefixLock, UninstallError> {
        self.lock_prefix(&package.hash, LockMode::Exclusive, waiting).map_err(|error| match error {
            LockError::ReadOnly { root } => StoreError::ReadOnly { root }.into(),
            cause => UninstallError::InUse { package: Box::new(package.clone()), cause },
        })
    }

    /// Refuses when something that stays depends on what goes; with the locks held, nothing of that can be new.
    fn refuse_needed(&self, doomed: &[Installed]) -> Result<(), UninstallError> {
        for package in doomed {
            let mut dependents = self.dependents(&package.hash)?;
            dependents.retain(|dependent| !doomed.contains(dependent));
            if !dependents.is_empty() {
                return Err(UninstallError::Needed { package: Box::new(package.clone()), dependents });
            }
        }
        Ok(())
    }

    /// Removes an installed prefix whose exclusive lock the caller has.
    pub(crate) fn remove_prefix(&self, package: &Installed, lock: &PrefixLock) -> Result<(), StoreError> {
        self.remove_observed(package, lock, &mut |_| {})
    }

    fn remove_observed(
        &self,
        package: &Installed,
        lock: &PrefixLock,
        observe: &mut dyn FnMut(UninstallStep),
    ) -> Result<(), StoreError> {
        let building = self.building()?;
        let prefix = package.prefix.strip_prefix(self.root()).unwrap_or(&package.prefix);
        let trash = self.move_to_trash(&building, prefix, lock.hash())?;
        observe(UninstallStep::Moved);
        self.inner
            .database
            .write("remove a package from", |transaction| index::remove(transaction, lock.hash()))?;
        observe(UninstallStep::Forgotten);
        if let Some(trash) = trash {
            let path = self.building_path().join(&trash);
            tree::remove(&building, OsStr::new(&trash)).at("remove", path)?;
        }
        self.remove_empty_folder(prefix);
        Ok(())
    }

    /// Removes `<platform>-<target>` behind its last prefix. It may not be empty, and it may be needed again at once.
    fn remove_empty_folder(&self, prefix: &std::path::Path) {
        if let Some(folder) = prefix.parent() {
            let _ = rustix::fs::unlinkat(&self.inner.dir, folder, rustix::fs::AtFlags::REMOVEDIR);
        }
    }
}

impl From<FileError> for UninstallError {
    fn from(error: FileError) -> Self {
        Self::Store(error.into())
    }
}
