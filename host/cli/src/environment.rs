//! What the process is given by whoever started it. Nothing else reads the environment.

use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::ffi::{CStr, OsString, c_char};
use std::path::PathBuf;

use spack_wasm_monitor::{Credentials, CredentialsError, Proxies};

/// Where the user's configuration is; as in Spack.
pub(crate) const USER_CONFIG_PATH: &str = "SPACK_USER_CONFIG_PATH";
/// Where caches and reports are; as in Spack.
pub(crate) const USER_CACHE_PATH: &str = "SPACK_USER_CACHE_PATH";
/// The token of the Spackmon user.
const SPACKMON_TOKEN: &str = "SPACKMON_TOKEN";
/// The Spackmon user's name.
const SPACKMON_USER: &str = "SPACKMON_USER";

/// The parts of the environment that mean something to us.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Environment {
    /// The user's home.
    pub(crate) home: Option<PathBuf>,
    /// The user's name.
    pub(crate) user: Option<String>,
    /// The folder for temporary files.
    pub(crate) temporary: PathBuf,
    /// The working directory, against which paths on the command line are read.
    pub(crate) working_directory: PathBuf,
    /// `SPACK_USER_CONFIG_PATH`.
    pub(crate) user_config_path: Option<PathBuf>,
    /// `SPACK_USER_CACHE_PATH`.
    pub(crate) user_cache_path: Option<PathBuf>,
    /// The folders of `PATH`.
    pub(crate) path: Vec<PathBuf>,
    /// Whether the terminal can't do more than print one character behind the other.
    pub(crate) terminal_is_dumb: bool,
    /// What an outer make says of its job server.
    pub(crate) makeflags: Option<String>,
    /// Proxies.
    pub(crate) proxies: Proxies,
}

impl Environment {
    /// Variables of the user's by name, those that are set. Never the monitor's credentials: they are gone from the
    /// process by now.
    #[expect(clippy::unused_self, reason = "nothing else reads the environment")]
    pub(crate) fn variables(&self, names: &BTreeSet<&str>) -> BTreeMap<String, String> {
        names.iter().filter_map(|name| Some(((*name).to_owned(), env::var(name).ok()?))).collect()
    }

    /// The process's own.
    pub(crate) fn of_process() -> Self {
        let folder = |name| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        Self {
            home: env::home_dir().filter(|home| !home.as_os_str().is_empty()),
            user: text("USER").or_else(|| text("LOGNAME")).or_else(|| Some(name_of_user())),
            temporary: env::temp_dir(),
            working_directory: env::current_dir().unwrap_or_else(|_| "/".into()),
            user_config_path: folder(USER_CONFIG_PATH),
            user_cache_path: folder(USER_CACHE_PATH),
            path: env::split_paths(&env::var_os("PATH").unwrap_or_default()).collect(),
            terminal_is_dumb: text("TERM").is_none_or(|terminal| terminal == "dumb"),
            makeflags: text("MAKEFLAGS"),
            proxies: proxies(),
        }
    }
}

/// By the variables that other programs read, too; lower case counts before upper case. `http_proxy` in lower case only: a
/// web server's programs get `HTTP_PROXY` from whoever asks them.
fn proxies() -> Proxies {
    let all = || text("all_proxy").or_else(|| text("ALL_PROXY"));
    Proxies {
        http: text("http_proxy").or_else(all),
        https: text("https_proxy").or_else(|| text("HTTPS_PROXY")).or_else(all),
        direct: text("no_proxy").or_else(|| text("NO_PROXY")),
    }
}

/// What the list of users calls the user of the process, or else the number.
fn name_of_user() -> String {
    let number = rustix::process::getuid().as_raw().to_string();
    let users = fs_err::read_to_string("/etc/passwd").unwrap_or_default();
    name_in(&users, &number).unwrap_or(number)
}

/// The name of a user in the lines of `passwd(5)`.
fn name_in(users: &str, number: &str) -> Option<String> {
    let fields = users.lines().map(|line| line.split(':').collect::<Vec<_>>());
    fields.into_iter().find_map(|fields| match fields[..] {
        [name, _, uid, ..] if uid == number && !name.is_empty() => Some(name.to_owned()),
        _ => None,
    })
}

fn text(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}

/// Overwrites a variable's value where it lies. Taking a variable out of the environment leaves its bytes in the memory
/// that `/proc/PID/environ` shows.
#[expect(unsafe_code, reason = "there is no safe way to reach the environment's own memory")]
fn wipe(name: &CStr) {
    unsafe extern "C" {
        fn getenv(name: *const c_char) -> *mut c_char;
    }
    // SAFETY: `name` ends with a NUL, and so does the value, which is memory of the process that may be written. Nothing
    // else reads or writes the environment meanwhile, since there is no other thread yet; nobody has a reference to it.
    unsafe {
        let value = getenv(name.as_ptr());
        if !value.is_null() {
            let length = CStr::from_ptr(value).count_bytes();
            value.write_bytes(0, length);
        }
    }
}

/// Takes the monitor's credentials out of the environment, so that no child process gets them and `/proc` does not
/// show them, and keeps other processes of the user from reading this one's memory.
///
/// Called once, before there is any other thread.
pub(crate) fn take_credentials() -> Result<Credentials, CredentialsError> {
    // Whoever starts us as root may be refused here by a container's filter; the credentials are still not inherited.
    let _ = rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable);
    let take = |name: &str, terminated: &CStr| {
        let value: Option<OsString> = env::var_os(name);
        wipe(terminated);
        #[expect(unsafe_code, reason = "there is no safe way to change the environment")]
        // SAFETY: nothing else reads or writes the environment, since there is no other thread yet.
        unsafe {
            env::remove_var(name);
        }
        value.and_then(|value| value.into_string().ok())
    };
    let (user, token) = (take(SPACKMON_USER, c"SPACKMON_USER"), take(SPACKMON_TOKEN, c"SPACKMON_TOKEN"));
    Credentials::new(user, token)
}

/// How many files the process may have open at a time, where that may be chosen: each build needs some dozens.
const OPEN_FILES: u64 = 65_536;

/// Raises the limit of open files as far as it may be. Whoever started us chose the lower one for programs that use `select`;
/// what builds get is the sandbox's matter.
pub(crate) fn allow_open_files() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let wanted = maximum.map_or(OPEN_FILES, |maximum| maximum.min(OPEN_FILES));
    if current.is_some_and(|current| current < wanted) {
        // One that stays low is met later, with an error of its own.
        let _ = setrlimit(Resource::Nofile, Rlimit { current: Some(wanted), maximum });
    }
}

#[cfg(test)]
mod tests {
    use super::name_in;

    #[test]
    fn a_user_has_a_name_in_the_list() {
        let users = "root:x:0:0:root:/root:/bin/sh\nbroken\nme:x:1000:1000::/home/me:/bin/sh\n";
        assert_eq!(name_in(users, "1000").as_deref(), Some("me"));
        assert_eq!(name_in(users, "100"), None);
    }
}
