//! Which walls this machine gives, found by trying what must be refused.

use std::collections::BTreeMap;
use std::io;
use std::net::{Ipv4Addr, TcpListener};

use spack_wasm_sandbox_protocol::{Attempts, WireString};

use crate::error::StartError;
use crate::{InstalledTool, Layer, Level, Policy, Sandbox};

/// Process numbers below this may exist inside, too.
const SMALL_PID: u32 = 1000;

/// What this machine gives.
#[derive(Debug)]
pub struct Report {
    /// For each wall, why it does not stand; `None` where it does.
    pub layers: BTreeMap<Layer, Option<String>>,
    /// Why no sandbox of the level `namespaces` can be started, even with walls missing.
    pub namespaces: Option<StartError>,
    /// Why no sandbox of the level `landlock` can be started.
    pub landlock: Option<StartError>,
}

impl Report {
    /// The strongest level that works with all its walls.
    pub fn best_level(&self) -> Level {
        let complete = self.layers.values().all(Option::is_none);
        match (&self.namespaces, &self.landlock) {
            (None, _) if complete => Level::Namespaces,
            (_, None) => Level::Landlock,
            _ => Level::None,
        }
    }
}

/// Starts sandboxes with the default policy and tries the forbidden things in them.
///
/// # Errors
///
/// What is to be forbidden could not be set up, such as a server on the loopback.
pub fn probe(helper: &InstalledTool) -> io::Result<Report> {
    let mut report = Report { layers: BTreeMap::new(), namespaces: None, landlock: None };
    let mut policy = Policy::new(Level::Namespaces);
    policy.allow_missing.extend(Layer::ALL);
    match Sandbox::start(&policy, helper) {
        Ok(sandbox) => report.layers = try_walls(&sandbox, helper)?,
        Err(error) => {
            let why = error.to_string();
            report.layers = Layer::ALL.into_iter().map(|layer| (layer, Some(why.clone()))).collect();
            report.namespaces = Some(error);
        }
    }
    report.landlock = Sandbox::start(&Policy::new(Level::Landlock), helper).err();
    Ok(report)
}

fn try_walls(sandbox: &Sandbox, helper: &InstalledTool) -> io::Result<BTreeMap<Layer, Option<String>>> {
    let mut layers: BTreeMap<_, _> = Layer::ALL.into_iter().map(|layer| (layer, None)).collect();
    for missing in sandbox.missing() {
        layers.insert(missing.layer, Some(io::Error::from_raw_os_error(missing.errno).to_string()));
    }
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let attempted = sandbox.attempt(Attempts {
        hidden_file: WireString::from(helper.path()),
        outside_pid: outside_pid(),
        loopback_port: listener.local_addr()?.port(),
        namespaces: own_namespaces()?,
    })?;
    for (layer, what) in attempted.open {
        layers.entry(layer).or_insert(None).get_or_insert(what);
    }
    Ok(layers)
}

fn outside_pid() -> i32 {
    match std::process::id() {
        id if id >= SMALL_PID => i32::try_from(id).unwrap_or(0),
        _ => 0,
    }
}

fn own_namespaces() -> io::Result<Vec<(Layer, WireString)>> {
    let files = [
        (Layer::User, "user"),
        (Layer::Mount, "mnt"),
        (Layer::Pid, "pid"),
        (Layer::Network, "net"),
        (Layer::Ipc, "ipc"),
        (Layer::Uts, "uts"),
        (Layer::Cgroup, "cgroup"),
    ];
    let link = |(layer, file): (Layer, &str)| {
        fs_err::read_link(format!("/proc/self/ns/{file}")).map(|link| (layer, WireString::from(&link)))
    };
    files.into_iter().map(link).collect()
}
