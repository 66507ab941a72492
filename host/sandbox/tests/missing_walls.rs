//! Machines that do not give every wall: simulated by a filter that answers as such a kernel would.
#![expect(clippy::unwrap_used, reason = "functions that tests share")]

mod support;

use spack_wasm_sandbox::{Layer, Level, probe};
use support::missing::{NAMESPACES, Walls};
use support::{Place, is_again, is_root, start_again};

const NETWORK: u64 = 0x4000_0000;
const USER: u64 = 0x1000_0000;
const PROCESS: u64 = 0x2000_0000;

/// Runs `body` as root (if we are) and as an ordinary user, with walls missing.
fn with_missing(test: &str, walls: Walls, body: impl FnOnce()) {
    if is_again() {
        return body();
    }
    start_again(test, true, walls);
    if is_root() {
        start_again(test, false, walls);
    }
}

fn refusal(place: &Place, level: Level, allowed: &[Layer]) -> Option<String> {
    let mut policy = place.policy(level);
    policy.allow_missing.extend(allowed);
    place.start_with(&policy).err().map(|error| error.to_string())
}

#[test]
fn nothing_is_missing_here() {
    for ordinary in [true, false] {
        if is_again() {
            let place = Place::new();
            let report = probe(&place.helper).unwrap();
            assert!(report.layers.values().all(Option::is_none), "{report:?}");
            assert_eq!(report.layers.len(), Layer::ALL.len());
            assert_eq!(report.best_level(), Level::Namespaces);
            return;
        }
        start_again("nothing_is_missing_here", ordinary, Walls::default());
    }
}

#[test]
fn without_a_network_namespace() {
    let walls = Walls { namespaces: NETWORK, landlock: false };
    with_missing("without_a_network_namespace", walls, || {
        let place = Place::new();
        let refused = refusal(&place, Level::Namespaces, &[]).unwrap();
        insta::assert_snapshot!(refused, @"the sandbox's `network` layer is missing on this machine (Operation not permitted (os error 1)), so nothing is built; to build without it: --sandbox-allow-missing=network");
        let mut policy = place.policy(Level::Namespaces);
        policy.allow_missing.insert(Layer::Network);
        let build = place.start_with(&policy).unwrap();
        assert_eq!(
            build.sandbox.missing().iter().map(|missing| missing.layer).collect::<Vec<_>>(),
            [Layer::Network]
        );
        assert!(build.shell("test -w /build && ! test -e \"$SECRET\"").success());
        let report = probe(&place.helper).unwrap();
        assert!(
            report.layers[&Layer::Network].is_some() && report.layers[&Layer::Mount].is_none(),
            "{report:?}"
        );
    });
}

/// No way around what is insisted on.
#[test]
fn what_is_required_has_no_flag() {
    let walls = Walls { namespaces: NETWORK, landlock: false };
    with_missing("what_is_required_has_no_flag", walls, || {
        let place = Place::new();
        let mut policy = place.policy(Level::Namespaces);
        policy.required = true;
        let refused = place.start_with(&policy).err().unwrap();
        insta::assert_snapshot!(refused, @"the sandbox's `network` layer is missing on this machine (Operation not permitted (os error 1)), so nothing is built; `--require-sandbox` insists on it");
    });
}

#[test]
fn without_user_namespaces() {
    let walls = Walls { namespaces: USER, landlock: false };
    with_missing("without_user_namespaces", walls, || {
        let place = Place::new();
        let refused = refusal(&place, Level::Namespaces, &[]).unwrap();
        if is_root() {
            assert!(refused.ends_with("--sandbox-allow-missing=user"), "{refused}");
            let mut policy = place.policy(Level::Namespaces);
            policy.allow_missing.insert(Layer::User);
            let build = place.start_with(&policy).unwrap();
            let ran = build.shell("id -u; echo x > /opt/prefix/x; ls /proc | grep -c '^[0-9]'; test -e \"$SECRET\" || echo hidden");
            assert_eq!(ran.stdout, "65534\n4\nhidden\n");
        } else {
            assert!(refused.ends_with("--sandbox=landlock"), "{refused}");
            // Allowing the one is not enough: nothing of the level would be left.
            assert!(
                refusal(&place, Level::Namespaces, &[Layer::User]).unwrap().ends_with("--sandbox=landlock")
            );
        }
        assert_eq!(refusal(&place, Level::Landlock, &[]), None);
    });
}

#[test]
fn without_any_namespace() {
    let walls = Walls { namespaces: NAMESPACES, landlock: false };
    with_missing("without_any_namespace", walls, || {
        let place = Place::new();
        let refused = refusal(&place, Level::Namespaces, &Layer::ALL).unwrap();
        assert!(refused.contains("--sandbox=landlock"), "{refused}");
        let closed = place.closed_policy(Level::Landlock);
        if is_root() {
            let folder = place.folder.path().display().to_string();
            let open =
                format!("and `chmod o+x {folder}`, since at that level user 65534 must be able to enter it");
            assert!(refused.ends_with(&open), "{refused}");
            let error = place.start_with(&closed).err().unwrap().to_string();
            insta::assert_snapshot!(error.replace(&folder, "HOME"), @"builds run as user 65534, who can't enter `HOME`, and at the sandbox level `landlock` they work at real paths (mounts that would let them in are refused: Operation not permitted (os error 1)); open it with `chmod o+x HOME`, or keep store and stage elsewhere: `-c config:install_tree:root:DIR -c config:build_stage:DIR`");
        } else {
            place.start_with(&closed).unwrap();
        }
        assert_eq!(refusal(&place, Level::Landlock, &[]), None);
        assert_eq!(probe(&place.helper).unwrap().best_level(), Level::Landlock);
    });
}

#[test]
fn without_landlock() {
    let walls = Walls { namespaces: 0, landlock: true };
    with_missing("without_landlock", walls, || {
        let place = Place::new();
        let refused = refusal(&place, Level::Namespaces, &[]).unwrap();
        assert!(refused.ends_with("--sandbox-allow-missing=landlock"), "{refused}");
        assert_eq!(refusal(&place, Level::Namespaces, &[Layer::Landlock]), None);
        let refused = refusal(&place, Level::Landlock, &[Layer::Landlock]).unwrap();
        assert!(refused.ends_with("--sandbox=none"), "{refused}");
        let report = probe(&place.helper).unwrap();
        assert!(report.layers[&Layer::Landlock].is_some(), "{report:?}");
    });
}

#[test]
fn with_neither() {
    let walls = Walls { namespaces: NAMESPACES, landlock: true };
    with_missing("with_neither", walls, || {
        let place = Place::new();
        for (level, allowed) in
            [(Level::Namespaces, &[][..]), (Level::Namespaces, &Layer::ALL), (Level::Landlock, &[])]
        {
            let refused = refusal(&place, level, allowed).unwrap();
            assert!(refused.contains("to build without it: --sandbox=none"), "{level}: {refused}");
        }
        assert_eq!(refusal(&place, Level::None, &[]), None);
        assert_eq!(probe(&place.helper).unwrap().best_level(), Level::None);
    });
}

#[test]
fn without_a_process_namespace() {
    let walls = Walls { namespaces: PROCESS, landlock: false };
    with_missing("without_a_process_namespace", walls, || {
        let place = Place::new();
        let refused = refusal(&place, Level::Namespaces, &[]).unwrap();
        assert!(refused.ends_with("--sandbox-allow-missing=pid,proc"), "{refused}");
        assert_eq!(refusal(&place, Level::Namespaces, &[Layer::Pid, Layer::Proc]), None);
    });
}

/// As in most containers: the kernel refuses a new `/proc` while parts of the old one are covered.
#[test]
fn with_a_covered_proc() {
    if !is_root() {
        return;
    }
    if !is_again() {
        return start_again("with_a_covered_proc", false, Walls::default());
    }
    cover_proc();
    let place = Place::new();
    let refused = refusal(&place, Level::Namespaces, &[]).unwrap();
    assert!(refused.ends_with("--sandbox-allow-missing=proc"), "{refused}");
    let mut policy = place.policy(Level::Namespaces);
    policy.allow_missing.insert(Layer::Proc);
    let build = place.start_with(&policy).unwrap();
    assert!(
        build
            .shell("test -r /proc/self/status && ! kill -0 $(ls /proc | grep -v '[^0-9]' | tail -1)")
            .success()
    );
}

fn cover_proc() {
    use rustix::mount::{MountFlags, mount};
    support::isolate();
    mount("tmpfs", "/proc/irq", "tmpfs", MountFlags::RDONLY, None).unwrap();
}
