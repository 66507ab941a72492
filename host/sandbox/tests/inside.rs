//! What a build finds behind the walls, and that ordinary builds work there.

mod support;

use std::os::fd::AsRawFd;
use std::os::unix::fs::MetadataExt;

use spack_wasm_sandbox::{Level, Policy};
use support::{Place, everybody, is_root};

#[test]
fn only_what_was_granted_exists() {
    everybody("only_what_was_granted_exists", || {
        let place = Place::new();
        let build = place.start(Level::Namespaces);
        let links: Vec<_> = Policy::new(Level::Namespaces).links.into_iter().map(|(path, _)| path).collect();
        let root = build.shell("ls -1 /").stdout;
        let mut expected: Vec<_> =
            ["build", "dev", "etc", "opt", "proc", "tmp", "usr", "var"].map(String::from).into();
        expected.extend(links.iter().map(|link| link.to_string_lossy()[1..].to_owned()));
        expected.sort();
        assert_eq!(root.lines().collect::<Vec<_>>(), expected);
        assert_eq!(build.shell("ls -1 /opt | tr '\\n' ' '").stdout, "dependency prefix ");
        assert_eq!(build.shell("cat /opt/dependency/file").stdout, "dependency");
    });
}

#[test]
fn the_account_is_the_builds_own() {
    everybody("the_account_is_the_builds_own", || {
        let place = Place::new();
        let build = place.start(Level::Namespaces);
        let ran =
            build.shell("id; whoami; hostname; awk '{print $1,$3}' /proc/self/uid_map; stat -c %U:%G /build");
        let expected = "uid=1000(spack) gid=1000(spack) groups=1000(spack)";
        let mut lines = ran.stdout.lines();
        // An ordinary user's other groups cannot be given up, and have no names here.
        assert!(lines.next().unwrap().starts_with(expected), "{}", ran.stdout);
        assert_eq!(lines.collect::<Vec<_>>(), ["spack", "spack-wasm", "1000 1", "spack:spack"]);
    });
}

#[test]
fn what_a_build_writes_belongs_to_the_build_user_outside() {
    everybody("what_a_build_writes_belongs_to_the_build_user_outside", || {
        for level in [Level::Namespaces, Level::Landlock, Level::None] {
            let place = Place::new();
            let policy = place.policy(level);
            let build = place.start_with(&policy).unwrap();
            assert!(
                build.shell("echo x > $STAGE/a; echo y > $PREFIX/b; mkdir $PREFIX/c").success(),
                "{level}"
            );
            for file in ["stage/a", "prefix/b", "prefix/c"] {
                let metadata = fs_err::metadata(place.path(file)).unwrap();
                assert_eq!(metadata.uid(), policy.owner(), "{level} {file}");
                assert!(!is_root() || metadata.uid() != 0);
            }
        }
    });
}

#[test]
fn temporary_folders_are_private_and_vanish() {
    let place = Place::new();
    let name = format!("spack-wasm-private-{}", std::process::id());
    let build = place.start(Level::Namespaces);
    let script = format!("for d in /tmp /var/tmp /dev/shm; do echo x > $d/{name} || exit 1; done");
    assert!(build.shell(&script).success());
    for folder in ["/tmp", "/var/tmp", "/dev/shm"] {
        assert!(!support::exists(&std::path::Path::new(folder).join(&name)));
    }
    drop(build);
    let build = place.start(Level::Namespaces);
    assert!(!build.shell(&format!("test -e /tmp/{name}")).success());
}

#[test]
fn devices_terminals_and_loopback_work() {
    everybody("devices_terminals_and_loopback_work", || {
        let place = Place::new();
        let build = place.start(Level::Namespaces);
        let ran = build.shell("echo x > /dev/null && head -c 4 /dev/urandom | wc -c; echo y > /dev/stdout; ls /dev; echo z > /dev/stderr");
        assert_eq!(ran.stderr, "z\n");
        assert_eq!(
            ran.stdout,
            "4\ny\nfd\nfull\nnull\nptmx\npts\nrandom\nshm\nstderr\nstdin\nstdout\nurandom\nzero\n"
        );
        let terminal = "#define _GNU_SOURCE\n#include <fcntl.h>\n#include <stdlib.h>\n
            int main(){int m=posix_openpt(O_RDWR);if(m<0)return 1;if(grantpt(m))return 2;if(unlockpt(m))return 3;
            return open(ptsname(m),O_RDWR)<0?4:0;}";
        assert!(build.c(terminal).success());
        let loopback = "#include <netinet/in.h>\n#include <sys/socket.h>\n
            int main(){struct sockaddr_in a={AF_INET};socklen_t n=sizeof a;a.sin_addr.s_addr=htonl(0x7f000001);
            int s=socket(AF_INET,SOCK_STREAM,0);if(bind(s,(void*)&a,n)||listen(s,1)||getsockname(s,(void*)&a,&n))return 1;
            return connect(socket(AF_INET,SOCK_STREAM,0),(void*)&a,n);}";
        assert!(build.c(loopback).success());
    });
}

#[test]
fn nothing_that_was_open_is_inherited() {
    let place = Place::new();
    let secret = fs_err::File::open(place.path("home/.ssh/id")).unwrap();
    // As a descriptor that a shell left open for us.
    rustix::io::fcntl_setfd(&secret, rustix::io::FdFlags::empty()).unwrap();
    for level in [Level::Namespaces, Level::None] {
        let build = place.start(level);
        let ran = build.shell("ls -l /proc/self/fd /proc/$$/fd");
        assert!(!ran.stdout.contains(".ssh"), "{level}: {}", ran.stdout);
        assert!(!build.shell(&format!("cat <&{}", secret.as_raw_fd())).success());
    }
}

#[test]
fn the_hosts_environment_and_arguments_are_not_there() {
    let place = Place::new();
    let build = place.start(Level::Namespaces);
    let ran = build.shell("cat /proc/*/environ /proc/*/cmdline 2>/dev/null | tr '\\0' '\\n'");
    assert!(!ran.stdout.contains("CARGO"), "{}", ran.stdout);
    assert!(build.shell("test $(ls -d /proc/[0-9]* | wc -l) -le 8").success());
}

#[test]
fn a_mount_beneath_a_private_folder_is_seen() {
    everybody("a_mount_beneath_a_private_folder_is_seen", || {
        let place = Place::new();
        let mut policy = place.policy(Level::Namespaces);
        // The whole place lies below /tmp, as a store under test may.
        let dependency = place.path("dependency");
        policy.mount(&dependency, &dependency, spack_wasm_sandbox::Access::ReadOnly);
        let build = place.start_with(&policy).unwrap();
        assert_eq!(build.shell(&format!("cat {}/file", dependency.display())).stdout, "dependency");
    });
}

#[test]
fn a_source_that_does_not_exist_is_named() {
    let place = Place::new();
    let mut policy = place.policy(Level::Namespaces);
    policy.mount("/no/such/folder", "/x", spack_wasm_sandbox::Access::ReadOnly);
    let error = place.start_with(&policy).err().unwrap();
    insta::assert_snapshot!(error, @"the sandbox cannot open the source of a mount `/no/such/folder`");
}

#[test]
fn a_read_only_mount_is_so_beneath_too() {
    if !is_root() {
        return;
    }
    let place = Place::new();
    let inner = place.path("dependency/inner");
    fs_err::create_dir(&inner).unwrap();
    rustix::mount::mount("tmpfs", &inner, "tmpfs", rustix::mount::MountFlags::empty(), Some(c"mode=0777"))
        .unwrap();
    let build = place.start(Level::Namespaces);
    let refused = !build.shell("echo x > /opt/dependency/inner/x").success();
    drop(build);
    rustix::mount::unmount(&inner, rustix::mount::UnmountFlags::DETACH).unwrap();
    assert!(refused);
}

#[test]
fn a_build_of_many_programs_works() {
    if !support::require("make") {
        return;
    }
    everybody("a_build_of_many_programs_works", || {
        for level in [Level::Namespaces, Level::Landlock, Level::None] {
            let place = Place::new();
            let build = place.start(level);
            let script = "for i in $(seq 20); do echo \"int f$i(void){return $i;}\" > f$i.c; done
                printf 'O=$(patsubst %%.c,%%.o,$(wildcard *.c))\\nlib.a: $(O)\\n\\tar rcs $@ $^\\n' > Makefile
                make -j2 && cp lib.a $PREFIX/ && ls $PREFIX";
            let ran = build.shell(script);
            assert!(
                ran.success() && ran.stdout.ends_with("lib.a\n"),
                "{level}: {} {}",
                ran.stdout,
                ran.stderr
            );
        }
    });
}
