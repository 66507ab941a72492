use std::collections::BTreeMap;

use spack_wasm_package::{Package, VariantDefinition};
use spack_wasm_spec::AbstractSpec;

use crate::candidates::numbered;
use crate::conditions::Atom;
use crate::facts::ExternalPackage;
use crate::tables::{Candidate, Name, Test};
use crate::universe::Universe;

impl Universe<'_> {
    /// The externals of a package without a recipe that `spec` accepts. What is not known of their variants is taken to be
    /// as wanted: nobody declares it.
    pub(crate) fn externals_without_recipe(&self, name: &str, spec: &AbstractSpec) -> Vec<usize> {
        let accepted = self.facts.externals_of(name).filter(|(_, external)| accepts(external, spec));
        accepted.map(|(index, _)| index).collect()
    }

    /// The candidates of a variant that an external is: what is known of it, and else the default of each definition.
    pub(crate) fn fixed(&self, package: &Package, variant: &str, external: &ExternalPackage) -> Vec<Atom> {
        let stated = external.variants.get(variant).map(|request| request.value.texts());
        let values = |definition: &VariantDefinition| -> Vec<String> {
            let values = stated.clone().unwrap_or_else(|| definition.default.texts());
            values.into_iter().map(str::to_owned).collect()
        };
        let mut singles = Vec::new();
        let mut switches: BTreeMap<String, Vec<Candidate>> = BTreeMap::new();
        for (index, definition) in numbered(package, variant) {
            let wanted = values(definition);
            self.mention(&package.name, definition, &wanted.iter().map(String::as_str).collect::<Vec<_>>());
            if definition.multi {
                for value in self.values(&package.name, definition) {
                    let on = wanted.contains(&value);
                    switches.entry(value).or_default().push(Candidate::Value { definition: index, on });
                }
            } else {
                singles
                    .extend(wanted.into_iter().map(|value| Candidate::Single { definition: index, value }));
            }
        }
        let switch_name = |value| Name::Value(package.name.clone(), variant.to_owned(), value);
        let mut atoms: Vec<Atom> =
            switches.into_iter().map(|(value, among)| (switch_name(value), Test::Among(among))).collect();
        if !singles.is_empty() {
            atoms.push((Name::Variant(package.name.clone(), variant.to_owned()), Test::Among(singles)));
        }
        atoms
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
