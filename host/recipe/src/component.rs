use wasmtime::Store;

use crate::bindings::BindingsPre;
use crate::engine::sha256;
use crate::inspect::Facts;
use crate::metadata::PackageMetadata;
use crate::own_files::KeptFiles;
use crate::state::State;
use crate::{Access, Folder, Limits, NoServices, RecipeFiles, RunError, Services, Session, Subject};

/// Where a recipe sees its own files, where paths can be chosen.
pub const RECIPE_FOLDER: &str = "/recipe";

/// Where a recipe comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecipeSource {
    /// The package's name, as the repository says.
    pub name: String,
    /// The repository's namespace.
    pub namespace: String,
    /// The recipe's own files.
    pub files: RecipeFiles,
}

/// A recipe that was loaded: checked, compiled and linked, and not run yet.
pub struct Recipe {
    pub(crate) linked: BindingsPre<State>,
    identity: Identity,
    package_hash: String,
    limits: Limits,
}

/// What tells one recipe from another.
pub(crate) struct Identity {
    /// SHA-256 of the component.
    pub(crate) digest: String,
    pub(crate) source: RecipeSource,
    /// Where the recipe's own files lie, if it has any.
    pub(crate) kept: Option<KeptFiles>,
}

impl Recipe {
    pub(crate) fn new(linked: BindingsPre<State>, facts: Facts, identity: Identity, limits: Limits) -> Self {
        let own = facts.package_hash.unwrap_or_else(|| identity.digest.clone());
        Self { linked, package_hash: with_files(own, &identity.source.files), identity, limits }
    }

    /// Where it comes from.
    pub fn source(&self) -> &RecipeSource {
        &self.identity.source
    }

    /// The recipe's own files on this machine, as its instances see them outside of builds; none where it has none.
    pub fn own_folder(&self) -> Option<Folder> {
        let host = self.identity.kept.as_ref()?.folder().to_owned();
        Some(Folder { host, guest: RECIPE_FOLDER.to_owned(), access: Access::Read })
    }

    /// How messages name it: by its package, or as what it is where no package is known yet.
    pub(crate) fn label(&self) -> String {
        let name = &self.identity.source.name;
        if name.is_empty() { "this component".to_owned() } else { name.clone() }
    }

    /// SHA-256 of the component, in hexadecimal.
    pub fn digest(&self) -> &str {
        &self.identity.digest
    }

    /// The hash of the recipe's sources: what the component's build put into it, or else the component's digest; and with it the
    /// recipe's own files as they are now, where it has any.
    pub fn package_hash(&self) -> &str {
        &self.package_hash
    }

    /// The recipe under the name that it gives itself, where nobody knew one before: a recipe from a file.
    pub(crate) fn named(mut self, name: &str) -> Self {
        if self.identity.source.name.is_empty() {
            name.clone_into(&mut self.identity.source.name);
        }
        self
    }

    /// What the recipe declares.
    ///
    /// # Errors
    /// The recipe failed, crashed, or was stopped.
    pub fn describe(&self) -> Result<PackageMetadata, RunError> {
        self.alone()?.describe()
    }

    /// An instance for a question about the recipe itself, outside of any build.
    pub(crate) fn alone(&self) -> Result<Session, RunError> {
        self.session(Subject::outside_of_a_build(self), Box::new(NoServices))
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
            .field("source", &self.identity.source.name)
            .field("digest", &self.identity.digest)
            .finish_non_exhaustive()
    }
}

/// Files beside a component may be changed without building it again, so they count as they are.
fn with_files(own: String, files: &RecipeFiles) -> String {
    if files.is_empty() { own } else { sha256(format!("{own}\0{}", files.digest()).as_bytes()) }
}
