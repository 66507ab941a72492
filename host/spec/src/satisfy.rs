use crate::abstract_spec::RequestedValue;
use crate::{
    AbstractSpec, Dag, Dependency, DependencyRequest, DependencyType, DependencyTypes, Node, VariantRequest,
    VariantValue,
};

impl AbstractSpec {
    /// Whether `node`, with what it depends on in `dag`, is what the spec asks for.
    ///
    /// `^name` is looked for at any depth, `%name` among the direct dependencies; both find a virtual package by the edge
    /// that provides it. A version range on a virtual package is not satisfied: a DAG doesn't hold which version of
    /// an interface a provider offers.
    pub fn satisfied_by(&self, dag: &Dag, node: &Node) -> bool {
        self.accepts(node)
            && self.dependencies.iter().all(|wanted| {
                let applies = wanted.when.as_ref().is_none_or(|when| when.satisfied_by(dag, node));
                !applies || wanted.satisfied_below(dag, node)
            })
    }

    /// As [`Self::satisfied_by`], without looking at dependencies.
    pub fn accepts(&self, node: &Node) -> bool {
        let facts = &node.facts;
        let architecture = &facts.architecture;
        self.name.as_ref().is_none_or(|name| *name == facts.name)
            && self.namespace.as_ref().is_none_or(|namespace| *namespace == facts.namespace)
            && self.versions.contains(&facts.version)
            && self.platform.as_ref().is_none_or(|platform| *platform == architecture.platform)
            && self.os.as_ref().is_none_or(|os| *os == architecture.os)
            && self.target.as_ref().is_none_or(|target| target.contains(&architecture.target))
            && self.hash.as_ref().is_none_or(|hash| node.hash.as_str().starts_with(hash.as_str()))
            && self
                .variants
                .iter()
                .all(|(name, wanted)| facts.variants.get(name).is_some_and(|value| wanted.accepts(value)))
            && self.flags.iter().all(|(kind, wanted)| {
                let set = facts.flags.get(kind);
                wanted
                    .text
                    .split_whitespace()
                    .all(|flag| set.is_some_and(|set| set.iter().any(|own| own == flag)))
            })
    }
}

impl Node {
    /// Whether the node, with its dependencies in `dag`, is what `spec` asks for.
    pub fn satisfies(&self, spec: &AbstractSpec, dag: &Dag) -> bool {
        spec.satisfied_by(dag, self)
    }
}

impl VariantRequest {
    /// The concrete value that is asked for; `None` for `*`. A single value is taken as that of a variant with one value.
    pub fn to_value(&self) -> Option<VariantValue> {
        match &self.value {
            RequestedValue::Bool(value) => Some(VariantValue::Bool(*value)),
            RequestedValue::Values(values) if values.len() == 1 => {
                values.first().cloned().map(VariantValue::Single)
            }
            RequestedValue::Values(values) => Some(VariantValue::Multi(values.clone())),
            RequestedValue::Any => None,
        }
    }

    /// Whether a concrete value is what is asked for.
    pub fn accepts(&self, value: &VariantValue) -> bool {
        if self.value == RequestedValue::Any {
            return true;
        }
        let (own, wanted) = (value.values(), self.value.texts());
        wanted.iter().all(|text| own.contains(text)) && (!self.exact || own.len() == wanted.len())
    }
}

impl DependencyRequest {
    fn satisfied_below(&self, dag: &Dag, node: &Node) -> bool {
        if node.dependencies.iter().any(|edge| self.satisfied_on(dag, edge)) {
            return true;
        }
        if self.direct {
            return false;
        }
        let every: DependencyTypes = DependencyType::ALL.into_iter().collect();
        let closure = dag.closure(node, every);
        closure.iter().flat_map(|below| &below.dependencies).any(|edge| self.satisfied_on(dag, edge))
    }

    fn satisfied_on(&self, dag: &Dag, edge: &Dependency) -> bool {
        let Some(target) = dag.dependency(edge) else { return false };
        let provides = |name: &String| edge.virtuals.contains(name);
        if !self.virtuals.iter().all(provides)
            || !(self.types.is_empty() || edge.types.intersects(self.types))
        {
            return false;
        }
        match &self.spec.name {
            Some(name) if *name != edge.name && provides(name) => {
                let anonymous = AbstractSpec { name: None, ..self.spec.clone() };
                anonymous.versions.is_any() && anonymous.satisfied_by(dag, target)
            }
            _ => self.spec.satisfied_by(dag, target),
        }
    }
}
