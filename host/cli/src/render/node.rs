//! One concrete package in one line.

use std::fmt::Write;

use spack_wasm_spec::{Node, VariantValue};

/// The node in Spack's syntax, without hash and dependencies: `zlib@1.2.13+shared build_system=makefile arch=...`.
pub(crate) fn concrete(node: &Node) -> String {
    let facts = &node.facts;
    let mut text = format!("{}{}", node.name_version(), variants(node));
    for (kind, flags) in &facts.flags {
        let _ = write!(text, " {kind}='{}'", flags.join(" "));
    }
    let _ = write!(text, " arch={}", facts.architecture);
    text
}

/// The variants: those that are on or off, then those with values.
pub(crate) fn variants(node: &Node) -> String {
    let is_switch = |value: &VariantValue| matches!(value, VariantValue::Bool(_));
    let (mut switches, mut values) = (String::new(), String::new());
    for (name, value) in &node.facts.variants {
        let _ = if is_switch(value) {
            write!(switches, "{}", value.display(name))
        } else {
            write!(values, " {}", value.display(name))
        };
    }
    switches + &values
}

/// The compilers of a node as Spack's `find` names them: `%c,cxx=gcc@12.2.0`.
pub(crate) fn compilers(node: &Node, dag: &spack_wasm_spec::Dag) -> String {
    let mut names: Vec<String> = Vec::new();
    for edge in &node.dependencies {
        let languages: Vec<&str> =
            edge.virtuals.iter().map(String::as_str).filter(|name| is_language(name)).collect();
        if let (false, Some(compiler)) = (languages.is_empty(), dag.dependency(edge)) {
            names.push(format!("%{}={}", languages.join(","), compiler.name_version()));
        }
    }
    if names.is_empty() { "no compilers".to_owned() } else { names.join(" ") }
}

fn is_language(name: &str) -> bool {
    matches!(name, "c" | "cxx" | "fortran")
}
