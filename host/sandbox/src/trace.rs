//! Accesses that the helper saw, judged by the policy.

use std::collections::BTreeSet;
use std::io;
use std::os::fd::OwnedFd;
use std::sync::{Mutex, PoisonError};

use spack_wasm_sandbox_protocol::{TracedAccess, pair, receive_value, send};

use crate::refusal::{self, Refusal};
use crate::{Level, Policy};

/// The most refusals that are kept of a command. A tool can name new files for ever.
const MOST: usize = 1000;

/// The host's end of the trace. It has to be read while commands run, since the build waits for each report.
#[derive(Debug)]
pub(crate) struct Trace {
    socket: OwnedFd,
    policy: Policy,
    refusals: Mutex<BTreeSet<Refusal>>,
}

impl Trace {
    /// The trace that a policy asks for, with the helper's end. Without walls nothing is refused.
    pub(crate) fn new(policy: &Policy) -> io::Result<Option<(Trace, OwnedFd)>> {
        if !policy.trace || policy.level == Level::None {
            return Ok(None);
        }
        let (socket, helper) = pair()?;
        rustix::io::ioctl_fionbio(&socket, true)?;
        Ok(Some((Trace { socket, policy: policy.clone(), refusals: Mutex::default() }, helper)))
    }

    pub(crate) fn socket(&self) -> &OwnedFd {
        &self.socket
    }

    /// A command begins: what it names is to be told, though another one named it before.
    pub(crate) fn begin_command(&self) -> io::Result<()> {
        match send(&self.socket, b"command", &[]) {
            // Nothing has been named since the last times.
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(()),
            sent => sent,
        }
    }

    /// Reads what is there.
    pub(crate) fn drain(&self) -> io::Result<()> {
        loop {
            match receive_value::<TracedAccess>(&self.socket) {
                Ok(Some(access)) => self.judge(access),
                Ok(None) => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error),
            }
        }
    }

    fn judge(&self, access: TracedAccess) {
        let mut refusals = self.refusals.lock().unwrap_or_else(PoisonError::into_inner);
        if refusals.len() < MOST {
            refusals.extend(refusal::seen(access, &self.policy));
        }
    }

    /// What was refused since the last call. With several commands at once, to which of them does not show.
    pub(crate) fn take(&self) -> io::Result<Vec<Refusal>> {
        self.drain()?;
        let refusals = std::mem::take(&mut *self.refusals.lock().unwrap_or_else(PoisonError::into_inner));
        Ok(refusals.into_iter().collect())
    }
}
