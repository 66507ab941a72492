use std::path::{Path, PathBuf};

use crate::bindings::exports::spack_wasm::recipe::tests::TestOutcome as ContractOutcome;
use crate::bindings::spack_wasm::recipe::{context, report};
use crate::{Build, Failure, Result, Spec, Tool};

/// How a stand-alone test ended that did not fail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TestOutcome {
    /// It showed what it should.
    Passed,
    /// It could not be run here, for this reason.
    Skipped(String),
}

impl TestOutcome {
    pub(crate) fn into_contract(self) -> ContractOutcome {
        match self {
            Self::Passed => ContractOutcome::Passed,
            Self::Skipped(reason) => ContractOutcome::Skipped(reason),
        }
    }
}

/// A stand-alone test that is going on: the installed package, a scratch folder, tools.
#[derive(Debug)]
pub struct Test {
    spec: Spec,
    stage: PathBuf,
}

impl Test {
    pub(crate) fn current() -> Result<Self> {
        let stage = context::stage().ok_or_else(|| Failure::new("there is no test going on"))?;
        Ok(Self { spec: Spec::this(), stage: stage.into() })
    }

    /// The installed package.
    pub fn spec(&self) -> &Spec {
        &self.spec
    }

    /// A scratch folder.
    pub fn stage(&self) -> &Path {
        &self.stage
    }

    /// The folder with the recipe's own files; none where the recipe has none.
    pub fn recipe_folder(&self) -> Option<PathBuf> {
        context::recipe_folder().map(PathBuf::from)
    }

    /// What [`Build::keep_test_sources`] kept when the package was built.
    pub fn sources(&self) -> PathBuf {
        context::test_sources().into()
    }

    /// A tool by its name, or by its path. It runs in the scratch folder.
    pub fn tool(&self, program: impl Into<String>) -> Tool {
        Tool::new(program).directory(&self.stage)
    }

    /// Runs a part of the test, and says how it ended. The others run also when it fails; the test has failed then.
    pub fn part(&self, name: &str, part: impl FnOnce() -> Result<TestOutcome>) {
        let (outcome, message) = match part() {
            Ok(TestOutcome::Passed) => (report::PartOutcome::Passed, String::new()),
            Ok(TestOutcome::Skipped(reason)) => (report::PartOutcome::Skipped, reason),
            Err(failure) => (report::PartOutcome::Failed, failure.to_string()),
        };
        report::test_part(name, outcome, &message);
    }
}

impl Build {
    /// Keeps files and folders of the sources, by their paths in it, for the stand-alone tests: Spack's `cache_extra_test_sources`.
    ///
    /// # Errors
    /// There is no such file or folder.
    pub fn keep_test_sources(&self, paths: &[&str]) -> Result {
        let kept = PathBuf::from(context::test_sources());
        for path in paths {
            let (from, to) = (self.source().join(path), kept.join(path));
            if from.is_dir() {
                self.install_tree(from, to)?;
            } else {
                self.mkdirp(to.parent().unwrap_or(&kept))?;
                self.install(from, to)?;
            }
        }
        Ok(())
    }
}
