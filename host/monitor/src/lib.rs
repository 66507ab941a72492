//! Build events and where they go: Spackmon, disk, JSON lines.
//!
//! [`Event`] is the one record of a run. The program emits through an [`Emitter`]; a [`Fanout`] gives every event to
//! every [`Sink`]. What a Spackmon server is told is derived from the events in one place and either sent or
//! saved.
//!
//! The order of a monitored run: [`Client::new`], its [`Client::warning`], [`Client::check`] before anything else; then
//! [`SpackmonSink::start`] (or [`OfflineSink::create`]) and [`Fanout::start`]; [`Emitter::concretized`] with the DAG;
//! beside the builds, [`SpackmonHandle::failed`]; at the end [`Fanout::finish`] and [`SpackmonHandle::delivery`].

mod answer;
mod auth;
mod client;
mod courier;
mod credentials;
mod emitter;
mod endpoint;
mod error;
mod event;
mod excerpt;
mod json;
mod load;
mod ndjson;
mod offline;
mod offline_id;
mod output;
mod phase_log;
mod proxy;
mod redirect;
mod report;
mod retry;
mod saved_run;
mod sink;
mod spackmon;
mod span;
mod spec_json;
mod spool;
mod upload;
pub mod wire;

pub use client::{Client, ClientSettings};
pub use credentials::{Credentials, CredentialsError};
pub use emitter::{Emitter, Fanout};
pub use endpoint::{DEFAULT_HOST, DEFAULT_PREFIX};
pub use error::{AuthError, ConnectError, RequestError, SettingsError};
pub use event::{
    Access, BuildEnd, CancelCause, Certainty, Event, EventKind, HostFacts, PhaseExit, PlanAction, PlanStep,
    RunId, SCHEMA, Usage,
};
pub use excerpt::Excerpt;
pub use ndjson::NdjsonSink;
pub use offline::{OfflineError, OfflineSink};
pub use output::{OutputChunk, Stream};
pub use proxy::Proxies;
pub use report::MonitorIdentity;
pub use retry::RetryPolicy;
pub use sink::{Sink, SinkError};
pub use spackmon::{Delivery, Drain, MonitorFailure, SpackmonHandle, SpackmonSettings, SpackmonSink};
pub use span::{BuildSpan, PhaseSpan};
pub use spec_json::SpecJson;
pub use upload::{UploadError, UploadProblem, UploadSummary, upload};
