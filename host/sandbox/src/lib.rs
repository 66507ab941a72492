//! Runs native tools, confined; knows nothing of packages.
//!
//! A [`Policy`] says what a build may see and write. [`Sandbox::start`] lays the walls once a build, in a helper
//! program that this crate embeds; [`Sandbox::run`] runs one command behind them, from any thread, several at once.
//! [`probe`] tells which walls this machine gives, by trying what must be refused.
//!
//! ```no_run
//! # use std::path::Path;
//! # use spack_wasm_sandbox::{Access, Command, HELPER, Level, Policy, Sandbox};
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let helper = HELPER.install(Path::new("/home/user/.cache/spack-wasm/tools"))?;
//! let mut policy = Policy::new(Level::Namespaces);
//! policy.mount("/scratch/stage-4711", "/build", Access::ReadWrite);
//! let sandbox = Sandbox::start(&policy, &helper)?;
//! let command = Command::new(["make", "-j4"], "/build").env("PATH", "/usr/bin:/bin");
//! let outcome = sandbox.run(&command, &mut |_stream, _bytes| {})?;
//! # Ok(())
//! # }
//! ```

mod census;
mod command;
mod error;
mod executor_client;
mod explain;
mod policy;
mod probe;
mod pump;
pub mod refusal;
mod tool;
mod toolchain;
mod trace;

pub use command::{Command, Outcome, Status, Stream};
pub use error::{RunError, StartError, ToolError};
pub use executor_client::{Canceller, Sandbox};
pub use policy::{Mount, Policy};
pub use probe::{Report, probe};
pub use spack_wasm_sandbox_protocol::{Access, Layer, Level, Limits, Missing, UnknownName};
pub use tool::{EmbeddedTool, HELPER, InstalledTool};
