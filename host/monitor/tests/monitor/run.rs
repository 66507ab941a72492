//! A run of the command as the scheduler would emit it.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use spack_wasm_monitor::{
    BuildEnd, Client, ClientSettings, Credentials, Delivery, Emitter, EventKind, Fanout, HostFacts,
    MonitorIdentity, PhaseExit, RetryPolicy, RunId, Sink, SpackmonHandle, SpackmonSettings, SpackmonSink,
    Stream, Usage,
};
use spack_wasm_spec::{Dag, DagHash};
use tokio::runtime::Handle;

pub(crate) const USER: &str = "spacky";
pub(crate) const TOKEN: &str = "0123456789abcdef0123456789abcdef01234567";

pub(crate) fn identity(spack_version: &str, tags: Option<&str>) -> MonitorIdentity {
    let host = HostFacts {
        host_os: "debian12".into(),
        platform: "linux".into(),
        host_target: "x86_64_v4".into(),
        hostname: "vm".into(),
        kernel_version: "#1 SMP PREEMPT_DYNAMIC @0".into(),
    };
    MonitorIdentity { host, spack_version: spack_version.into(), tags: tags.map(str::to_owned) }
}

/// A client that waits milliseconds where a real one waits seconds.
pub(crate) fn settings(host: &str) -> ClientSettings {
    let retry =
        RetryPolicy { tries: 3, first_delay: Duration::from_millis(5), total: Duration::from_secs(5) };
    ClientSettings {
        host: host.into(),
        credentials: Some(Credentials::new(Some(USER.into()), Some(TOKEN.into())).unwrap()),
        timeout: Duration::from_secs(5),
        retry,
        ..ClientSettings::new("spack-wasm-test")
    }
}

pub(crate) fn client(host: &str) -> Client {
    Client::new(settings(host)).unwrap()
}

/// A run whose events go to a Spackmon sink.
pub(crate) struct Run {
    pub(crate) emitter: Emitter,
    fanout: Fanout,
    handle: SpackmonHandle,
}

impl Run {
    pub(crate) fn start(
        client: Client,
        identity: MonitorIdentity,
        keep_going: bool,
        save_under: &Path,
    ) -> Self {
        Self::start_with_drain(client, identity, keep_going, save_under, Duration::from_secs(30))
    }

    pub(crate) fn start_with_drain(
        client: Client,
        identity: MonitorIdentity,
        keep_going: bool,
        save_under: &Path,
        drain: Duration,
    ) -> Self {
        let (save_under, now) = (save_under.to_owned(), jiff::ZonedDateTime::now());
        let spool = save_under.clone();
        let settings = SpackmonSettings { identity, keep_going, drain, spool, save_under, now };
        let (sink, handle) = SpackmonSink::start(client, settings, Handle::current());
        Self::of(Box::new(sink), handle)
    }

    fn of(sink: Box<dyn Sink>, handle: SpackmonHandle) -> Self {
        let fanout = Fanout::start(RunId::random(), vec![sink]).unwrap();
        Self { emitter: fanout.emitter(), fanout, handle }
    }

    pub(crate) async fn failed(&mut self) -> spack_wasm_monitor::MonitorFailure {
        tokio::time::timeout(Duration::from_secs(10), self.handle.failed()).await.unwrap()
    }

    /// Ends the run and waits for the sink.
    pub(crate) async fn end(self) -> Delivery {
        self.emitter.emit(EventKind::RunEnded { exit_status: 0 });
        let errors = tokio::task::spawn_blocking(|| self.fanout.finish()).await.unwrap();
        assert!(errors.is_empty(), "{errors:?}");
        self.handle.delivery().await
    }
}

/// Emits a build: phases with their logs, each successful but a last one that `end` makes fail.
pub(crate) fn build(emitter: &Emitter, node: &DagHash, phases: &[(&str, &str)], end: BuildEnd) {
    let span = emitter.build(node);
    for (index, (name, log)) in phases.iter().enumerate() {
        let mut phase = span.phase(*name);
        phase.output(Stream::Stdout, log.as_bytes());
        let fails = index + 1 == phases.len() && !matches!(end, BuildEnd::Installed { .. });
        let exit = if fails { PhaseExit::Error { message: "it failed".into() } } else { PhaseExit::Success };
        phase.end(exit, Usage::default());
    }
    span.end(end);
}

pub(crate) fn installed() -> BuildEnd {
    BuildEnd::Installed { prefix: "/store/x".into() }
}

pub(crate) fn failed() -> BuildEnd {
    BuildEnd::Failed { message: "the command exited with status 1".into() }
}

/// What a scheduler emits when a package below `node` failed.
pub(crate) fn skip(emitter: &Emitter, dag: &Arc<Dag>, node: &str, dependency: &str) {
    let of = |name| super::packages::hash_of(dag, name);
    let cause = spack_wasm_monitor::CancelCause::DependencyFailed { dependency: of(dependency) };
    emitter.emit_for(&of(node), EventKind::BuildEnded(BuildEnd::Cancelled(cause)));
}
