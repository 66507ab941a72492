//! Shared libraries out of static ones, for packages whose makefiles build no others.

use std::path::{Path, PathBuf};

use crate::{Build, Failure, Result, Tool};

impl Build {
    /// Makes `libNAME.so` of `libNAME.a` beside it, whose objects have to be position-independent: the file has the package's
    /// version in its name, the soname the first `soname_parts` numbers of it, and links lead to it. `libraries` is what it
    /// needs, for example `-lm`. Returns the file.
    ///
    /// # Errors
    /// The package does not depend on `c`, the linker failed, or the archive has another name.
    pub fn shared_library_of(
        &self,
        archive: impl AsRef<Path>,
        soname_parts: usize,
        libraries: &[&str],
    ) -> Result<PathBuf> {
        let archive = archive.as_ref();
        let names = Names::of(archive, &self.spec().version(), &self.spec().version_up_to(soname_parts))?;
        let file = archive.with_file_name(&names.file);
        Tool::new(self.spec().compiler("c")?.path)
            .arg("-shared")
            .arg(format!("-Wl,-soname,{}", names.soname))
            .args(["-Wl,--whole-archive", &archive.display().to_string(), "-Wl,--no-whole-archive"])
            .args(libraries.iter().copied())
            .args(["-o", &file.display().to_string()])
            .run()?;
        for link in [&names.soname, &names.plain] {
            if *link != names.file {
                self.symlink(&names.file, archive.with_file_name(link))?;
            }
        }
        Ok(file)
    }
}

/// The names of one library.
#[derive(Debug, PartialEq, Eq)]
struct Names {
    file: String,
    soname: String,
    plain: String,
}

impl Names {
    fn of(archive: &Path, version: &str, soname_version: &str) -> Result<Self> {
        let name = archive.file_name().and_then(|name| name.to_str()?.strip_suffix(".a"));
        let name = name.ok_or_else(|| Failure::new(format!("{} is no static library", archive.display())))?;
        let plain = format!("{name}.so");
        Ok(Self { file: format!("{plain}.{version}"), soname: format!("{plain}.{soname_version}"), plain })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_library_has_the_version_in_its_name() {
        let names = Names::of(Path::new("/p/lib/liblua.a"), "5.4.4", "5.4").unwrap();
        assert_eq!(
            names,
            Names {
                file: "liblua.so.5.4.4".into(),
                soname: "liblua.so.5.4".into(),
                plain: "liblua.so".into()
            }
        );
        assert!(Names::of(Path::new("/p/lib/liblua.so"), "5.4.4", "5.4").is_err());
    }
}
