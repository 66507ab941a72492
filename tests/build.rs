//! Builds the recipes of `guests/`, which the end-to-end tests install with `--recipe`.

use spack_wasm_nested_build::{Artifact, NestedBuild, NestedBuildError};

fn main() -> Result<(), NestedBuildError> {
    let guests = ["crew", "declared", "empty", "misbehaving"];
    let mut build = NestedBuild::new("wasm32-wasip2");
    for guest in guests {
        build = build.artifact(Artifact::component(format!("guest-{guest}")));
    }
    for (guest, component) in guests.iter().zip(build.run()?) {
        println!("cargo::rustc-env=GUEST_{}={}", guest.to_uppercase(), component.display());
    }
    Ok(())
}
