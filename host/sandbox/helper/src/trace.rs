//! Names refused accesses exactly: a copy of each open and connect goes to the launcher before it happens.

use std::io;
use std::os::fd::OwnedFd;

use spack_wasm_sandbox_protocol::Setup;

use crate::walls::Outcome;

pub(crate) struct Tracer;
impl Tracer {
    pub(crate) fn new(_: OwnedFd, _: OwnedFd, _: &Setup) -> Self { Tracer }
    pub(crate) fn serve(self) {}
}
pub(crate) fn channel(_wanted: bool) -> Outcome<(Option<OwnedFd>, Option<OwnedFd>)> { Ok((None, None)) }
pub(crate) fn load(_: &OwnedFd) -> io::Result<()> { Ok(()) }
