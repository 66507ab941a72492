//! Builds the recipes of `guests/`, which the end-to-end tests install with `--recipe`.

use spack_wasm_nested_build::{Artifact, NestedBuild, NestedBuildError};

fn main() -> Result<(), NestedBuildError> {
    let guests = NestedBuild::new("wasm32-wasip2")
        .artifact(Artifact::component("guest-misbehaving"))
        .artifact(Artifact::component("guest-crew"));
    let built = guests.run()?;
    for (name, component) in ["MISBEHAVING", "CREW"].into_iter().zip(built) {
        println!("cargo::rustc-env=GUEST_{name}={}", component.display());
    }
    Ok(())
}
