//! A repository of packages that depend on each other; what each does is its variant `act`.

use serde_json::Value;
use spack_wasm_tests::{CREW, Output, TestContext};

/// What stands in the component in the place of a name.
const PLACEHOLDER: &[u8] = b"crew-xxxxx";

/// `joint` needs `north` and `south`, `outer` needs `joint`, `alone` needs nothing.
const NAMES: [&str; 5] = ["crew-north", "crew-south", "crew-joint", "crew-outer", "crew-alone"];

/// Gives somebody the packages.
pub(crate) fn with_crew(user: TestContext) -> TestContext {
    let component = fs_err::read(CREW).unwrap();
    let folder = user.work().join("crew");
    for name in NAMES {
        let package = folder.join("packages").join(name);
        fs_err::create_dir_all(&package).unwrap();
        fs_err::write(package.join("recipe.wasm"), renamed(&component, name)).unwrap();
    }
    fs_err::write(folder.join("repo.yaml"), "repo:\n  namespace: crew\n").unwrap();
    user.run(["repo", "add", folder.to_str().unwrap()]).succeeded();
    user
}

fn renamed(component: &[u8], name: &str) -> Vec<u8> {
    let places: Vec<usize> = component
        .windows(PLACEHOLDER.len())
        .enumerate()
        .filter_map(|(place, window)| (window == PLACEHOLDER).then_some(place))
        .collect();
    assert!(!places.is_empty(), "there is no name to replace");
    let mut component = component.to_vec();
    for place in places {
        component[place..place + name.len()].copy_from_slice(name.as_bytes());
    }
    component
}

/// Installs specs, words separated by spaces, and prints events.
pub(crate) fn install(user: &TestContext, specs: &str, options: &[&str]) -> Output {
    let base = ["install", "--format", "ndjson"];
    user.run(base.into_iter().chain(options.iter().copied()).chain(specs.split(' ')))
}

/// A run's events, by package.
pub(crate) struct Told {
    events: Vec<Value>,
}

impl Told {
    /// Of a run that has ended as each run has to: with an event that tells the exit status, and, before that, with one
    /// end of each planned build.
    pub(crate) fn by(output: &Output) -> Self {
        let events = crate::events::events(output);
        let last = events.last().unwrap();
        assert_eq!(last["event"], "run-ended", "{}", output.report());
        assert_eq!(last["exit_status"].as_i64(), output.code().map(i64::from), "{}", output.report());
        let told = Self { events };
        for step in told.steps().iter().filter(|step| step["action"] == "build") {
            let ends = told
                .events
                .iter()
                .filter(|event| event["event"] == "build-ended" && event["node"] == step["hash"]);
            assert_eq!(ends.count(), 1, "{step} in {}", output.report());
        }
        told
    }

    fn steps(&self) -> Vec<Value> {
        let plan = self.events.iter().find(|event| event["event"] == "plan");
        plan.map(|plan| plan["steps"].as_array().unwrap().clone()).unwrap_or_default()
    }

    pub(crate) fn hash(&self, package: &str) -> String {
        let found = |event: &&Value| event["event"] == "package" && event["name"] == package;
        self.events.iter().find(found).unwrap()["node"].as_str().unwrap().to_owned()
    }

    /// The only event of a kind that a package has.
    pub(crate) fn one(&self, package: &str, kind: &str) -> &Value {
        let all = self.all(package, kind);
        assert_eq!(all.len(), 1, "{all:?}");
        all[0]
    }

    pub(crate) fn all(&self, package: &str, kind: &str) -> Vec<&Value> {
        let node = self.hash(package);
        let of = |event: &&Value| event["event"] == kind && event["node"] == node.as_str();
        self.events.iter().filter(of).collect()
    }

    /// How a build ended, with its cause where it was cancelled.
    pub(crate) fn end(&self, package: &str) -> String {
        let event = self.one(package, "build-ended");
        let text = |name: &str| event[name].as_str().unwrap_or_default().to_owned();
        format!("{} {}", text("end"), text("cause")).trim_end().to_owned()
    }

    /// What a package's tools and its host said.
    pub(crate) fn output(&self, package: &str) -> String {
        let chunks = self.all(package, "output").into_iter();
        chunks.map(|chunk| chunk["text"].as_str().unwrap()).collect()
    }
}
