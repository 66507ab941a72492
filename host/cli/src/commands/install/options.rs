//! What the options of `install` mean to the builds.

use std::collections::BTreeSet;

use spack_wasm_build::{InstallOptions, LogLimits, SandboxOptions};
use spack_wasm_monitor::Proxies;
use spack_wasm_sandbox::Level;
use spack_wasm_source::{AptOptions, FetchOptions, ProxyPolicy};
use spack_wasm_spec::{Dag, DagHash};

use crate::args::{InstallArgs, SandboxArgs, TestChoice};
use crate::config::Settings;
use crate::error::CommandError;
use crate::session::Session;

/// Most jobs that run at a time unless the user says a number, as in Spack.
const USUAL_JOBS: usize = 16;

/// How the nodes of a DAG are built.
pub(super) fn build(session: &Session, args: &InstallArgs, dag: &Dag, processors: usize) -> InstallOptions {
    let settings = &session.settings;
    let roots: BTreeSet<DagHash> = dag.roots().map(|root| root.hash.clone()).collect();
    let jobs = args.jobs.or(settings.build_jobs).map(usize::from);
    InstallOptions {
        jobs: jobs.unwrap_or_else(|| processors.min(USUAL_JOBS)),
        makeflags: session.environment.makeflags.clone(),
        fail_fast: args.fail_fast,
        keep_stage: args.keep_stage,
        overwrite: if args.overwrite { roots.clone() } else { BTreeSet::new() },
        tests: match args.test {
            None => BTreeSet::new(),
            Some(TestChoice::Root) => roots.clone(),
            Some(TestChoice::All) => dag.nodes().map(|node| node.hash.clone()).collect(),
        },
        explicit: roots,
        sandbox: sandbox(session, &args.sandbox),
        user_variables: session.environment.variables(&allowed_variables(settings)),
        allowed: settings.permissions.clone(),
        log: LogLimits::default(),
        stage_root: settings.stages.clone(),
        tools: session.paths.tools(),
    }
}

/// The variables that configuration allows a recipe to have.
fn allowed_variables(settings: &Settings) -> BTreeSet<&str> {
    let all = settings.permissions.values().flatten();
    all.filter_map(|permission| permission.strip_prefix("environment:")).collect()
}

/// The walls: options count more than the configuration, and `--require-sandbox` more than both.
pub(super) fn sandbox(session: &Session, args: &SandboxArgs) -> SandboxOptions {
    let settings = session.settings.sandbox.clone();
    let chosen = SandboxOptions {
        level: args.level.unwrap_or(settings.level),
        allow_missing: settings.allow_missing.into_iter().chain(args.allow_missing.iter().copied()).collect(),
        required: args.required,
        build_uid: settings.build_uid,
        read: settings.read,
        write: settings.write,
        trace: args.trace,
    };
    if args.required {
        SandboxOptions { level: Level::Namespaces, allow_missing: BTreeSet::new(), ..chosen }
    } else {
        chosen
    }
}

/// What a user must know of walls that are lowered.
pub(super) fn lowered_walls(sandbox: &SandboxOptions) -> Vec<String> {
    let mut warnings = Vec::new();
    match sandbox.level {
        Level::Namespaces => {}
        Level::Landlock => warnings.push(
            "the sandbox is at the level `landlock`: build tools see real paths and other processes, and what is built \
             is recorded as not reproducible"
                .to_owned(),
        ),
        Level::None => warnings.push(
            "the sandbox is off: build tools may read and change everything that you may, and this is recorded with \
             what is built"
                .to_owned(),
        ),
    }
    if !sandbox.allow_missing.is_empty() {
        let layers: Vec<String> = sandbox.allow_missing.iter().map(|layer| format!("`{layer}`")).collect();
        warnings.push(format!("the sandbox may lack {}; what is missing is recorded", layers.join(", ")));
    }
    warnings
}

/// How sources are fetched.
pub(super) fn fetching(session: &Session, args: &InstallArgs) -> Result<FetchOptions, CommandError> {
    let settings = &session.settings;
    let mut options = FetchOptions::new(settings.source_cache.clone());
    options.mirrors.clone_from(&settings.mirrors);
    options.git.clone_from(&settings.git);
    options.no_checksum = args.no_checksum || !settings.checksum;
    let apt = AptOptions::new(session.paths.apt());
    options.apt = Some(apt).filter(|apt| settings.apt && apt.apt_get.exists());
    options.proxy = proxies(&session.environment.proxies)?;
    Ok(options)
}

fn proxies(proxies: &Proxies) -> Result<ProxyPolicy, CommandError> {
    let parse = |name: &str, text: &Option<String>| {
        let Some(text) = text else { return Ok(None) };
        let address = if text.contains("://") { text.clone() } else { format!("http://{text}") };
        // The address itself is not shown: it may hold a password.
        let wrong = |error| CommandError::caused(&format!("the proxy in {name} can't be used"), &error);
        address.parse().map(Some).map_err(wrong)
    };
    Ok(ProxyPolicy {
        http: parse("http_proxy", &proxies.http)?,
        https: parse("https_proxy", &proxies.https)?,
        direct: proxies.direct.clone(),
    })
}
