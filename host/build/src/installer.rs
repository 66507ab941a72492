use std::sync::Arc;
use std::time::Duration;

use spack_wasm_jobserver::{Balancer, Budget};
use spack_wasm_machine::Machine;
use spack_wasm_monitor::{BuildEnd, Emitter, EventKind};
use spack_wasm_recipe_host::Catalog;
use spack_wasm_sandbox::{Access, HELPER, Sandbox};
use spack_wasm_source::Fetcher;
use spack_wasm_spec::Dag;
use spack_wasm_store::{StageArea, Store};
use tokio::runtime::Handle;

use crate::error::chain;
use crate::hoards::Hoards;
use crate::job::{Shared, build_identity};
use crate::scheduler::Scheduler;
use crate::{Cancellation, InstallError, InstallOptions, Plan, Report, SandboxOptions, walls, wrapper};

/// How often tokens that a build does not use are lent to another one.
const REBALANCE: Duration = Duration::from_millis(50);

/// Builds packages.
#[derive(Clone)]
pub struct Installer {
    /// The recipes.
    pub catalog: Arc<Catalog>,
    /// Where packages are installed.
    pub store: Store,
    /// Where sources come from.
    pub fetcher: Arc<Fetcher>,
    /// Where events go.
    pub emitter: Emitter,
    /// The machine.
    pub machine: Machine,
    /// The program, as `spack-wasm-<version>`.
    pub version: String,
    /// Where downloads run.
    pub runtime: Handle,
}

impl Installer {
    /// Builds what a plan says, and waits for the end. For a thread of its own.
    ///
    /// # Errors
    /// Nothing was built at all: a wall is missing, or a folder or program of ours can't be used. What happens to single
    /// packages is in the report.
    pub fn install(
        &self,
        dag: &Arc<Dag>,
        plan: &Plan,
        options: &InstallOptions,
        cancellation: &Cancellation,
    ) -> Result<Report, InstallError> {
        let begun = self.prepare(dag, plan, options, cancellation).and_then(|shared| {
            let held = self.hold(dag, plan, options, cancellation)?;
            let balancer = Balancer::start(&shared.budget, REBALANCE).map_err(InstallError::Thread)?;
            Ok((shared, held, balancer))
        });
        let (shared, _held, balancer) =
            begun.inspect_err(|error| self.none_built(plan, error, cancellation))?;
        let report = Scheduler::new(Arc::new(shared), plan).run();
        if let Err(error) = balancer.stop() {
            // The builds went on with the tokens that they had.
            let message = format!("jobs were not shared evenly among the builds: {error}");
            self.emitter.emit(EventKind::Warning { message });
        }
        Ok(report)
    }

    /// What all builds share. The walls are tried here, before anything is fetched or built.
    fn prepare(
        &self,
        dag: &Arc<Dag>,
        plan: &Plan,
        options: &InstallOptions,
        cancellation: &Cancellation,
    ) -> Result<Shared, InstallError> {
        let builds = plan.to_build().next().is_some();
        if builds && self.store.is_read_only() {
            return Err(InstallError::ReadOnly { store: self.store.root().to_owned() });
        }
        let policy = walls::policy(&options.sandbox);
        check_paths(&options.sandbox)?;
        let stages = StageArea::open(&options.stage_root).map_err(|error| InstallError::Stages {
            path: options.stage_root.clone(),
            source: std::io::Error::other(error),
        })?;
        self.clear_leftovers(&stages);
        let shared = Shared {
            budget: budget(options)?,
            hoards: Hoards::default(),
            installer: self.clone(),
            dag: Arc::clone(dag),
            prefixes: self.prefixes(dag),
            options: options.clone(),
            cancellation: cancellation.clone(),
            helper: HELPER.install(&options.tools)?,
            wrapper: wrapper::PROGRAM.install(&options.tools)?,
            identity: build_identity(&policy),
            stages,
            policy,
        };
        if builds {
            self.try_walls(&shared)?;
        }
        Ok(shared)
    }

    fn none_built(&self, plan: &Plan, error: &InstallError, cancellation: &Cancellation) {
        let end = match cancellation.cause() {
            Some(cause) => BuildEnd::Cancelled(cause),
            None => BuildEnd::Failed { message: chain(error) },
        };
        self.end_all(plan, &end);
    }

    /// No way of failing goes unreported: each planned build ends, although none has begun.
    pub fn end_all(&self, plan: &Plan, end: &BuildEnd) {
        for hash in plan.to_build() {
            self.emitter.emit_for(hash, EventKind::BuildEnded(end.clone()));
        }
    }

    /// Lays the walls around nothing but the folders of stages and prefixes, which the build's user may have to reach.
    fn try_walls(&self, shared: &Shared) -> Result<(), InstallError> {
        let mut policy = shared.policy.clone();
        for place in [shared.options.stage_root.as_path(), self.store.root()] {
            policy.mount(place, place, Access::ReadOnly);
        }
        drop(Sandbox::start(&policy, &shared.helper).map_err(InstallError::Walls)?);
        Ok(())
    }

    /// Removes what killed processes left. Where that fails, this run can build all the same, and the next one tries again.
    fn clear_leftovers(&self, stages: &StageArea) {
        let of_store =
            || if self.store.is_read_only() { Ok(Vec::new()) } else { self.store.collect_leftovers() };
        let cleared = [
            stages.collect_leftovers().map_err(|error| error.to_string()),
            of_store().map_err(|error| error.to_string()),
        ];
        for error in cleared.into_iter().filter_map(Result::err) {
            let message = format!("what an earlier run left behind can't be removed: {error}");
            self.emitter.emit(EventKind::Warning { message });
        }
    }
}

/// Paths that configuration opens to every build are there.
fn check_paths(sandbox: &SandboxOptions) -> Result<(), InstallError> {
    for (setting, paths) in [("config:sandbox:read", &sandbox.read), ("config:sandbox:write", &sandbox.write)]
    {
        if let Some(path) = paths.iter().find(|path| !path.exists()) {
            return Err(InstallError::NoSuchPath { setting, path: path.clone() });
        }
    }
    Ok(())
}

fn budget(options: &InstallOptions) -> Result<Budget, InstallError> {
    let outer = options.makeflags.as_deref().map(|flags| Budget::join(flags, options.jobs)).transpose()?;
    Ok(outer.flatten().unwrap_or_else(|| Budget::new(options.jobs)))
}
