//! Levels at which paths are real.

mod support;

use std::os::unix::fs::{MetadataExt, PermissionsExt};

use spack_wasm_sandbox::{Access, Level};
use support::{Place, is_root};

const LEVELS: [Level; 2] = [Level::Landlock, Level::None];

/// Root's home has mode 0700, and store and stage are in it.
#[test]
fn root_lets_the_build_user_into_folders_that_are_closed_to_it() {
    if !is_root() {
        return;
    }
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o077));
    for level in LEVELS {
        let place = Place::new();
        let mut policy = place.closed_policy(level);
        // In another closed folder, in the first one.
        let deep = place.path("home/deep/er");
        fs_err::create_dir_all(&deep).unwrap();
        fs_err::set_permissions(&deep, std::fs::Permissions::from_mode(0o777)).unwrap();
        policy.mount(&deep, &deep, Access::ReadWrite);
        let build = place.start_with(&policy).unwrap();
        let script =
            "set -e; test \"$(pwd -P)\" = \"$STAGE\"; echo a > a; echo b > $PREFIX/b; mkdir $PREFIX/c
            cat $DEPENDENCY/file; echo d > $DEEP/d; id -u; ! mkdir ../new 2> /dev/null";
        let ran = build.run(&build.command(["sh", "-c", script]).env("DEEP", &deep)).unwrap();
        assert_eq!((ran.stdout.as_str(), ran.stderr.as_str()), ("dependency65534\n", ""), "{level}");
        // What was not granted is not there; Landlock does not even let it be listed.
        let seen = if level == Level::None { "dependency home prefix stage deep\n" } else { "" };
        assert_eq!(
            build.shell("echo $(ls .. ../home 2> /dev/null | grep '^[a-z]')").stdout.trim_start(),
            seen
        );
        assert!(!build.shell("echo x > $DEPENDENCY/new").success(), "{level}");
        drop(build);
        for file in ["stage/a", "prefix/b", "prefix/c", "home/deep/er/d"] {
            assert_eq!(fs_err::metadata(place.path(file)).unwrap().uid(), policy.owner(), "{level} {file}");
        }
        assert_eq!(fs_err::metadata(place.folder.path()).unwrap().mode() & 0o7777, 0o700);
    }
}

#[test]
fn nothing_is_laid_over_folders_that_are_open() {
    for level in LEVELS {
        let place = Place::new();
        let build = place.start_with(&place.policy(level)).unwrap();
        let own = fs_err::read_link("/proc/thread-self/ns/mnt").unwrap();
        let ran = build.shell("readlink /proc/self/ns/mnt");
        assert_eq!(ran.stdout.trim_end(), own.to_str().unwrap(), "{level}");
    }
}
