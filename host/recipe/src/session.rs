use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use spack_wasm_spec::{Architecture, Dag, DagHash, Node};
use wasmtime::component::ResourceTable;
use wasmtime::{AsContextMut, Store, Trap, UpdateDeadline};

use crate::bindings::{Bindings, BindingsPre, answers};
use crate::clocks::Virtual;
use crate::component::Recipe;
use crate::deadline::{Deadline, RunCancelled, TimeIsUp};
use crate::folders::{Folder, Folders};
use crate::imports::specs::SpecHandle;
use crate::limits::Meter;
use crate::metadata::PackageMetadata;
use crate::open_files::OpenFiles;
use crate::output::Tail;
use crate::state::State;
use crate::types::{EnvironmentChange, Failure};
use crate::wasi::{self, Surroundings};
use crate::{Headers, RunError, Services};

/// What a session is about: the spec, the folders and the facts that the recipe sees.
#[derive(Clone, Debug)]
pub struct Subject {
    /// The package's name.
    pub package: String,
    /// The DAG and the node that is built or asked about; none while the recipe declares its package.
    pub spec: Option<(Arc<Dag>, Arc<Node>)>,
    /// Where each node of the DAG is installed.
    pub prefixes: Arc<BTreeMap<DagHash, PathBuf>>,
    /// The machine that the package is built for, and the family of its target.
    pub machine: Option<(Architecture, String)>,
    /// The folders that the recipe sees.
    pub folders: Vec<Folder>,
    /// The recipe's own folder, as the recipe sees it.
    pub recipe_folder: Option<String>,
    /// The stage, as the recipe sees it.
    pub stage: Option<String>,
    /// The folder of the sources, as the recipe sees it.
    pub source: Option<String>,
    /// Whether the package's own tests are wanted.
    pub run_tests: bool,
    /// Seconds since 1970 at which the recipe's wall clock stands.
    pub source_date: u64,
}

impl Subject {
    /// Nothing but the package's name and the recipe's own folder.
    pub fn outside_of_a_build(recipe: &Recipe) -> Self {
        let folder = recipe.own_folder();
        Self {
            package: recipe.source().name.clone(),
            spec: None,
            prefixes: Arc::default(),
            machine: None,
            recipe_folder: folder.as_ref().map(|folder| folder.guest.clone()),
            folders: folder.into_iter().collect(),
            stage: None,
            source: None,
            run_tests: false,
            source_date: 0,
        }
    }

    fn seed(&self) -> &str {
        self.spec.as_ref().map_or(&self.package, |(_, node)| node.hash.as_str())
    }
}

/// One instance of a recipe. After a call that failed with anything but [`RunError::Failed`] it can't be entered again.
///
/// The instance is made by the first call, so that nothing of the guest runs before: code that a component runs at its start
/// touches files as whoever the thread is then.
pub struct Session {
    recipe: String,
    store: Store<State>,
    linked: BindingsPre<State>,
    instance: Option<Bindings>,
}

pub(crate) type Call<T> = wasmtime::Result<Result<T, Failure>>;

impl Session {
    pub(crate) fn start(
        recipe: &Recipe,
        subject: Subject,
        services: Box<dyn Services>,
    ) -> Result<Self, RunError> {
        let name = recipe.label();
        let setup = |reason: String| RunError::Setup { recipe: name.clone(), reason };
        let state = state(recipe, subject, services).map_err(|error| setup(format!("{error:#}")))?;
        let mut store = recipe.store(state);
        store.limiter(|state| &mut state.meter);
        store.set_hostcall_fuel(recipe.limits().transfer);
        store.epoch_deadline_callback(|context| {
            let State { deadline, services, .. } = context.data();
            if services.is_cancelled() {
                Err(RunCancelled.into())
            } else if deadline.is_over() {
                Err(TimeIsUp(deadline.budget()).into())
            } else {
                Ok(UpdateDeadline::Continue(1))
            }
        });
        store.set_epoch_deadline(1);
        Ok(Self { recipe: name, store, linked: recipe.linked.clone(), instance: None })
    }

    fn instantiate(&mut self) -> Result<Bindings, RunError> {
        self.linked.instantiate(&mut self.store).map_err(|error| {
            if error.downcast_ref::<Trap>().is_some() || met_a_limit(&self.store, &error) {
                return explain(&self.recipe, "its start", &mut self.store, &error);
            }
            let reason = format!("its exports do not fit the contract: {}", error.root_cause());
            RunError::Setup { recipe: self.recipe.clone(), reason }
        })
    }

    pub(crate) fn call<T>(
        &mut self,
        function: &str,
        call: impl FnOnce(&Bindings, &mut Store<State>) -> Call<T>,
    ) -> Result<T, RunError> {
        self.store.data_mut().deadline.restart();
        let instance = match self.instance.take() {
            Some(instance) => instance,
            None => self.instantiate()?,
        };
        let result = call(&instance, &mut self.store);
        self.instance = Some(instance);
        match result {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(failure)) => {
                Err(RunError::Failed { recipe: self.recipe.clone(), function: function.to_owned(), failure })
            }
            Err(error) => Err(explain(&self.recipe, function, &mut self.store, &error)),
        }
    }

    /// What the recipe declares.
    ///
    /// # Errors
    /// The recipe failed, crashed, or was stopped: so for all calls.
    pub fn describe(&mut self) -> Result<PackageMetadata, RunError> {
        self.call("describe", |guest, store| guest.spack_wasm_recipe_describe().call_describe(store))
    }

    /// Changes the sources before the first phase.
    ///
    /// # Errors
    /// As for [`Session::describe`].
    pub fn prepare(&mut self) -> Result<(), RunError> {
        self.call("prepare", |guest, store| guest.spack_wasm_recipe_build().call_prepare(store))
    }

    /// Runs a phase.
    ///
    /// # Errors
    /// As for [`Session::describe`].
    pub fn run_phase(&mut self, phase: &str) -> Result<(), RunError> {
        let function = format!("phase '{phase}'");
        self.call(&function, |guest, store| guest.spack_wasm_recipe_build().call_run_phase(store, phase))
    }

    /// The address of a version's archive, if it takes code to know it.
    ///
    /// # Errors
    /// As for [`Session::describe`].
    pub fn url_for_version(&mut self, version: &str) -> Result<Option<String>, RunError> {
        self.call("url-for-version", |guest, store| {
            guest.spack_wasm_recipe_answers().call_url_for_version(store, version)
        })
    }

    /// Whether a variant whose values are a predicate may have `value`.
    ///
    /// # Errors
    /// As for [`Session::describe`].
    pub fn accepts_variant_value(&mut self, name: &str, value: &str) -> Result<bool, RunError> {
        self.call("accepts-variant-value", |guest, store| {
            guest.spack_wasm_recipe_answers().call_accepts_variant_value(store, name, value)
        })
    }

    /// What is wrong with all values together of a variant that has a validator.
    ///
    /// # Errors
    /// As for [`Session::describe`].
    pub fn check_variant_values(
        &mut self,
        name: &str,
        values: &[String],
    ) -> Result<Option<String>, RunError> {
        self.call("check-variant-values", |guest, store| {
            guest.spack_wasm_recipe_answers().call_check_variant_values(store, name, values)
        })
    }

    /// The libraries for dependents.
    ///
    /// # Errors
    /// As for [`Session::describe`].
    pub fn libraries(&mut self, query: &[String]) -> Result<Option<Vec<String>>, RunError> {
        self.call("libraries", |guest, store| guest.spack_wasm_recipe_answers().call_libraries(store, query))
    }

    /// The headers for dependents.
    ///
    /// # Errors
    /// As for [`Session::describe`].
    pub fn headers(&mut self, query: &[String]) -> Result<Option<Headers>, RunError> {
        let answer = self
            .call("headers", |guest, store| guest.spack_wasm_recipe_answers().call_headers(store, query))?;
        Ok(answer.map(|answers::HeaderAnswer { directories, files }| Headers { directories, files }))
    }

    /// The executable that stands for the package.
    ///
    /// # Errors
    /// As for [`Session::describe`].
    pub fn command(&mut self, query: &[String]) -> Result<Option<String>, RunError> {
        self.call("command", |guest, store| guest.spack_wasm_recipe_answers().call_command(store, query))
    }

    /// The package's home.
    ///
    /// # Errors
    /// As for [`Session::describe`].
    pub fn home(&mut self) -> Result<Option<String>, RunError> {
        self.call("home", |guest, store| guest.spack_wasm_recipe_answers().call_home(store))
    }

    /// What dependents get by `name`.
    ///
    /// # Errors
    /// As for [`Session::describe`].
    pub fn offered(&mut self, name: &str) -> Result<Option<String>, RunError> {
        self.call("offered", |guest, store| guest.spack_wasm_recipe_answers().call_offered(store, name))
    }

    /// Changes of the environment in which the package is built.
    ///
    /// # Errors
    /// As for [`Session::describe`].
    pub fn build_environment(&mut self) -> Result<Vec<EnvironmentChange>, RunError> {
        self.call("build-environment", |guest, store| {
            guest.spack_wasm_recipe_answers().call_build_environment(store)
        })
    }

    /// Changes of the environment in which the package is used.
    ///
    /// # Errors
    /// As for [`Session::describe`].
    pub fn run_environment(&mut self) -> Result<Vec<EnvironmentChange>, RunError> {
        self.call("run-environment", |guest, store| {
            guest.spack_wasm_recipe_answers().call_run_environment(store)
        })
    }

    /// Changes of the environment in which `dependent`, a node of the session's DAG, is built.
    ///
    /// # Errors
    /// As for [`Session::describe`].
    pub fn dependent_build_environment(
        &mut self,
        dependent: &Arc<Node>,
    ) -> Result<Vec<EnvironmentChange>, RunError> {
        self.call("dependent-build-environment", |guest, store| {
            let handle = SpecHandle::new(Arc::clone(dependent));
            let handle = store.as_context_mut().data_mut().table.push(handle)?;
            guest.spack_wasm_recipe_answers().call_dependent_build_environment(store, handle)
        })
    }

    /// The recipe's name, for messages.
    pub(crate) fn recipe(&self) -> &str {
        &self.recipe
    }

    /// The parts of a stand-alone test that failed since the last time.
    pub(crate) fn take_failed_parts(&mut self) -> Vec<String> {
        std::mem::take(&mut self.store.data_mut().failed_parts)
    }

    /// The tail of what the recipe wrote to its standard streams since the last time.
    pub fn take_output(&mut self) -> String {
        self.store.data().stderr.take()
    }
}

fn state(recipe: &Recipe, subject: Subject, services: Box<dyn Services>) -> wasmtime::Result<State> {
    let limits = recipe.limits();
    let (clock, stderr) = (Virtual::new(), Tail::new(limits.error_tail));
    let surroundings = Surroundings {
        folders: &subject.folders,
        seed: subject.seed(),
        source_date: subject.source_date,
        clock: &clock,
        stderr: &stderr,
    };
    let mut table = ResourceTable::new();
    table.set_max_capacity(limits.handles);
    Ok(State {
        wasi: wasi::context(&surroundings)?,
        folders: Folders::open(&subject.folders)?,
        open_files: OpenFiles::default(),
        table,
        meter: Meter::new(limits),
        deadline: Deadline::new(limits.time),
        clock,
        stderr,
        subject,
        services,
        failed_parts: Vec::new(),
    })
}

/// Says what ended a guest: a limit where one was met, else the trap with the tail of its standard error.
fn explain(recipe: &str, function: &str, store: &mut Store<State>, error: &wasmtime::Error) -> RunError {
    let (recipe, function) = (recipe.to_owned(), function.to_owned());
    let stderr = store.data().stderr.take();
    let limit = error
        .downcast_ref::<TimeIsUp>()
        .map(TimeIsUp::to_string)
        .or_else(|| error.downcast_ref::<RunCancelled>().map(RunCancelled::to_string))
        .or_else(|| store.data().meter.refused())
        .or_else(|| stack_exhausted(error));
    match limit {
        Some(reason) => RunError::Stopped { recipe, function, reason, stderr },
        None => RunError::Trapped { recipe, function, reason: cause(error), stderr },
    }
}

fn met_a_limit(store: &Store<State>, error: &wasmtime::Error) -> bool {
    error.is::<TimeIsUp>() || store.data().meter.refused().is_some()
}

fn stack_exhausted(error: &wasmtime::Error) -> Option<String> {
    let trap = error.downcast_ref::<Trap>()?;
    (*trap == Trap::StackOverflow).then(|| "it needs more stack than it may have".to_owned())
}

/// The innermost cause: the outer ones are a backtrace of wasm functions.
fn cause(error: &wasmtime::Error) -> String {
    if error.downcast_ref::<Trap>() == Some(&Trap::UnreachableCodeReached) {
        return "it gave up (a panic, an abort or an exception that nobody caught)".to_owned();
    }
    error.root_cause().to_string()
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session").field("recipe", &self.recipe).finish_non_exhaustive()
    }
}
