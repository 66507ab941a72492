//! From an order to the running program.

use std::ffi::{CString, OsStr};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustix::fs::{Access, AtFlags, CWD, FileType, Mode, accessat, stat};
use spack_wasm_sandbox_protocol::{
    ExecFailure, ExecStep, Found, Limits, Reply, Request, WireString, send_value,
};

use crate::ruleset::Rules;
use crate::{limits, sys};

/// What each command lays around itself.
pub(crate) struct Confinement {
    pub(crate) rules: Option<Rules>,
    pub(crate) limits: Limits,
}

/// Descriptors in the order of the protocol from standard output on.
struct Descriptors<'a> {
    stdout: &'a OwnedFd,
    stderr: &'a OwnedFd,
    stdin: Option<&'a OwnedFd>,
    extra: &'a [OwnedFd],
}

type Failed = (ExecStep, io::Error);

/// Starts the program in a process of its own and returns that process' number.
pub(crate) fn start(
    request: &Request,
    fds: &[OwnedFd],
    reply: &OwnedFd,
    confinement: &Confinement,
) -> Result<i32, Failed> {
    let descriptors = sort(request, fds).ok_or((ExecStep::Receive, io::ErrorKind::InvalidData.into()))?;
    match sys::fork().map_err(|error| (ExecStep::Fork, error))? {
        sys::Fork::Parent(pid) => Ok(pid.as_raw_nonzero().get()),
        sys::Fork::Child => become_program(request, &descriptors, reply, confinement),
    }
}

fn sort<'a>(request: &Request, fds: &'a [OwnedFd]) -> Option<Descriptors<'a>> {
    let [stdout, stderr, rest @ ..] = fds else { return None };
    let (stdin, extra) = match (request.has_stdin, rest) {
        (true, [stdin, extra @ ..]) => (Some(stdin), extra),
        (true, []) => return None,
        (false, extra) => (None, extra),
    };
    (extra.len() == request.extra_fds.len()).then_some(Descriptors { stdout, stderr, stdin, extra })
}

fn become_program(request: &Request, fds: &Descriptors<'_>, reply: &OwnedFd, confinement: &Confinement) -> ! {
    // Under a number that no descriptor of the program takes.
    let spare = away(reply, request);
    let reply = spare.as_ref().unwrap_or(reply);
    let failure = match prepare(request, fds, confinement) {
        Ok(()) => execute(request),
        Err(failure) => failure,
    };
    drop(send_value(reply, &Reply::NotStarted(failure), &[]));
    sys::exit_now(127)
}

/// Everything before exec.
fn prepare(request: &Request, fds: &Descriptors<'_>, confinement: &Confinement) -> Result<(), ExecFailure> {
    let _ = rustix::process::setsid();
    place(request, fds).map_err(failed(ExecStep::Descriptors, None))?;
    rustix::process::umask(Mode::from_raw_mode(request.umask));
    let entered = rustix::process::chdir(request.cwd.as_path()).map_err(io::Error::from);
    entered.map_err(failed(ExecStep::WorkingDirectory, Some(&request.cwd)))?;
    limits::apply(&confinement.limits).map_err(failed(ExecStep::Confine, None))?;
    if let Some(rules) = &confinement.rules {
        rules.restrict().map_err(failed(ExecStep::Confine, None))?;
    }
    sys::reset_signals();
    Ok(())
}

fn failed(step: ExecStep, path: Option<&WireString>) -> impl FnOnce(io::Error) -> ExecFailure {
    move |error| ExecFailure { step, path: path.cloned(), errno: error.raw_os_error().unwrap_or(0) }
}

fn away(fd: &OwnedFd, request: &Request) -> io::Result<OwnedFd> {
    let free = request.extra_fds.iter().copied().max().unwrap_or(2).max(2).saturating_add(1);
    Ok(rustix::io::fcntl_dupfd_cloexec(fd, free)?)
}

/// Moves all descriptors above every wanted number first, so that none overwrites another.
fn place(request: &Request, fds: &Descriptors<'_>) -> io::Result<()> {
    let numbered = [(1, fds.stdout), (2, fds.stderr)];
    let stdin = fds.stdin.map(|fd| (0, fd));
    let extra = request.extra_fds.iter().copied().zip(fds.extra);
    let moved = numbered
        .into_iter()
        .chain(stdin)
        .chain(extra)
        .map(|(number, fd)| Ok((number, away(fd, request)?)))
        .collect::<io::Result<Vec<_>>>()?;
    for (number, fd) in &moved {
        sys::place_descriptor(fd, *number)?;
    }
    Ok(())
}

/// Looks the program up as the build sees the files, and starts it. Returns only with the reason why not.
fn execute(request: &Request) -> ExecFailure {
    let failure =
        |step, path: Option<&Path>, errno| ExecFailure { step, path: path.map(WireString::from), errno };
    let (Some(program), Some(arguments)) = (request.argv.first(), strings(request.argv.iter())) else {
        return failure(ExecStep::Receive, None, libc::EINVAL);
    };
    let variables: Vec<_> = request.env.iter().map(|(name, value)| variable(name, value)).collect();
    let Some(environment) = strings(variables.iter()) else {
        return failure(ExecStep::Receive, None, libc::EINVAL);
    };
    let mut refused = None;
    for candidate in candidates(program.as_os_str(), &request.env) {
        let Ok(path) = CString::new(candidate.as_os_str().as_bytes()) else { continue };
        let errno = sys::execute(&path, &arguments, &environment).raw_os_error().unwrap_or(0);
        match errno {
            libc::ENOENT if accessat(CWD, &candidate, Access::EXISTS, AtFlags::empty()).is_ok() => {
                return failure(ExecStep::Interpreter, Some(&candidate), errno);
            }
            libc::ENOENT | libc::ENOTDIR => {}
            // As execvp(3): a file that may not be executed does not hide one further along the path.
            libc::EACCES => refused = refused.or(Some(candidate)),
            _ => return failure(ExecStep::Execute, Some(&candidate), errno),
        }
    }
    match refused {
        Some(path) => failure(ExecStep::Execute, Some(&path), libc::EACCES),
        None => failure(ExecStep::Search, Some(Path::new(program.as_os_str())), libc::ENOENT),
    }
}

/// Says in a process of its own which file would be executed.
pub(crate) fn find(request: &Request, reply: &OwnedFd, confinement: &Confinement) {
    if let Ok(sys::Fork::Child) = sys::fork() {
        drop(send_value(reply, &Found { path: search(request, confinement) }, &[]));
        sys::exit_now(0);
    }
}

/// By the rules by which [`execute`] goes: the first that may be executed.
fn search(request: &Request, confinement: &Confinement) -> Option<WireString> {
    rustix::process::chdir(request.cwd.as_path()).ok()?;
    if let Some(rules) = &confinement.rules {
        rules.restrict().ok()?;
    }
    let program = request.argv.first()?.as_os_str();
    let found = candidates(program, &request.env).into_iter().find(|candidate| is_program(candidate))?;
    let path: PathBuf = request.cwd.as_path().join(found).components().collect();
    Some(WireString::from(&path))
}

fn is_program(path: &Path) -> bool {
    let is_file = |status: rustix::fs::Stat| FileType::from_raw_mode(status.st_mode).is_file();
    stat(path).is_ok_and(is_file) && accessat(CWD, path, Access::EXEC_OK, AtFlags::empty()).is_ok()
}

fn candidates(program: &OsStr, env: &[(WireString, WireString)]) -> Vec<PathBuf> {
    if program.as_bytes().contains(&b'/') {
        return vec![PathBuf::from(program)];
    }
    let path = env.iter().find(|(name, _)| name.as_bytes() == b"PATH").map(|(_, value)| value.as_os_str());
    let folders = path.into_iter().flat_map(std::env::split_paths);
    folders.filter(|_| !program.is_empty()).map(|folder| Path::new(".").join(folder).join(program)).collect()
}

fn strings<'a>(texts: impl Iterator<Item = &'a WireString>) -> Option<Vec<CString>> {
    texts.map(|text| CString::new(text.as_bytes()).ok()).collect()
}

fn variable(name: &WireString, value: &WireString) -> WireString {
    let text = [name.as_bytes(), b"=", value.as_bytes()].concat();
    WireString::from(OsStr::from_bytes(&text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wire(text: &str) -> WireString {
        WireString::from(text)
    }

    #[test]
    fn a_name_with_a_slash_is_not_looked_up() {
        let env = [(wire("PATH"), wire("/usr/bin"))];
        assert_eq!(candidates(OsStr::new("./configure"), &env), [PathBuf::from("./configure")]);
    }

    #[test]
    fn an_empty_element_is_the_working_directory() {
        let env = [(wire("PATH"), wire("/usr/bin::"))];
        let found = candidates(OsStr::new("cc"), &env);
        assert_eq!(found[0], PathBuf::from("/usr/bin/cc"));
        assert_eq!(found[1], PathBuf::from("./cc"));
    }

    #[test]
    fn without_a_path_nothing_is_found() {
        assert!(candidates(OsStr::new("cc"), &[]).is_empty());
    }
}
