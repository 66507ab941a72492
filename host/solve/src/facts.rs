use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use spack_wasm_spec::{AbstractSpec, Architecture, VariantRequest, Version, VersionList, same_family};

use crate::SolveError;

/// What the concretizer has to know besides recipes.
#[derive(Clone, Debug)]
pub struct Facts {
    /// What is built for.
    pub architecture: Architecture,
    /// Packages that something else installed.
    pub externals: Vec<ExternalPackage>,
    /// What the configuration prefers.
    pub preferences: Preferences,
    /// Whether deprecated versions may be chosen.
    pub allow_deprecated: bool,
}

/// A package that something else installed, for example the distribution's compiler.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExternalPackage {
    /// The package's name.
    pub name: String,
    /// Its version.
    pub version: Version,
    /// What is known of its variants; the others have their defaults.
    pub variants: BTreeMap<String, VariantRequest>,
    /// The folder above its `bin`.
    pub prefix: PathBuf,
    /// Its executables by role: `c`, `cxx`, `fortran` for a compiler, else by program name.
    pub executables: BTreeMap<String, PathBuf>,
    /// The virtual packages that it provides, for example `c`, `cxx` and `fortran`, besides those of its recipe.
    pub virtuals: BTreeSet<String>,
}

/// What the configuration prefers, as `packages.yaml` does.
#[derive(Clone, Debug, Default)]
pub struct Preferences {
    /// Providers of virtual packages, the best one first.
    pub providers: BTreeMap<String, Vec<String>>,
    /// Versions of packages, the best ones first.
    pub versions: BTreeMap<String, Vec<VersionList>>,
    /// Variants of packages, as a spec each; `all` holds for every package that has the variant.
    pub variants: BTreeMap<String, AbstractSpec>,
    /// Packages that may not be built: only externals are candidates.
    pub not_buildable: BTreeSet<String>,
}

impl Facts {
    /// Facts of a machine without externals.
    pub fn new(architecture: Architecture) -> Self {
        Self {
            architecture,
            externals: Vec::new(),
            preferences: Preferences::default(),
            allow_deprecated: false,
        }
    }

    /// The facts with the target that the roots ask for; platform and operating system are the machine's.
    pub(crate) fn for_roots(&self, roots: &[AbstractSpec]) -> Result<Self, SolveError> {
        let mut facts = self.clone();
        let architecture = &mut facts.architecture;
        for root in roots {
            let target = root.target.as_ref();
            if let Some(name) = target.and_then(|target| target.as_exact())
                && same_family(name, &architecture.target)
            {
                name.clone_into(&mut architecture.target);
            }
        }
        let differs = roots.iter().find(|root| !facts.fits(root));
        differs.map_or(Ok(facts.clone()), |root| Err(SolveError::architecture(root, &facts.architecture)))
    }

    /// Whether a spec's platform, operating system and target are those that are built for.
    pub(crate) fn fits(&self, spec: &AbstractSpec) -> bool {
        let Architecture { platform, os, target } = &self.architecture;
        spec.platform.as_ref().is_none_or(|wanted| wanted == platform)
            && spec.os.as_ref().is_none_or(|wanted| wanted == os)
            && spec.target.as_ref().is_none_or(|wanted| wanted.contains(target))
    }

    /// The externals of a package with their places in the list.
    pub(crate) fn externals_of<'a>(
        &'a self,
        name: &'a str,
    ) -> impl Iterator<Item = (usize, &'a ExternalPackage)> {
        self.externals.iter().enumerate().filter(move |(_, external)| external.name == name)
    }
}
