use std::marker::PhantomData;
use std::path::PathBuf;

use crate::bindings::exports::spack_wasm::recipe::answers::{
    ConcreteSpec, FlagPlacement, FoundExecutable, FoundInstallation, Guest as Answers, HeaderAnswer,
};
use crate::bindings::exports::spack_wasm::recipe::build::{Failure, Guest as BuildGuest};
use crate::bindings::exports::spack_wasm::recipe::describe::{Guest as Describe, PackageMetadata};
use crate::bindings::exports::spack_wasm::recipe::tests::{Guest as Tests, TestOutcome};
use crate::bindings::spack_wasm::recipe::types::EnvironmentChange;
use crate::{Build, Environment, Found, Headers, Libraries, PlacedFlags, Recipe, Spec, Test};

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
        answer(Build::current().and_then(|build| R::prepare(&build)))
    }

    fn run_phase(phase: String) -> Result<(), Failure> {
        answer(Build::current().and_then(|build| R::phase(&build, &phase)))
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

    fn check_variant_values(name: String, values: Vec<String>) -> Result<Option<String>, Failure> {
        Ok(R::check_variant_values(&name, &values))
    }

    fn detect(executables: Vec<FoundExecutable>) -> Result<Vec<FoundInstallation>, Failure> {
        let found = answer(R::detect(&executables))?;
        Ok(found.into_iter().map(Found::into_contract).collect())
    }

    fn libraries(query: Vec<String>) -> Result<Option<Vec<String>>, Failure> {
        let libraries = answer(R::libraries(&Spec::this(), &query))?;
        Ok(libraries.map(Libraries::into_contract))
    }

    fn headers(query: Vec<String>) -> Result<Option<HeaderAnswer>, Failure> {
        let headers = answer(R::headers(&Spec::this(), &query))?;
        Ok(headers.map(Headers::into_contract))
    }

    fn command(query: Vec<String>) -> Result<Option<String>, Failure> {
        answer(R::command(&Spec::this(), &query)).map(text)
    }

    fn home() -> Result<Option<String>, Failure> {
        answer(R::home(&Spec::this())).map(text)
    }

    fn offered(name: String) -> Result<Option<String>, Failure> {
        answer(R::offered(&Spec::this(), &name))
    }

    fn build_environment() -> Changes {
        changes(R::build_environment(&Spec::this()))
    }

    fn run_environment() -> Changes {
        changes(R::run_environment(&Spec::this()))
    }

    fn dependent_build_environment(dependent: ConcreteSpec) -> Changes {
        changes(R::dependent_build_environment(&Spec::this(), &Spec::from_contract(dependent)))
    }

    fn dependent_run_environment(dependent: ConcreteSpec) -> Changes {
        changes(R::dependent_run_environment(&Spec::this(), &Spec::from_contract(dependent)))
    }

    fn place_flags(kind: String, given: Vec<String>) -> Result<Option<FlagPlacement>, Failure> {
        let placed = answer(R::place_flags(&Spec::this(), &kind, &given))?;
        Ok(placed.map(PlacedFlags::into_contract))
    }
}

impl<R: Recipe> Tests for Adapter<R> {
    fn run_test(name: String) -> Result<TestOutcome, Failure> {
        let outcome = answer(Test::current().and_then(|test| R::test(&test, &name)))?;
        Ok(outcome.into_contract())
    }
}

fn answer<T>(answer: crate::Result<T>) -> Result<T, Failure> {
    answer.map_err(crate::Failure::into_contract)
}

fn changes(changes: crate::Result<Environment>) -> Changes {
    answer(changes).map(Environment::into_contract)
}

fn text(path: Option<PathBuf>) -> Option<String> {
    path.map(|path| path.display().to_string())
}
