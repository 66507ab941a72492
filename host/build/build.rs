//! Builds the compiler wrapper as a static program, which the library embeds.

use spack_wasm_nested_build::{Artifact, NestedBuild, NestedBuildError};

fn main() -> Result<(), NestedBuildError> {
    let wrapper = Artifact::program("spack-wasm-compiler-wrapper");
    let built = NestedBuild::static_for_host()?.artifact(wrapper).run()?;
    println!("cargo::rustc-env=SPACK_WASM_COMPILER_WRAPPER={}", built[0].display());
    Ok(())
}
