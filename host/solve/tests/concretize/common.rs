//! A repository in memory, and short ways to declare packages.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use spack_wasm_package::{
    ConditionalValue, Conflict, DeclaredVersion, Dependency, Package, Provided, Repository, Requirement,
    RequirementPolicy, VariantDefault, VariantDefinition, VariantValues, provides,
};
use spack_wasm_solve::{ExternalPackage, Facts, Solution, SolveError, solve};
use spack_wasm_spec::{AbstractSpec, Architecture, Dag, DependencyType, DependencyTypes, Node, Version};

pub(crate) fn spec(text: &str) -> AbstractSpec {
    AbstractSpec::parse(text).unwrap_or_else(|error| panic!("{error}"))
}

/// `build`, `link`, `run` and `test`, separated by commas.
pub(crate) fn types(text: &str) -> DependencyTypes {
    text.split(',')
        .map(|name| DependencyType::ALL.into_iter().find(|kind| kind.as_str() == name).unwrap())
        .collect()
}

/// A package that is declared step by step, in the order of its directives.
#[derive(Clone)]
pub(crate) struct Recipe(pub(crate) Package);

pub(crate) fn recipe(name: &str, versions: &[&str]) -> Recipe {
    let declared = |version: &&str| DeclaredVersion {
        version: Version::new(*version),
        sources: Vec::new(),
        expand: true,
        cached: true,
        preferred: false,
        deprecated: false,
    };
    let versions = versions.iter().map(declared).collect();
    let package_hash = format!("hash-of-{name}");
    Recipe(Package {
        name: name.into(),
        namespace: "builtin".into(),
        versions,
        package_hash,
        ..Package::default()
    })
}

impl Recipe {
    pub(crate) fn change_version(mut self, version: &str, change: impl Fn(&mut DeclaredVersion)) -> Self {
        let found = self.0.versions.iter_mut().find(|declared| declared.version.as_str() == version);
        change(found.unwrap());
        self
    }

    pub(crate) fn flag(self, name: &str, default: bool) -> Self {
        self.flag_when(name, default, "")
    }

    pub(crate) fn flag_when(mut self, name: &str, default: bool, when: &str) -> Self {
        let definition = definition(name, VariantDefault::Bool(default), VariantValues::Bool);
        self.0.variants.push(VariantDefinition { when: spec(when), ..definition });
        self
    }

    /// A variant with one value of a list; the first one is the default. `VALUE when CONDITION` is a conditional value.
    pub(crate) fn choice(mut self, name: &str, values: &[&str]) -> Self {
        let list = values.iter().map(|text| {
            let (value, when) = text.split_once(" when ").unwrap_or((text, ""));
            ConditionalValue { value: value.into(), when: spec(when) }
        });
        let default = VariantDefault::Values(BTreeSet::from([values[0].into()]));
        self.0.variants.push(definition(name, default, VariantValues::List(list.collect())));
        self
    }

    /// A variant with several values; `defaults` separated by commas.
    pub(crate) fn several(mut self, name: &str, defaults: &str, values: VariantValues) -> Self {
        let default = VariantDefault::Values(defaults.split(',').map(str::to_owned).collect());
        self.0.variants.push(VariantDefinition { multi: true, ..definition(name, default, values) });
        self
    }

    pub(crate) fn depends_on(self, on: &str, kinds: &str) -> Self {
        self.depends_on_when(on, kinds, "")
    }

    pub(crate) fn depends_on_when(mut self, on: &str, kinds: &str, when: &str) -> Self {
        let dependency =
            Dependency { spec: spec(on), when: spec(when), types: types(kinds), patches: Vec::new() };
        self.0.dependencies.push(dependency);
        self
    }

    pub(crate) fn conflicts(mut self, with: &str, when: &str, message: Option<&str>) -> Self {
        let message = message.map(str::to_owned);
        self.0.conflicts.push(Conflict { spec: spec(with), when: spec(when), message });
        self
    }

    pub(crate) fn requires(mut self, specs: &[&str], policy: RequirementPolicy, when: &str) -> Self {
        let specs = specs.iter().map(|text| spec(text)).collect();
        self.0.requirements.push(Requirement { specs, policy, when: spec(when), message: None });
        self
    }

    pub(crate) fn provides(mut self, what: &str, when: &str) -> Self {
        self.0.provides.push(Provided { spec: spec(what), when: spec(when) });
        self
    }
}

pub(crate) fn definition(name: &str, default: VariantDefault, values: VariantValues) -> VariantDefinition {
    VariantDefinition {
        name: name.into(),
        when: AbstractSpec::default(),
        default,
        values,
        multi: false,
        validated: false,
        sticky: false,
        description: String::new(),
    }
}

#[derive(Default)]
pub(crate) struct Memory(BTreeMap<String, Arc<Package>>);

impl Memory {
    pub(crate) fn new(recipes: impl IntoIterator<Item = Recipe>) -> Self {
        Self(recipes.into_iter().map(|Recipe(package)| (package.name.clone(), Arc::new(package))).collect())
    }
}

impl Repository for Memory {
    fn package(&self, name: &str) -> Option<Arc<Package>> {
        self.0.get(name).cloned()
    }

    fn providers(&self, name: &str) -> Vec<String> {
        provides(self.0.values().map(Arc::as_ref), name)
    }

    fn names(&self) -> Vec<String> {
        self.0.keys().cloned().collect()
    }

    fn virtual_names(&self) -> Vec<String> {
        let provided = self.0.values().flat_map(|package| &package.provides);
        let names: BTreeSet<_> = provided.filter_map(|provided| provided.name().map(str::to_owned)).collect();
        names.into_iter().collect()
    }
}

pub(crate) fn external(text: &str, virtuals: &[&str]) -> ExternalPackage {
    let spec = spec(text);
    ExternalPackage {
        name: spec.name.clone().unwrap(),
        version: spec.versions.to_string().trim_start_matches('=').into(),
        variants: spec.variants,
        prefix: PathBuf::from("/usr"),
        executables: BTreeMap::new(),
        virtuals: virtuals.iter().map(|name| (*name).to_owned()).collect(),
    }
}

/// A machine with a compiler, make, cmake and pkgconf.
pub(crate) fn machine() -> Facts {
    let architecture =
        Architecture { platform: "linux".into(), os: "debian12".into(), target: "x86_64_v3".into() };
    let mut facts = Facts::new(architecture);
    facts.externals = vec![
        external("gcc@12.2.0", &["c", "cxx", "fortran"]),
        external("gmake@4.3", &[]),
        external("cmake@3.25.1", &[]),
        external("pkgconf@1.8.1", &["pkgconfig"]),
    ];
    facts
}

/// zlib and hdf5, as far as a machine without MPI can have them, and a few packages that nobody installs.
pub(crate) fn builtin() -> Memory {
    Memory::new([zlib(), hdf5(), recipe("netcdf-c", &["4.9.2"]).depends_on("hdf5+hl", "build,link")])
}

pub(crate) fn zlib() -> Recipe {
    recipe("zlib", &["1.3.2", "1.3.1", "1.2.13", "1.2.11"])
        .change_version("1.2.13", |declared| declared.preferred = true)
        .change_version("1.2.11", |declared| declared.deprecated = true)
        .choice("build_system", &["makefile", "generic when platform=windows"])
        .flag("pic", true)
        .flag("shared", true)
        .flag("optimize", true)
        .depends_on_when("gmake", "build", "build_system=makefile")
        .depends_on("c", "build")
        .conflicts("platform=windows", "build_system=makefile", None)
        .provides("zlib-api", "")
}

pub(crate) fn hdf5() -> Recipe {
    let api = ["default", "v114", "v112", "v110", "v18", "v16"];
    recipe("hdf5", &["1.14.5", "1.12.3", "1.10.8", "1.8.22", "develop-1.14"])
        .change_version("1.10.8", |declared| declared.preferred = true)
        .choice("build_system", &["autotools"])
        .flag("shared", true)
        .flag("hl", false)
        .flag("cxx", false)
        .flag("fortran", false)
        .flag("tools", true)
        .flag("mpi", false)
        .flag_when("map", false, "@1.14:")
        .choice("api", &api)
        .depends_on_when("gmake", "build", "build_system=autotools")
        .depends_on("c", "build")
        .depends_on_when("cxx", "build", "+cxx")
        .depends_on_when("fortran", "build", "+fortran")
        .depends_on("zlib-api", "build,link")
        .depends_on_when("mpi", "build,link", "+mpi")
        .conflicts("api=v114", "@1.6:1.12", Some("hdf5: v114 is not compatible with this release"))
        .conflicts("+cxx", "+mpi", None)
}

pub(crate) fn try_solve(text: &str, repository: &Memory, facts: &Facts) -> Result<Solution, SolveError> {
    let roots = AbstractSpec::parse_all(text).unwrap_or_else(|error| panic!("{error}"));
    solve(&roots, repository, facts)
}

/// The DAG of `text` over `repository` on the usual machine.
pub(crate) fn dag(text: &str, repository: &Memory) -> Dag {
    try_solve(text, repository, &machine()).unwrap_or_else(|error| panic!("{error}")).dag
}

/// What is said when `text` can't be had.
pub(crate) fn error(text: &str, repository: &Memory) -> String {
    try_solve(text, repository, &machine()).unwrap_err().to_string()
}

/// One line a node, each after its dependencies: name, version, variants, then each edge.
pub(crate) fn show(dag: &Dag) -> String {
    let lines: Vec<String> = dag.topological().iter().map(|node| show_node(node)).collect();
    lines.join("\n")
}

fn show_node(node: &Node) -> String {
    let mut line = node.name_version();
    for (name, value) in &node.facts.variants {
        line.push_str(&format!(" {}", value.display(name)));
    }
    if node.is_external() {
        line.push_str(" (external)");
    }
    for edge in &node.dependencies {
        let kinds: Vec<&str> = edge.types.iter().map(DependencyType::as_str).collect();
        let line_of_edge = format!("{} [{}] {}", edge.name, kinds.join(","), edge.virtuals.join(","));
        line.push_str("\n    ");
        line.push_str(line_of_edge.trim_end());
    }
    line
}
