//! The scheduler and the life of one build.
//!
//! [`Installer::plan`] says what is missing of a DAG, and [`Installer::install`] builds it: nodes whose dependencies are there
//! run in parallel under one job budget, each in a thread of its own. The life of one build is the sequence in
//! `job.rs`; every way in which it can end emits the event that says so.

mod ask;
mod cancel;
mod environment;
mod error;
mod hoards;
mod hold;
mod identity;
mod installer;
mod job;
mod jobs;
mod journal;
mod log_search;
mod options;
mod permissions;
mod plan;
mod record;
mod report;
mod scheduler;
mod services;
mod sources;
mod stage;
mod subject;
mod surroundings;
mod urls;
mod walls;
mod warnings;
mod wrapper;

pub use cancel::Cancellation;
pub use error::{InstallError, chain};
pub use installer::Installer;
pub use options::{InstallOptions, LogLimits, SandboxOptions};
pub use plan::{Plan, PlanError};
pub use report::{Cancelled, Failure, Installed, Report};
