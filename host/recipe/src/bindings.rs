//! The contract as Rust, generated from `wit/`.

#[expect(missing_docs, reason = "generated from the contract, which is documented in `wit/`")]
mod generated {
    wasmtime::component::bindgen!({
        path: "../../wit",
        world: "recipe",
        imports: { default: trappable },
        with: {
            "spack-wasm:recipe/specs.concrete-spec": crate::imports::specs::SpecHandle,
        },
        additional_derives: [Clone, PartialEq],
    });
}

pub(crate) use generated::exports::spack_wasm::recipe::{answers, tests};
pub(crate) use generated::spack_wasm::recipe::{
    build_systems, context, files, machine, report, specs, tools,
};
pub use generated::spack_wasm::recipe::{metadata, types};
pub(crate) use generated::{Recipe as Bindings, RecipePre as BindingsPre};
