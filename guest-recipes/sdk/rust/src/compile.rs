//! What a dependency offers to be compiled and linked against, and the flags that say so to a compiler.

use std::ops::Deref;
use std::path::{Path, PathBuf};

use crate::bindings::spack_wasm::recipe::specs::HeaderAnswer;

/// Library files, by their absolute paths.
///
/// ```
/// use spack_wasm_sdk::Libraries;
///
/// let libraries = Libraries::from_iter(["/s/hdf5/lib/libhdf5_hl.so", "/s/hdf5/lib/libhdf5.so"]);
/// assert_eq!(libraries.link_flags(), "-lhdf5_hl -lhdf5");
/// assert_eq!(libraries.ld_flags(), "-L/s/hdf5/lib -lhdf5_hl -lhdf5");
/// assert_eq!(libraries.rpath_flags(), "-Wl,-rpath,/s/hdf5/lib");
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Libraries(Vec<PathBuf>);

impl Libraries {
    /// Their folders, each once.
    pub fn directories(&self) -> Vec<PathBuf> {
        let mut folders = Vec::new();
        for folder in self.0.iter().filter_map(|library| library.parent()) {
            push_once(&mut folders, folder);
        }
        folders
    }

    /// Their names, without `lib` in front and without what follows the first dot.
    pub fn names(&self) -> Vec<String> {
        self.0.iter().filter_map(|library| linker_name(library)).collect()
    }

    /// `-L` for each folder.
    pub fn search_flags(&self) -> String {
        join(self.directories().iter().map(|folder| format!("-L{}", folder.display())))
    }

    /// `-l` for each library.
    pub fn link_flags(&self) -> String {
        join(self.names().iter().map(|name| format!("-l{name}")))
    }

    /// What a compiler needs to link against them.
    pub fn ld_flags(&self) -> String {
        join([self.search_flags(), self.link_flags()])
    }

    /// What makes a linked program find them when it runs. The compiler wrapper adds it to everything that the build links; this is
    /// for what a package itself says to compilers later on.
    pub fn rpath_flags(&self) -> String {
        join(self.directories().iter().map(|folder| format!("-Wl,-rpath,{}", folder.display())))
    }

    pub(crate) fn into_contract(self) -> Vec<String> {
        self.0.iter().map(|path| path.display().to_string()).collect()
    }
}

impl Deref for Libraries {
    type Target = [PathBuf];

    fn deref(&self) -> &[PathBuf] {
        &self.0
    }
}

impl<P: Into<PathBuf>> FromIterator<P> for Libraries {
    fn from_iter<I: IntoIterator<Item = P>>(paths: I) -> Self {
        Self(paths.into_iter().map(Into::into).collect())
    }
}

/// Header files and the folders that a compiler searches for them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Headers {
    /// Folders for the search path.
    pub directories: Vec<PathBuf>,
    /// The files.
    pub files: Vec<PathBuf>,
}

impl Headers {
    /// All that is in a folder.
    pub fn in_directory(folder: impl Into<PathBuf>) -> Self {
        Self { directories: vec![folder.into()], files: Vec::new() }
    }

    /// `-I` for each folder.
    pub fn include_flags(&self) -> String {
        join(self.directories.iter().map(|folder| format!("-I{}", folder.display())))
    }

    pub(crate) fn into_contract(self) -> HeaderAnswer {
        let texts = |paths: &[PathBuf]| paths.iter().map(|path| path.display().to_string()).collect();
        HeaderAnswer { directories: texts(&self.directories), files: texts(&self.files) }
    }
}

impl From<HeaderAnswer> for Headers {
    fn from(answer: HeaderAnswer) -> Self {
        let paths = |texts: Vec<String>| texts.into_iter().map(PathBuf::from).collect();
        Self { directories: paths(answer.directories), files: paths(answer.files) }
    }
}

fn linker_name(library: &Path) -> Option<String> {
    let name = library.file_name()?.to_str()?;
    let name = name.split_once('.').map_or(name, |(stem, _)| stem);
    Some(name.strip_prefix("lib").unwrap_or(name).to_owned())
}

fn push_once(folders: &mut Vec<PathBuf>, folder: &Path) {
    if !folders.iter().any(|known| known == folder) {
        folders.push(folder.to_owned());
    }
}

fn join(flags: impl IntoIterator<Item = String>) -> String {
    flags.into_iter().filter(|flag| !flag.is_empty()).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_named_once_and_versions_are_dropped() {
        let libraries = Libraries::from_iter(["/a/lib/libx.so.1.2", "/a/lib/liby.a", "/b/lib64/libz.so"]);
        assert_eq!(libraries.ld_flags(), "-L/a/lib -L/b/lib64 -lx -ly -lz");
    }

    #[test]
    fn no_library_is_no_flag() {
        assert_eq!(Libraries::default().ld_flags(), "");
    }

    #[test]
    fn headers_survive_the_way_through_the_contract() {
        let headers = Headers::in_directory("/a/include");
        assert_eq!(Headers::from(headers.clone().into_contract()), headers);
        assert_eq!(headers.include_flags(), "-I/a/include");
    }
}
