use std::path::PathBuf;

use wasmtime::Store;

use crate::bindings::BindingsPre;
use crate::inspect::Facts;
use crate::metadata::PackageMetadata;
use crate::state::State;
use crate::{Limits, NoServices, RunError, Services, Session, Subject};

/// Where a recipe comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecipeSource {
    /// The package's name, as the repository says.
    pub name: String,
    /// The repository's namespace.
    pub namespace: String,
    /// The folder with the recipe's own files, if it has any.
    pub folder: Option<PathBuf>,
}

/// A recipe that was loaded: checked, compiled and linked, and not run yet.
pub struct Recipe {
    pub(crate) linked: BindingsPre<State>,
    facts: Facts,
    digest: String,
    source: RecipeSource,
    limits: Limits,
}

impl Recipe {
    pub(crate) fn new(
        linked: BindingsPre<State>,
        facts: Facts,
        digest: String,
        source: RecipeSource,
        limits: Limits,
    ) -> Self {
        Self { linked, facts, digest, source, limits }
    }

    /// Where it comes from.
    pub fn source(&self) -> &RecipeSource {
        &self.source
    }

    /// How messages name it: by its package, or as what it is where no package is known yet.
    pub(crate) fn label(&self) -> String {
        if self.source.name.is_empty() { "this component".to_owned() } else { self.source.name.clone() }
    }

    /// SHA-256 of the component, in hexadecimal.
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// The hash of the recipe's sources; the component's digest where its build put none into it.
    pub fn package_hash(&self) -> &str {
        self.facts.package_hash.as_deref().unwrap_or(&self.digest)
    }

    /// The recipe under the name that it gives itself, where nobody knew one before: a recipe from a file.
    pub(crate) fn named(mut self, name: &str) -> Self {
        if self.source.name.is_empty() {
            name.clone_into(&mut self.source.name);
        }
        self
    }

    /// What the recipe declares.
    ///
    /// # Errors
    /// The recipe failed, crashed, or was stopped.
    pub fn describe(&self) -> Result<PackageMetadata, RunError> {
        self.session(Subject::outside_of_a_build(&self.source), Box::new(NoServices))?.describe()
    }

    /// An instance of its own for a build or a question.
    ///
    /// # Errors
    /// A folder of the subject can't be opened, or the instance needs more than it may have.
    pub fn session(&self, subject: Subject, services: Box<dyn Services>) -> Result<Session, RunError> {
        Session::start(self, subject, services)
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.limits
    }

    pub(crate) fn store(&self, state: State) -> Store<State> {
        Store::new(self.linked.engine(), state)
    }
}

impl std::fmt::Debug for Recipe {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Recipe")
            .field("source", &self.source)
            .field("digest", &self.digest)
            .finish_non_exhaustive()
    }
}
