use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use data_encoding::HEXLOWER;
use md5::{Digest, Md5};
use serde::Serialize;
use serde_json::{Value, json};
use spack_wasm_spec::{Architecture, Dag, DagHash, Dependency, DependencyTypes, Node};

/// A DAG in version 2 of Spack's spec format, which is what a Spackmon server reads.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SpecJson {
    #[serde(rename = "_meta")]
    meta: Meta,
    nodes: Vec<SpecNode>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
struct Meta {
    version: u32,
}

const FORMAT: Meta = Meta { version: 2 };

/// The virtual packages that a compiler provides.
const LANGUAGES: [&str; 3] = ["c", "cxx", "fortran"];

/// The kinds of compiler flags, which the format has in every node.
const FLAG_KINDS: [&str; 6] = ["cflags", "cppflags", "cxxflags", "fflags", "ldflags", "ldlibs"];

#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
enum SpecNode {
    Concrete(Box<ConcreteNode>),
    Failed(FailedNode),
}

#[derive(Clone, Debug, PartialEq, Serialize)]
struct ConcreteNode {
    name: String,
    version: String,
    arch: Architecture,
    #[serde(skip_serializing_if = "Option::is_none")]
    compiler: Option<Compiler>,
    namespace: String,
    parameters: Parameters,
    #[serde(skip_serializing_if = "Option::is_none")]
    external: Option<ExternalJson>,
    #[serde(skip_serializing_if = "Option::is_none")]
    package_hash: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    dependencies: Vec<Edge>,
    hash: DagHash,
    full_hash: DagHash,
    build_hash: DagHash,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
struct Compiler {
    name: String,
    version: String,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
struct ExternalJson {
    path: PathBuf,
    /// The environment module that provides it; none of ours comes from one.
    module: Option<String>,
}

/// Variants first, flags behind them, as the format has them.
#[derive(Clone, Debug, PartialEq, Serialize)]
struct Parameters {
    #[serde(flatten)]
    variants: BTreeMap<String, Value>,
    #[serde(flatten)]
    flags: BTreeMap<&'static str, Vec<String>>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
struct Edge {
    name: String,
    full_hash: DagHash,
    #[serde(rename = "type")]
    types: DependencyTypes,
}

/// What stands for a package that could not be concretized.
#[derive(Clone, Debug, PartialEq, Serialize)]
struct FailedNode {
    name: String,
    versions: [&'static str; 1],
    concrete: bool,
    hash: String,
    full_hash: &'static str,
}

impl SpecJson {
    /// The spec of `root` with everything below it; `None` when the DAG has no such node.
    ///
    /// An external compiler is no node but the `compiler` of its dependents, as the format has it. Every other
    /// external is a node. The three hashes of the format are our one DAG hash.
    pub fn new(dag: &Dag, root: &DagHash) -> Option<Self> {
        let nodes = preorder(dag, dag.get(root)?);
        let nodes = nodes.into_iter().map(|node| SpecNode::Concrete(Box::new(concrete(dag, &node))));
        Some(Self { meta: FORMAT, nodes: nodes.collect() })
    }

    /// What a client sends for a package that the concretizer could not find a DAG for.
    pub fn failed_concretization(name: &str) -> Self {
        let node = FailedNode {
            name: name.to_owned(),
            versions: [":"],
            concrete: false,
            // The server requires one; an abstract spec has none.
            hash: HEXLOWER.encode(&Md5::digest(name)),
            full_hash: "FAILED_CONCRETIZATION",
        };
        Self { meta: FORMAT, nodes: vec![SpecNode::Failed(node)] }
    }

    /// The root's name.
    pub(crate) fn name(&self) -> &str {
        match self.nodes.first() {
            Some(SpecNode::Concrete(node)) => &node.name,
            Some(SpecNode::Failed(node)) => &node.name,
            None => "",
        }
    }

    /// The root's version; that of a spec without one is `unknown`.
    pub(crate) fn version(&self) -> &str {
        match self.nodes.first() {
            Some(SpecNode::Concrete(node)) => &node.version,
            Some(SpecNode::Failed(_)) | None => "unknown",
        }
    }

    /// Whether the spec with this hash is one of the nodes.
    pub(crate) fn contains(&self, hash: &DagHash) -> bool {
        self.nodes.iter().any(|node| matches!(node, SpecNode::Concrete(node) if &node.hash == hash))
    }
}

/// `root`, and behind it what it depends on: the order of the format.
fn preorder(dag: &Dag, root: &Arc<Node>) -> Vec<Arc<Node>> {
    let (mut found, mut seen) = (Vec::new(), BTreeSet::new());
    let mut stack = vec![root];
    while let Some(node) = stack.pop() {
        if seen.insert(&node.hash) {
            found.push(Arc::clone(node));
            stack.extend(edges(dag, node).rev().filter_map(|edge| dag.dependency(edge)));
        }
    }
    found
}

/// The edges that the format shows: all but those to an external compiler.
fn edges<'a>(dag: &'a Dag, node: &'a Node) -> impl DoubleEndedIterator<Item = &'a Dependency> {
    node.dependencies.iter().filter(|edge| !is_external_compiler(dag, edge))
}

fn is_external_compiler(dag: &Dag, edge: &Dependency) -> bool {
    let compiles =
        !edge.virtuals.is_empty() && edge.virtuals.iter().all(|name| LANGUAGES.contains(&name.as_str()));
    compiles && dag.dependency(edge).is_some_and(|node| node.is_external())
}

fn concrete(dag: &Dag, node: &Node) -> ConcreteNode {
    let facts = &node.facts;
    let edge =
        |edge: &Dependency| Edge { name: edge.name.clone(), full_hash: edge.hash.clone(), types: edge.types };
    ConcreteNode {
        name: facts.name.clone(),
        version: facts.version.to_string(),
        arch: facts.architecture.clone(),
        compiler: compiler(dag, node),
        namespace: facts.namespace.clone(),
        parameters: parameters(node),
        external: facts
            .external
            .as_ref()
            .map(|external| ExternalJson { path: external.path.clone(), module: None }),
        package_hash: Some(facts.package_hash.clone()).filter(|hash| !hash.is_empty()),
        dependencies: edges(dag, node).map(edge).collect(),
        hash: node.hash.clone(),
        full_hash: node.hash.clone(),
        build_hash: node.hash.clone(),
    }
}

/// The format knows one compiler a node: that of the first language that it uses.
fn compiler(dag: &Dag, node: &Node) -> Option<Compiler> {
    let edge = LANGUAGES.iter().find_map(|language| node.provider_of(language))?;
    let facts = &dag.dependency(edge)?.facts;
    Some(Compiler { name: facts.name.clone(), version: facts.version.to_string() })
}

fn parameters(node: &Node) -> Parameters {
    let facts = &node.facts;
    let mut variants: BTreeMap<_, _> =
        facts.variants.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
    if !facts.patches.is_empty() {
        variants.insert("patches".to_owned(), json!(facts.patches));
    }
    let flags = FLAG_KINDS.map(|kind| (kind, facts.flags.get(kind).cloned().unwrap_or_default()));
    Parameters { variants, flags: flags.into() }
}
