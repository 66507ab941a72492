use spack_wasm_package::Package;
use spack_wasm_spec::{AbstractSpec, VariantRequest};

use crate::facts::ExternalPackage;
use crate::universe::Universe;

impl Universe<'_> {
    /// The externals of a package without a recipe that `spec` accepts. What is not known of their variants is taken to be
    /// as wanted: nobody declares it.
    pub(crate) fn externals_without_recipe(&self, name: &str, spec: &AbstractSpec) -> Vec<usize> {
        let accepted = self.facts.externals_of(name).filter(|(_, external)| accepts(external, spec));
        accepted.map(|(index, _)| index).collect()
    }

    /// What an external says of its variants: what its spec states, and the defaults of its recipe for everything else.
    pub(crate) fn external_values(
        &self,
        package: &Package,
        external: &ExternalPackage,
    ) -> Vec<(String, VariantRequest)> {
        let stated = external.variants.iter().map(|(name, request)| (name.clone(), request.clone()));
        stated.filter(|(name, _)| package.definitions(name).next().is_some()).collect()
    }
}

fn accepts(external: &ExternalPackage, spec: &AbstractSpec) -> bool {
    let stated = &external.variants;
    spec.versions.contains(&external.version)
        && spec.variants.iter().all(|(name, wanted)| {
            stated.get(name).is_none_or(|own| {
                let (own, wanted) = (own.value.texts(), wanted.value.texts());
                wanted.iter().all(|value| own.contains(value))
            })
        })
}
