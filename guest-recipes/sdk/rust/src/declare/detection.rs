use super::owned;
use crate::bindings::spack_wasm::recipe::metadata;

/// How installations of the package that something else made are found.
#[derive(Clone, Debug)]
#[must_use = "a detection counts once it is given to a package"]
pub struct Detection(pub(super) metadata::Detection);

/// Executables whose names match one of these regular expressions, for example `^h5cc$`. The recipe's
/// [`crate::Recipe::detect`] says which specs they are.
pub fn detected_by(executables: &[&str]) -> Detection {
    Detection(metadata::Detection {
        executables: owned(executables),
        libraries: Vec::new(),
        version_arguments: Vec::new(),
        more: Vec::new(),
    })
}

impl Detection {
    /// Libraries whose names match one of these regular expressions.
    pub fn libraries(mut self, libraries: &[&str]) -> Self {
        self.0.libraries = owned(libraries);
        self
    }

    /// The arguments with which an executable tells its version; its output is handed to [`crate::Recipe::detect`].
    pub fn asked_with(mut self, arguments: &[&str]) -> Self {
        self.0.version_arguments = owned(arguments);
        self
    }
}
