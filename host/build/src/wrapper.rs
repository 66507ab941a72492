//! The compiler wrapper's folder: the program under its names, and what it adds.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use spack_wasm_compiler_wrapper::{COMPILER_NAMES, CONFIG_FILE, Config, FlagClass, Language, TOOL_NAMES};
use spack_wasm_sandbox::{EmbeddedTool, InstalledTool};
use spack_wasm_spec::{Dag, Node};
use spack_wasm_store::Replacement;

use crate::error::BuildError;
use crate::stage::STAGE;

/// The wrapper's program.
pub(crate) const PROGRAM: EmbeddedTool = EmbeddedTool {
    name: "spack-wasm-compiler-wrapper",
    bytes: include_bytes!(env!("SPACK_WASM_COMPILER_WRAPPER")),
};

/// Where tools see the folder, where paths can be chosen.
pub(crate) const FOLDER: &str = "/spack-wasm/compiler-wrapper";

/// Languages by the virtual package that stands for them, the wrapper's name for them, and the variables that name it.
const LANGUAGES: [(&str, Language, &str, &[&str]); 3] = [
    ("c", Language::C, "cc", &["CC"]),
    ("cxx", Language::Cxx, "c++", &["CXX"]),
    ("fortran", Language::Fortran, "fc", &["FC", "F77", "F90"]),
];

/// The wrapper of one build.
pub(crate) struct Wrapper {
    /// Where tools see the folder.
    pub(crate) inside: PathBuf,
    /// The real compilers of the languages that the node depends on.
    compilers: BTreeMap<&'static str, PathBuf>,
    config: Config,
}

/// Where the installed files of a build and its dependencies are.
pub(crate) struct Places<'a> {
    pub(crate) dag: &'a Dag,
    pub(crate) node: &'a Node,
    pub(crate) store_root: &'a Path,
    pub(crate) prefix: &'a Path,
    /// The prefixes of the nodes that are linked against, in the order of the search.
    pub(crate) link: Vec<PathBuf>,
}

impl Wrapper {
    pub(crate) fn new(places: &Places<'_>, inside: PathBuf) -> Result<Self, BuildError> {
        let (mut compilers, mut target_flags) = (BTreeMap::new(), BTreeMap::new());
        for (virtual_name, language, _, _) in LANGUAGES {
            let edge = places.node.provider_of(virtual_name);
            let Some(provider) = edge.and_then(|edge| places.dag.dependency(edge)) else { continue };
            let external = provider.facts.external.as_ref();
            let path = external.and_then(|external| external.executables.get(virtual_name));
            if let Some(path) = path {
                compilers.insert(virtual_name, path.clone());
                target_flags.insert(language, flags_of_target(places.node, provider)?);
            }
        }
        let config = config(places, &compilers, target_flags);
        Ok(Self { inside, compilers, config })
    }

    /// Writes the folder on the host, at `folder`.
    pub(crate) fn write(&self, folder: &Path, program: &InstalledTool) -> Result<(), BuildError> {
        let written = self.config.write()?;
        let place = || -> std::io::Result<()> {
            let copy = folder.join("compiler-wrapper");
            fs_err::copy(program.executable(), &copy)?;
            fs_err::write(folder.join(CONFIG_FILE), written)?;
            for name in self.names() {
                fs_err::os::unix::fs::symlink("compiler-wrapper", folder.join(name))?;
            }
            readable(folder)
        };
        place().map_err(|source| BuildError::Stage { path: folder.to_owned(), source })
    }

    fn names(&self) -> impl Iterator<Item = &'static str> {
        let known = |language: &Language| {
            LANGUAGES.iter().any(|(name, known, _, _)| known == language && self.compilers.contains_key(name))
        };
        let compilers =
            COMPILER_NAMES.iter().filter(move |(_, language)| known(language)).map(|(name, _)| *name);
        compilers.chain(TOOL_NAMES.iter().copied().filter(|name| *name == "ld" || *name == "cpp"))
    }

    /// The variables that name the compilers, and the paths.
    pub(crate) fn variables(&self) -> Vec<(&'static str, String)> {
        let present = LANGUAGES.iter().filter(|(name, ..)| self.compilers.contains_key(name));
        present
            .flat_map(|(_, _, program, variables)| {
                let path = self.inside.join(program).display().to_string();
                variables.iter().map(move |variable| (*variable, path.clone()))
            })
            .collect()
    }

    /// The path that recipes hand to build systems for a language.
    pub(crate) fn compiler(&self, language: &str) -> Option<String> {
        let (name, _, program, _) = LANGUAGES.iter().find(|(name, ..)| *name == language)?;
        self.compilers.contains_key(name).then(|| self.inside.join(program).display().to_string())
    }

    /// The real compilers in the place of the wrapper's names, for text files of the prefix. Longer names first, so
    /// that none is taken for the beginning of another.
    pub(crate) fn replacements(&self) -> Vec<Replacement> {
        let of_language = |language: Language| {
            let (name, ..) = LANGUAGES.iter().find(|(_, known, _, _)| *known == language)?;
            self.compilers.get(name)
        };
        let named = COMPILER_NAMES
            .iter()
            .filter_map(|(name, language)| Some((*name, of_language(*language)?.clone())));
        let tools = ["ld", "cpp"].map(|name| (name, Path::new("/usr/bin").join(name)));
        let mut all: Vec<_> = named.chain(tools).collect();
        all.sort_by_key(|(name, _)| std::cmp::Reverse(name.len()));
        all.into_iter()
            .map(|(name, real)| Replacement {
                from: self.inside.join(name).into_os_string().into_encoded_bytes(),
                to: real.into_os_string().into_encoded_bytes(),
            })
            .collect()
    }
}

fn config(
    places: &Places<'_>,
    compilers: &BTreeMap<&'static str, PathBuf>,
    target_flags: BTreeMap<Language, Vec<OsString>>,
) -> Config {
    let existing = |folders: &[&str]| -> Vec<PathBuf> {
        let all = places.link.iter().flat_map(|prefix| folders.iter().map(|folder| prefix.join(folder)));
        all.filter(|path| path.is_dir()).collect()
    };
    let libraries = existing(&["lib", "lib64"]);
    let own = ["lib", "lib64"].map(|folder| places.prefix.join(folder));
    let real = |language: &str| compilers.get(language).cloned();
    Config {
        compilers: LANGUAGES
            .iter()
            .filter_map(|(name, language, ..)| Some((*language, real(name)?)))
            .collect(),
        tools: ["ld", "cpp"].map(|name| (name.to_owned(), Path::new("/usr/bin").join(name))).into(),
        managed: vec![STAGE.into(), places.store_root.to_owned()],
        include_dirs: existing(&["include"]),
        link_dirs: libraries.clone(),
        rpath_dirs: own.into_iter().chain(libraries).collect(),
        target_flags,
        flags: flags(places.node),
        ..Config::default()
    }
}

/// What the spec asks for, and that debug information names the sources by a path that says which they are, not where
/// they were built.
fn flags(node: &Node) -> BTreeMap<FlagClass, Vec<OsString>> {
    let map = format!("-ffile-prefix-map={STAGE}=/usr/src/{}-{}", node.facts.name, node.facts.version);
    let classes = [
        (FlagClass::Cflags, "cflags", true),
        (FlagClass::Cxxflags, "cxxflags", true),
        (FlagClass::Fflags, "fflags", true),
        (FlagClass::Cppflags, "cppflags", false),
        (FlagClass::Ldflags, "ldflags", false),
        (FlagClass::Ldlibs, "ldlibs", false),
    ];
    let of_spec = |name: &str| node.facts.flags.get(name).into_iter().flatten().map(OsString::from);
    classes
        .into_iter()
        .map(|(class, name, mapped)| {
            let map = mapped.then(|| OsString::from(&map));
            (class, of_spec(name).chain(map).collect())
        })
        .collect()
}

fn flags_of_target(node: &Node, compiler: &Node) -> Result<Vec<OsString>, BuildError> {
    let target = &node.facts.architecture.target;
    let flags = spack_wasm_machine::flags_for(target, compiler.name(), compiler.facts.version.as_str());
    let flags = flags.map_err(|source| BuildError::Target { target: target.clone(), source })?;
    Ok(flags.into_iter().map(OsString::from).collect())
}

/// Everybody may read and run what is in the folder, whatever the umask is.
fn readable(folder: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;

    for (name, mode) in [("compiler-wrapper", 0o555), (CONFIG_FILE, 0o444)] {
        fs_err::set_permissions(folder.join(name), std::fs::Permissions::from_mode(mode))?;
    }
    Ok(())
}
