//! What the concretizer chooses.

use crate::common::{
    Memory, Recipe, builtin, dag, external, hdf5, machine, recipe, show, spec, try_solve, zlib,
};
use insta::assert_snapshot;
use spack_wasm_package::{ConditionalValue, RequirementPolicy, VariantValues};

#[test]
fn zlib_with_externals() {
    assert_snapshot!(show(&dag("zlib", &builtin())), @r"
    gcc@12.2.0 (external)
    gmake@4.3 (external)
    zlib@1.2.13 build_system=makefile +optimize +pic +shared
        gcc [build] c
        gmake [build]
    ");
}

#[test]
fn hdf5_takes_zlib_for_its_virtual() {
    assert_snapshot!(show(&dag("hdf5", &builtin())), @r"
    gcc@12.2.0 (external)
    gmake@4.3 (external)
    zlib@1.2.13 build_system=makefile +optimize +pic +shared
        gcc [build] c
        gmake [build]
    hdf5@1.10.8 api=default build_system=autotools ~cxx ~fortran ~hl ~mpi +shared +tools
        gcc [build] c
        gmake [build]
        zlib [build,link] zlib-api
    ");
}

#[test]
fn the_same_input_gives_the_same_hash() {
    let hash = || dag("hdf5+cxx+hl", &builtin()).roots().next().unwrap().hash.clone();
    let first = hash();
    assert!((0..20).all(|_| hash() == first));
}

/// `name@version` of every node that is built, and the variants of the root.
fn built(text: &str, repository: &Memory) -> String {
    let dag = dag(text, repository);
    let nodes: Vec<String> =
        dag.topological().iter().filter(|node| !node.is_external()).map(|node| node.name_version()).collect();
    nodes.join(" ")
}

fn variants(text: &str, repository: &Memory) -> String {
    let dag = dag(text, repository);
    let root = dag.roots().next().unwrap();
    let words: Vec<String> =
        root.facts.variants.iter().map(|(name, value)| value.display(name).to_string()).collect();
    words.join(" ")
}

#[test]
fn versions_and_variants_are_as_asked_for() {
    let builtin = builtin();
    assert_eq!(built("hdf5@1.14: ^zlib@1.3", &builtin), "zlib@1.3.2 hdf5@1.14.5");
    assert_eq!(built("hdf5@1.10:1.12", &builtin), "zlib@1.2.13 hdf5@1.10.8");
    assert_eq!(built("hdf5@develop-1.14", &builtin), "zlib@1.2.13 hdf5@develop-1.14");
    assert_eq!(variants("zlib~shared -pic", &builtin), "build_system=makefile +optimize ~pic ~shared");
    assert_eq!(built("netcdf-c", &builtin), "zlib@1.2.13 hdf5@1.10.8 netcdf-c@4.9.2");
    let netcdf = dag("netcdf-c", &builtin);
    assert!(netcdf.nodes().any(|node| node.satisfies(&spec("hdf5+hl ^zlib"), &netcdf)));
}

#[test]
fn a_variant_exists_where_its_condition_holds() {
    assert!(!variants("hdf5@1.10.8", &builtin()).contains("map"));
    assert!(variants("hdf5@1.14.5", &builtin()).contains("~map"));
    // Asked for, it chooses the version that has it.
    assert_eq!(built("hdf5+map", &builtin()), "zlib@1.2.13 hdf5@1.14.5");
}

#[test]
fn the_last_definition_that_holds_counts() {
    let tool = Memory::new([recipe("tool", &["2", "1"]).flag("x", false).flag_when("x", true, "@2:")]);
    assert_eq!(variants("tool@1", &tool), "~x");
    assert_eq!(variants("tool@2", &tool), "+x");
    assert_eq!(variants("tool@2~x", &tool), "~x");
}

#[test]
fn several_values_replace_the_defaults() {
    let values = |texts: &[&str]| {
        let value = |text: &&str| ConditionalValue { value: (*text).into(), when: spec("") };
        VariantValues::List(texts.iter().map(value).collect())
    };
    let gcc = recipe("tool", &["1"]).several("languages", "c,fortran", values(&["c", "fortran", "go"]));
    let gcc = Memory::new([gcc]);
    assert_eq!(variants("tool", &gcc), "languages=c,fortran");
    assert_eq!(variants("tool languages=go", &gcc), "languages=go");
    assert_eq!(variants("tool languages=c,go", &gcc), "languages=c,go");
    assert_eq!(variants("tool languages:=go", &gcc), "languages=go");
}

#[test]
fn values_come_from_one_of_the_disjoint_sets() {
    let sets = vec![vec!["none".into()], vec!["auto".into()], vec!["ofi".into(), "ucx".into()]];
    let mpi =
        Memory::new([recipe("mpi", &["1"]).several("fabrics", "none", VariantValues::DisjointSets(sets))]);
    assert_eq!(variants("mpi", &mpi), "fabrics=none");
    assert_eq!(variants("mpi fabrics=ucx", &mpi), "fabrics=ucx");
    assert_eq!(variants("mpi fabrics=ofi,ucx", &mpi), "fabrics=ofi,ucx");
    assert!(try_solve("mpi fabrics=auto,ucx", &mpi, &machine()).is_err());
}

#[test]
fn an_open_variant_takes_the_value_that_a_dependent_mentions() {
    use spack_wasm_package::{AnyValue, VariantDefault};
    let mut library = recipe("library", &["1"]);
    let default = VariantDefault::Values(["none".to_owned()].into());
    library.0.variants.push(crate::common::definition("suffix", default, VariantValues::Any(AnyValue::Text)));
    let late = recipe("late", &["1"]).depends_on("library suffix=_64", "link");
    let tool = recipe("tool", &["1"]).depends_on("library", "link").depends_on("late", "link");
    let repository = Memory::new([library, late, tool]);
    assert_eq!(variants("library", &repository), "suffix=none");
    let tool = dag("tool", &repository);
    assert!(tool.nodes().any(|node| node.satisfies(&spec("library suffix=_64"), &tool)));
}

fn with_mpi() -> Memory {
    Memory::new([
        zlib(),
        hdf5(),
        recipe("mpich", &["4.2", "3.4"]).provides("mpi@:4", "@4:").provides("mpi@:3", "@:3"),
        recipe("openmpi", &["5.0"]).flag("rsh", true).provides("mpi@:3.1", "+rsh"),
        recipe("needs-mpi-4", &["1"]).depends_on("mpi@4:", "link"),
        recipe("asks", &["1"]).depends_on("mpi", "link").depends_on_when("zlib", "link", "^mpi=openmpi"),
    ])
}

#[test]
fn a_virtual_gets_one_provider() {
    let repository = with_mpi();
    assert_eq!(built("hdf5+mpi", &repository), "mpich@4.2 zlib@1.2.13 hdf5@1.10.8");
    assert_eq!(built("hdf5+mpi ^openmpi", &repository), "openmpi@5.0 zlib@1.2.13 hdf5@1.10.8");
    assert_eq!(built("hdf5+mpi ^mpi=openmpi", &repository), "openmpi@5.0 zlib@1.2.13 hdf5@1.10.8");
    assert_eq!(built("hdf5+mpi ^mpich@3", &repository), "mpich@3.4 zlib@1.2.13 hdf5@1.10.8");
    assert_eq!(built("needs-mpi-4", &repository), "mpich@4.2 needs-mpi-4@1");
    assert_eq!(built("mpi@4", &repository), "mpich@4.2");
    assert!(try_solve("hdf5+mpi ^openmpi~rsh", &repository, &machine()).is_err());
}

#[test]
fn a_preferred_or_installed_provider_goes_first() {
    let mut facts = machine();
    facts.preferences.providers.insert("mpi".into(), vec!["openmpi".into()]);
    let solution = try_solve("hdf5+mpi", &with_mpi(), &facts).unwrap();
    assert!(solution.dag.nodes().any(|node| node.name() == "openmpi"));
    facts.externals.push(external("mpich@3.4", &[]));
    let solution = try_solve("hdf5+mpi", &with_mpi(), &facts).unwrap();
    let mpich = solution.dag.nodes().find(|node| node.name() == "mpich").unwrap();
    assert!(mpich.is_external());
    assert!(solution.notes.contains(&"mpich@3.4 is used from /usr".to_owned()));
}

#[test]
fn a_condition_looks_at_the_dag() {
    let repository = with_mpi();
    assert_eq!(built("asks", &repository), "mpich@4.2 asks@1");
    assert_eq!(built("asks ^openmpi", &repository), "openmpi@5.0 zlib@1.2.13 asks@1");
}

#[test]
fn a_condition_on_a_package_that_is_not_there_does_not_hold() {
    // Nothing else brings zlib in, and the conflict is about an old zlib only.
    let tool = recipe("tool", &["1"]).conflicts("@1", "^zlib@:1.2", None);
    let tool = tool.depends_on_when("hdf5", "link", "^zlib@:1.2");
    assert_eq!(built("tool", &Memory::new([tool, zlib(), hdf5()])), "tool@1");
}

#[test]
fn an_older_version_is_taken_where_the_newest_does_not_fit() {
    let tool =
        recipe("tool", &["2", "1"]).depends_on_when("zlib@1.3:", "link", "@2:").depends_on("zlib", "link");
    let repository = Memory::new([tool, zlib()]);
    assert_eq!(built("tool", &repository), "zlib@1.3.2 tool@2");
    assert_eq!(built("tool ^zlib@:1.2", &repository), "zlib@1.2.13 tool@1");
}

#[test]
fn a_condition_on_a_direct_dependency_looks_at_the_package_itself() {
    // zlib needs `c`, data does not: only what is compiled needs make.
    let data = recipe("data", &["1"]).depends_on("zlib", "run").depends_on_when("gmake", "build", "%c");
    let edges = |data: Recipe| -> Vec<String> {
        let data = dag("data", &Memory::new([data, zlib()]));
        data.roots().flat_map(|root| &root.dependencies).map(|edge| edge.name.clone()).collect()
    };
    assert_eq!(edges(data.clone()), ["zlib"]);
    assert_eq!(edges(data.clone().depends_on_when("c", "build", "@2:")), ["zlib"]);
    assert_eq!(edges(data.depends_on_when("c", "build", "@1:")), ["gcc", "gmake", "zlib"]);
}

#[test]
fn a_requirement_prefers_what_is_the_default() {
    let tool = recipe("tool", &["1"]).flag("a", false).flag("b", true);
    let tool = Memory::new([tool.requires(&["+a", "+b"], RequirementPolicy::AnyOf, "")]);
    assert_eq!(variants("tool", &tool), "~a +b");
}

#[test]
fn a_requirement_chooses() {
    let tool = recipe("tool", &["1"]).flag("fast", false).choice("blas", &["a", "b"]);
    let tool = tool.requires(&["blas=b"], RequirementPolicy::OneOf, "+fast");
    let tool = Memory::new([tool.requires(&["blas=a", "+fast"], RequirementPolicy::AnyOf, "")]);
    assert_eq!(variants("tool", &tool), "blas=a ~fast");
    assert_eq!(variants("tool+fast", &tool), "blas=b +fast");
}

#[test]
fn a_conditional_value_needs_its_condition() {
    let tool = Memory::new([recipe("tool", &["3", "2"]).choice("std", &["17", "20 when @:2"])]);
    assert_eq!(built("tool std=20", &tool), "tool@2");
}

#[test]
fn the_compiler_is_chosen_by_percent() {
    let mut facts = machine();
    facts.externals.push(external("llvm@16+clang", &["c", "cxx"]));
    let solution = try_solve("zlib %clang", &builtin(), &facts).unwrap();
    let root = solution.dag.roots().next().unwrap();
    assert_eq!(root.provider_of("c").unwrap().name, "llvm");
    let solution = try_solve("zlib", &builtin(), &facts).unwrap();
    assert_eq!(solution.dag.roots().next().unwrap().provider_of("c").unwrap().name, "gcc");
}

#[test]
fn configuration_prefers_and_forbids() {
    let mut facts = machine();
    facts.preferences.versions.insert("zlib".into(), vec!["1.3.1".parse().unwrap()]);
    facts.preferences.variants.insert("all".into(), spec("~shared"));
    let zlib = try_solve("zlib", &builtin(), &facts).unwrap().dag;
    assert!(zlib.roots().next().unwrap().satisfies(&spec("zlib@1.3.1~shared"), &zlib));
    facts.allow_deprecated = true;
    assert!(try_solve("zlib@1.2.11", &builtin(), &facts).is_ok());
}

#[test]
fn flags_and_target_reach_the_nodes_that_they_are_for() {
    let dag = dag("hdf5 cflags=-g ldflags==-Wl,-s target=zen3", &builtin());
    let facts = |name: &str| dag.nodes().find(|node| node.name() == name).unwrap().facts.clone();
    assert_eq!(facts("hdf5").flags["cflags"], ["-g"]);
    assert!(!facts("zlib").flags.contains_key("cflags"));
    assert_eq!(facts("zlib").flags["ldflags"], ["-Wl,-s"]);
    assert_eq!(facts("zlib").architecture.target, "zen3");
}

#[test]
fn roots_are_concretized_together() {
    let dag = dag("zlib@1.3.1 hdf5", &builtin());
    assert_eq!(
        dag.roots().map(|root| root.name_version()).collect::<Vec<_>>(),
        ["zlib@1.3.1", "hdf5@1.10.8"]
    );
    assert_eq!(dag.nodes().filter(|node| node.name() == "zlib").count(), 1);
}

#[test]
fn an_external_with_a_recipe_has_the_variants_of_its_spec_and_defaults() {
    let value = |text: &&str| ConditionalValue { value: (*text).into(), when: spec("") };
    let tls = VariantValues::List(["gnutls", "mbedtls", "openssl"].iter().map(value).collect());
    let curl = recipe("curl", &["8.1", "8.0"])
        .choice("build_system", &["autotools", "cmake"])
        .several("tls", "openssl", tls)
        .flag("ldap", false);
    let lua = recipe("lua", &["5.4", "5.3"])
        .choice("build_system", &["makefile"])
        .choice("fetcher", &["curl", "wget"])
        .flag("shared", true)
        .depends_on_when("gmake", "build", "build_system=makefile")
        .depends_on("c", "build")
        .depends_on_when("curl", "run", "fetcher=curl")
        .depends_on_when("wget", "run", "fetcher=wget")
        .provides("lua-lang", "");
    let repository = Memory::new([curl, lua, recipe("wget", &["1.2"]).depends_on("zlib", "link"), zlib()]);
    let mut facts = machine();
    facts.externals.push(external("curl@7.88.1+ldap tls=openssl", &[]));
    let lua = try_solve("lua", &repository, &facts).unwrap().dag;
    let curl = lua.nodes().find(|node| node.name() == "curl").unwrap();
    assert!(curl.is_external());
    assert!(curl.satisfies(&spec("curl@7.88.1+ldap tls:=openssl build_system=autotools"), &lua));
}

/// With a conflict on the way, `resolvo` alone forgets conditional requirements; see `Universe::every_candidate`.
#[test]
fn what_a_condition_asks_for_is_not_forgotten_after_a_conflict() {
    let ncurses = recipe("ncurses", &["6.6", "6.5"])
        .choice("build_system", &["autotools"])
        .flag("symlinks", false)
        .flag("termlib", true)
        .choice("abi", &["none", "5", "6"])
        .depends_on("c", "build")
        .depends_on("cxx", "build")
        .depends_on("pkgconf", "build");
    let readline = recipe("readline", &["8.3"]).depends_on("ncurses", "link").depends_on("c", "build");
    let lua = recipe("lua", &["5.4", "5.3"])
        .choice("build_system", &["makefile"])
        .choice("fetcher", &["curl", "wget"])
        .flag("shared", true)
        .depends_on_when("gmake", "build", "build_system=makefile")
        .depends_on("c", "build")
        .depends_on("ncurses+termlib", "link")
        .depends_on("readline", "link")
        .depends_on_when("zlib", "run", "fetcher=curl")
        .depends_on_when("wget", "run", "fetcher=wget");
    let repository = Memory::new([ncurses, readline, lua, recipe("wget", &["1.2"]), zlib()]);
    let mut facts = machine();
    facts.externals.push(external("ncurses@6.4+termlib abi=6", &[]));
    let lua = try_solve("lua", &repository, &facts).unwrap().dag;
    let edges: Vec<&str> =
        lua.roots().flat_map(|root| &root.dependencies).map(|edge| edge.name.as_str()).collect();
    assert_eq!(edges, ["gcc", "gmake", "ncurses", "readline", "zlib"]);
}

#[test]
fn a_variant_gives_way_for_a_better_version() {
    let library = recipe("library", &["1"]).flag("extra", false);
    let plugin = recipe("plugin", &["2", "1"]).depends_on("library", "link");
    let plugin = plugin.depends_on_when("library+extra", "link", "@2:");
    let middle = recipe("middle", &["2", "1"]).depends_on("plugin", "link");
    let app = recipe("app", &["1"]).depends_on("library", "link").depends_on("middle", "link");
    let repository = Memory::new([library, plugin, middle, app]);
    assert_eq!(built("app", &repository), "library@1 plugin@2 middle@2 app@1");
    assert_eq!(built("app ^library~extra", &repository), "library@1 plugin@1 middle@2 app@1");
}
