use std::cmp::Reverse;
use std::collections::BTreeSet;

use spack_wasm_package::{DeclaredVersion, Package, VariantDefinition, by_preference};
use spack_wasm_spec::{AbstractSpec, VariantRequest};

use crate::universe::{LANGUAGES, Universe};

impl Universe<'_> {
    /// The versions that may be built, by their places in the recipe: those of the configuration first, then in
    /// Spack's order. Deprecated ones are left out unless allowed.
    pub(crate) fn preferred_versions(&self, package: &Package) -> Vec<usize> {
        let configured = self.facts.preferences.versions.get(&package.name);
        let mut sorted = by_preference(&package.versions);
        sorted.retain(|declared| self.facts.allow_deprecated || !declared.deprecated);
        sorted.sort_by_key(|declared| {
            let lists = configured.into_iter().flatten();
            lists.clone().position(|list| list.contains(&declared.version)).unwrap_or(lists.count())
        });
        let place = |wanted: &DeclaredVersion| {
            package.versions.iter().position(|declared| std::ptr::eq(declared, wanted))
        };
        sorted.into_iter().filter_map(place).collect()
    }

    /// The values of a single-valued definition, the preferred one first.
    pub(crate) fn preferred_values(&self, package: &Package, definition: &VariantDefinition) -> Vec<String> {
        let mut values = self.values(&package.name, definition);
        values.sort_by_key(|value| !self.prefers_value(package, definition, value));
        values
    }

    /// Whether the user or the configuration prefers a value, or else it is the default.
    pub(crate) fn prefers_value(
        &self,
        package: &Package,
        definition: &VariantDefinition,
        value: &str,
    ) -> bool {
        match self.configured(package, definition) {
            Some(request) => request.value.texts().contains(&value),
            None => definition.default.texts().contains(&value),
        }
    }

    /// Whether values of a variant are the preferred ones of one of its definitions.
    pub(crate) fn prefers(&self, package: &Package, variant: &str, values: &[&str]) -> bool {
        package
            .definitions(variant)
            .any(|definition| values.iter().all(|value| self.prefers_value(package, definition, value)))
    }

    /// How many variants of a package a spec sets to something else than is preferred.
    pub(crate) fn unpreferred_variants(&self, package: &Package, spec: &AbstractSpec) -> usize {
        let preferred =
            |name: &str, request: &VariantRequest| self.prefers(package, name, &request.value.texts());
        let variants = spec.variants.iter();
        variants.filter(|(name, request)| !preferred(name, request)).count()
    }

    /// What a root asks for by the package's name: the defaults of a variant with several values do not come on top.
    fn asked_for(&self, package: &Package, variant: &str) -> Option<&VariantRequest> {
        let below = self.roots.iter().flat_map(|root| &root.dependencies).map(|dependency| &dependency.spec);
        let mut named =
            self.roots.iter().chain(below).filter(|spec| spec.name.as_ref() == Some(&package.name));
        named.find_map(|spec| spec.variants.get(variant))
    }

    /// What a root asks for, then `++variant` in a root, then what the configuration says of the package, then of all
    /// packages.
    fn configured(&self, package: &Package, definition: &VariantDefinition) -> Option<&VariantRequest> {
        let variants = &self.facts.preferences.variants;
        let propagated = self
            .roots
            .iter()
            .filter_map(|root| root.variants.get(&definition.name))
            .filter(|request| request.propagate);
        let in_spec = |spec: Option<&'_ AbstractSpec>| {
            spec.is_some_and(|spec| spec.variants.contains_key(&definition.name))
        };
        let named = [variants.get(&package.name), variants.get("all")];
        let spec = named.into_iter().find(|spec| in_spec(*spec)).flatten();
        let configured = spec.and_then(|spec| spec.variants.get(&definition.name));
        let allowed =
            |request: &&VariantRequest| request.value.texts().iter().all(|value| definition.allows(value));
        self.asked_for(package, &definition.name)
            .into_iter()
            .chain(propagated)
            .chain(configured)
            .find(allowed)
    }

    /// The packages that may provide a virtual package: those that a root names, those that are installed, those that the
    /// configuration prefers, then by name.
    pub(crate) fn preferred_providers(&self, name: &str) -> Vec<String> {
        let mut providers = if LANGUAGES.contains(&name) {
            self.installed_providers(name)
        } else {
            self.repository.providers(name)
        };
        let configured = self.facts.preferences.providers.get(name);
        providers.sort_by_cached_key(|package| {
            let installed = self.facts.externals_of(package).next().is_some();
            let position = configured.and_then(|list| list.iter().position(|preferred| preferred == package));
            (
                Reverse(self.is_named(package)),
                Reverse(installed),
                position.unwrap_or(usize::MAX),
                package.clone(),
            )
        });
        providers
    }

    /// The externals whose recipe provides a virtual package; no other recipe is looked at.
    fn installed_providers(&self, name: &str) -> Vec<String> {
        let externals = self.facts.externals.iter().map(|external| external.name.clone());
        let names: BTreeSet<String> = externals.collect();
        let provides =
            |package: &String| self.package(package).is_some_and(|package| package.may_provide(name));
        names.into_iter().filter(provides).collect()
    }

    /// Whether a root is this package or asks for it behind `^` or `%`.
    pub(crate) fn is_named(&self, package: &str) -> bool {
        let is = |spec: &AbstractSpec| spec.name.as_deref() == Some(package);
        self.roots
            .iter()
            .any(|root| is(root) || root.dependencies.iter().any(|dependency| is(&dependency.spec)))
    }
}
