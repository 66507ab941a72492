//! What the sandbox library and its helper program say to each other.
//!
//! Both ends are built from the same sources and the helper is embedded in the host, so there is one version and no
//! negotiation. The channel is a `SOCK_SEQPACKET` socket pair. A message's body travels in a sealed memory file,
//! because an argument list may be larger than any socket buffer; descriptors travel beside it.
//!
//! 1. host -> helper: [`Setup`]
//! 2. helper -> host: [`Started`]
//! 3. host -> executor, any number of times, from any thread: [`Order`] with descriptors, among them a reply socket
//! 4. executor -> that reply socket: one [`Reply`] (or one [`Attempted`])
//!
//! End of file on the channel is the order to end everything.

mod builder;
mod channel;
mod layer;
mod order;
mod setup;
mod wire_string;

pub use builder::{is_mapped, must_change_user};
pub use channel::{Message, pair, receive, receive_value, seal, seal_bytes, send, send_value, unseal};
pub use layer::{Layer, Level, UnknownName};
pub use order::{
    Attempted, Attempts, Ended, ExecFailure, ExecStep, Found, Order, Reply, Request, TracedAccess, fd,
};
pub use setup::{Access, Failure, Limits, Link, Missing, OwnFile, Setup, SetupMount, Started, Step};
pub use wire_string::WireString;
