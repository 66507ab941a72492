use crate::bindings::tests;
use crate::types::Failure;
use crate::{RunError, Session};

/// How a stand-alone test ended that did not fail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TestOutcome {
    /// It showed what it should.
    Passed,
    /// It could not be run here.
    Skipped {
        /// Why, in the recipe's words.
        reason: String,
    },
}

impl Session {
    /// Runs one of the tests that the recipe declares. The subject is the installed package, with a scratch folder as its stage.
    ///
    /// # Errors
    /// As for [`Session::describe`]; and a part of the test failed.
    pub fn run_test(&mut self, name: &str) -> Result<TestOutcome, RunError> {
        let function = format!("test '{name}'");
        let outcome =
            self.call(&function, |guest, store| guest.spack_wasm_recipe_tests().call_run_test(store, name))?;
        let failed = self.take_failed_parts();
        if !failed.is_empty() {
            let failure = Failure::Other(format!("these parts of the test failed: {}", failed.join(", ")));
            return Err(RunError::Failed { recipe: self.recipe().to_owned(), function, failure });
        }
        Ok(match outcome {
            tests::TestOutcome::Passed => TestOutcome::Passed,
            tests::TestOutcome::Skipped(reason) => TestOutcome::Skipped { reason },
        })
    }
}
