use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use wasmtime::component::Linker;
use wasmtime::{Config, Engine, OptLevel};

use crate::bindings::Bindings;
use crate::cache::Cache;
use crate::component::{Identity, Recipe, RecipeSource};
use crate::state::State;
use crate::{Limits, LoadError, imports, inspect};

/// Loads recipes and runs them. One for a process.
pub struct RecipeHost {
    engine: Engine,
    linker: Arc<Linker<State>>,
    cache: Cache,
    limits: Limits,
}

/// How often a running guest is looked at.
const TICK: Duration = Duration::from_millis(10);

/// The stack of a guest, in bytes.
const STACK: usize = 1 << 20;

impl RecipeHost {
    /// A host that keeps compiled recipes in `cache`, a folder of the user's own; without one it compiles each time.
    ///
    /// # Errors
    /// The cache's folder can't be made, or somebody else can write it.
    pub fn new(cache: Option<&Path>, limits: Limits) -> Result<Self, LoadError> {
        let engine = engine().map_err(|error| LoadError::Compile { reason: format!("{error:#}") })?;
        let linker = linker(&engine).map_err(|error| LoadError::Compile { reason: format!("{error:#}") })?;
        tick(engine.weak())?;
        Ok(Self { engine, linker: Arc::new(linker), cache: Cache::open(cache)?, limits })
    }

    /// Loads a recipe from a component's bytes.
    ///
    /// # Errors
    /// The bytes are no recipe that this host can run.
    pub fn load(&self, bytes: &[u8], source: RecipeSource) -> Result<Recipe, LoadError> {
        let facts = inspect::inspect(bytes)?;
        let digest = sha256(bytes);
        let component = self.cache.component(&self.engine, &digest, bytes)?;
        self.recipe(component, facts, digest, source)
    }

    /// Loads a recipe whose component was compiled by [`RecipeHost::precompile`] of this very version; `bytes` are the component
    /// that it was compiled from. Where `compiled` does not fit this machine, the bytes are compiled.
    ///
    /// # Errors
    /// The bytes are no recipe that this host can run.
    ///
    /// # Safety
    /// `compiled` must come from [`RecipeHost::precompile`], unchanged: it is native code that will be run.
    #[expect(unsafe_code, reason = "compiled code can't be checked; the caller vouches for it")]
    pub unsafe fn load_precompiled(
        &self,
        compiled: &'static [u8],
        bytes: &'static [u8],
        source: RecipeSource,
    ) -> Result<Recipe, LoadError> {
        // SAFETY: the caller vouches for `compiled`.
        match unsafe { wasmtime::component::Component::deserialize(&self.engine, compiled) } {
            Ok(component) => self.recipe(component, inspect::inspect(bytes)?, sha256(bytes), source),
            Err(_) => self.load(bytes, source),
        }
    }

    fn recipe(
        &self,
        component: wasmtime::component::Component,
        facts: inspect::Facts,
        digest: String,
        source: RecipeSource,
    ) -> Result<Recipe, LoadError> {
        let linked = self.linker.instantiate_pre(&component).and_then(crate::bindings::BindingsPre::new);
        let linked = linked.map_err(|error| LoadError::Misfit { reason: format!("{error:#}") })?;
        let kept = self.cache.own_files(&source.files)?;
        Ok(Recipe::new(linked, facts, Identity { digest, source, kept }, self.limits))
    }

    /// Compiles a component ahead of time, for the baseline processor of this architecture.
    ///
    /// # Errors
    /// The bytes are no component.
    pub fn precompile(bytes: &[u8]) -> Result<Vec<u8>, LoadError> {
        let compile = || {
            let mut config = config()?;
            config.target(&format!("{}-unknown-linux-gnu", std::env::consts::ARCH))?;
            Engine::new(&config)?.precompile_component(bytes)
        };
        compile().map_err(|error: wasmtime::Error| LoadError::Compile { reason: format!("{error:#}") })
    }
}

pub(crate) fn sha256(bytes: &[u8]) -> String {
    use sha2::Digest;
    data_encoding::HEXLOWER.encode(&sha2::Sha256::digest(bytes))
}

fn config() -> wasmtime::Result<Config> {
    let mut config = Config::new();
    config
        .wasm_component_model(true)
        .epoch_interruption(true)
        .max_wasm_stack(STACK)
        .cranelift_opt_level(OptLevel::Speed)
        // The same bits on every machine: see wasmtime's page on deterministic execution.
        .cranelift_nan_canonicalization(true)
        .relaxed_simd_deterministic(true);
    Ok(config)
}

fn engine() -> wasmtime::Result<Engine> {
    Engine::new(&config()?)
}

fn linker(engine: &Engine) -> wasmtime::Result<Linker<State>> {
    let mut linker = Linker::new(engine);
    wasmtime_wasi::p2::add_to_linker_sync(&mut linker)?;
    imports::shadow(&mut linker)?;
    Bindings::add_to_linker::<_, wasmtime::component::HasSelf<_>>(&mut linker, |state| state)?;
    Ok(linker)
}

/// Moves the engine's epoch until the engine is gone.
fn tick(engine: wasmtime::EngineWeak) -> Result<(), LoadError> {
    let ticker = move || {
        while let Some(engine) = engine.upgrade() {
            engine.increment_epoch();
            drop(engine);
            thread::sleep(TICK);
        }
    };
    let spawned = thread::Builder::new().name("epoch".into()).spawn(ticker);
    spawned
        .map(drop)
        .map_err(|error| LoadError::Compile { reason: format!("no thread for the clock: {error}") })
}

impl std::fmt::Debug for RecipeHost {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RecipeHost").field("limits", &self.limits).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::RecipeFiles;

    /// A component that exports one empty instance under a name.
    fn component(export: &str) -> Vec<u8> {
        let instance_without_exports = [5, 3, 1, 1, 0];
        let name = [&[1, 0, u8::try_from(export.len()).unwrap()], export.as_bytes(), &[5, 0, 0]].concat();
        let size = u8::try_from(name.len()).unwrap();
        [b"\0asm\x0d\0\x01\0".as_slice(), &instance_without_exports, &[11, size], &name].concat()
    }

    #[test]
    fn a_component_of_another_contract_is_refused_in_words() {
        let host = RecipeHost::new(None, Limits::default()).unwrap();
        let source =
            RecipeSource { name: String::new(), namespace: "local".into(), files: RecipeFiles::default() };
        let refused = |export: &str| host.load(&component(export), source.clone()).unwrap_err().to_string();
        let newer = refused("spack-wasm:recipe/describe@0.2.0");
        assert!(
            newer
                .starts_with("it is a recipe for contract 0.2.0, and this version of spack-wasm speaks 0.1;"),
            "{newer}"
        );
        let same = refused("spack-wasm:recipe/describe@0.1.0");
        assert!(
            same.starts_with("it does not fit contract 0.1.0: ") && same.contains("spack-wasm:recipe/"),
            "{same}"
        );
    }
}
