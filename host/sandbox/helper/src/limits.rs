//! Limits for each process.

use std::io;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use spack_wasm_sandbox_protocol::Limits;

/// Lowers the limits of this process and all its children. A limit is never raised.
pub(crate) fn apply(limits: &Limits) -> io::Result<()> {
    let wanted = [
        (Resource::Core, Some(0)),
        (Resource::Nproc, limits.processes),
        (Resource::Nofile, limits.open_files),
        (Resource::As, limits.address_space),
        (Resource::Fsize, limits.file_size),
        (Resource::Cpu, limits.cpu_seconds),
    ];
    for (resource, limit) in wanted {
        if let Some(limit) = limit {
            lower(resource, limit)?;
        }
    }
    Ok(())
}

fn lower(resource: Resource, limit: u64) -> io::Result<()> {
    let limit = getrlimit(resource).maximum.map_or(limit, |maximum| maximum.min(limit));
    setrlimit(resource, Rlimit { current: Some(limit), maximum: Some(limit) })?;
    Ok(())
}
