//! The wrapper's configuration file: one `key value` a line, read at every compiler call.
//!
//! A value reaches to the end of its line, so nothing is quoted; empty lines and lines that begin with `#` say
//! nothing. An unknown key is an error: writer and reader are of one version.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::PathBuf;

use crate::invocation::Language;

/// Which of the ELF tags holds run paths.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Dtags {
    /// `DT_RPATH`, which also serves the dependencies of dependencies: Spack's default.
    #[default]
    Disable,
    /// `DT_RUNPATH`, which `LD_LIBRARY_PATH` overrides.
    Enable,
}

impl Dtags {
    fn name(self) -> &'static str {
        match self {
            Dtags::Disable => "disable",
            Dtags::Enable => "enable",
        }
    }

    /// The linker's option that asks for this tag.
    pub(crate) fn option(self) -> &'static str {
        match self {
            Dtags::Disable => "--disable-new-dtags",
            Dtags::Enable => "--enable-new-dtags",
        }
    }

    /// The linker's option that would undo it, removed from the build's own command line.
    pub(crate) fn opposite(self) -> &'static str {
        match self {
            Dtags::Disable => Dtags::Enable.option(),
            Dtags::Enable => Dtags::Disable.option(),
        }
    }
}

/// Classes of flags that a spec can carry, by Spack's names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum FlagClass {
    /// Preprocessor flags of all languages.
    Cppflags,
    /// C flags.
    Cflags,
    /// C++ flags.
    Cxxflags,
    /// Fortran flags.
    Fflags,
    /// Flags for linking with a compiler driver.
    Ldflags,
    /// Libraries at the end of a link, with or without `-l`.
    Ldlibs,
}

impl FlagClass {
    const ALL: [FlagClass; 6] = [
        FlagClass::Cppflags,
        FlagClass::Cflags,
        FlagClass::Cxxflags,
        FlagClass::Fflags,
        FlagClass::Ldflags,
        FlagClass::Ldlibs,
    ];

    /// Spack's name of the class, as in `cflags=-O3`.
    pub fn name(self) -> &'static str {
        match self {
            FlagClass::Cppflags => "cppflags",
            FlagClass::Cflags => "cflags",
            FlagClass::Cxxflags => "cxxflags",
            FlagClass::Fflags => "fflags",
            FlagClass::Ldflags => "ldflags",
            FlagClass::Ldlibs => "ldlibs",
        }
    }
}

/// What the wrapper adds to a build's compiler calls, and which programs it calls.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Config {
    /// Real compiler of each language, absolute.
    pub compilers: BTreeMap<Language, PathBuf>,
    /// Real program behind `ld`, `cpp` and the like; one that is not listed is looked for in `PATH`.
    pub tools: BTreeMap<String, PathBuf>,
    /// Folders whose search paths come first: the stage and the root of the store.
    pub managed: Vec<PathBuf>,
    /// Header folders of link dependencies.
    pub include_dirs: Vec<PathBuf>,
    /// Library folders of link dependencies.
    pub link_dirs: Vec<PathBuf>,
    /// Run paths: `lib` and `lib64` of the own prefix, then those of link dependencies.
    pub rpath_dirs: Vec<PathBuf>,
    /// Run paths of the compiler's own libraries, where the loader does not search them by itself.
    pub compiler_rpath_dirs: Vec<PathBuf>,
    /// Flags that choose the target, such as `-march=zen3`, for each language.
    pub target_flags: BTreeMap<Language, Vec<OsString>>,
    /// Flags of the spec by class.
    pub flags: BTreeMap<FlagClass, Vec<OsString>>,
    /// Which ELF tag holds the run paths.
    pub dtags: Dtags,
    /// Whether compilers take GCC's `-frandom-seed`; it is then set from the output's name, so that a rebuild
    /// yields the same bytes.
    pub random_seed: bool,
}

/// A configuration that cannot be read or written.
#[derive(Debug, PartialEq, Eq)]
pub enum ConfigError {
    /// A line that says nothing known.
    Line {
        /// Number of the line, from 1.
        number: usize,
        /// The line itself.
        text: String,
    },
    /// A value with a line break, which the format cannot carry.
    LineBreak {
        /// Key of the value.
        key: String,
        /// The value.
        value: String,
    },
}

impl std::fmt::Display for ConfigError {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            ConfigError::Line { number, text } => {
                write!(out, "line {number} of the wrapper's configuration is not understood: `{text}`")
            }
            ConfigError::LineBreak { key, value } => {
                write!(out, "the wrapper's configuration cannot carry a line break: `{key}` is {value:?}")
            }
        }
    }
}

impl std::error::Error for ConfigError {}

impl Config {
    /// Reads a configuration file's contents.
    ///
    /// # Errors
    ///
    /// The first line that is not understood, with its number.
    pub fn parse(contents: &[u8]) -> Result<Config, ConfigError> {
        let mut config = Config::default();
        for (index, line) in contents.split(|byte| *byte == b'\n').enumerate() {
            if line.is_empty() || line.starts_with(b"#") {
                continue;
            }
            let (key, value) = split_word(line);
            config.set(key, value).ok_or_else(|| ConfigError::Line {
                number: index + 1,
                text: String::from_utf8_lossy(line).into_owned(),
            })?;
        }
        Ok(config)
    }

    fn set(&mut self, key: &[u8], value: &[u8]) -> Option<()> {
        let path = || (!value.is_empty()).then(|| PathBuf::from(OsStr::from_bytes(value)));
        match key {
            b"managed" => self.managed.push(path()?),
            b"include" => self.include_dirs.push(path()?),
            b"link" => self.link_dirs.push(path()?),
            b"rpath" => self.rpath_dirs.push(path()?),
            b"compiler-rpath" => self.compiler_rpath_dirs.push(path()?),
            b"dtags" => self.dtags = parse_dtags(value)?,
            b"random-seed" => self.random_seed = parse_bool(value)?,
            _ => self.set_named(key, split_word(value))?,
        }
        Some(())
    }

    /// Sets a value that has a name before it, as in `compiler c /usr/bin/gcc`.
    fn set_named(&mut self, key: &[u8], (name, value): (&[u8], &[u8])) -> Option<()> {
        if value.is_empty() {
            return None;
        }
        let value = OsString::from_vec(value.to_vec());
        match key {
            b"compiler" => drop(self.compilers.insert(Language::from_name(name)?, value.into())),
            b"tool" => drop(self.tools.insert(String::from_utf8(name.to_vec()).ok()?, value.into())),
            b"target" => self.target_flags.entry(Language::from_name(name)?).or_default().push(value),
            _ => {
                let class = FlagClass::ALL.into_iter().find(|class| class.name().as_bytes() == name)?;
                (key == b"flag").then(|| self.flags.entry(class).or_default().push(value))?;
            }
        }
        Some(())
    }

    /// The contents of the file from which [`Config::parse`] reads the same configuration.
    ///
    /// # Errors
    ///
    /// A value that contains a line break.
    pub fn write(&self) -> Result<Vec<u8>, ConfigError> {
        let mut lines = Lines::default();
        for (language, path) in &self.compilers {
            lines.push(&format!("compiler {}", language.name()), path)?;
        }
        for (name, path) in &self.tools {
            lines.push(&format!("tool {name}"), path)?;
        }
        lines.push_all("managed", &self.managed)?;
        lines.push_all("include", &self.include_dirs)?;
        lines.push_all("link", &self.link_dirs)?;
        lines.push_all("rpath", &self.rpath_dirs)?;
        lines.push_all("compiler-rpath", &self.compiler_rpath_dirs)?;
        for (language, flags) in &self.target_flags {
            lines.push_all(&format!("target {}", language.name()), flags)?;
        }
        for (class, flags) in &self.flags {
            lines.push_all(&format!("flag {}", class.name()), flags)?;
        }
        lines.push("dtags", self.dtags.name())?;
        lines.push("random-seed", self.random_seed.to_string())?;
        Ok(lines.bytes)
    }
}

#[derive(Default)]
struct Lines {
    bytes: Vec<u8>,
}

impl Lines {
    fn push(&mut self, key: &str, value: impl AsRef<OsStr>) -> Result<(), ConfigError> {
        let value = value.as_ref();
        if value.is_empty() {
            return Ok(());
        }
        if value.as_bytes().contains(&b'\n') {
            let value = value.to_string_lossy().into_owned();
            return Err(ConfigError::LineBreak { key: key.to_owned(), value });
        }
        self.bytes.extend_from_slice(key.as_bytes());
        self.bytes.push(b' ');
        self.bytes.extend_from_slice(value.as_bytes());
        self.bytes.push(b'\n');
        Ok(())
    }

    fn push_all(&mut self, key: &str, values: &[impl AsRef<OsStr>]) -> Result<(), ConfigError> {
        values.iter().try_for_each(|value| self.push(key, value))
    }
}

/// The text before the first space and the text after it.
fn split_word(line: &[u8]) -> (&[u8], &[u8]) {
    match line.iter().position(|byte| *byte == b' ') {
        Some(space) => (&line[..space], &line[space + 1..]),
        None => (line, b""),
    }
}

fn parse_dtags(value: &[u8]) -> Option<Dtags> {
    [Dtags::Disable, Dtags::Enable].into_iter().find(|dtags| dtags.name().as_bytes() == value)
}

fn parse_bool(value: &[u8]) -> Option<bool> {
    match value {
        b"true" => Some(true),
        b"false" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn full() -> Config {
        Config {
            compilers: BTreeMap::from([
                (Language::C, "/usr/bin/gcc".into()),
                (Language::Cxx, "/opt/my compiler/g++".into()),
            ]),
            tools: BTreeMap::from([("ld".to_owned(), "/usr/bin/ld".into())]),
            managed: vec!["/build".into(), "/home/u/store".into()],
            include_dirs: vec!["/home/u/store/zlib/include".into()],
            link_dirs: vec!["/home/u/store/zlib/lib".into()],
            rpath_dirs: vec!["/home/u/store/me/lib".into(), "/home/u/store/zlib/lib".into()],
            compiler_rpath_dirs: vec!["/opt/gcc/lib64".into()],
            target_flags: BTreeMap::from([(Language::C, vec!["-march=zen3".into(), "-mtune=zen3".into()])]),
            flags: BTreeMap::from([(FlagClass::Cflags, vec!["-DTEXT=a b".into()])]),
            dtags: Dtags::Enable,
            random_seed: true,
        }
    }

    #[test]
    fn what_is_written_is_read_again() {
        let written = full().write().unwrap();
        insta::assert_snapshot!(String::from_utf8_lossy(&written), @r"
        compiler c /usr/bin/gcc
        compiler cxx /opt/my compiler/g++
        tool ld /usr/bin/ld
        managed /build
        managed /home/u/store
        include /home/u/store/zlib/include
        link /home/u/store/zlib/lib
        rpath /home/u/store/me/lib
        rpath /home/u/store/zlib/lib
        compiler-rpath /opt/gcc/lib64
        target c -march=zen3
        target c -mtune=zen3
        flag cflags -DTEXT=a b
        dtags enable
        random-seed true
        ");
        assert_eq!(Config::parse(&written), Ok(full()));
    }

    #[test]
    fn bytes_that_are_not_utf8_survive() {
        let path = PathBuf::from(OsStr::from_bytes(b"/opt/\xff/include"));
        let config = Config { include_dirs: vec![path], ..Config::default() };
        assert_eq!(Config::parse(&config.write().unwrap()), Ok(config));
    }

    #[test]
    fn unknown_lines_are_errors() {
        for line in
            ["inlcude /a", "compiler d /dmd", "compiler c", "flag oflags -O", "dtags maybe", "include"]
        {
            let text = format!("# a comment\n\n{line}\n");
            let expected = ConfigError::Line { number: 3, text: line.to_owned() };
            assert_eq!(Config::parse(text.as_bytes()), Err(expected), "{line}");
        }
    }

    #[test]
    fn a_line_break_cannot_be_written() {
        let config = Config { managed: vec!["/a\ninclude /b".into()], ..Config::default() };
        let expected =
            ConfigError::LineBreak { key: "managed".to_owned(), value: "/a\ninclude /b".to_owned() };
        assert_eq!(config.write(), Err(expected));
    }
}
