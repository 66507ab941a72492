//! One job budget for all builds of a run, lent out through GNU make's jobserver protocol.
//!
//! A run has as many tokens as jobs. Each build holds one token by being there (its *implicit* token) and finds
//! further ones in a [`Channel`] of its own, which its make reads and writes as any jobserver. The host alone moves
//! tokens between channels ([`Budget::rebalance`]): it lends free ones, takes back those that a build leaves unread
//! while another has none, and counts. So a build that keeps tokens or makes up new ones harms only itself:
//!
//! - tokens that a finished build did not give back are still the budget's ([`Settlement`]);
//! - tokens that a build holds without a process to use them can be written off ([`Channel::write_off_beyond`]);
//! - a channel with more unread tokens than were lent holds forged ones: it is drained and gets no more.
//!
//! Tools that cannot read a jobserver get a fixed number of tokens beforehand ([`Budget::try_acquire_share`]).
//!
//! The protocol is described in GNU make's manual, "Sharing Job Slots with GNU make", section "POSIX Jobserver
//! Interaction".

mod account;
mod balancer;
mod budget;
mod channel;
mod error;
mod makeflags;
mod outer;
mod pipe;
mod source;

pub use account::Settlement;
pub use balancer::Balancer;
pub use budget::{Budget, Lease};
pub use channel::{Channel, FifoStyle, InsideDescriptors, Style};
pub use error::JobserverError;
pub use makeflags::{Client, MakeVersion};
