use crate::abstract_spec::RequestedValue;
use crate::{AbstractSpec, DependencyRequest, TargetList, VariantRequest};

/// Two specs ask for things that exclude each other.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{left}` and `{right}` exclude each other: {what}")]
pub struct Contradiction {
    /// The one spec.
    pub left: String,
    /// The other one.
    pub right: String,
    /// What differs, for example `version`.
    pub what: &'static str,
}

impl AbstractSpec {
    /// Whether a concrete spec may satisfy both.
    ///
    /// Values of a variant exclude each other only where one side is a boolean or exact (`:=`): whether a variant takes
    /// several values is known to its package alone.
    pub fn intersects(&self, other: &Self) -> bool {
        self.disagreement(other).is_none()
    }

    /// Whether everything that satisfies `self` satisfies `other`.
    pub fn satisfies(&self, other: &Self) -> bool {
        implies(&self.name, &other.name)
            && implies(&self.namespace, &other.namespace)
            && self.versions.satisfies(&other.versions)
            && implies(&self.platform, &other.platform)
            && implies(&self.os, &other.os)
            && implies_target(self.target.as_ref(), other.target.as_ref())
            && other
                .hash
                .as_ref()
                .is_none_or(|hash| self.hash.as_ref().is_some_and(|own| own.starts_with(hash)))
            && other.flags.iter().all(|(kind, flags)| self.flags.get(kind) == Some(flags))
            && other
                .variants
                .iter()
                .all(|(name, wanted)| self.variants.get(name).is_some_and(|own| own.satisfies(wanted)))
            && other
                .dependencies
                .iter()
                .all(|wanted| self.dependencies.iter().any(|own| own.satisfies(wanted)))
    }

    /// Adds what `other` asks for; says whether anything changed.
    ///
    /// # Errors
    /// They exclude each other; `self` is as before.
    pub fn constrain(&mut self, other: &Self) -> Result<bool, Contradiction> {
        if let Some(what) = self.disagreement(other) {
            return Err(Contradiction { left: self.to_string(), right: other.to_string(), what });
        }
        let before = self.clone();
        self.merge(other);
        Ok(*self != before)
    }

    fn merge(&mut self, other: &Self) {
        let either =
            |own: &mut Option<String>, other: &Option<String>| *own = own.take().or_else(|| other.clone());
        either(&mut self.name, &other.name);
        either(&mut self.namespace, &other.namespace);
        either(&mut self.platform, &other.platform);
        either(&mut self.os, &other.os);
        if let Some(versions) = self.versions.intersection(&other.versions) {
            self.versions = versions;
        }
        if !implies_target(self.target.as_ref(), other.target.as_ref()) {
            self.target.clone_from(&other.target);
        }
        let longer =
            |own: &String, other: &String| if own.len() >= other.len() { own.clone() } else { other.clone() };
        self.hash = match (&self.hash, &other.hash) {
            (Some(own), Some(other)) => Some(longer(own, other)),
            (own, other) => own.clone().or_else(|| other.clone()),
        };
        for (kind, flags) in &other.flags {
            self.flags.entry(kind.clone()).or_insert_with(|| flags.clone());
        }
        for (name, request) in &other.variants {
            let own = self.variants.entry(name.clone()).or_insert_with(|| request.clone());
            own.merge(request);
        }
        for dependency in &other.dependencies {
            match self.dependencies.iter_mut().find(|own| own.is_same_edge(dependency)) {
                Some(own) => own.merge(dependency),
                None => self.dependencies.push(dependency.clone()),
            }
        }
    }

    /// The first thing on which the two exclude each other.
    fn disagreement(&self, other: &Self) -> Option<&'static str> {
        let hashes = match (&self.hash, &other.hash) {
            (Some(own), Some(other)) => own.starts_with(other.as_str()) || other.starts_with(own.as_str()),
            _ => true,
        };
        let targets = match (&self.target, &other.target) {
            (Some(own), Some(other)) => own.intersects(other),
            _ => true,
        };
        let variants = self
            .variants
            .iter()
            .all(|(name, own)| other.variants.get(name).is_none_or(|request| own.intersects(request)));
        let flags =
            self.flags.iter().all(|(kind, own)| other.flags.get(kind).is_none_or(|flags| flags == own));
        let dependencies = self.dependencies.iter().all(|own| {
            let mut same = other.dependencies.iter().filter(|dependency| own.is_same_edge(dependency));
            same.all(|dependency| own.spec.intersects(&dependency.spec))
        });
        let checks = [
            (compatible(&self.name, &other.name), "name"),
            (compatible(&self.namespace, &other.namespace), "namespace"),
            (self.versions.intersects(&other.versions), "version"),
            (variants, "variant"),
            (compatible(&self.platform, &other.platform), "platform"),
            (compatible(&self.os, &other.os), "operating system"),
            (targets, "target"),
            (flags, "compiler flags"),
            (hashes, "hash"),
            (dependencies, "dependency"),
        ];
        checks.into_iter().find_map(|(fits, what)| (!fits).then_some(what))
    }
}

fn compatible(own: &Option<String>, other: &Option<String>) -> bool {
    own.is_none() || other.is_none() || own == other
}

fn implies(own: &Option<String>, wanted: &Option<String>) -> bool {
    wanted.is_none() || own == wanted
}

fn implies_target(own: Option<&TargetList>, wanted: Option<&TargetList>) -> bool {
    wanted.is_none_or(|wanted| own.is_some_and(|own| own.satisfies(wanted)))
}

impl VariantRequest {
    fn intersects(&self, other: &Self) -> bool {
        match (&self.value, &other.value) {
            (RequestedValue::Any, _) | (_, RequestedValue::Any) => true,
            (RequestedValue::Values(own), RequestedValue::Values(values)) => {
                match (self.exact, other.exact) {
                    (false, false) => true,
                    (true, true) => own == values,
                    (true, false) => values.is_subset(own),
                    (false, true) => own.is_subset(values),
                }
            }
            (own, other) => own.texts() == other.texts(),
        }
    }

    fn satisfies(&self, wanted: &Self) -> bool {
        if wanted.exact {
            return self.exact && self.value.texts() == wanted.value.texts();
        }
        let own = self.value.texts();
        wanted.value.texts().iter().all(|value| own.contains(value))
    }

    /// Both requests, which do not exclude each other.
    fn merge(&mut self, other: &Self) {
        self.propagate |= other.propagate;
        match (&mut self.value, &other.value) {
            (value @ RequestedValue::Any, other) => value.clone_from(other),
            (RequestedValue::Values(own), RequestedValue::Values(values)) => {
                own.extend(values.iter().cloned())
            }
            _ => {}
        }
        self.exact |= other.exact;
    }
}

impl DependencyRequest {
    fn is_same_edge(&self, other: &Self) -> bool {
        self.spec.name == other.spec.name
            && self.direct == other.direct
            && self.virtuals == other.virtuals
            && self.when == other.when
    }

    fn satisfies(&self, wanted: &Self) -> bool {
        (self.direct || !wanted.direct)
            && wanted.virtuals.is_subset(&self.virtuals)
            && self.when == wanted.when
            && self.spec.satisfies(&wanted.spec)
    }

    fn merge(&mut self, other: &Self) {
        self.propagate |= other.propagate;
        self.types = self.types.union(other.types);
        self.spec.merge(&other.spec);
    }
}
