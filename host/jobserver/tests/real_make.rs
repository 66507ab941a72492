//! The budget under real makes: honest ones, one that hoards and one that forges.
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "test code, helpers included")]

use std::os::fd::{AsRawFd, BorrowedFd};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use fs_err as fs;
use rustix::io::FdFlags;
use spack_wasm_jobserver::{
    Balancer, Budget, Channel, Client, FifoStyle, InsideDescriptors, MakeVersion, Settlement, Style,
};

const TICK: Duration = Duration::from_millis(5);

/// Twelve jobs, each of which notes its begin and its end.
const HONEST: &str = "
all: 1 2 3 4 5 6 7 8 9 10 11 12
%: ; @echo + >> $(LOG); sleep 0.1; echo - >> $(LOG)
";

/// Takes every token and keeps it until the file `go` appears.
const HOARDER: &str = "
all: ; +@dd bs=1 count=7 if=/proc/self/fd/$(READ) of=taken 2>/dev/null; until test -e go; do sleep 0.02; done
";

/// Makes up twenty tokens before it builds.
const FORGER: &str = "
all: 1 2 3 4 5 6 7 8 9 10 11 12
forged: ; +@printf '++++++++++++++++++++' > /proc/self/fd/$(WRITE)
%: forged; @sleep 0.05
";

/// How the makes of a test reach their channels.
#[derive(Clone, Copy, Debug)]
enum By {
    Pipe,
    /// By descriptors of a FIFO where make is older than 4.4.
    Fifo,
}

struct Make {
    channel: Channel,
    child: Child,
}

impl Make {
    fn start(budget: &Budget, by: By, folder: &Path, makefile: &str) -> Make {
        let channel = open(budget, by, folder);
        let (read, write) = channel.descriptors();
        let inside = InsideDescriptors { read: inherit(read), write: inherit(write) };
        fs::write(folder.join("Makefile"), makefile).unwrap();
        let version = installed_make().unwrap();
        let child = Command::new("make")
            .arg("-r")
            .args([format!("READ={}", inside.read), format!("WRITE={}", inside.write), "LOG=log".to_owned()])
            .env("MAKEFLAGS", channel.makeflags(Client::Make { version, inside }).unwrap())
            .current_dir(folder)
            .stdin(Stdio::null())
            .spawn()
            .unwrap();
        Make { channel, child }
    }

    fn finish(mut self) -> Channel {
        assert!(self.child.wait().unwrap().success());
        self.channel
    }
}

fn open(budget: &Budget, by: By, folder: &Path) -> Channel {
    let path = folder.join("jobserver");
    let style = match by {
        By::Pipe => Style::Pipe,
        By::Fifo => Style::Fifo(FifoStyle { inside: path.clone(), path, owner: None }),
    };
    Channel::open(budget.try_acquire(1).unwrap(), style).unwrap()
}

fn inherit(end: BorrowedFd<'_>) -> i32 {
    rustix::io::fcntl_setfd(end, FdFlags::empty()).unwrap();
    end.as_raw_fd()
}

/// The version of GNU make on this machine; says so where there is none.
fn installed_make() -> Option<MakeVersion> {
    let output = Command::new("make").arg("--version").output();
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
    let version = text.split_whitespace().nth(2).filter(|_| text.starts_with("GNU Make"));
    let version = version.and_then(MakeVersion::parse);
    if version.is_none() {
        println!("skipped: needs GNU make");
        assert!(std::env::var_os("SPACK_WASM_REQUIRE_ALL").is_none(), "needs GNU make");
    }
    version
}

fn folder(root: &Path, name: &str) -> PathBuf {
    let folder = root.join(name);
    fs::create_dir(&folder).unwrap();
    folder
}

/// The most jobs that ran at one time, from the notes of all.
fn peak(log: &Path) -> i32 {
    let mut running = 0;
    let steps = fs::read_to_string(log).unwrap();
    let levels = steps.lines().map(|line| {
        running += if line == "+" { 1 } else { -1 };
        running
    });
    levels.max().unwrap()
}

fn wait_until(condition: impl Fn() -> bool) {
    let end = Instant::now() + Duration::from_secs(20);
    while !condition() {
        assert!(Instant::now() < end, "waited for 20 s");
        thread::sleep(TICK);
    }
}

/// Runs a test with each kind of channel, where there is a make.
fn with_each(test: impl Fn(By, &Path)) {
    if installed_make().is_none() {
        return;
    }
    for by in [By::Pipe, By::Fifo] {
        let root = tempfile::tempdir().unwrap();
        test(by, root.path());
    }
}

#[test]
fn two_makes_share_the_budget() {
    with_each(|by, root| {
        let budget = Budget::new(4);
        let balancer = Balancer::start(&budget, TICK).unwrap();
        let shared = |name: &str| {
            let makefile = HONEST.replace("$(LOG)", "../log");
            Make::start(&budget, by, &folder(root, name), &makefile)
        };
        let makes = [shared("first"), shared("second")];
        for make in makes {
            assert_eq!(make.finish().settle().unwrap(), Settlement::default());
        }
        balancer.stop().unwrap();
        let peak = peak(&root.join("log"));
        assert!((3..=4).contains(&peak), "{peak} jobs at a time by {by:?}");
        assert_eq!(budget.try_acquire(9).unwrap().count(), 4);
    });
}

#[test]
fn a_hoarder_cannot_keep_others_from_building() {
    with_each(|by, root| {
        let budget = Budget::new(8);
        let hoarding = folder(root, "hoarder");
        let hoarder = Make::start(&budget, by, &hoarding, HOARDER);
        wait_until(|| hoarder.channel.in_use().unwrap() == 7);
        assert_eq!(budget.try_acquire(1).unwrap().count(), 0);
        // make, its shell and the shell's sleep.
        assert_eq!(hoarder.channel.write_off_beyond(3).unwrap(), 4);

        let honest = folder(root, "honest");
        let balancer = Balancer::start(&budget, TICK).unwrap();
        drop(Make::start(&budget, by, &honest, HONEST).finish());
        balancer.stop().unwrap();
        let peak = peak(&honest.join("log"));
        assert!((2..=4).contains(&peak), "{peak} jobs at a time by {by:?}");
        fs::write(hoarding.join("go"), "").unwrap();
        let settlement = hoarder.finish().settle().unwrap();
        assert_eq!((settlement.missing, settlement.written_off), (3, 4));
        assert_eq!(budget.try_acquire(9).unwrap().count(), 8);
    });
}

#[test]
fn forged_tokens_are_found_and_gone() {
    with_each(|by, root| {
        let budget = Budget::new(4);
        let balancer = Balancer::start(&budget, TICK).unwrap();
        let forger = Make::start(&budget, by, &folder(root, "forger"), FORGER);
        let honest = folder(root, "honest");
        let other = Make::start(&budget, by, &honest, HONEST);
        let settlement = forger.finish().settle().unwrap();
        drop(other.finish());
        balancer.stop().unwrap();
        assert!(settlement.forged > 0, "{settlement:?}");
        let peak = peak(&honest.join("log"));
        assert!((1..=4).contains(&peak), "{peak} jobs at a time by {by:?}");
        assert_eq!(budget.try_acquire(9).unwrap().count(), 4);
    });
}
