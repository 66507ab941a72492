//! The compiler wrapper: adds the dependencies' include, library and rpath entries.
//!
//! It is called by a compiler's name, reads `wrapper.conf` in the folder of that name and becomes the real compiler.

use std::convert::Infallible;
use std::env;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::io::{self, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use spack_wasm_compiler_wrapper::{CONFIG_FILE, Config, path_without, rewrite};

fn main() -> ExitCode {
    let mut args = env::args_os();
    let argv0 = args.next().unwrap_or_default();
    let failure = match run(argv0, args.collect()) {
        Ok(never) => match never {},
        Err(failure) => failure,
    };
    // Nothing is left to be done where even the error output is closed.
    let _ = writeln!(io::stderr(), "spack-wasm: compiler wrapper: {failure}");
    ExitCode::FAILURE
}

/// Becomes the real compiler; returns only to say why it could not.
fn run(argv0: OsString, args: Vec<OsString>) -> Result<Infallible, Failure> {
    let path = env::var_os("PATH").unwrap_or_default();
    let folder = own_folder(Path::new(&argv0), &path)?;
    let config = read_config(&folder.join(CONFIG_FILE))?;
    let command = rewrite(&config, &argv0, &args).map_err(|error| Failure(error.to_string()))?;
    let Some((program, args)) = command.split_first() else {
        return Err(Failure("the rewritten command is empty".to_owned()));
    };
    let error = Command::new(program).args(args).env("PATH", path_without(&path, &folder)).exec();
    Err(Failure(format!("`{}` could not be started: {error}", program.display())))
}

struct Failure(String);

impl fmt::Display for Failure {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

fn read_config(path: &Path) -> Result<Config, Failure> {
    #[expect(clippy::disallowed_methods, reason = "std only: the error is given its path here")]
    let contents = std::fs::read(path).map_err(|error| Failure(format!("{}: {error}", path.display())))?;
    Config::parse(&contents).map_err(|error| Failure(format!("{}: {error}", path.display())))
}

/// The folder in which the name was called: the one before its last slash, else the first in `PATH` that has it.
///
/// The program file itself may lie elsewhere, behind a link, so its own folder comes last.
fn own_folder(argv0: &Path, path: &OsStr) -> Result<PathBuf, Failure> {
    let named = argv0.parent().filter(|parent| !parent.as_os_str().is_empty()).map(Path::to_owned);
    let called = named.or_else(|| env::split_paths(path).find(|folder| folder.join(argv0).is_file()));
    if let Some(folder) = called.filter(|folder| folder.join(CONFIG_FILE).is_file()) {
        return Ok(folder);
    }
    let executable = env::current_exe().map_err(|error| Failure(format!("own path: {error}")))?;
    executable.parent().map(Path::to_owned).ok_or_else(|| Failure("own path has no folder".to_owned()))
}
