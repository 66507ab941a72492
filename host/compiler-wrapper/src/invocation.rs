//! What a call asks for: which program, which language, and how far the compiler is to go.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// Language of a compiler; Fortran is one language, whatever its dialect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Language {
    /// C.
    C,
    /// C++.
    Cxx,
    /// Fortran 77 and later.
    Fortran,
}

impl Language {
    /// All languages, in the order in which the configuration file lists them.
    pub const ALL: [Language; 3] = [Language::C, Language::Cxx, Language::Fortran];

    /// Spack's name of the language: the virtual package that provides it.
    pub fn name(self) -> &'static str {
        match self {
            Language::C => "c",
            Language::Cxx => "cxx",
            Language::Fortran => "fortran",
        }
    }

    pub(crate) fn from_name(name: &[u8]) -> Option<Language> {
        Language::ALL.into_iter().find(|language| language.name().as_bytes() == name)
    }

    /// The language that `-x NAME` selects, where it is one that the wrapper knows.
    fn from_dialect(name: &[u8]) -> Option<Language> {
        match name {
            b"c" => Some(Language::C),
            b"c++" => Some(Language::Cxx),
            b"f77" | b"f95" => Some(Language::Fortran),
            _ => None,
        }
    }
}

/// Which program stands behind a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Role {
    /// A compiler driver.
    Compiler(Language),
    /// The preprocessor or a linker, called by this name.
    Tool(&'static str),
}

/// How far the call goes; the names are those of Spack's wrapper.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// A question about the compiler: the command line stays untouched.
    VersionCheck,
    /// Preprocess only.
    Preprocess,
    /// Stop at assembly.
    Assemble,
    /// Compile to an object.
    Compile,
    /// Compile, or take objects, and link.
    Link,
    /// The linker itself was called.
    RawLink,
}

impl Mode {
    /// Whether the result is linked, so that libraries and run paths matter.
    pub fn links(self) -> bool {
        matches!(self, Mode::Link | Mode::RawLink)
    }
}

/// Names under which a build may call a compiler.
pub const COMPILER_NAMES: &[(&str, Language)] = &[
    ("cc", Language::C),
    ("c89", Language::C),
    ("c99", Language::C),
    ("gcc", Language::C),
    ("clang", Language::C),
    ("c++", Language::Cxx),
    ("g++", Language::Cxx),
    ("clang++", Language::Cxx),
    ("CC", Language::Cxx),
    ("fc", Language::Fortran),
    ("f77", Language::Fortran),
    ("f90", Language::Fortran),
    ("f95", Language::Fortran),
    ("ftn", Language::Fortran),
    ("gfortran", Language::Fortran),
    ("flang", Language::Fortran),
];

/// Names of the other programs that the wrapper stands in for.
pub const TOOL_NAMES: &[&str] = &["cpp", "ld", "ld.gold", "ld.lld", "ld.bfd"];

const VERSION_QUESTIONS: &[&str] = &[
    "-v",
    "-V",
    "--version",
    "--help",
    "--target-help",
    "-dumpversion",
    "-dumpfullversion",
    "-dumpmachine",
    "-dumpspecs",
];

/// A call as the wrapper understands it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invocation {
    /// Program that stands behind the name.
    pub role: Role,
    /// How far it goes.
    pub mode: Mode,
}

impl Invocation {
    /// Understands the call of `argv0` with `args`; nothing when the name is not one of the wrapper's.
    pub fn new(argv0: &OsStr, args: &[OsString]) -> Option<Invocation> {
        let role = Self::role(argv0, args)?;
        let mode = match &role {
            Role::Tool("cpp") => Mode::Preprocess,
            _ if args.iter().any(|arg| is_version_question(arg)) => Mode::VersionCheck,
            Role::Tool(_) => Mode::RawLink,
            Role::Compiler(_) => compiler_mode(args),
        };
        Some(Invocation { role, mode })
    }

    fn role(argv0: &OsStr, args: &[OsString]) -> Option<Role> {
        let name = Path::new(argv0).file_name()?;
        if let Some(tool) = TOOL_NAMES.iter().find(|tool| **tool == name) {
            return Some(Role::Tool(tool));
        }
        let (_, named) = COMPILER_NAMES.iter().find(|(known, _)| *known == name)?;
        Some(Role::Compiler(selected_language(args).unwrap_or(*named)))
    }
}

fn compiler_mode(args: &[OsString]) -> Mode {
    args.iter()
        .find_map(|arg| match arg.as_bytes() {
            b"-E" => Some(Mode::Preprocess),
            b"-S" => Some(Mode::Assemble),
            b"-c" => Some(Mode::Compile),
            _ => None,
        })
        .unwrap_or(Mode::Link)
}

fn is_version_question(arg: &OsStr) -> bool {
    VERSION_QUESTIONS.iter().any(|question| *question == arg) || arg.as_bytes().starts_with(b"-print-")
}

/// The language of the last `-x LANGUAGE`: `cc -x c++` must reach the C++ compiler with C++'s flags.
fn selected_language(args: &[OsString]) -> Option<Language> {
    let mut selected = None;
    let mut rest = args.iter().map(|arg| arg.as_bytes());
    while let Some(arg) = rest.next() {
        let dialect = match arg {
            b"-x" | b"--language" => rest.next(),
            _ => arg.strip_prefix(b"--language=").or_else(|| arg.strip_prefix(b"-x")),
        };
        if let Some(dialect) = dialect {
            selected = Language::from_dialect(dialect);
        }
    }
    selected
}

#[cfg(test)]
mod tests {
    use super::*;

    fn invocation(line: &str) -> Option<Invocation> {
        let mut words = line.split_whitespace().map(OsString::from);
        let argv0 = words.next().unwrap();
        Invocation::new(&argv0, &words.collect::<Vec<_>>())
    }

    fn role_and_mode(line: &str) -> (Role, Mode) {
        let found = invocation(line).unwrap();
        (found.role, found.mode)
    }

    #[test]
    fn the_name_decides_the_language() {
        assert_eq!(role_and_mode("/w/cc a.c"), (Role::Compiler(Language::C), Mode::Link));
        assert_eq!(role_and_mode("g++ -c a.cc"), (Role::Compiler(Language::Cxx), Mode::Compile));
        assert_eq!(role_and_mode("f77 -S a.f"), (Role::Compiler(Language::Fortran), Mode::Assemble));
        assert_eq!(role_and_mode("ld -o a b.o"), (Role::Tool("ld"), Mode::RawLink));
        assert_eq!(role_and_mode("cpp a.h"), (Role::Tool("cpp"), Mode::Preprocess));
        assert_eq!(invocation("rustc a.rs"), None);
    }

    #[test]
    fn the_first_stopping_point_decides_the_mode() {
        assert_eq!(role_and_mode("cc -E -c a.c").1, Mode::Preprocess);
        assert_eq!(role_and_mode("cc -E -").1, Mode::Preprocess);
    }

    #[test]
    fn dash_x_selects_the_language() {
        assert_eq!(role_and_mode("cc -x c++ a.c").0, Role::Compiler(Language::Cxx));
        assert_eq!(role_and_mode("g++ -xc a.cc").0, Role::Compiler(Language::C));
        assert_eq!(role_and_mode("g++ -x assembler a.s").0, Role::Compiler(Language::Cxx));
    }

    #[test]
    fn questions_are_version_checks() {
        for line in ["cc --version", "cc -v a.c", "gcc -print-search-dirs", "ld -V", "g++ -dumpmachine"] {
            assert_eq!(role_and_mode(line).1, Mode::VersionCheck, "{line}");
        }
        assert_eq!(role_and_mode("cpp -v a.h").1, Mode::Preprocess);
    }
}
