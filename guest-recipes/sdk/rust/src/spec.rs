use std::path::PathBuf;

use crate::Failure;
use crate::bindings::spack_wasm::recipe::specs::{self, AskError, Compiler, ConcreteSpec};
use crate::bindings::spack_wasm::recipe::types::{DependencyTypes, VariantValue};

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

    /// Where it is or will be installed.
    pub fn prefix(&self) -> PathBuf {
        self.0.prefix().into()
    }

    /// Whether a condition such as `@1.2:+shared` holds.
    ///
    /// # Panics
    /// The text is not a condition: a mistake in the recipe, which the host reports with the recipe's name.
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

    /// The libraries that the package's recipe offers, absolute paths.
    ///
    /// # Errors
    /// There are none, or the recipe failed.
    pub fn libraries(&self) -> Result<Vec<PathBuf>, Failure> {
        let libraries = self.0.libraries(&[]).map_err(|error| self.ask_failed("libraries", error))?;
        Ok(libraries.into_iter().map(PathBuf::from).collect())
    }

    /// The executable that stands for the package.
    ///
    /// # Errors
    /// There is none, or the recipe failed.
    pub fn command(&self) -> Result<String, Failure> {
        self.0.command(&[]).map_err(|error| self.ask_failed("command", error))
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
