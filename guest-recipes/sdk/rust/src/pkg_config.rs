use fs_err as fs;

use crate::{Build, Result};

/// A file for pkg-config, for packages that install none.
///
/// ```
/// use spack_wasm_sdk::PkgConfig;
///
/// let file = PkgConfig::new("Foo", "Foo for everybody.").libraries("-lfoo");
/// assert_eq!(
///     file.text("/s/foo", "1.2"),
///     "prefix=/s/foo\n\
///      exec_prefix=${prefix}\n\
///      libdir=${prefix}/lib\n\
///      includedir=${prefix}/include\n\
///      \n\
///      Name: Foo\n\
///      Description: Foo for everybody.\n\
///      Version: 1.2\n\
///      Cflags: -I${includedir}\n\
///      Libs: -L${libdir} -lfoo\n"
/// );
/// ```
#[derive(Clone, Debug)]
#[must_use = "it is written by `Build::install_pkg_config`"]
pub struct PkgConfig {
    name: String,
    description: String,
    variables: String,
    libraries: String,
}

impl PkgConfig {
    /// For a library with headers in `include` and libraries in `lib`.
    pub fn new(name: &str, description: &str) -> Self {
        let (variables, libraries) = (String::new(), String::new());
        Self { name: name.to_owned(), description: description.to_owned(), variables, libraries }
    }

    /// One more variable, which may use those before it: `${prefix}`, `${libdir}`, `${includedir}`.
    pub fn variable(mut self, name: &str, value: &str) -> Self {
        self.variables.push_str(&format!("{name}={value}\n"));
        self
    }

    /// What is linked, for example `-lfoo -lm`.
    pub fn libraries(mut self, flags: &str) -> Self {
        flags.clone_into(&mut self.libraries);
        self
    }

    /// The file's content.
    pub fn text(&self, prefix: &str, version: &str) -> String {
        let Self { name, description, variables, libraries } = self;
        format!(
            "prefix={prefix}\nexec_prefix=${{prefix}}\nlibdir=${{prefix}}/lib\nincludedir=${{prefix}}/include\n{variables}\n\
             Name: {name}\nDescription: {description}\nVersion: {version}\nCflags: -I${{includedir}}\n\
             Libs: -L${{libdir}} {libraries}\n"
        )
    }
}

impl Build {
    /// Writes `lib/pkgconfig/<file>.pc`.
    ///
    /// # Errors
    /// The prefix can't be written.
    pub fn install_pkg_config(&self, file: &str, content: &PkgConfig) -> Result {
        let folder = self.prefix().join("lib/pkgconfig");
        self.mkdirp(&folder)?;
        let text = content.text(&self.prefix().display().to_string(), &self.spec().version());
        Ok(fs::write(folder.join(format!("{file}.pc")), text)?)
    }
}
