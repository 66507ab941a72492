use std::sync::Arc;

use crate::Package;

/// Packages by name, over all repositories in their order of search.
///
/// An implementation loads a package when it is asked for, and keeps it: the concretizer asks often.
pub trait Repository {
    /// The package of this name in the first repository that has it.
    fn package(&self, name: &str) -> Option<Arc<Package>>;

    /// The names of the packages that may provide the virtual package `name`, sorted.
    fn providers(&self, name: &str) -> Vec<String>;

    /// Whether `name` is a virtual package: some package provides it, and none has the name.
    fn is_virtual(&self, name: &str) -> bool {
        self.package(name).is_none() && !self.providers(name).is_empty()
    }

    /// The names of all packages, sorted.
    fn names(&self) -> Vec<String>;

    /// The names of all virtual packages, sorted.
    fn virtual_names(&self) -> Vec<String>;
}

/// The names of those `packages` that may provide `virtual_name`, sorted: what [`Repository::providers`] answers where all
/// packages are in memory.
pub fn provides<'a>(packages: impl IntoIterator<Item = &'a Package>, virtual_name: &str) -> Vec<String> {
    let mut names: Vec<String> = packages
        .into_iter()
        .filter(|package| package.may_provide(virtual_name))
        .map(|package| package.name.clone())
        .collect();
    names.sort();
    names
}
