//! What a run locks before it builds, and keeps locked until it ends.

use spack_wasm_monitor::{EventKind, PlanAction};
use spack_wasm_spec::{Dag, DagHash};
use spack_wasm_store::{Holder, LockMode, Patience, PrefixLock, ReplaceLock};

use crate::{Cancellation, InstallError, InstallOptions, Installer, Plan};

/// Locks of a whole run, given back on drop.
pub(crate) struct Held {
    _replacing: Option<ReplaceLock>,
    _present: Vec<PrefixLock>,
}

impl Installer {
    /// Locks what is installed already, so that nobody removes it while it is used.
    ///
    /// A run that replaces packages first waits for the end of others that do: see `claim.rs` of the store.
    pub(crate) fn hold(
        &self,
        dag: &Dag,
        plan: &Plan,
        options: &InstallOptions,
        cancellation: &Cancellation,
    ) -> Result<Held, InstallError> {
        let present = || plan.steps.iter().filter(|step| step.action == PlanAction::Installed);
        let replaces = plan.to_build().any(|hash| options.overwrite.contains(hash));
        let replacing = replaces.then(|| self.hold_replacing(cancellation)).transpose()?;
        // Nobody removes anything from a store that can't be written, or nobody that we could keep from it.
        let locks = if self.store.is_read_only() {
            Vec::new()
        } else {
            present()
                .map(|step| self.hold_present(dag, &step.hash, cancellation))
                .collect::<Result<_, _>>()?
        };
        for step in present() {
            // It may have been removed while it was waited for, or before.
            if !self.store.installed(&step.hash)? {
                return Err(InstallError::Removed { package: name(dag, &step.hash) });
            }
        }
        Ok(Held { _replacing: replacing, _present: locks })
    }

    fn hold_present(
        &self,
        dag: &Dag,
        hash: &DagHash,
        cancellation: &Cancellation,
    ) -> Result<PrefixLock, InstallError> {
        let mut waiting = patience(cancellation, |holder| {
            self.warn(format!("waiting for {holder}, which has {} locked", name(dag, hash)));
        });
        Ok(self.store.lock_prefix(hash, LockMode::Shared, &mut waiting)?)
    }

    fn hold_replacing(&self, cancellation: &Cancellation) -> Result<ReplaceLock, InstallError> {
        let mut waiting = patience(cancellation, |holder| {
            self.warn(format!("waiting for {holder}, which replaces packages in the same store"));
        });
        Ok(self.store.lock_for_replacing(&mut waiting)?)
    }

    fn warn(&self, message: String) {
        self.emitter.emit(EventKind::Warning { message });
    }
}

/// Waits for a lock as long as nobody cancels the run, and says once who has it.
pub(crate) fn patience<'a>(
    cancellation: &'a Cancellation,
    mut say: impl FnMut(&Holder) + 'a,
) -> impl FnMut(&Holder) -> Patience + 'a {
    let mut told = false;
    move |holder| {
        if !std::mem::replace(&mut told, true) {
            say(holder);
        }
        if cancellation.cause().is_some() { Patience::GiveUp } else { Patience::Wait }
    }
}

/// A node as the user reads it.
fn name(dag: &Dag, hash: &DagHash) -> String {
    dag.get(hash).map_or_else(|| hash.to_string(), |node| format!("{}/{}", node.name_version(), hash.short()))
}
