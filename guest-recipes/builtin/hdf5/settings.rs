//! The summary of the configuration, which the build installs and compiles into the library.

use std::path::PathBuf;

use spack_wasm_sdk::prelude::*;

/// Takes out of the summary what differs between two machines or days, and the path of the compiler wrapper, which exists
/// during the build only. Must be done between configure and make, since the library contains the text.
pub(crate) fn forget_the_build_machine(build: &Build) -> Result {
    let compilers = compilers(build.spec());
    build.filter_lines(summary(build), |line| anonymous(line, &compilers))
}

fn summary(build: &Build) -> PathBuf {
    build.source().join("src/libhdf5.settings")
}

/// Path of the wrapper and name of the compiler.
fn compilers(spec: &Spec) -> Vec<(String, String)> {
    let used = ["c", "cxx", "fortran"].into_iter().filter_map(|language| spec.compiler(language).ok());
    used.map(|compiler| (compiler.path, format!("{}@{}", compiler.name, compiler.version))).collect()
}

const DIFFERING: &[&str] = &["Configured on", "Configured by", "Uname information"];

fn anonymous(line: &str, compilers: &[(String, String)]) -> Option<String> {
    if let Some((label, _)) = line.split_once(':')
        && DIFFERING.contains(&label.trim())
    {
        return Some(format!("{label}: not recorded"));
    }
    let (path, name) = compilers.iter().find(|(path, _)| line.contains(path.as_str()))?;
    Some(line.replace(path.as_str(), name))
}

#[cfg(test)]
mod tests {
    use super::anonymous;

    #[test]
    fn only_what_differs_is_taken_out() {
        let compilers = [("/wrapper/cc".to_owned(), "gcc@12.2.0".to_owned())];
        let changed = |line| anonymous(line, &compilers);
        assert_eq!(
            changed("           Configured by: me@here").as_deref(),
            Some("           Configured by: not recorded")
        );
        assert_eq!(
            changed("  C Compiler: /wrapper/cc ( 12.2 )").as_deref(),
            Some("  C Compiler: gcc@12.2.0 ( 12.2 )")
        );
        assert_eq!(changed("  HDF5 Version: 1.10.8"), None);
        assert_eq!(changed("Features:"), None);
    }
}
