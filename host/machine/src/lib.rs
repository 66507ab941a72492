//! Facts of this machine: platform, operating system, target, compilers and external tools.
//!
//! Trusted host code: it looks at the machine for the recipes, which see only what is handed to them. Names are
//! Spack's ([`Machine`]), processors and their flags come from the archspec table ([`flags_for`]), and
//! [`find_externals`] asks the programs of a search path for their versions, once for each state of their files.

mod cache;
mod external;
mod facts;
mod os;
mod probe;
mod scan;
mod target;
mod tools;
mod version;

pub use cache::{CacheError, ExternalCache};
pub use external::{External, Language, find_externals};
pub use facts::{Inputs, Machine};
pub use target::{TargetError, ancestors, best_target, flags_for};
