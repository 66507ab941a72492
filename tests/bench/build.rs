//! HDF5 by `spack-wasm install` and by hand: the same archive, options, compiler and number of jobs.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use spack_wasm_tests::TestContext;

use crate::scene::{sources, user};
use crate::table::{Figure, RUNS, Row, middle, time};
use crate::unpack::archive;

const JOBS: &str = "-j2";

pub(crate) fn rows() -> Vec<Row> {
    let user = user();
    // Brings the archives, and zlib, which both builds of HDF5 use.
    install(&user, "zlib");
    archive("hdf5");
    let measured: Vec<_> = (0..RUNS).map(|_| once(&user)).collect();
    let ours = Figure::Time(middle(measured.iter().map(|once| once.ours).collect()));
    let by_hand = Figure::Time(middle(measured.iter().map(|once| once.by_hand).collect()));
    let memory = Figure::Memory(middle(measured.iter().map(|once| once.memory_kib).collect()));
    let peer = Some((format!("tar, configure, make {JOBS}, make install"), by_hand));
    vec![
        Row { what: format!("install {JOBS} hdf5"), ours, peer, goal: "ratio at most 1.05" },
        Row {
            what: "memory of the host meanwhile".to_owned(),
            ours: memory,
            peer: None,
            goal: "under 150 MB",
        },
    ]
}

struct Once {
    ours: Duration,
    by_hand: Duration,
    memory_kib: u64,
}

fn once(user: &TestContext) -> Once {
    let mut memory_kib = 0;
    let ours = time(&mut || memory_kib = install(user, "hdf5"));
    let prefix = location(user, "hdf5");
    let arguments = fs_err::read_to_string(prefix.join(".spack/spack-configure-args.txt")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let by_hand = time(&mut || build_by_hand(folder.path(), &arguments));
    user.run(["uninstall", "-y", "hdf5"]).succeeded();
    Once { ours, by_hand, memory_kib }
}

fn location(user: &TestContext, spec: &str) -> PathBuf {
    user.run(["location", "-i", spec]).succeeded().stdout.trim_end().into()
}

/// Returns the most memory that the host had meanwhile, in KiB.
fn install(user: &TestContext, package: &str) -> u64 {
    let mut command = user.command(user.binary());
    command.args(["-c", &sources(package), "install", JOBS, package]);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let mut most = 0;
    loop {
        most = most.max(peak_kib(&child).unwrap_or(0));
        if let Some(status) = child.try_wait().unwrap() {
            assert!(status.success(), "install {package}: {status}");
            return most;
        }
        thread::sleep(Duration::from_millis(20));
    }
}

/// Of this process alone, without its children.
fn peak_kib(child: &Child) -> Option<u64> {
    let status = fs_err::read_to_string(format!("/proc/{}/status", child.id())).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix(" kB")?.trim().parse().ok()
}

/// As somebody would without us: into a prefix of its own, with the options that our recipe gave.
fn build_by_hand(folder: &Path, arguments: &str) {
    let prefix = folder.join("prefix");
    let script = format!(
        "tar xf '{}' --strip-components=1 && ./configure \"$@\" && make {JOBS} && make install",
        archive("hdf5").display()
    );
    let mut command = Command::new("sh");
    command.args(["-c", &script, "sh"]).arg(format!("--prefix={}", prefix.display()));
    command.args(arguments.lines().filter(|argument| !argument.starts_with("--prefix=")));
    command.current_dir(folder).stdout(Stdio::null()).stderr(Stdio::null());
    assert!(command.status().unwrap().success());
    assert!(prefix.join("bin/h5dump").is_file());
}
