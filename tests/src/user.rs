//! Who runs the binary.

/// An account that exists nowhere: none is needed.
const ORDINARY: u32 = 4242;

/// Who runs the binary.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum User {
    /// Whoever runs the tests.
    Current,
    /// Somebody who is not root. The same as [`User::Current`] when the tests are not run by root.
    Ordinary,
}

impl User {
    /// Both, once each: what a test that must hold for root and for others iterates over.
    pub fn everybody() -> Vec<Self> {
        if is_root() { vec![Self::Current, Self::Ordinary] } else { vec![Self::Current] }
    }

    /// The number of another user than the one who runs the tests; `None` for the same.
    pub(crate) fn other(self) -> Option<u32> {
        (self == Self::Ordinary && is_root()).then_some(ORDINARY)
    }
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}
