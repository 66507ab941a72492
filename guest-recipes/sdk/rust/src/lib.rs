//! Write `spack-wasm` recipes in Rust.
//!
//! A recipe is a type that implements [`Recipe`]: [`Recipe::describe`] declares the package, and the other methods, which all
//! have defaults, say how it is built and what dependents get. [`recipe!`] makes it a component.
//!
//! ```
//! use spack_wasm_sdk::prelude::*;
//!
//! struct Libfoo;
//!
//! impl Recipe for Libfoo {
//!     fn describe() -> Package {
//!         package("libfoo", "Foo for everybody.")
//!             .homepage("https://foo.example")
//!             .url("https://foo.example/libfoo-1.2.tar.gz")
//!             .license("MIT")
//!             .build_system(AUTOTOOLS)
//!             .version(version("1.2").sha256("b3a24de97a8fdbc835b9833169501030b8977031bcb54b3b3ac13740f846ab30"))
//!             .variant(boolean("shared", true, "Build shared libraries"))
//!             .depends_on(build_dependency("c"))
//!             .depends_on(dependency("zlib-api").when("+shared"))
//!     }
//!
//!     fn configure_args(build: &Build) -> Result<Vec<String>> {
//!         Ok(vec![enable_or_disable("shared", build.spec().has("+shared"))])
//!     }
//! }
//!
//! recipe!(Libfoo);
//! # fn main() {}
//! ```

#[expect(missing_docs, reason = "generated from the contract, which is documented in `wit/`")]
pub mod bindings {
    wit_bindgen::generate!({
        path: "../../../wit",
        world: "recipe",
        pub_export_macro: true,
        runtime_path: "::spack_wasm_sdk::wit_bindgen_runtime",
        additional_derives: [Clone],
    });
}

mod adapter;
mod build;
mod compile;
mod declare;
mod environment;
mod failure;
mod files;
mod flags;
mod found;
mod pkg_config;
mod recipe;
mod settings;
mod shared;
mod spec;
mod test;
mod tool;

pub use adapter::Adapter;
pub use bindings::exports::spack_wasm::recipe::answers::FoundExecutable;
pub use bindings::spack_wasm::recipe::metadata::{DigestAlgorithm, VersionControl};
pub use bindings::spack_wasm::recipe::specs::Compiler;
pub use bindings::spack_wasm::recipe::types::DependencyTypes;
pub use build::{Build, recipe_file};
pub use compile::{Headers, Libraries};
pub use declare::*;
pub use environment::Environment;
pub use failure::{Failure, Result};
pub use files::{find, find_libraries};
pub use flags::PlacedFlags;
pub use found::Found;
pub use pkg_config::PkgConfig;
pub use recipe::Recipe;
pub use settings::{define, enable_or_disable, with_or_without};
pub use spack_wasm_sdk_macros::package_hash;
pub use spec::Spec;
pub use test::{Test, TestOutcome};
pub use tool::Tool;

extern crate self as spack_wasm_sdk;

/// What the generated code calls.
#[doc(hidden)]
pub use wit_bindgen::rt as wit_bindgen_runtime;

/// All that a recipe usually needs.
pub mod prelude {
    pub use crate::declare::*;
    pub use crate::settings::{define, enable_or_disable, with_or_without};
    pub use crate::{
        Build, Environment, Failure, Found, FoundExecutable, Headers, Libraries, PkgConfig, PlacedFlags,
        Recipe, Result, Spec, Test, TestOutcome, find, find_libraries, recipe,
    };
}

/// Makes a component of a [`Recipe`], and puts the hash of its sources into it.
#[macro_export]
macro_rules! recipe {
    ($recipe:ty) => {
        const _: () = {
            type Exported = $crate::Adapter<$recipe>;
    $crate::bindings::export!(Exported with_types_in $crate::bindings);

            /// Read by the host from the component's custom section, before anything of the component runs.
            #[cfg(target_family = "wasm")]
            #[used]
            #[unsafe(link_section = "spack-wasm:package-hash")]
            static PACKAGE_HASH: [u8; 64] = {
                let text: &str = $crate::package_hash!();
                let mut bytes = [0; 64];
                bytes.copy_from_slice(text.as_bytes());
                bytes
            };
        };
    };
}
