//! Stand-alone tests of an embedded recipe, with a build's services played by the test.
#![expect(clippy::unwrap_used, reason = "a test that cannot be set up fails")]

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use spack_wasm_builtin::{NAMESPACE, RECIPES};
use spack_wasm_recipe_host::types::{ToolError, ToolOutcome};
use spack_wasm_recipe_host::{
    Answer, AskError, Catalog, Limits, Question, RecipeHost, RunError, Services, Session, Subject,
    TestOutcome, ToolRequest,
};
use spack_wasm_spec::{Architecture, DagBuilder, Node, NodeFacts, Version};

/// Tools that all say the same, and a log.
struct Stage {
    output: &'static str,
    log: Arc<Mutex<Vec<String>>>,
}

impl Services for Stage {
    fn run(&mut self, request: ToolRequest) -> Result<ToolOutcome, ToolError> {
        assert_eq!(request.command.arguments, ["--version"]);
        assert_eq!(request.command.directory.as_deref(), Some("/build"));
        let output = self.output.as_bytes().to_vec();
        Ok(ToolOutcome { exit_code: Some(0), signal: None, output, error_output: Vec::new() })
    }

    fn find(&mut self, _: &str) -> Option<String> {
        None
    }

    fn ask(&mut self, _: &Arc<Node>, _: Question) -> Result<Answer, AskError> {
        Err(AskError::Failed("nobody is asked".into()))
    }

    fn compiler(&mut self, _: &str) -> Option<String> {
        None
    }

    fn log(&mut self, _: bool, message: &str) {
        self.log.lock().unwrap().push(message.to_owned());
    }

    fn progress(&mut self, _: u32, _: u32, _: &str) {}
}

/// A session for an installed hdf5 1.10.8 whose tools print `output`, and the log.
fn session(output: &'static str) -> (Session, Arc<Mutex<Vec<String>>>) {
    let catalog = Catalog::new(RecipeHost::new(None, Limits::default()).unwrap(), NAMESPACE, RECIPES);
    let recipe = catalog.entry("hdf5").unwrap().unwrap().recipe;
    let mut builder = DagBuilder::new();
    let facts = NodeFacts {
        name: "hdf5".into(),
        namespace: NAMESPACE.into(),
        version: Version::new("1.10.8"),
        architecture: Architecture {
            platform: "linux".into(),
            os: "debian12".into(),
            target: "x86_64".into(),
        },
        variants: BTreeMap::new(),
        flags: BTreeMap::new(),
        patches: Vec::new(),
        package_hash: recipe.package_hash().to_owned(),
        external: None,
    };
    let root = builder.add(facts, []);
    let dag = Arc::new(builder.finish([root]));
    let node = Arc::clone(dag.roots().next().unwrap());
    let prefixes = [(node.hash.clone(), PathBuf::from("/opt/hdf5"))].into_iter().collect();
    let subject = Subject {
        spec: Some((dag, node)),
        prefixes: Arc::new(prefixes),
        stage: Some("/build".into()),
        ..Subject::outside_of_a_build(&recipe)
    };
    let log = Arc::default();
    let services = Stage { output, log: Arc::clone(&log) };
    (recipe.session(subject, Box::new(services)).unwrap(), log)
}

#[test]
fn a_test_passes_with_its_parts() {
    let (mut session, log) = session("h5dump: Version 1.10.8\n");
    assert_eq!(session.run_test("test_versions").unwrap(), TestOutcome::Passed);
    assert_eq!(log.lock().unwrap()[0], "PASSED: h5copy");
}

#[test]
fn a_part_that_fails_makes_its_test_fail() {
    let (mut session, log) = session("h5dump: Version 1.8.23\n");
    let error = session.run_test("test_versions").unwrap_err();
    assert!(matches!(error, RunError::Failed { .. }));
    assert!(error.to_string().contains("these parts of the test failed: h5copy, h5diff"), "{error}");
    let line = "FAILED: h5copy: it says 'h5dump: Version 1.8.23' and is of 1.10.8";
    assert_eq!(log.lock().unwrap()[0], line);
}

#[test]
fn a_test_that_is_not_there_is_said() {
    let error = session("").0.run_test("test_nothing").unwrap_err();
    assert_eq!(error.to_string(), "the recipe of hdf5 says: hdf5 has no test 'test_nothing'");
}
