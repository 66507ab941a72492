//! What recipes want beyond their sandbox, and may have once the user has said so.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use spack_wasm_package::{Package, Permission};
use spack_wasm_sandbox::{Access, Policy};

use crate::error::BuildError;

/// Refuses a recipe that wants something that configuration does not allow its package.
pub(crate) fn check(
    package: &Package,
    allowed: &BTreeMap<String, BTreeSet<String>>,
) -> Result<(), BuildError> {
    let is_allowed = |wanted: &&Permission| {
        allowed.get(&package.name).is_some_and(|allowed| allowed.contains(&wanted.name()))
    };
    let refused: Vec<_> =
        package.permissions.iter().filter(|wanted| !is_allowed(wanted)).map(described).collect();
    if refused.is_empty() {
        return Ok(());
    }
    Err(BuildError::Permission { refused: refused.join(", "), setting: package.permission_setting() })
}

fn described(wanted: &Permission) -> String {
    format!("{} ({})", wanted.name(), wanted.reason)
}

/// Adds what was allowed to the sandbox of the recipe's tools: a program is something to read, a variable no path at all.
pub(crate) fn grant(policy: &mut Policy, permissions: &[Permission]) {
    for permission in permissions {
        let path = Path::new(&permission.value);
        match permission.kind.as_str() {
            "write" => policy.mount(path, path, Access::ReadWrite),
            "read" | "program" => policy.mount(path, path, Access::ReadOnly),
            _ => continue,
        };
    }
}
