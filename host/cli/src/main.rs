//! spack-wasm: see the README.

fn main() {}
