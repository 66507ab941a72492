//! A tool that prints without end fills neither disk nor memory.

use spack_wasm_tests::TestContext;

use crate::crew::{Told, install, with_crew};
use crate::user;

/// What the tool prints in all, in bytes.
const PRINTED: u64 = 300_000_000;
/// What is kept of it at most: 64 MiB and the ends of phases.
const KEPT: u64 = 70 << 20;
/// What the program takes meanwhile at most; half of it was seen.
const MOST_MEMORY_KIB: u64 = 160_000;

/// Runs the program and watches how much memory it has at most, in KiB.
pub(crate) fn peak_of(user: &TestContext, arguments: &[&str]) -> u64 {
    let mut command = user.command(user.binary());
    let devnull = || fs_err::File::create("/dev/null").unwrap().into_parts().0;
    let mut child = command.args(arguments).stdout(devnull()).stderr(devnull()).spawn().unwrap();
    let mut peak = 0;
    while child.try_wait().unwrap().is_none() {
        peak = peak.max(high_water_mark(child.id()).unwrap_or(0));
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    assert!(child.wait().unwrap().success());
    peak
}

fn high_water_mark(process: u32) -> Option<u64> {
    let status = fs_err::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.split_whitespace().next()?.parse().ok()
}

#[test]
fn a_flood_is_cut_on_its_way_to_disk_and_monitor() {
    let user = with_crew(user());
    let arguments = ["install", "--monitor", "--monitor-save-local", "crew-alone", "act=flood"];
    let peak = peak_of(&user, &arguments);
    assert!(peak > 0 && peak < MOST_MEMORY_KIB, "{peak} KiB");

    let prefix = user.run(["location", "crew-alone"]).succeeded().stdout;
    let log = std::path::Path::new(prefix.trim_end()).join(".spack/spack-build-out.txt");
    let log = fs_err::read_to_string(log).unwrap();
    assert!((1 << 20..KEPT).contains(&(log.len() as u64)), "{}", log.len());
    assert!(log.ends_with("the end\n"), "{}", &log[log.len() - 200..]);
    let gaps: Vec<&str> =
        log.lines().filter(|line| line.ends_with(" bytes of output were left out here")).collect();
    assert_eq!(gaps.len(), 1, "{gaps:?}");
    let left_out: u64 = gaps[0].split(' ').nth(1).unwrap().parse().unwrap();
    assert!(left_out > PRINTED - KEPT && left_out < PRINTED, "{left_out}");

    let runs = fs_err::read_dir(user.monitor()).unwrap().map(|run| run.unwrap().path());
    let files = runs.flat_map(|run| fs_err::read_dir(run).unwrap().map(|file| file.unwrap().path()));
    let sizes = files.map(|file| fs_err::metadata(file).unwrap().len());
    let largest = sizes.max().unwrap();
    assert!((1 << 20..16 << 20).contains(&largest), "{largest}");
}

#[test]
fn events_of_a_flood_are_what_the_log_is() {
    let user = with_crew(user());
    let told = Told::by(&install(&user, "crew-alone act=flood", &[]).succeeded());
    let output = told.output("crew-alone");
    assert!((output.len() as u64) < KEPT, "{}", output.len());
    assert!(output.ends_with("the end\n"));
}
