//! Our DAGs in the spec format that a Spackmon server reads.

use std::collections::BTreeMap;

use spack_wasm_monitor::SpecJson;
use spack_wasm_spec::{DagBuilder, DependencyType, DependencyTypes, NodeFacts, VariantValue};

use crate::packages::{external, facts};

/// What a server is told of an external compiler, another external, flags, patches and each sort of variant.
#[test]
fn a_node_of_each_sort() {
    let build: DependencyTypes = DependencyType::Build.into();
    let mut builder = DagBuilder::new();
    let gcc = builder.add(external("gcc", "12.2.0"), []);
    let perl = builder.add(external("perl", "5.36.0"), []);
    let compiler = |name: &str| (gcc, build, vec![name.to_owned()]);
    let variants = [
        ("api".to_owned(), VariantValue::Single("v18".into())),
        ("fabrics".to_owned(), VariantValue::Multi(["ucx".to_owned(), "ofi".to_owned()].into())),
        ("shared".to_owned(), VariantValue::Bool(true)),
    ];
    let hdf5 = NodeFacts {
        variants: variants.into(),
        flags: BTreeMap::from([("cflags".to_owned(), vec!["-O3".to_owned()])]),
        patches: vec!["abc".into()],
        ..facts("hdf5", "1.10.8")
    };
    let root = builder.add(hdf5, [(perl, build, Vec::new()), compiler("fortran")]);
    let hash = builder.hash(root).clone();
    let dag = builder.finish([root]);
    let text = serde_json::to_string_pretty(&SpecJson::new(&dag, &hash).unwrap()).unwrap();
    let text = text.replace(hash.as_str(), "HDF5");
    let perl = dag.nodes().find(|node| node.name() == "perl").unwrap();
    insta::assert_snapshot!(text.replace(perl.hash.as_str(), "PERL"), @r#"
    {
      "_meta": {
        "version": 2
      },
      "nodes": [
        {
          "name": "hdf5",
          "version": "1.10.8",
          "arch": {
            "platform": "linux",
            "platform_os": "debian12",
            "target": "x86_64"
          },
          "compiler": {
            "name": "gcc",
            "version": "12.2.0"
          },
          "namespace": "demo",
          "parameters": {
            "api": "v18",
            "fabrics": [
              "ofi",
              "ucx"
            ],
            "patches": [
              "abc"
            ],
            "shared": true,
            "cflags": [
              "-O3"
            ],
            "cppflags": [],
            "cxxflags": [],
            "fflags": [],
            "ldflags": [],
            "ldlibs": []
          },
          "package_hash": "hdf5-recipe",
          "dependencies": [
            {
              "name": "perl",
              "full_hash": "PERL",
              "type": [
                "build"
              ]
            }
          ],
          "hash": "HDF5",
          "full_hash": "HDF5",
          "build_hash": "HDF5"
        },
        {
          "name": "perl",
          "version": "5.36.0",
          "arch": {
            "platform": "linux",
            "platform_os": "debian12",
            "target": "x86_64"
          },
          "namespace": "demo",
          "parameters": {
            "cflags": [],
            "cppflags": [],
            "cxxflags": [],
            "fflags": [],
            "ldflags": [],
            "ldlibs": []
          },
          "external": {
            "path": "/usr",
            "module": null
          },
          "hash": "PERL",
          "full_hash": "PERL",
          "build_hash": "PERL"
        }
      ]
    }
    "#);
}
