//! Concrete DAGs, made up or taken from a recorded spec.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;
use spack_wasm_spec::{
    Architecture, Dag, DagBuilder, DagHash, DependencyType, DependencyTypes, DraftIndex, External, NodeFacts,
    VariantValue, Version,
};

/// A package of the demonstration repository.
pub(crate) fn facts(name: &str, version: &str) -> NodeFacts {
    NodeFacts {
        name: name.into(),
        version: Version::new(version),
        architecture: Architecture {
            platform: "linux".into(),
            os: "debian12".into(),
            target: "x86_64".into(),
        },
        namespace: "demo".into(),
        variants: BTreeMap::new(),
        flags: BTreeMap::new(),
        patches: Vec::new(),
        package_hash: format!("{name}-recipe"),
        external: None,
    }
}

pub(crate) fn external(name: &str, version: &str) -> NodeFacts {
    let external = Some(External { path: "/usr".into(), executables: BTreeMap::new() });
    NodeFacts { external, package_hash: String::new(), ..facts(name, version) }
}

/// Builds a DAG by package name: each package with its version and direct dependencies, leaves first; all use gcc.
pub(crate) fn dag(packages: &[(&str, &str, &[&str])], roots: &[&str]) -> Arc<Dag> {
    let mut builder = DagBuilder::new();
    let gcc = builder.add(external("gcc", "12.2.0"), []);
    let mut known: BTreeMap<&str, DraftIndex> = BTreeMap::new();
    for (name, version, below) in packages {
        let edges = below.iter().map(|name| (known[name], DependencyTypes::DEFAULT, Vec::new()));
        let index = builder.add(facts(name, version), edges.chain([compiler_edge(gcc)]).collect::<Vec<_>>());
        known.insert(name, index);
    }
    Arc::new(builder.finish(roots.iter().map(|name| known[name])))
}

fn compiler_edge(gcc: DraftIndex) -> (DraftIndex, DependencyTypes, Vec<String>) {
    (gcc, DependencyType::Build.into(), vec!["c".into(), "cxx".into()])
}

pub(crate) fn hash_of(dag: &Dag, name: &str) -> DagHash {
    dag.nodes().find(|node| node.name() == name).unwrap().hash.clone()
}

/// The DAG of recorded `specs/new/` bodies.
pub(crate) fn recorded_dag(bodies: &[&Value]) -> Arc<Dag> {
    let mut builder = DagBuilder::new();
    let gcc = builder.add(external("gcc", "12.2.0"), []);
    let mut known = BTreeMap::new();
    let nodes = |body: &Value| body["spec"]["nodes"].as_array().unwrap().clone();
    // A recorded list has dependents before what they depend on.
    for node in bodies.iter().flat_map(|body| nodes(body).into_iter().rev()) {
        let name = node["name"].as_str().unwrap().to_owned();
        if known.contains_key(&name) {
            continue;
        }
        let below = node["dependencies"].as_array().cloned().unwrap_or_default();
        let edges = below.iter().map(|edge| {
            let types = serde_json::from_value(edge["type"].clone()).unwrap();
            (known[edge["name"].as_str().unwrap()], types, Vec::new())
        });
        let index = builder.add(recorded_facts(&node), edges.chain([compiler_edge(gcc)]).collect::<Vec<_>>());
        known.insert(name, index);
    }
    let roots = bodies.iter().map(|body| known[nodes(body)[0]["name"].as_str().unwrap()]);
    Arc::new(builder.finish(roots.collect::<Vec<_>>()))
}

fn recorded_facts(node: &Value) -> NodeFacts {
    let text = |name: &str| node[name].as_str().unwrap().to_owned();
    let parameters = node["parameters"].as_object().unwrap();
    let variants = parameters.iter().filter(|(_, value)| !value.is_array());
    NodeFacts {
        architecture: serde_json::from_value(node["arch"].clone()).unwrap(),
        namespace: text("namespace"),
        variants: variants.map(|(name, value)| (name.clone(), variant(value))).collect(),
        package_hash: text("package_hash"),
        ..facts(&text("name"), &text("version"))
    }
}

fn variant(value: &Value) -> VariantValue {
    serde_json::from_value(value.clone()).unwrap()
}
