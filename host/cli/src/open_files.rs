//! How many files the process may have open.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// How many files the process may have open at a time, where that may be chosen: each build needs some dozens.
const OPEN_FILES: u64 = 65_536;

/// Raises the limit of open files as far as it may be. Whoever started us chose the lower one for programs that use `select`;
/// what builds get is the sandbox's matter.
pub(crate) fn allow() {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let wanted = maximum.map_or(OPEN_FILES, |maximum| maximum.min(OPEN_FILES));
    if current.is_some_and(|current| current < wanted) {
        // One that stays low is met later, with an error of its own.
        let _ = setrlimit(Resource::Nofile, Rlimit { current: Some(wanted), maximum });
    }
}
