use spack_wasm_package::{Package, Repository};
use spack_wasm_spec::{AbstractSpec, Dag, DependencyRequest, RequestedValue, SpecPart, VariantRequest};

use crate::near::near;
use crate::nearest::nearest;
use crate::universe::LANGUAGES;
use crate::{Facts, Place, SolveError};

/// What can be said of the roots before anything is searched: names that do not exist.
pub(crate) fn roots(
    roots: &[AbstractSpec],
    repository: &dyn Repository,
    facts: &Facts,
) -> Result<(), SolveError> {
    let check = Check { repository, facts };
    for root in roots {
        if root.name.is_none() && root.hash.is_none() {
            let message = format!("a package's name is missing in `{root}`");
            return Err(SolveError::NoPackage { message, place: Place::of(root, &SpecPart::Versions) });
        }
        check.node(root)?;
    }
    Ok(())
}

struct Check<'a> {
    repository: &'a dyn Repository,
    facts: &'a Facts,
}

impl Check<'_> {
    fn node(&self, spec: &AbstractSpec) -> Result<(), SolveError> {
        if let Some(hash) = &spec.hash {
            let message = format!(
                "`/{hash}` asks for an installed package, and those are not reused yet: ask for it by name, version and variants"
            );
            return Err(SolveError::NoPackage { message, place: Place::of(spec, &SpecPart::Hash) });
        }
        if let Some(name) = &spec.name {
            match (self.repository.package(name), &spec.namespace) {
                (Some(package), _) => {
                    namespace(&package, spec)?;
                    self.declared(&package, spec)?;
                }
                (None, Some(namespace)) => {
                    return Err(self.unknown(name, format!("{namespace}.{name}"), spec));
                }
                (None, None) => self.known_elsewhere(name, spec)?,
            }
        }
        spec.dependencies.iter().try_for_each(|dependency| self.dependency(dependency))
    }

    /// Behind `%` there is mostly a compiler: those that there are are told, and the name as it was written.
    fn dependency(&self, dependency: &DependencyRequest) -> Result<(), SolveError> {
        let mut checked = self.node(&dependency.spec);
        if let Err(SolveError::UnknownPackage { name, compilers, place, .. }) = &mut checked
            && dependency.direct
            && dependency.spec.name.as_ref() == Some(name)
        {
            if let Some(written) = place.as_ref().and_then(|place| place.text.get(place.span.clone())) {
                written.clone_into(name);
            }
            let all = self.facts.externals.iter();
            let known =
                all.filter(|external| external.virtuals.iter().any(|name| LANGUAGES.contains(&&**name)));
            *compilers = known.map(|external| format!("{}@{}", external.name, external.version)).collect();
        }
        checked
    }

    /// A name without a recipe: an external, or a virtual package.
    fn known_elsewhere(&self, name: &str, spec: &AbstractSpec) -> Result<(), SolveError> {
        let external = self.facts.externals_of(name).next().is_some()
            || self.facts.externals.iter().any(|external| external.virtuals.contains(name));
        if LANGUAGES.contains(&name) || self.repository.is_virtual(name) {
            return spec
                .variants
                .keys()
                .next()
                .map_or(Ok(()), |variant| Err(of_virtual(name, spec, variant)));
        }
        if external {
            return Ok(());
        }
        Err(self.unknown(name, name.to_owned(), spec))
    }

    fn unknown(&self, wanted: &str, name: String, spec: &AbstractSpec) -> SolveError {
        let (names, virtuals) = (self.repository.names(), self.repository.virtual_names());
        let externals = self.facts.externals.iter().map(|external| external.name.as_str());
        let all = names.iter().chain(&virtuals).map(String::as_str).chain(externals);
        let place = Place::of(spec, &SpecPart::Name);
        SolveError::UnknownPackage { name, near: near(wanted, all), compilers: Vec::new(), place }
    }

    fn declared(&self, package: &Package, spec: &AbstractSpec) -> Result<(), SolveError> {
        self.version(package, spec)?;
        spec.variants.iter().try_for_each(|(name, request)| variant(package, spec, name, request))
    }

    fn version(&self, package: &Package, spec: &AbstractSpec) -> Result<(), SolveError> {
        let wanted = &spec.versions;
        let mut matching =
            package.versions.iter().filter(|declared| wanted.contains(&declared.version)).peekable();
        let external =
            self.facts.externals_of(&package.name).any(|(_, external)| wanted.contains(&external.version));
        let deprecated = matching.peek().is_some();
        let usable = matching.any(|declared| self.facts.allow_deprecated || !declared.deprecated);
        if wanted.is_any() || external || usable {
            return Ok(());
        }
        Err(SolveError::UnknownVersion {
            package: package.name.clone(),
            versions: wanted.to_string(),
            known: nearest(wanted, &package.versions),
            deprecated,
            place: Place::of(spec, &SpecPart::Versions),
        })
    }
}

/// `other.zlib` is not the zlib that is found first.
fn namespace(package: &Package, spec: &AbstractSpec) -> Result<(), SolveError> {
    match &spec.namespace {
        Some(asked) if *asked != package.namespace => Err(SolveError::OtherNamespace {
            package: package.name.clone(),
            asked: asked.clone(),
            namespace: package.namespace.clone(),
            place: Place::of(spec, &SpecPart::Name),
        }),
        _ => Ok(()),
    }
}

fn variant(
    package: &Package,
    spec: &AbstractSpec,
    name: &str,
    request: &VariantRequest,
) -> Result<(), SolveError> {
    if package.definitions(name).next().is_none() {
        // `++name` is for those packages that have it.
        return if request.propagate { Ok(()) } else { Err(unknown_variant(package, spec, name)) };
    }
    let unknown = |value: &&str| !package.definitions(name).any(|definition| definition.allows(value));
    match request.value.texts().into_iter().find(unknown) {
        None => Ok(()),
        Some(value) => Err(unknown_value(package, spec, name, request, value)),
    }
}

/// A virtual package has no variants: its providers have.
fn of_virtual(name: &str, spec: &AbstractSpec, variant: &str) -> SolveError {
    SolveError::UnknownVariant {
        package: name.to_owned(),
        variant: variant.to_owned(),
        near: Vec::new(),
        known: Vec::new(),
        place: Place::of(spec, &SpecPart::Variant(variant.to_owned())),
    }
}

fn unknown_variant(package: &Package, spec: &AbstractSpec, name: &str) -> SolveError {
    let known = package.variant_names();
    SolveError::UnknownVariant {
        package: package.name.clone(),
        variant: name.to_owned(),
        near: near(name, known.iter().copied()),
        known: known.into_iter().map(str::to_owned).collect(),
        place: Place::of(spec, &SpecPart::Variant(name.to_owned())),
    }
}

fn unknown_value(
    package: &Package,
    spec: &AbstractSpec,
    name: &str,
    request: &VariantRequest,
    value: &str,
) -> SolveError {
    let part = match request.value {
        RequestedValue::Bool(_) => SpecPart::Variant(name.to_owned()),
        _ => SpecPart::Value(name.to_owned()),
    };
    let mut known: Vec<String> = Vec::new();
    for value in package.definitions(name).flat_map(|definition| definition.listed_values()) {
        if !known.iter().any(|listed| listed == value) {
            known.push(value.to_owned());
        }
    }
    SolveError::UnknownValue {
        package: package.name.clone(),
        variant: name.to_owned(),
        value: value.to_owned(),
        known,
        place: Place::of(spec, &part),
    }
}

/// What a root asks for behind `^` or `%` has to be below it: a package that nothing needs would be dropped in silence.
pub(crate) fn dependencies_are_used(roots: &[AbstractSpec], dag: &Dag) -> Result<(), SolveError> {
    for (root, node) in roots.iter().zip(dag.roots()) {
        let Some(below) = dag.subdag(&node.hash) else { continue };
        for dependency in root.dependencies.iter().filter(|dependency| dependency.when.is_none()) {
            if !is_used(&below, dependency) {
                return Err(SolveError::NotADependency {
                    root: node.name().to_owned(),
                    dependency: dependency.spec.name.clone().unwrap_or_default(),
                    place: Place::of(&dependency.spec, &SpecPart::Name),
                });
            }
        }
    }
    Ok(())
}

fn is_used(below: &Dag, dependency: &DependencyRequest) -> bool {
    let Some(name) = &dependency.spec.name else { return true };
    below.nodes().any(|node| node.name() == name || node.provider_of(name).is_some())
}
