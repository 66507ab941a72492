//! Root of a user namespace that has no other user, as rootless containers and `unshare -Ur` make it: an ordinary user to
//! the kernel, who can become nobody else.

mod support;

use spack_wasm_sandbox::{HELPER, Level, Policy, Sandbox, StartError};
use support::{Place, is_again, is_root, start_alone};

#[test]
fn who_is_alone_builds_as_themselves() {
    if !is_again() {
        return start_alone("who_is_alone_builds_as_themselves", true);
    }
    assert!(is_root());
    for (level, user) in [(Level::Namespaces, "1000"), (Level::Landlock, "0"), (Level::None, "0")] {
        let place = Place::new();
        let policy = place.policy(level);
        assert_eq!((policy.other_user(), policy.owner()), (None, 0));
        let build = place.start_with(&policy).unwrap();
        let ran = build.shell("id -u; echo x > $STAGE/a && echo y > $PREFIX/b && cat $DEPENDENCY/file");
        assert_eq!(ran.stdout, format!("{user}\ndependency"), "{level}: {}", ran.stderr);
        if level != Level::None {
            let ran = build.shell("grep Cap[PEB] /proc/self/status | grep -v 0000000000000000; cat $SECRET");
            assert_eq!(ran.stdout, "", "{level}");
        }
    }
}

/// Root of the machine under the name that it has: it would build as kernel uid 0.
#[test]
fn root_that_is_alone_is_told_what_to_set() {
    if !is_again() {
        if is_root() {
            start_alone("root_that_is_alone_is_told_what_to_set", false);
        }
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let helper = HELPER.install(&folder.path().join("tools")).unwrap();
    for level in [Level::Namespaces, Level::Landlock, Level::None] {
        let error = Sandbox::start(&Policy::new(level), &helper).err().unwrap();
        assert!(matches!(error, StartError::NoSuchUser { uid: 65534 }), "{error}");
        insta::allow_duplicates! {
            insta::assert_snapshot!(error, @"builds run as user 65534, whom the user namespace of this container does not have; set `config:sandbox:build_uid` to one of the numbers in /proc/self/uid_map and /proc/self/gid_map, but not to 0");
        }
    }
}
