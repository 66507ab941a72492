//! `uninstall`: removes packages.

use spack_wasm_store::{Holder, Installed, Patience, Store, UninstallError, UninstallOptions};

use crate::args::{Format, UninstallArgs, specs};
use crate::error::CommandError;
use crate::selection::{ambiguous, list, matching, none};
use crate::session::Session;
use crate::text::{Text, counted};

pub(super) fn run(session: &Session, args: &UninstallArgs) -> Result<(), CommandError> {
    session.expect_format(&[Format::Text])?;
    let specs = specs(&args.specs)?;
    // A store that is not there is not made in order to find nothing in it.
    if let Some(spec) = specs.first().filter(|_| !session.has_store()) {
        return Err(none(spec));
    }
    let store = session.store()?;
    let mut chosen: Vec<Installed> = Vec::new();
    for spec in &specs {
        let found = matching(&store, spec)?;
        match found.as_slice() {
            [] => return Err(none(spec)),
            [_, _, ..] if !args.all => {
                let error = ambiguous(spec, &found);
                return Err(error.hinted("--all removes every one of them".to_owned()));
            }
            _ => chosen.extend(found.into_iter().map(|found| found.installed)),
        }
    }
    let chosen = in_order(&store, chosen, args)?;
    refuse_needed(&store, &chosen, args)?;
    confirm(session, &chosen, args)?;
    remove(session, &store, &chosen, args)
}

/// The packages in an order in which they can be removed, each once, with their dependents where those go, too.
fn in_order(
    store: &Store,
    chosen: Vec<Installed>,
    args: &UninstallArgs,
) -> Result<Vec<Installed>, CommandError> {
    let mut ordered: Vec<Installed> = Vec::new();
    let mut stack: Vec<(Installed, bool)> = chosen.iter().rev().map(|each| (each.clone(), false)).collect();
    let mut seen = std::collections::BTreeSet::new();
    while let Some((package, dependents_done)) = stack.pop() {
        if dependents_done {
            ordered.push(package);
        } else if seen.insert(package.hash.clone()) {
            let dependents = store.dependents(&package.hash)?;
            stack.push((package, true));
            let goes = |dependent: &Installed| {
                args.dependents || chosen.iter().any(|other| other.hash == dependent.hash)
            };
            stack.extend(dependents.into_iter().filter(goes).map(|dependent| (dependent, false)));
        }
    }
    Ok(ordered)
}

/// Refuses before anything is removed when something that stays needs what goes.
fn refuse_needed(store: &Store, chosen: &[Installed], args: &UninstallArgs) -> Result<(), CommandError> {
    for package in chosen.iter().filter(|_| !args.force) {
        let mut dependents = store.dependents(&package.hash)?;
        dependents.retain(|dependent| chosen.iter().all(|other| other.hash != dependent.hash));
        if !dependents.is_empty() {
            return Err(UninstallError::Needed { package: Box::new(package.clone()), dependents }.into());
        }
    }
    Ok(())
}

fn confirm(session: &Session, chosen: &[Installed], args: &UninstallArgs) -> Result<(), CommandError> {
    if args.yes_to_all {
        return Ok(());
    }
    let mut text = Text::header("These packages will be removed:");
    session.ui.say(text.push("\n").append(&list(chosen)));
    match session.ui.confirm("Do you want to go on?") {
        Some(true) => Ok(()),
        Some(false) => Err(CommandError::failure("nothing was removed")),
        None => Err(CommandError::failure("nothing was removed, since there is no terminal to ask on")
            .hinted("-y removes without asking".to_owned())),
    }
}

fn remove(
    session: &Session,
    store: &Store,
    chosen: &[Installed],
    args: &UninstallArgs,
) -> Result<(), CommandError> {
    let options = UninstallOptions { force: args.force, dependents: false };
    for package in chosen {
        let mut told = false;
        let mut waiting = |holder: &Holder| {
            if !std::mem::replace(&mut told, true) {
                session.ui.status(&format!("Waiting for {package}, which is in use: {holder}"));
            }
            Patience::Wait
        };
        store.uninstall(&package.hash, &options, &mut waiting)?;
        session.ui.status(&format!("Removed {package}"));
    }
    session.ui.debug(|| counted(chosen.len(), "package"));
    Ok(())
}
