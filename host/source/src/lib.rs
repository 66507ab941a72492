//! Sources: from a recipe's checksum and addresses to a folder of files.
//!
//! [`Fetcher`] brings an archive into a cache that has the layout of a Spack mirror: from the cache itself, from
//! mirrors, from upstream, and at last from the distribution's source packages, which often have the very same file.
//! Nothing is taken without its checksum. States of git repositories come the same way, vouched for by their commit. [`unpack`] unpacks it beneath a directory handle, refusing whatever an archive
//! has no business to contain, and [`patch`] applies the recipe's patches there.
//!
//! The crate knows nothing of recipes, prints nothing and reads neither the environment nor the home directory.

mod address;
mod apt;
mod cache;
mod checksum;
mod error;
mod fetcher;
mod git;
mod http;
mod mirror;
mod options;
mod part;
pub mod patch;
mod plan;
mod request;
pub mod unpack;

pub use apt::AptOptions;
pub use checksum::{Algorithm, Checksum, ChecksumError, Hasher};
pub use error::{FetchError, SetupError, SourceFailure};
pub use fetcher::Fetcher;
pub use git::{Checkout, CheckoutRequest, GitError, GitOptions, Tree};
pub use mirror::Mirror;
pub use options::{FetchOptions, ProxyPolicy, Timeouts};
pub use request::{ArchiveChoice, FetchEvent, Fetched, Origin, Request};
