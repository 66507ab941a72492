//! From the options of the monitor to a client and to sinks.

use jiff::ZonedDateTime;
use spack_wasm_machine::Machine;
use spack_wasm_monitor::{
    Client, ClientSettings, DEFAULT_HOST, DEFAULT_PREFIX, Delivery, Drain, Emitter, EventKind, HostFacts,
    MonitorIdentity, OfflineSink, Sink, SpackmonHandle, SpackmonSettings, SpackmonSink,
};

use crate::args::MonitorArgs;
use crate::commands::MonitorCredentials;
use crate::error::{CommandError, ErrorKind};
use crate::session::{PROGRAM, Session};
use crate::text::counted;

/// How long the end of a run waits for what is still unsent.
const DRAIN: std::time::Duration = std::time::Duration::from_secs(30);

/// How long it waits before it says so.
const SILENCE: std::time::Duration = std::time::Duration::from_secs(1);

/// Where the events of a run are reported.
#[derive(Debug)]
pub(crate) enum Target {
    /// Nowhere.
    Nowhere,
    /// A folder.
    Folder,
    /// A server that has answered.
    Server(Client),
}

/// Decides where events are reported, before anything is built; a server is asked whether it is there.
///
/// # Errors
/// Credentials are missing, or no server answers.
pub(crate) async fn target(
    session: &Session,
    args: &MonitorArgs,
    credentials: MonitorCredentials,
) -> Result<Target, CommandError> {
    match (args.monitor, args.save_local) {
        (false, _) => Ok(Target::Nowhere),
        (true, true) => Ok(Target::Folder),
        (true, false) => Ok(Target::Server(connect(session, args, credentials).await?)),
    }
}

/// A client of a server that has answered.
///
/// # Errors
/// Credentials are missing, or no server answers.
pub(crate) async fn connect(
    session: &Session,
    args: &MonitorArgs,
    credentials: MonitorCredentials,
) -> Result<Client, CommandError> {
    let failed = |message: String| CommandError::new(ErrorKind::Monitor, message);
    let credentials = match (args.disable_auth, credentials) {
        (true, _) => None,
        (false, Ok(credentials)) => Some(credentials),
        (false, Err(error)) => {
            let hint = "--monitor-disable-auth is for servers without authentication";
            let hint =
                if args.monitor { format!("{hint}, --monitor-save-local for none") } else { hint.to_owned() };
            return Err(failed(error.to_string()).hinted(hint));
        }
    };
    let host = args.host.clone().unwrap_or_else(|| DEFAULT_HOST.to_owned());
    let settings = ClientSettings {
        host,
        prefix: args.prefix.clone().unwrap_or_else(|| DEFAULT_PREFIX.to_owned()),
        credentials,
        require_tls: session.settings.require_tls,
        proxies: session.environment.proxies.clone(),
        ..ClientSettings::new(PROGRAM)
    };
    let client = Client::new(settings).map_err(|error| failed(error.to_string()))?;
    if let Some(warning) = client.warning() {
        session.ui.warn(&warning);
    }
    let info = client.check().await.map_err(|error| failed(error.to_string()))?;
    session.ui.debug(|| format!("the monitor answers: {info:?}"));
    Ok(client)
}

/// A sink for the monitor, and what becomes of what it is given.
pub(crate) struct Reporting {
    /// Takes the events.
    pub(crate) sink: Box<dyn Sink>,
    /// What becomes of them.
    pub(crate) reports: Reports,
}

/// The sink for a target; nothing is sent before the first event.
///
/// # Errors
/// The folder of saved reports can't be made.
pub(crate) fn sink(
    session: &Session,
    args: &MonitorArgs,
    target: Target,
    machine: &Machine,
    runtime: &tokio::runtime::Handle,
) -> Result<Option<Reporting>, CommandError> {
    let identity = MonitorIdentity {
        host: host_facts(machine),
        spack_version: PROGRAM.to_owned(),
        tags: args.tags.clone(),
    };
    let (save_under, now) = (session.settings.monitor_dir.clone(), ZonedDateTime::now());
    match target {
        Target::Nowhere => Ok(None),
        Target::Folder => {
            let sink = OfflineSink::create(&save_under, &now, identity)
                .map_err(|error| CommandError::new(ErrorKind::Monitor, error.to_string()))
                .map_err(|error| error.hinted("config:monitor_dir names another folder".to_owned()))?;
            let path = sink.path().to_owned();
            Ok(Some(Reporting { sink: Box::new(sink), reports: Reports::Saved(path) }))
        }
        Target::Server(client) => {
            let (keep_going, spool) = (args.keep_going, session.paths.cache.clone());
            let settings = SpackmonSettings { identity, keep_going, drain: DRAIN, spool, save_under, now };
            let (sink, handle) = SpackmonSink::start(client, settings, runtime.clone());
            Ok(Some(Reporting { sink: Box::new(sink), reports: Reports::Sent(handle) }))
        }
    }
}

/// What becomes of the reports of a run.
#[derive(Debug)]
pub(crate) enum Reports {
    /// They are in this folder.
    Saved(std::path::PathBuf),
    /// They are sent.
    Sent(SpackmonHandle),
}

/// What became of the reports, for the user.
#[derive(Debug, Default)]
pub(crate) struct Conclusion {
    /// Good to know.
    pub(crate) status: Option<String>,
    /// Something was not delivered, which the user said does not matter.
    pub(crate) warning: Option<String>,
    /// Something was not delivered.
    pub(crate) error: Option<CommandError>,
}

impl Reports {
    /// What the end of the run waits for, if anything.
    pub(crate) fn drain(&self) -> Option<Drain> {
        match self {
            Self::Saved(_) => None,
            Self::Sent(handle) => Some(handle.drain()),
        }
    }

    /// What became of them, when their sink has ended.
    pub(crate) async fn conclude(self) -> Conclusion {
        match self {
            Self::Saved(path) => {
                let saved = path.exists().then(|| format!("Saved for the monitor: {}", path.display()));
                Conclusion { status: saved, ..Conclusion::default() }
            }
            Self::Sent(handle) => delivered(&handle.delivery().await),
        }
    }
}

/// Says whom the end of a run waits for, if it does so for long.
pub(crate) async fn tell_of(drain: Drain, host: String, emitter: Emitter) {
    tokio::time::sleep(SILENCE).await;
    let (reports, most) = (counted(drain.unsent(), "report"), DRAIN.as_secs());
    let message = format!("waiting for the Spackmon server at {host} to take {reports}, at most {most} s");
    emitter.emit(EventKind::Warning { message });
}

fn delivered(delivery: &Delivery) -> Conclusion {
    let (what, hint) = delivery.saved.as_ref().map(|path| saved(delivery.undelivered, path)).unzip();
    match &delivery.failure {
        None if what.is_none() => Conclusion::default(),
        Some(failure) if failure.ends_run => {
            let what = what.map(|what| format!("\n{what}")).unwrap_or_default();
            let message = format!("the monitor failed: {}{what}", failure.reason);
            let error = CommandError::new(ErrorKind::Monitor, message).hinted(hint);
            Conclusion { error: Some(error), ..Conclusion::default() }
        }
        failure => {
            let reason = failure.as_ref().map(|failure| failure.reason.clone());
            let parts: Vec<_> = [reason, what, hint].into_iter().flatten().collect();
            let warning = format!("the monitor failed: {}", parts.join("; "));
            Conclusion { warning: Some(warning), ..Conclusion::default() }
        }
    }
}

/// Where undelivered builds are, and what to do with them.
fn saved(undelivered: usize, path: &std::path::Path) -> (String, String) {
    let builds = counted(undelivered, "build");
    let command = format!("spack-wasm monitor upload {}", path.display());
    (
        format!("{builds} not reported in full, saved in {}", path.display()),
        format!("`{command}` sends it later"),
    )
}

/// What events and reports say of the machine.
pub(crate) fn host_facts(machine: &Machine) -> HostFacts {
    HostFacts {
        host_os: machine.os.clone(),
        platform: machine.platform.clone(),
        host_target: machine.target.clone(),
        hostname: machine.hostname.clone(),
        kernel_version: machine.kernel_version.clone(),
    }
}
