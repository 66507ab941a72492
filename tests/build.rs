//! Builds the recipes of `guests/`, which the end-to-end tests install with `--recipe`.

use spack_wasm_nested_build::{Artifact, NestedBuild, NestedBuildError};

fn main() -> Result<(), NestedBuildError> {
    let guests = NestedBuild::new("wasm32-wasip2")
        .artifact(Artifact::component("guest-misbehaving"))
        .artifact(Artifact::component("guest-declared"));
    let built = guests.run()?;
    println!("cargo::rustc-env=GUEST_MISBEHAVING={}", built[0].display());
    println!("cargo::rustc-env=GUEST_DECLARED={}", built[1].display());
    Ok(())
}
