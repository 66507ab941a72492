use std::marker::PhantomData;

use crate::bindings::exports::spack_wasm::recipe::answers::{
    ConcreteSpec, FlagPlacement, FoundExecutable, Guest as Answers, HeaderAnswer,
};
use crate::bindings::exports::spack_wasm::recipe::build::{Failure, Guest as BuildGuest};
use crate::bindings::exports::spack_wasm::recipe::describe::{Guest as Describe, PackageMetadata};
use crate::bindings::spack_wasm::recipe::types::EnvironmentChange;
use crate::{Build, Recipe, Spec};

/// A [`Recipe`] as the contract's exports; made by [`crate::recipe!`].
#[derive(Debug)]
pub struct Adapter<R>(PhantomData<R>);

impl<R: Recipe> Describe for Adapter<R> {
    fn describe() -> Result<PackageMetadata, Failure> {
        Ok(R::describe().into_contract())
    }
}

impl<R: Recipe> BuildGuest for Adapter<R> {
    fn prepare() -> Result<(), Failure> {
        Build::current().and_then(|build| R::prepare(&build)).map_err(crate::Failure::into_contract)
    }

    fn run_phase(phase: String) -> Result<(), Failure> {
        Build::current().and_then(|build| R::phase(&build, &phase)).map_err(crate::Failure::into_contract)
    }
}

type Changes = Result<Vec<EnvironmentChange>, Failure>;

impl<R: Recipe> Answers for Adapter<R> {
    fn url_for_version(version: String) -> Result<Option<String>, Failure> {
        Ok(R::url_for_version(&version))
    }

    fn accepts_variant_value(name: String, value: String) -> Result<bool, Failure> {
        Ok(R::accepts_variant_value(&name, &value))
    }

    fn detect(_executables: Vec<FoundExecutable>) -> Result<Vec<String>, Failure> {
        Ok(Vec::new())
    }

    fn libraries(query: Vec<String>) -> Result<Option<Vec<String>>, Failure> {
        let paths = R::libraries(&Spec::this(), &query).map_err(crate::Failure::into_contract)?;
        Ok(paths.map(|paths| paths.iter().map(|path| path.display().to_string()).collect()))
    }

    fn headers(_query: Vec<String>) -> Result<Option<HeaderAnswer>, Failure> {
        Ok(None)
    }

    fn command(query: Vec<String>) -> Result<Option<String>, Failure> {
        let path = R::command(&Spec::this(), &query).map_err(crate::Failure::into_contract)?;
        Ok(path.map(|path| path.display().to_string()))
    }

    fn home() -> Result<Option<String>, Failure> {
        Ok(None)
    }

    fn offered(name: String) -> Result<Option<String>, Failure> {
        R::offered(&Spec::this(), &name).map_err(crate::Failure::into_contract)
    }

    fn build_environment() -> Changes {
        R::build_environment(&Spec::this()).map_err(crate::Failure::into_contract)
    }

    fn run_environment() -> Changes {
        R::run_environment(&Spec::this()).map_err(crate::Failure::into_contract)
    }

    fn dependent_build_environment(dependent: ConcreteSpec) -> Changes {
        let dependent = Spec::from_contract(dependent);
        R::dependent_build_environment(&Spec::this(), &dependent).map_err(crate::Failure::into_contract)
    }

    fn dependent_run_environment(dependent: ConcreteSpec) -> Changes {
        let dependent = Spec::from_contract(dependent);
        R::dependent_run_environment(&Spec::this(), &dependent).map_err(crate::Failure::into_contract)
    }

    fn place_flags(_kind: String, _given: Vec<String>) -> Result<Option<FlagPlacement>, Failure> {
        Ok(None)
    }
}
