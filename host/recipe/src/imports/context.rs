use wasmtime::bail;

use crate::bindings::context::Host;
use crate::state::State;

/// Where Spack keeps them, too.
const TEST_SOURCES: &str = ".spack/test";

impl Host for State {
    fn package_name(&mut self) -> wasmtime::Result<String> {
        Ok(self.subject.package.clone())
    }

    fn recipe_folder(&mut self) -> wasmtime::Result<Option<String>> {
        Ok(self.subject.recipe_folder.clone())
    }

    fn stage(&mut self) -> wasmtime::Result<Option<String>> {
        Ok(self.subject.stage.clone())
    }

    fn source(&mut self) -> wasmtime::Result<Option<String>> {
        Ok(self.subject.source.clone())
    }

    fn prefix(&mut self) -> wasmtime::Result<String> {
        let prefix = self.subject.spec.as_ref().and_then(|(_, node)| self.prefix_of(node));
        match prefix {
            Some(prefix) => Ok(prefix),
            None => bail!("`context.prefix` has no answer before the spec is concrete"),
        }
    }

    fn test_sources(&mut self) -> wasmtime::Result<String> {
        Ok(format!("{}/{TEST_SOURCES}", self.prefix()?))
    }

    fn run_tests(&mut self) -> wasmtime::Result<bool> {
        Ok(self.subject.run_tests)
    }
}
