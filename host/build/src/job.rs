//! The life of one build, from the lock of its prefix to the published package.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError};
use std::time::Instant;

use spack_wasm_jobserver::{Budget, Channel, FifoStyle, Lease, Style};
use spack_wasm_monitor::PhaseExit;
use spack_wasm_package::Package;
use spack_wasm_recipe_host::{Access, Entry, Folder, NoServices, Session, Subject};
use spack_wasm_sandbox::{Access as Granted, InstalledTool, Policy, Sandbox};
use spack_wasm_spec::{Dag, DagHash, Node, VariantValue};
use spack_wasm_store::{
    BeginOptions, Begun, BuildIdentity, BuildPlace, CheckOptions, Claim, Installation, LockMode,
    PendingPrefix, SandboxRecord, SourceRecord, StageArea, Trace,
};

use crate::ask::Asker;
use crate::error::BuildError;
use crate::hoards::Hoards;
use crate::hold::patience;
use crate::identity::FileIdentity;
use crate::jobs::{Clients, Jobs};
use crate::journal::Journal;
use crate::record::{Done, walls};
use crate::services::{BuildServices, ConfigureArgs};
use crate::sources::Sources;
use crate::stage::{SOURCE, Workspace};
use crate::walls::{self, Inside};
use crate::wrapper::{Places, Wrapper};
use crate::{Cancellation, InstallOptions, Installer, permissions};

/// What all builds of a run share.
pub(crate) struct Shared {
    pub(crate) installer: Installer,
    pub(crate) dag: Arc<Dag>,
    /// Where each node of the DAG is or will be.
    pub(crate) prefixes: Arc<BTreeMap<DagHash, PathBuf>>,
    /// The walls of every build, before its own folders are added.
    pub(crate) policy: Policy,
    pub(crate) options: InstallOptions,
    pub(crate) cancellation: Cancellation,
    pub(crate) helper: InstalledTool,
    pub(crate) wrapper: InstalledTool,
    pub(crate) stages: StageArea,
    pub(crate) identity: Option<BuildIdentity>,
    pub(crate) budget: Budget,
    pub(crate) hoards: Hoards,
}

/// One build.
pub(crate) struct Job {
    pub(crate) shared: Arc<Shared>,
    pub(crate) node: Arc<Node>,
    pub(crate) journal: Journal,
}

/// How a build ended well.
pub(crate) enum Built {
    /// It was built.
    New(Installation),
    /// Another process had built it meanwhile.
    Found(Installation),
}

/// A build that came as far as having folders of its own.
pub(crate) struct Ground {
    pub(crate) entry: Entry,
    workspace: Workspace,
    pub(crate) inside: Inside,
    pub(crate) policy: Policy,
    pub(crate) wrapper: Wrapper,
    dependencies: Vec<PathBuf>,
}

/// What the phases left.
struct Outcome {
    sources: Vec<SourceRecord>,
    environment: String,
    configure_args: Option<Vec<String>>,
    sandbox: SandboxRecord,
    /// Until it is published, a build is one job.
    _token: Arc<Channel>,
}

impl Job {
    /// Builds and publishes, with one token of the budget. The folders of a failed build are left to the user, who is told
    /// where they are.
    pub(crate) fn run(&self, token: Lease) -> (Result<Built, BuildError>, Option<PathBuf>) {
        let started = Instant::now();
        let pending = match self.begin() {
            Ok(Begun::Installed(installed)) => return (Ok(Built::Found(*installed)), None),
            Ok(Begun::Build(pending)) => *pending,
            Err(error) => return (Err(error), None),
        };
        let ground = match self.prepare(&pending) {
            Ok(ground) => ground,
            Err(error) => return (Err(error), None),
        };
        let built = self
            .build(&ground, &pending, token)
            .and_then(|outcome| self.publish(&ground, pending, outcome, started.elapsed().as_secs_f64()));
        let keep = built.is_err() && self.shared.cancellation.cause().is_none();
        let stage = if keep || self.shared.options.keep_stage { ground.workspace.keep() } else { None };
        (built.map(Built::New), stage)
    }

    fn begin(&self) -> Result<Begun, BuildError> {
        let replace = self.shared.options.overwrite.contains(&self.node.hash);
        let lock = match self.claim(replace)? {
            Claim::Installed(installation) => return Ok(Begun::Installed(installation)),
            Claim::Build(lock) => lock,
        };
        let options = BeginOptions {
            identity: self.shared.identity,
            place: if self.shared.policy.remaps() { BuildPlace::Apart } else { BuildPlace::InPlace },
            replace,
        };
        Ok(self.store().begin(&self.shared.dag, &self.node, lock, &options)?)
    }

    /// The prefix's lock, or what another process has installed meanwhile; while somebody else has it, the user is told
    /// who. Only who replaces it waits for those who use it.
    fn claim(&self, replace: bool) -> Result<Claim, BuildError> {
        let (store, hash) = (self.store(), &self.node.hash);
        let mut waiting = patience(&self.shared.cancellation, |holder| {
            let name = self.node.name_version();
            self.journal.say(&format!("{name}: waiting for {holder}, which has it locked"));
        });
        let claim = if replace {
            store.lock_prefix(hash, LockMode::Exclusive, &mut waiting).map(Claim::Build)
        } else {
            store.claim(hash, &mut waiting)
        };
        match self.shared.cancellation.cause() {
            Some(cause) => Err(BuildError::Cancelled(cause)),
            None => Ok(claim?),
        }
    }

    pub(crate) fn store(&self) -> &spack_wasm_store::Store {
        &self.shared.installer.store
    }

    /// Folders, walls and compiler wrapper.
    fn prepare(&self, pending: &PendingPrefix) -> Result<Ground, BuildError> {
        let entry = self.shared.installer.catalog.entry(self.node.name())?;
        let entry = entry.ok_or_else(|| BuildError::NoRecipe(self.node.name().to_owned()))?;
        permissions::check(&entry.package, &self.shared.options.allowed)?;
        let workspace = Workspace::create(&self.shared.stages, &self.node, &entry.recipe.source().files)?;
        self.journal
            .log_to(&workspace.log)
            .map_err(|source| BuildError::Stage { path: workspace.log.clone(), source })?;
        if let Some(wrong) = pending.displaced() {
            let name = self.node.name_version();
            self.journal.say(&format!("{name}: its prefix was not complete and is built again: {wrong}"));
        }
        let mut policy = self.shared.policy.clone();
        let inside = walls::inside(&policy, &workspace);
        let dependencies = walls::needed_prefixes(self.store(), &self.shared.dag, &self.node)?;
        let prefix = (pending.building_path(), pending.final_path());
        walls::grant(&mut policy, &inside, &workspace, (&prefix.0, &prefix.1), &dependencies);
        permissions::grant(&mut policy, &entry.package.permissions);
        let wrapper = Wrapper::new(&self.places(&prefix.1), inside.wrapper.clone())?;
        wrapper.write(&workspace.wrapper, &self.shared.wrapper)?;
        Ok(Ground { entry, workspace, inside, policy, wrapper, dependencies })
    }

    fn places<'a>(&'a self, prefix: &'a std::path::Path) -> Places<'a> {
        let link = self.shared.dag.link_closure(&self.node);
        // The dependents of a library come before it on a linker's line, so the nearest ones are searched first.
        let link = link.iter().rev().filter(|node| !node.is_external());
        Places {
            dag: &self.shared.dag,
            node: &self.node,
            store_root: self.store().root(),
            prefix,
            link: link.map(|node| self.store().prefix_of(node)).collect(),
        }
    }

    fn build(&self, ground: &Ground, pending: &PendingPrefix, token: Lease) -> Result<Outcome, BuildError> {
        let asker = self.asker();
        let sources = self.sources(ground)?;
        let source_date = ground.workspace.newest()?;
        ground.workspace.give_to(self.shared.identity)?;
        let environment = self.environment(ground, &asker, source_date)?;
        let configure_args = ConfigureArgs::default();
        let jobs = self.jobs(ground, token)?;
        let sandbox = Arc::new(self.sandbox(ground, &jobs)?);
        let _watched = self.shared.cancellation.watch(sandbox.canceller());
        self.shared.hoards.watch(&jobs.channel, &sandbox);
        let services = BuildServices {
            sandbox: Arc::clone(&sandbox),
            policy: Arc::new(ground.policy.clone()),
            journal: self.journal.clone(),
            environment: environment.clone(),
            source: ground.inside.stage.join(SOURCE),
            jobs,
            compilers: ["c", "cxx", "fortran"]
                .into_iter()
                .filter_map(|language| Some((language.to_owned(), ground.wrapper.compiler(language)?)))
                .collect(),
            configure_args: Arc::clone(&configure_args),
            asker,
            cancellation: self.shared.cancellation.clone(),
            identity: self.shared.identity,
        };
        let channel = Arc::clone(&services.jobs.channel);
        let subject = self.subject(ground, pending, source_date);
        let ran = self.run_recipe(ground, subject, services);
        self.take_back(&channel);
        // A recipe that was stopped has not failed.
        ran.map_err(|error| self.shared.cancellation.cause().map_or(error, BuildError::Cancelled))?;
        let kept = configure_args.lock().unwrap_or_else(PoisonError::into_inner).take();
        let walls = walls(&sandbox);
        Ok(Outcome {
            sources,
            environment: environment.shell_text(),
            configure_args: kept,
            sandbox: walls,
            _token: channel,
        })
    }

    /// Takes all tokens back but the one that the build has by being there, and says who made some up.
    fn take_back(&self, channel: &Channel) {
        // A broken pipe ends the budget's own thread, which is where it is heard of.
        let forged = channel.settle().map_or(0, |settlement| settlement.forged);
        if forged > 0 {
            let made_up = format!("its tools made up {forged} job tokens, which were taken away");
            self.journal.say(&format!("{}: {made_up}", self.node.name()));
        }
    }

    /// The build's channel to the job budget.
    fn jobs(&self, ground: &Ground, token: Lease) -> Result<Jobs, BuildError> {
        let clients = Clients::of(&self.shared.dag, &self.node);
        let fifo = || FifoStyle {
            path: ground.workspace.jobserver.clone(),
            inside: ground.inside.jobserver.clone(),
            owner: self.shared.identity.map(|identity| (identity.uid, identity.gid)),
        };
        let style = if clients.want_fifo() { Style::Fifo(fifo()) } else { Style::Pipe };
        let channel = Arc::new(Channel::open(token, style)?);
        Ok(Jobs { channel, budget: self.shared.budget.clone(), clients })
    }

    fn sandbox(&self, ground: &Ground, jobs: &Jobs) -> Result<Sandbox, BuildError> {
        let mut policy = ground.policy.clone();
        if jobs.clients.want_fifo() {
            policy.mount(&ground.workspace.jobserver, &ground.inside.jobserver, Granted::ReadWrite);
        }
        Ok(Sandbox::start(&policy, &self.shared.helper)?)
    }

    fn sources(&self, ground: &Ground) -> Result<Vec<SourceRecord>, BuildError> {
        let recipe = &ground.entry.recipe;
        let prefixes = &self.shared.prefixes;
        let asked = self.shared.installer.asked(&ground.entry, &self.shared.dag, &self.node, prefixes);
        let mut session = recipe.session(asked, Box::new(NoServices))?;
        let sources = Sources {
            installer: &self.shared.installer,
            journal: &self.journal,
            package: &ground.entry.package,
            dag: &self.shared.dag,
            node: &self.node,
            tested: self.tested(),
            files: &recipe.source().files,
            cancellation: &self.shared.cancellation,
        };
        sources.prepare(&ground.workspace.open()?, &mut session)
    }

    /// Whether the user wants the package's own tests to be run.
    fn tested(&self) -> bool {
        self.shared.options.tests.contains(&self.node.hash)
    }

    /// The recipe's phases in an instance of its own, in this thread as the build's user.
    fn run_recipe(
        &self,
        ground: &Ground,
        subject: Subject,
        services: BuildServices,
    ) -> Result<(), BuildError> {
        let mut session = ground.entry.recipe.session(subject, Box::new(services))?;
        let _identity = FileIdentity::take(self.shared.identity);
        self.phases(&ground.entry.package, &mut session)
    }

    fn subject(&self, ground: &Ground, pending: &PendingPrefix, source_date: u64) -> Subject {
        let stage = ground.inside.stage.display().to_string();
        let writable = |host: PathBuf, guest: String| Folder { host, guest, access: Access::Write };
        let mut folders = vec![
            writable(ground.workspace.build.clone(), stage.clone()),
            writable(pending.building_path(), pending.final_path().display().to_string()),
        ];
        let dependencies = ground.dependencies.iter();
        folders.extend(dependencies.map(|path| crate::subject::read_only(path.clone(), path.clone())));
        let recipe_folder = ground.workspace.recipe.clone().zip(ground.inside.recipe.clone());
        let recipe_folder = recipe_folder.map(|(host, guest)| crate::subject::read_only(host, guest));
        folders.extend(recipe_folder.clone());
        Subject {
            package: ground.entry.package.name.clone(),
            spec: Some((Arc::clone(&self.shared.dag), Arc::clone(&self.node))),
            prefixes: Arc::clone(&self.shared.prefixes),
            machine: Some((
                self.node.facts.architecture.clone(),
                self.shared.installer.machine.target_family.clone(),
            )),
            folders,
            recipe_folder: recipe_folder.map(|folder| folder.guest),
            source: Some(format!("{stage}/{SOURCE}")),
            stage: Some(stage),
            run_tests: self.tested(),
            source_date,
        }
    }

    fn phases(&self, package: &Package, session: &mut Session) -> Result<(), BuildError> {
        session.prepare()?;
        for phase in phases_of(package, &self.node)? {
            if let Some(cause) = self.shared.cancellation.cause() {
                return Err(BuildError::Cancelled(cause));
            }
            self.journal.begin_phase(self.node.name(), phase);
            let result = session.run_phase(phase);
            let output = session.take_output();
            if !output.is_empty() {
                self.journal.output(spack_wasm_monitor::Stream::Host, output.as_bytes());
            }
            match (result, self.shared.cancellation.cause()) {
                (Ok(()), None) => self.journal.end_phase(PhaseExit::Success),
                (_, Some(cause)) => {
                    self.journal.end_phase(PhaseExit::Error { message: "cancelled".to_owned() });
                    return Err(BuildError::Cancelled(cause));
                }
                (Err(error), None) => {
                    self.journal.say(&format!("{}: {error}", self.node.name()));
                    self.journal.end_phase(PhaseExit::Error { message: error.to_string() });
                    return Err(error.into());
                }
            }
        }
        Ok(())
    }

    /// The compilers' real names, a look at what was installed, and the record.
    fn publish(
        &self,
        ground: &Ground,
        pending: PendingPrefix,
        outcome: Outcome,
        seconds: f64,
    ) -> Result<Installation, BuildError> {
        if pending.dir().entries().is_ok_and(|mut entries| entries.next().is_none()) {
            return Err(BuildError::Empty);
        }
        pending.rewrite_text(&ground.wrapper.replacements())?;
        let options =
            CheckOptions { dependencies: ground.dependencies.clone(), traces: traces(&ground.inside) };
        let cancellation = &self.shared.cancellation;
        let checked = pending.check_unless(&options, &|| cancellation.cause().is_some());
        let checked = checked.map_err(|error| match cancellation.cause() {
            Some(cause) => BuildError::Cancelled(cause),
            None => error.into(),
        })?;
        let done = Done {
            installer: &self.shared.installer,
            dag: &self.shared.dag,
            node: &self.node,
            entry: &ground.entry,
            explicit: self.shared.options.explicit.contains(&self.node.hash),
            log: ground.workspace.log.clone(),
            environment: outcome.environment,
            configure_args: outcome.configure_args,
            seconds,
            phases: self.journal.times(),
            sandbox: outcome.sandbox,
            sources: outcome.sources,
        };
        Ok(checked.publish(&done.record())?)
    }

    fn asker(&self) -> Asker {
        Asker {
            installer: self.shared.installer.clone(),
            dag: Arc::clone(&self.shared.dag),
            prefixes: Arc::clone(&self.shared.prefixes),
        }
    }
}

fn phases_of<'a>(package: &'a Package, node: &Node) -> Result<&'a [String], BuildError> {
    let name = match node.facts.variants.get("build_system") {
        Some(VariantValue::Single(name)) => name.as_str(),
        _ => "generic",
    };
    let found = package.build_systems.iter().find(|build_system| build_system.name == name);
    found
        .map(|build_system| build_system.phases.as_slice())
        .ok_or_else(|| BuildError::BuildSystem(name.to_owned()))
}

/// What must not be in a prefix: paths that are gone once the build has ended.
fn traces(inside: &Inside) -> Vec<Trace> {
    let trace = |path: &std::path::Path, what: &str| Trace {
        bytes: path.as_os_str().as_encoded_bytes().to_vec(),
        what: what.to_owned(),
        whole_path: true,
    };
    vec![trace(&inside.stage, "the stage"), trace(&inside.wrapper, "the compiler wrapper")]
}

/// The identity of builds: root's are somebody else's.
pub(crate) fn build_identity(policy: &Policy) -> Option<BuildIdentity> {
    policy.other_user().map(|id| BuildIdentity { uid: id, gid: id })
}
