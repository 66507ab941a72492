//! The executor's part of the setup: what must be done inside the namespaces.

use rustix::process::{DumpableBehavior, Signal, set_dumpable_behavior, set_parent_process_death_signal};
use spack_wasm_sandbox_protocol::{Layer, Level, Setup, Step};

use crate::namespaces::OwnMounts;
use crate::ruleset::Rules;
use crate::walls::{Fail, Outcome, Walls};
use crate::{identity, newroot, ruleset, seccomp, sys};

/// Lays the walls that are laid once. Returns the rules that each command lays for itself.
pub(crate) fn enter(setup: &Setup, walls: &mut Walls, mounts: Option<&OwnMounts>) -> Outcome<Option<Rules>> {
    if let Some(mounts) = mounts {
        lay_namespaces(setup, walls, mounts)?;
    }
    if walls.drop_late {
        identity::drop_root(setup)?;
    }
    if setup.level != Level::None {
        identity::give_up_privileges()?;
    }
    set_dumpable_behavior(DumpableBehavior::NotDumpable).fail(Step::Privileges)?;
    // After the change of user, which would clear it.
    set_parent_process_death_signal(Some(Signal::KILL)).fail(Step::Privileges)?;
    let rules = lay_landlock(setup, walls)?;
    if setup.level != Level::None {
        walls.tolerate(seccomp::load(setup.level).fail_layer(Step::Seccomp, Layer::Seccomp))?;
    }
    Ok(rules)
}

fn lay_namespaces(setup: &Setup, walls: &mut Walls, mounts: &OwnMounts) -> Outcome<()> {
    if !walls.laid_outside {
        newroot::build(setup, mounts)?;
    }
    newroot::enter(walls, mounts)?;
    if walls.stands(Layer::Uts) {
        rustix::system::sethostname(setup.hostname.as_bytes()).fail_layer(Step::Hostname, Layer::Uts)?;
    }
    if walls.stands(Layer::Network) {
        sys::bring_loopback_up().fail_layer(Step::Loopback, Layer::Network)?;
    }
    Ok(())
}

/// At the level `landlock` the executor stays outside the rules, so that a command can neither signal nor trace it.
/// With namespaces it is protected as the first process of its namespace, and the rules are laid once.
fn lay_landlock(setup: &Setup, walls: &mut Walls) -> Outcome<Option<Rules>> {
    match setup.level {
        Level::None => Ok(None),
        Level::Landlock => {
            ruleset::for_real_paths(setup).fail_layer(Step::Landlock, Layer::Landlock).map(Some)
        }
        Level::Namespaces => {
            let own_proc = walls.stands(Layer::Proc);
            let laid = ruleset::for_new_root(setup, own_proc).and_then(|rules| rules.restrict());
            walls.tolerate(laid.fail_layer(Step::Landlock, Layer::Landlock))?;
            Ok(None)
        }
    }
}
