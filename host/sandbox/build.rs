//! Builds the helper program, static, so that it runs whatever root folder it is in.

use std::error::Error;

use spack_wasm_nested_build::{Artifact, NestedBuild};

fn main() -> Result<(), Box<dyn Error>> {
    let built =
        NestedBuild::static_for_host()?.artifact(Artifact::program("spack-wasm-sandbox-helper")).run()?;
    for helper in built {
        println!("cargo::rustc-env=SPACK_WASM_SANDBOX_HELPER={}", helper.display());
    }
    Ok(())
}
