use std::path::PathBuf;

use crate::bindings::spack_wasm::recipe::specs::{self, AskError, Compiler, ConcreteSpec};
use crate::bindings::spack_wasm::recipe::types::{DependencyTypes, VariantValue};
use crate::{Environment, Failure, Headers, Libraries};

/// A concrete spec: the package that is built, or one of its dependencies.
#[derive(Debug)]
pub struct Spec(ConcreteSpec);

impl Spec {
    /// The spec of this recipe's own package.
    pub fn this() -> Self {
        Self(specs::this())
    }

    pub(crate) fn from_contract(spec: ConcreteSpec) -> Self {
        Self(spec)
    }

    /// The package's name.
    pub fn name(&self) -> String {
        self.0.name()
    }

    /// Its version.
    pub fn version(&self) -> String {
        self.0.version()
    }

    /// The first `parts` numbers of its version, for example `5.4` of `5.4.8`.
    pub fn version_up_to(&self, parts: usize) -> String {
        self.version().split('.').take(parts).collect::<Vec<_>>().join(".")
    }

    /// The repository of its recipe, for example `builtin`.
    pub fn namespace(&self) -> String {
        self.0.namespace()
    }

    /// Its DAG hash, 32 characters.
    pub fn hash(&self) -> String {
        self.0.hash()
    }

    /// Whether something else installed it.
    pub fn is_external(&self) -> bool {
        self.0.is_external()
    }

    /// Its platform, for example `linux`.
    pub fn platform(&self) -> String {
        self.0.platform()
    }

    /// Its operating system, for example `debian12`.
    pub fn operating_system(&self) -> String {
        self.0.operating_system()
    }

    /// Its microarchitecture, for example `x86_64_v3`.
    pub fn target(&self) -> String {
        self.0.target()
    }

    /// The compiler flags of a kind that the user gave, for example of `cflags`.
    pub fn compiler_flags(&self, kind: &str) -> Vec<String> {
        self.0.compiler_flags(kind)
    }

    /// Where it is or will be installed.
    pub fn prefix(&self) -> PathBuf {
        self.0.prefix().into()
    }

    /// Whether a condition such as `@1.2:+shared` holds.
    ///
    /// # Panics
    /// The text is not a condition: a mistake in the recipe, which the host reports with the recipe's name.
    #[track_caller]
    pub fn has(&self, condition: &str) -> bool {
        match self.0.satisfies(condition) {
            Ok(holds) => holds,
            Err(reason) => panic!("'{condition}' is not a condition: {reason}"),
        }
    }

    /// The value of a variant with one value; none where the variant does not exist.
    pub fn variant(&self, name: &str) -> Option<String> {
        match self.0.variant_value(name)? {
            VariantValue::Boolean(value) => Some(value.to_string()),
            VariantValue::Single(value) => Some(value),
            VariantValue::Multiple(values) => Some(values.join(",")),
        }
    }

    /// The values of a variant with several values; empty where the variant does not exist.
    pub fn variant_values(&self, name: &str) -> Vec<String> {
        match self.0.variant_value(name) {
            Some(VariantValue::Multiple(values)) => values,
            Some(VariantValue::Single(value)) => vec![value],
            Some(VariantValue::Boolean(_)) | None => Vec::new(),
        }
    }

    /// A dependency by the name of a package or virtual.
    ///
    /// # Errors
    /// The spec has no such dependency.
    pub fn dependency(&self, name: &str) -> Result<Self, Failure> {
        let missing = || Failure::new(format!("{} has no dependency '{name}'", self.name()));
        self.0.dependency(name).map(Self).ok_or_else(missing)
    }

    /// The direct dependencies that are linked against.
    pub fn link_dependencies(&self) -> Vec<Self> {
        self.0.dependencies(DependencyTypes::LINK).into_iter().map(Self).collect()
    }

    /// The compiler of a language: `c`, `cxx` or `fortran`.
    ///
    /// # Errors
    /// The package does not depend on the language.
    pub fn compiler(&self, language: &str) -> Result<Compiler, Failure> {
        let missing = || Failure::new(format!("{} does not depend on '{language}'", self.name()));
        self.0.compiler(language).ok_or_else(missing)
    }

    /// How the compiler of a language is asked for something: `openmp`, `pic`, `rpath`, or a standard such as `c99` or `cxx17`.
    ///
    /// # Errors
    /// The package does not depend on the language, or its compiler can't.
    pub fn compiler_flag(&self, language: &str, feature: &str) -> Result<String, Failure> {
        self.0.compiler_flag(language, feature).map_err(Failure::new)
    }

    /// The direct dependencies that are needed for any of `types`.
    pub fn dependencies(&self, types: DependencyTypes) -> Vec<Self> {
        self.0.dependencies(types).into_iter().map(Self).collect()
    }

    /// The libraries that the package's recipe offers.
    ///
    /// # Errors
    /// There are none, or the recipe failed.
    pub fn libraries(&self) -> Result<Libraries, Failure> {
        self.libraries_of(&[])
    }

    /// The libraries that the package's recipe offers for a query that it defines, for example `hl`.
    ///
    /// # Errors
    /// There are none, or the recipe failed.
    pub fn libraries_of(&self, query: &[&str]) -> Result<Libraries, Failure> {
        let libraries =
            self.0.libraries(&owned(query)).map_err(|error| self.ask_failed("libraries", error))?;
        Ok(Libraries::from_iter(libraries))
    }

    /// The headers that the package's recipe offers.
    ///
    /// # Errors
    /// There are none, or the recipe failed.
    pub fn headers(&self) -> Result<Headers, Failure> {
        self.headers_of(&[])
    }

    /// The headers that the package's recipe offers for a query that it defines.
    ///
    /// # Errors
    /// There are none, or the recipe failed.
    pub fn headers_of(&self, query: &[&str]) -> Result<Headers, Failure> {
        let headers = self.0.headers(&owned(query)).map_err(|error| self.ask_failed("headers", error))?;
        Ok(headers.into())
    }

    /// The executable that stands for the package.
    ///
    /// # Errors
    /// There is none, or the recipe failed.
    pub fn command(&self) -> Result<String, Failure> {
        self.0.command(&[]).map_err(|error| self.ask_failed("command", error))
    }

    /// The package's home, which is the prefix for nearly all packages.
    ///
    /// # Errors
    /// The recipe failed.
    pub fn home(&self) -> Result<PathBuf, Failure> {
        self.0.home().map(PathBuf::from).map_err(|error| self.ask_failed("home", error))
    }

    /// What the package's recipe offers by a name, for example `mpicc`.
    ///
    /// # Errors
    /// It offers nothing of that name, or the recipe failed.
    pub fn offered(&self, name: &str) -> Result<String, Failure> {
        self.0.offered(name).map_err(|error| self.ask_failed(name, error))
    }

    /// The changes of the environment that make the package usable.
    ///
    /// # Errors
    /// The recipe failed.
    pub fn run_environment(&self) -> Result<Environment, Failure> {
        let changes = self.0.run_environment().map_err(|error| self.ask_failed("run environment", error))?;
        Ok(changes.into())
    }

    /// The spec in Spack's syntax, without its dependencies.
    pub fn text(&self) -> String {
        self.0.text()
    }

    /// The contract's own handle, for what this type has no method for.
    pub fn contract(&self) -> &ConcreteSpec {
        &self.0
    }

    fn ask_failed(&self, what: &str, error: AskError) -> Failure {
        let reason = match error {
            AskError::Nothing(_) => "it offers none".to_owned(),
            AskError::Failed(reason) => reason,
        };
        Failure::new(format!("{} of {}: {reason}", what, self.name()))
    }
}

fn owned(query: &[&str]) -> Vec<String> {
    query.iter().map(|&word| word.to_owned()).collect()
}
