//! Computes the real command of a wrapped call, in the order of Spack's wrapper: target flags, header folders,
//! library folders, run paths, the build's own arguments, the spec's flags, the spec's libraries.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use crate::arguments::{Arguments, Rules};
use crate::config::{Config, FlagClass};
use crate::invocation::{Invocation, Language, Mode, Role};
use crate::paths::{ORDER, SearchPaths};

/// Flags that let the machine choose the target: the result would differ from machine to machine.
const NATIVE: [&str; 3] = ["-march=native", "-mtune=native", "-mcpu=native"];

/// A call that the wrapper does not pass on.
#[derive(Debug, PartialEq, Eq)]
pub enum RewriteError {
    /// The name is none of the wrapper's.
    UnknownName(OsString),
    /// No compiler of this language is configured.
    NoCompiler {
        /// Name that was called.
        name: OsString,
        /// Its language.
        language: Language,
    },
    /// A flag that makes the result depend on the building machine.
    Native(OsString),
}

impl std::fmt::Display for RewriteError {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            RewriteError::UnknownName(name) => {
                write!(out, "`{}` is not a name of the compiler wrapper", name.display())
            }
            RewriteError::NoCompiler { name, language } => write!(
                out,
                "`{}` was called, but this build has no {lang} compiler; the recipe has to depend on `{lang}`",
                name.display(),
                lang = language.name(),
            ),
            RewriteError::Native(flag) => write!(
                out,
                "`{}` is refused: the result would depend on the machine that builds it; the spec's `target=` \
                 chooses the processor, so switch this flag off in the package's own build",
                flag.display(),
            ),
        }
    }
}

impl std::error::Error for RewriteError {}

/// The command that stands behind the call of `argv0` with `args`: program first, then its arguments.
///
/// A program that the configuration does not place is returned by its bare name, for a search in `PATH`.
///
/// # Errors
///
/// An unknown name, a language without a compiler, and flags that mean "this machine's processor".
pub fn rewrite(config: &Config, argv0: &OsStr, args: &[OsString]) -> Result<Vec<OsString>, RewriteError> {
    let invocation =
        Invocation::new(argv0, args).ok_or_else(|| RewriteError::UnknownName(argv0.to_owned()))?;
    if let Some(flag) = args.iter().find(|arg| NATIVE.iter().any(|native| native == arg)) {
        return Err(RewriteError::Native(flag.clone()));
    }
    let mut command = vec![program(config, argv0, &invocation.role)?];
    if invocation.mode == Mode::VersionCheck {
        command.extend_from_slice(args);
    } else {
        Call { config, invocation, args }.assemble(&mut command);
    }
    Ok(command)
}

fn program(config: &Config, argv0: &OsStr, role: &Role) -> Result<OsString, RewriteError> {
    match role {
        Role::Tool(name) => Ok(config.tools.get(*name).map_or_else(|| (*name).into(), |path| path.into())),
        Role::Compiler(language) => config
            .compilers
            .get(language)
            .map(Into::into)
            .ok_or_else(|| RewriteError::NoCompiler { name: argv0.to_owned(), language: *language }),
    }
}

struct Call<'a> {
    config: &'a Config,
    invocation: Invocation,
    args: &'a [OsString],
}

impl Call<'_> {
    fn assemble(&self, command: &mut Vec<OsString>) {
        let rules = Rules {
            mode: self.invocation.mode,
            managed: &self.config.managed,
            strip: self.config.dtags.opposite(),
        };
        let spec = Arguments::sort(self.spec_flags(), rules);
        let mut own = Arguments::sort(self.args, rules);
        self.add_dependencies(&mut own, spec.isystem_used);

        command.extend_from_slice(self.target_flags());
        command.extend(self.random_seed());
        add_include_paths(command, &spec, &own);
        add_paths(command, "-L", &spec.link, &own.link);
        self.add_rpaths(command, &spec.rpath, &own.rpath);
        command.extend(own.other);
        command.extend(spec.other);
        self.add_libraries(command);
    }

    fn language(&self) -> Option<Language> {
        match self.invocation.role {
            Role::Compiler(language) => Some(language),
            Role::Tool(_) => None,
        }
    }

    /// Target flags go wherever the compiler translates, so that `-E` sees the macros that `-c` sees.
    fn target_flags(&self) -> &[OsString] {
        self.language()
            .and_then(|language| self.config.target_flags.get(&language))
            .map_or(&[], Vec::as_slice)
    }

    /// The spec's flags that concern this call, in the order in which make's own rules give them.
    fn spec_flags(&self) -> impl Iterator<Item = &OsString> {
        let translates = matches!(self.invocation.mode, Mode::Compile | Mode::Link);
        let language = self.language().filter(|_| translates);
        let classes = [
            (language == Some(Language::Fortran)).then_some(FlagClass::Fflags),
            (self.invocation.mode != Mode::RawLink).then_some(FlagClass::Cppflags),
            (language == Some(Language::C)).then_some(FlagClass::Cflags),
            (language == Some(Language::Cxx)).then_some(FlagClass::Cxxflags),
            (self.invocation.mode == Mode::Link).then_some(FlagClass::Ldflags),
        ];
        classes.into_iter().flatten().filter_map(|class| self.config.flags.get(&class)).flatten()
    }

    fn add_dependencies(&self, own: &mut Arguments, spec_used_isystem: bool) {
        let config = self.config;
        if self.invocation.mode.links() {
            own.link.extend(&config.link_dirs, &config.managed);
            own.rpath.extend(&config.rpath_dirs, &config.managed);
            own.rpath.extend(&config.compiler_rpath_dirs, &config.managed);
        }
        if self.invocation.mode != Mode::RawLink {
            let system = own.isystem_used || spec_used_isystem;
            let headers = if system { &mut own.isystem } else { &mut own.include };
            headers.extend(&config.include_dirs, &config.managed);
        }
    }

    fn add_rpaths(&self, command: &mut Vec<OsString>, spec: &SearchPaths, own: &SearchPaths) {
        let dtags = self.config.dtags.option();
        match self.invocation.mode {
            Mode::Link => {
                command.push(format!("-Wl,{dtags}").into());
                add_paths(command, "-Wl,-rpath,", spec, own);
            }
            Mode::RawLink => {
                command.push(dtags.into());
                add_paths(command, "-rpath=", spec, own);
            }
            _ => {}
        }
    }

    fn add_libraries(&self, command: &mut Vec<OsString>) {
        let libraries = self.config.flags.get(&FlagClass::Ldlibs).filter(|_| self.invocation.mode.links());
        command.extend(libraries.into_iter().flatten().map(|library| {
            let given = library.as_bytes().starts_with(b"-l");
            if given { library.clone() } else { concat("-l", library) }
        }));
    }

    /// `-frandom-seed` from the output's name, or else the source's: constant, and different for each file, as GCC's
    /// manual asks. A link may translate several files at once and gets none.
    fn random_seed(&self) -> Option<OsString> {
        let translates = matches!(self.invocation.mode, Mode::Compile | Mode::Assemble);
        let given = self.args.iter().any(|arg| arg.as_bytes().starts_with(b"-frandom-seed"));
        if !self.config.random_seed || !translates || given || self.language().is_none() {
            return None;
        }
        let output = self.args.iter().skip_while(|arg| *arg != "-o").nth(1);
        let seed = output.or_else(|| self.args.iter().find(|arg| !arg.as_bytes().starts_with(b"-")))?;
        Some(concat("-frandom-seed=", seed))
    }
}

/// Header folders: all of `-I` in front of `-isystem`, but system folders behind both.
fn add_include_paths(command: &mut Vec<OsString>, spec: &Arguments, own: &Arguments) {
    let [managed, other, system] = ORDER;
    for classes in [&[managed, other][..], &[system]] {
        for class in classes {
            let folders = spec.include.of_class(*class).chain(own.include.of_class(*class));
            command.extend(folders.map(|folder| concat("-I", folder)));
        }
        for class in classes {
            let folders = spec.isystem.of_class(*class).chain(own.isystem.of_class(*class));
            command.extend(folders.flat_map(|folder| ["-isystem".into(), folder.to_owned()]));
        }
    }
}

fn add_paths(command: &mut Vec<OsString>, option: &str, spec: &SearchPaths, own: &SearchPaths) {
    for class in ORDER {
        let folders = spec.of_class(class).chain(own.of_class(class));
        command.extend(folders.map(|folder| concat(option, folder)));
    }
}

fn concat(start: &str, end: &OsStr) -> OsString {
    let mut whole = OsString::from(start);
    whole.push(end);
    whole
}

/// Where the wrapper's own folder stands in `PATH`, a compiler that looks for `ld` would find the wrapper again.
///
/// Returns `path` without `own`, and without entries that mean the working directory.
pub fn path_without(path: &OsStr, own: &std::path::Path) -> OsString {
    let entries: Vec<PathBuf> = std::env::split_paths(path)
        .filter(|entry| entry != own && !entry.as_os_str().is_empty() && entry.as_os_str() != ".")
        .collect();
    std::env::join_paths(entries).unwrap_or_else(|_| path.to_owned())
}

#[cfg(test)]
#[path = "rewrite_tests.rs"]
mod tests;
