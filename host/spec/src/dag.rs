use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{
    Architecture, DagHash, Dependency, DependencyType, DependencyTypes, Node, NodeFacts, SCHEME,
    VariantValue, Version,
};

/// A concrete DAG: nodes by hash, and the roots that the user asked for.
///
/// Every hash that a dependency names is a node of the DAG, and there is no cycle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dag {
    nodes: BTreeMap<DagHash, Arc<Node>>,
    roots: Vec<DagHash>,
}

/// Why a list of nodes is no DAG.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DagError {
    /// A dependency or root names a node that is not there.
    #[error("{dependent} depends on {name}/{hash}, which is not among the nodes")]
    MissingNode {
        /// Who names it: a package's name, or `the root list`.
        dependent: String,
        /// The missing package.
        name: String,
        /// Its hash.
        hash: DagHash,
    },
    /// A node depends on itself, directly or through others.
    #[error("{0} depends on itself")]
    Cycle(String),
    /// The file was written with a hash scheme or format that this version does not know.
    #[error("hash scheme {found} is not known to this version, which knows 1 to {SCHEME}")]
    UnknownScheme {
        /// What the file says.
        found: u32,
    },
    /// The text is not a spec file.
    #[error("not a spec file: {0}")]
    Malformed(String),
}

/// Handle of a node while a [`DagBuilder`] is filled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DraftIndex(usize);

/// Builds a [`Dag`] from the leaves up and computes the hashes.
#[derive(Debug, Default)]
pub struct DagBuilder {
    nodes: Vec<Arc<Node>>,
}

impl DagBuilder {
    /// An empty builder.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a node whose dependencies were added before, and hashes it.
    pub fn add(
        &mut self,
        facts: NodeFacts,
        dependencies: impl IntoIterator<Item = (DraftIndex, DependencyTypes, Vec<String>)>,
    ) -> DraftIndex {
        let mut edges: Vec<Dependency> = dependencies
            .into_iter()
            .map(|(DraftIndex(index), types, mut virtuals)| {
                virtuals.sort();
                let node = &self.nodes[index];
                Dependency { name: node.facts.name.clone(), hash: node.hash.clone(), types, virtuals }
            })
            .collect();
        edges.sort_by(|a, b| (&a.name, &a.hash).cmp(&(&b.name, &b.hash)));
        let hash = DagHash::of_identity(identity(&facts, &edges).as_bytes());
        self.nodes.push(Arc::new(Node { facts, dependencies: edges, hash }));
        DraftIndex(self.nodes.len() - 1)
    }

    /// The hash of a node that was added.
    pub fn hash(&self, DraftIndex(index): DraftIndex) -> &DagHash {
        &self.nodes[index].hash
    }

    /// The finished DAG with the nodes that are reachable from `roots`.
    pub fn finish(self, roots: impl IntoIterator<Item = DraftIndex>) -> Dag {
        let roots = roots.into_iter().map(|DraftIndex(index)| self.nodes[index].hash.clone()).collect();
        let nodes = self.nodes.into_iter().map(|node| (node.hash.clone(), node)).collect();
        let all = Dag { nodes, roots };
        let reachable = all.order(&all.roots);
        Dag { nodes: reachable.into_iter().map(|node| (node.hash.clone(), node)).collect(), roots: all.roots }
    }
}

/// What scheme 1 hashes, written as compact JSON with the fields in this order.
#[derive(Serialize)]
struct Identity<'a> {
    scheme: u32,
    namespace: &'a str,
    name: &'a str,
    version: &'a Version,
    arch: &'a Architecture,
    variants: &'a BTreeMap<String, VariantValue>,
    flags: &'a BTreeMap<String, Vec<String>>,
    patches: &'a [String],
    package_hash: &'a str,
    dependencies: &'a [Dependency],
}

/// What scheme 1 hashes of a package that something else installed.
#[derive(Serialize)]
struct ExternalIdentity<'a> {
    scheme: u32,
    external: &'a str,
    version: &'a Version,
}

fn identity(facts: &NodeFacts, dependencies: &[Dependency]) -> String {
    let NodeFacts { name, version, .. } = facts;
    let text = if facts.external.is_some() {
        serde_json::to_string(&ExternalIdentity { scheme: SCHEME, external: name, version })
    } else {
        serde_json::to_string(&Identity {
            scheme: SCHEME,
            namespace: &facts.namespace,
            name,
            version,
            arch: &facts.architecture,
            variants: &facts.variants,
            flags: &facts.flags,
            patches: &facts.patches,
            package_hash: &facts.package_hash,
            dependencies,
        })
    };
    text.expect("strings, booleans and maps with string keys always serialize")
}

impl Dag {
    /// The nodes that the user asked for.
    pub fn roots(&self) -> impl Iterator<Item = &Arc<Node>> {
        self.roots.iter().filter_map(|hash| self.nodes.get(hash))
    }

    /// The node with this hash.
    pub fn get(&self, hash: &DagHash) -> Option<&Arc<Node>> {
        self.nodes.get(hash)
    }

    /// All nodes, by hash.
    pub fn nodes(&self) -> impl Iterator<Item = &Arc<Node>> {
        self.nodes.values()
    }

    /// How many nodes there are.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// All nodes, each after its dependencies.
    pub fn topological(&self) -> Vec<Arc<Node>> {
        self.order(&self.roots)
    }

    /// The direct dependency of `node` on an edge.
    pub fn dependency(&self, edge: &Dependency) -> Option<&Arc<Node>> {
        self.nodes.get(&edge.hash)
    }

    /// Everything that `node` reaches over edges of `kinds`, without itself, each after what it depends on.
    pub fn closure(&self, node: &Node, kinds: DependencyTypes) -> Vec<Arc<Node>> {
        let mut found = Vec::new();
        let mut seen = BTreeSet::new();
        for edge in node.dependencies.iter().filter(|edge| edge.types.intersects(kinds)) {
            self.visit(&edge.hash, kinds, &mut seen, &mut found);
        }
        found
    }

    /// The dependencies that a dependent links against, directly or through them, without itself.
    pub fn link_closure(&self, node: &Node) -> Vec<Arc<Node>> {
        self.closure(node, DependencyType::Link.into())
    }

    /// The DAG of one node and everything below it.
    pub fn subdag(&self, root: &DagHash) -> Option<Dag> {
        self.nodes.get(root)?;
        let roots = vec![root.clone()];
        let nodes = self.order(&roots).into_iter().map(|node| (node.hash.clone(), node)).collect();
        Some(Dag { nodes, roots })
    }

    /// The nodes that depend directly on `hash`.
    pub fn dependents(&self, hash: &DagHash) -> impl Iterator<Item = &Arc<Node>> {
        self.nodes.values().filter(move |node| node.dependencies.iter().any(|edge| &edge.hash == hash))
    }

    fn order(&self, roots: &[DagHash]) -> Vec<Arc<Node>> {
        let (mut seen, mut found) = (BTreeSet::new(), Vec::new());
        let every = DependencyType::ALL.into_iter().collect();
        for root in roots {
            self.visit(root, every, &mut seen, &mut found);
        }
        found
    }

    /// Post-order without recursion: a chain of dependencies may be longer than the stack is deep.
    fn visit(
        &self,
        start: &DagHash,
        kinds: DependencyTypes,
        seen: &mut BTreeSet<DagHash>,
        found: &mut Vec<Arc<Node>>,
    ) {
        let mut stack = vec![(start.clone(), false)];
        while let Some((hash, children_done)) = stack.pop() {
            let Some(node) = self.nodes.get(&hash) else { continue };
            if children_done {
                found.push(Arc::clone(node));
            } else if seen.insert(hash.clone()) {
                stack.push((hash, true));
                let edges = node.dependencies.iter().rev().filter(|edge| edge.types.intersects(kinds));
                stack.extend(edges.map(|edge| (edge.hash.clone(), false)));
            }
        }
    }
}

/// The form of `spec.json`: Spack's, with the scheme of the hashes beside the format's version.
#[derive(Serialize, Deserialize)]
struct SpecFile {
    spec: SpecBody,
}

#[derive(Serialize, Deserialize)]
struct SpecBody {
    #[serde(rename = "_meta")]
    meta: Meta,
    nodes: Vec<Arc<Node>>,
}

#[derive(Serialize, Deserialize)]
struct Meta {
    version: u32,
    hash_scheme: u32,
    /// How many of the first nodes are roots.
    #[serde(default = "one")]
    roots: usize,
}

fn one() -> usize {
    1
}

/// Version of Spack's spec file format whose shape `spec.json` follows.
const FORMAT: u32 = 5;

impl Dag {
    /// The text of `spec.json`: roots first, then everything below them; two-space indent.
    pub fn to_json(&self) -> String {
        let rest = self.topological().into_iter().rev().filter(|node| !self.roots.contains(&node.hash));
        let nodes: Vec<_> = self.roots().cloned().chain(rest).collect();
        let meta = Meta { version: FORMAT, hash_scheme: SCHEME, roots: self.roots.len() };
        let file = SpecFile { spec: SpecBody { meta, nodes } };
        serde_json::to_string_pretty(&file)
            .expect("strings, booleans and maps with string keys always serialize")
    }

    /// Reads a `spec.json` and checks that it is a DAG.
    ///
    /// Hashes are taken as written: a node of an older scheme keeps its identity.
    ///
    /// # Errors
    /// The text is no spec file, a node is missing, there is a cycle, or the scheme is newer than this version.
    pub fn from_json(text: &str) -> Result<Self, DagError> {
        let file: SpecFile =
            serde_json::from_str(text).map_err(|error| DagError::Malformed(error.to_string()))?;
        let SpecBody { meta, nodes } = file.spec;
        if meta.hash_scheme > SCHEME {
            return Err(DagError::UnknownScheme { found: meta.hash_scheme });
        }
        let roots = nodes.iter().take(meta.roots).map(|node| node.hash.clone()).collect();
        let nodes = nodes.into_iter().map(|node| (node.hash.clone(), node)).collect();
        let dag = Dag { nodes, roots };
        dag.check()?;
        Ok(dag)
    }

    fn check(&self) -> Result<(), DagError> {
        for node in self.nodes.values() {
            if let Some(edge) = node.dependencies.iter().find(|edge| !self.nodes.contains_key(&edge.hash)) {
                return Err(DagError::MissingNode {
                    dependent: node.facts.name.clone(),
                    name: edge.name.clone(),
                    hash: edge.hash.clone(),
                });
            }
        }
        self.check_acyclic()
    }

    /// In a valid order each node stands after its dependencies; a cycle makes that impossible.
    fn check_acyclic(&self) -> Result<(), DagError> {
        let everything: Vec<_> = self.nodes.keys().cloned().collect();
        let mut placed = BTreeSet::new();
        for node in self.order(&everything) {
            if node.dependencies.iter().any(|edge| !placed.contains(&edge.hash)) {
                return Err(DagError::Cycle(node.facts.name.clone()));
            }
            placed.insert(node.hash.clone());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::External;

    fn facts(name: &str, version: &str) -> NodeFacts {
        NodeFacts {
            name: name.into(),
            version: Version::new(version),
            architecture: Architecture {
                platform: "linux".into(),
                os: "debian12".into(),
                target: "x86_64_v3".into(),
            },
            namespace: "builtin".into(),
            variants: [("shared".to_owned(), VariantValue::Bool(true))].into(),
            flags: BTreeMap::new(),
            patches: Vec::new(),
            package_hash: "p".repeat(52),
            external: None,
        }
    }

    fn example() -> Dag {
        let mut builder = DagBuilder::new();
        let gcc = NodeFacts {
            external: Some(External { path: "/usr".into(), executables: BTreeMap::new() }),
            package_hash: String::new(),
            ..facts("gcc", "12.2.0")
        };
        let gcc = builder.add(gcc, []);
        let build = DependencyType::Build.into();
        let zlib = builder.add(facts("zlib", "1.2.13"), [(gcc, build, vec!["c".into()])]);
        let edges =
            [(zlib, DependencyTypes::DEFAULT, vec!["zlib-api".into()]), (gcc, build, vec!["c".into()])];
        let hdf5 = builder.add(facts("hdf5", "1.10.8"), edges);
        builder.finish([hdf5])
    }

    /// A changed hash makes every store in the world rebuild: it must be a failed test, never a surprise.
    #[test]
    fn hashes_of_scheme_1_are_pinned() {
        let hashes: Vec<String> = example().topological().iter().map(|node| node.hash.to_string()).collect();
        assert_eq!(
            hashes,
            [
                "utyylwxagaiood5q275hodzxdu5ug7z7",
                "2fl6cq47tb5abx6bsn3vkgiyvr7s3ldw",
                "o6w3ajv3kxqeus2oj45lpxjbkhvpcihw"
            ]
        );
    }

    #[test]
    fn an_external_is_known_by_name_and_version_only() {
        let mut builder = DagBuilder::new();
        let at = |path: &str| NodeFacts {
            external: Some(External { path: path.into(), executables: BTreeMap::new() }),
            ..facts("perl", "5.36.0")
        };
        let (usr, opt) = (builder.add(at("/usr"), []), builder.add(at("/opt/perl"), []));
        assert_eq!(builder.hash(usr), builder.hash(opt));
    }

    #[test]
    fn spec_json_is_read_back_as_it_was() {
        let dag = example();
        assert_eq!(Dag::from_json(&dag.to_json()), Ok(dag));
    }

    #[test]
    fn a_missing_node_is_named() {
        let text = example().to_json().replace("\"name\": \"zlib\"", "\"name\": \"other\"");
        let mut value: serde_json::Value = serde_json::from_str(&text).unwrap();
        value["spec"]["nodes"].as_array_mut().unwrap().truncate(1);
        let error = Dag::from_json(&value.to_string()).unwrap_err();
        assert!(error.to_string().starts_with("hdf5 depends on"), "{error}");
    }

    #[test]
    fn a_cycle_is_refused() {
        let mut value: serde_json::Value = serde_json::from_str(&example().to_json()).unwrap();
        let nodes = value["spec"]["nodes"].as_array_mut().unwrap();
        let root = nodes[0]["hash"].clone();
        for node in &mut nodes[1..] {
            node["dependencies"] = json!([{ "name": "hdf5", "hash": root, "type": ["build"] }]);
        }
        assert!(matches!(Dag::from_json(&value.to_string()), Err(DagError::Cycle(_))));
    }

    #[test]
    fn dependencies_come_first() {
        let names: Vec<String> = example().topological().iter().map(|node| node.name().to_owned()).collect();
        assert_eq!(names, ["gcc", "zlib", "hdf5"]);
    }
}
