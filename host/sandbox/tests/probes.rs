//! Each thing that a hostile build tool would try: refused behind the walls, and seen to get through without them.
//!
//! A probe is a script or C program that exits with 0 when it got through.

mod support;

use spack_wasm_sandbox::Level;
use support::scene::Scene;
use support::{Build, everybody};

enum Script {
    Shell(&'static str),
    C(&'static str),
}
use Script::{C, Shell};

/// What the probe does without walls.
enum Without {
    /// Gets through.
    Open,
    /// Is refused to an ordinary user by the kernel anyway, or by this machine's settings.
    Varies,
}
use Without::{Open, Varies};

/// What the level `landlock` does.
enum Landlock {
    Stops,
    /// A known hole, see `SECURITY.md`.
    Hole,
}
use Landlock::{Hole, Stops};

const PROBES: &[(&str, Script, Without, Landlock)] = &[
    // Files.
    ("read a key", Shell("grep -q SECRET \"$SECRET\""), Open, Stops),
    ("list a folder outside", Shell("ls \"$HOME_OUTSIDE\""), Open, Stops),
    ("write outside", Shell("echo x > \"$HOME_OUTSIDE/new\""), Open, Stops),
    ("append to .bashrc", Shell("echo evil >> \"$HOME_OUTSIDE/.bashrc\""), Open, Stops),
    ("truncate a file outside", Shell("truncate -s 0 \"$HOME_OUTSIDE/.bashrc\""), Open, Stops),
    ("write into a dependency", Shell("echo x > \"$DEPENDENCY/new\""), Open, Stops),
    ("overwrite a dependency's file", Shell("echo x > \"$DEPENDENCY/file\""), Open, Stops),
    ("remove a dependency's file", Shell("rm \"$DEPENDENCY/file\" && echo back > \"$DEPENDENCY/file\""), Open, Stops),
    ("link to a key", Shell("ln -sf \"$SECRET\" s && grep -q SECRET s"), Open, Stops),
    ("hard link to a key", Shell("rm -f h; ln \"$SECRET\" h && grep -q SECRET h"), Open, Stops),
    ("the host's /dev/shm", Shell("grep -q SHARED \"$SHM_FILE\""), Open, Stops),
    ("the host's /tmp", Shell("grep -q SHARED \"$TMP_FILE\""), Open, Stops),
    ("the host's accounts", Shell("grep -q ^root: /etc/passwd"), Open, Stops),
    ("write to the root folder", Shell("mkdir /evil"), Varies, Stops),
    ("write to /etc", Shell("echo x > /etc/evil"), Varies, Stops),
    ("write to the toolchain", Shell("echo x > /usr/bin/evil"), Varies, Stops),
    ("set-uid by chmod", Shell("touch f && chmod 4755 f && test -u f"), Open, Stops),
    ("set-gid by chmod", Shell("touch g && chmod g+s g && test -g g"), Open, Stops),
    ("set-uid by open", C("int main(){int f=open(\"o\",O_CREAT|O_WRONLY,04755);struct stat s;
        if(f<0||fstat(f,&s))return 1;return s.st_mode&04000?0:2;}"), Open, Stops),
    ("set-uid by mknod", C("int main(){struct stat s;unlink(\"m\");
        if(mknod(\"m\",S_IFREG|04755,0)||stat(\"m\",&s))return 1;return s.st_mode&04000?0:2;}"), Open, Stops),
    ("set-uid by openat2", C("int main(){struct{unsigned long f,m,r;}h={O_CREAT|O_WRONLY,04755,0};
        return syscall(437,AT_FDCWD,\"p\",&h,sizeof h)<0;}"), Open, Stops),
    ("a device node", C("int main(){return mknod(\"d\",S_IFBLK|0666,makedev(254,0));}"), Varies, Stops),
    // Other processes.
    ("environment of a process", Shell("tr '\\0' '\\n' < /proc/$VICTIM/environ | grep -q SECRET"), Open, Stops),
    ("arguments of a process", Shell("grep -q 1000 /proc/$VICTIM/cmdline"), Open, Hole),
    ("when a process is sacrificed", Shell("echo 500 > /proc/$VICTIM/oom_score_adj"), Open, Stops),
    ("environment of the executor", Shell("cat /proc/1/environ"), Varies, Stops),
    ("memory of the executor", Shell("head -c 1 /proc/1/mem"), Varies, Stops),
    ("files of the executor", Shell("ls /proc/1/fd/"), Varies, Stops),
    ("signal a process", Shell("kill -0 $VICTIM"), Open, Stops),
    ("trace a process", C("int main(){return ptrace(PTRACE_SEIZE,atoi(getenv(\"VICTIM\")),0,0);}"), Open, Stops),
    ("read a process", C("int main(){char b;struct iovec l={&b,1},r={0,1};
        process_vm_readv(atoi(getenv(\"VICTIM\")),&l,1,&r,1,0);return errno!=EFAULT;}"), Open, Stops),
    ("take a descriptor", C("int main(){int p=syscall(434,atoi(getenv(\"VICTIM\")),0);
        return p<0||syscall(438,p,1,0)<0;}"), Open, Stops),
    // Network.
    ("TCP to the host", C("int main(){struct sockaddr_in a={AF_INET,htons(atoi(getenv(\"TCP\")))};a.sin_addr.s_addr=htonl(0x7f000001);
        return connect(socket(AF_INET,SOCK_STREAM,0),&a,sizeof a);}"), Open, Stops),
    ("socket by path", C("int main(){struct sockaddr_un a={AF_UNIX};strcpy(a.sun_path,getenv(\"UNIX\"));
        return connect(socket(AF_UNIX,SOCK_STREAM,0),&a,sizeof a);}"), Open, Stops),
    ("abstract socket", C("int main(){struct sockaddr_un a={AF_UNIX};char*n=getenv(\"ABSTRACT\");strcpy(a.sun_path+1,n);
        return connect(socket(AF_UNIX,SOCK_STREAM,0),&a,3+strlen(n));}"), Open, Stops),
    ("datagram pair to a path", C("int main(){int s[2];struct sockaddr_un a={AF_UNIX};strcpy(a.sun_path,getenv(\"UNIX\"));
        if(socketpair(AF_UNIX,SOCK_DGRAM,0,s))return 1;sendto(s[0],\"x\",1,0,&a,sizeof a);return errno!=EPROTOTYPE;}"), Open, Stops),
    ("netlink", C("int main(){return socket(AF_NETLINK,SOCK_RAW,0)<0;}"), Open, Stops),
    ("vsock", C("int main(){return socket(40,SOCK_STREAM,0)<0;}"), Varies, Stops),
    ("raw packets", C("int main(){return socket(AF_PACKET,SOCK_RAW,0)<0;}"), Varies, Stops),
    // Kernel.
    ("the host's shared memory", C("int main(){return shmget(atoi(getenv(\"KEY\")),4096,0)<0;}"), Open, Stops),
    ("a user namespace", C("int main(){return unshare(CLONE_NEWUSER);}"), Open, Stops),
    ("a user namespace by clone", C("int main(){long p=syscall(SYS_clone,CLONE_NEWUSER|SIGCHLD,0,0,0,0);
        if(p==0)_exit(0);return p<0;}"), Open, Stops),
    ("a user namespace by clone3", C("int main(){unsigned long a[11]={CLONE_NEWUSER,0,0,0,SIGCHLD};
        long p=syscall(435,a,sizeof a);if(p==0)_exit(0);return p<0;}"), Open, Stops),
    ("remount a dependency", C("int main(){return mount(0,getenv(\"DEPENDENCY\"),0,MS_REMOUNT|MS_BIND,0);}"), Varies, Stops),
    ("mount", C("int main(){return mount(\"x\",\"/tmp\",\"tmpfs\",0,0);}"), Varies, Stops),
    ("copy a mount", C("int main(){return syscall(428,AT_FDCWD,getenv(\"DEPENDENCY\"),1)<0;}"), Varies, Stops),
    ("chroot", C("int main(){return chroot(\".\");}"), Varies, Stops),
    ("the user's keys", C("int main(){return syscall(SYS_add_key,\"user\",\"spack-wasm-test\",\"x\",1L,-4L)<0;}"), Open, Stops),
    ("io_uring", C("int main(){char p[120]={0};return syscall(425,1,p)<0;}"), Open, Stops),
    ("bpf", C("int main(){char a[120]={0};syscall(SYS_bpf,0,a,sizeof a);return errno==EPERM||errno==ENOSYS;}"), Varies, Stops),
    ("perf events", C("int main(){char a[120]={0};syscall(SYS_perf_event_open,a,0,-1,-1,0);return errno==EPERM;}"), Varies, Stops),
    ("userfaultfd", C("int main(){return syscall(SYS_userfaultfd,1)<0;}"), Varies, Stops),
    ("a call that does not exist yet", C("int main(){errno=0;syscall(1000);return errno==ENOSYS;}"), Varies, Stops),
    ("push input to the terminal", C("int main(){errno=0;ioctl(0,TIOCSTI,\"x\");return errno==EPERM;}"), Open, Stops),
    ("gain privileges", Shell("grep -q 'NoNewPrivs:.*0' /proc/self/status"), Open, Stops),
    ("capabilities", Shell("! grep -q 'CapPrm:.*0000000000000000' /proc/self/status"), Varies, Stops),
    ("kernel uid 0", Shell("grep -qE '^ +0 +0 ' /proc/self/uid_map && test \"$(id -u)\" = 0"), Varies, Stops),
    #[cfg(target_arch = "x86_64")]
    ("32-bit calls", C("int main(){long r;asm volatile(\"int $0x80\":\"=a\"(r):\"a\"(20):\"memory\");return r<0;}"), Varies, Stops),
    #[cfg(target_arch = "x86_64")]
    ("x32 calls", C("int main(){return syscall(0x40000000|SYS_getpid)<0;}"), Varies, Stops),
    #[cfg(target_arch = "x86_64")]
    ("x32 mount", C("int main(){errno=0;syscall(0x40000000|SYS_mount,0,0,0,0,0);return errno==ENOSYS||errno==EPERM;}"), Varies, Stops),
];

const HEADERS: &str = "#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>
";

fn got_through(scene: &Scene, build: &Build, script: &Script) -> bool {
    match script {
        Shell(script) => scene.shell(build, script).success(),
        C(program) => {
            build.compile("probe", &format!("{HEADERS}{program}"));
            scene.shell(build, "./probe").success()
        }
    }
}

/// Probes whose result is not the expected one.
fn unexpected(level: Level, expected: impl Fn(&Without, &Landlock) -> Option<bool>) -> Vec<&'static str> {
    let scene = Scene::new();
    let build = scene.place.start(level);
    let differs = |(name, script, without, landlock): &(&'static str, Script, Without, Landlock)| {
        let expected = expected(without, landlock)?;
        (got_through(&scene, &build, script) != expected).then_some(*name)
    };
    PROBES.iter().filter_map(differs).collect()
}

#[test]
fn refused_behind_all_walls() {
    everybody("refused_behind_all_walls", || {
        assert_eq!(unexpected(Level::Namespaces, |_, _| Some(false)), [""; 0]);
    });
}

#[test]
fn refused_by_landlock_but_for_its_holes() {
    everybody("refused_by_landlock_but_for_its_holes", || {
        let expected = |_: &Without, landlock: &Landlock| Some(matches!(landlock, Hole));
        assert_eq!(unexpected(Level::Landlock, expected), [""; 0]);
    });
}

#[test]
fn they_get_through_without_walls() {
    everybody("they_get_through_without_walls", || {
        let expected = |without: &Without, _: &Landlock| matches!(without, Open).then_some(true);
        assert_eq!(unexpected(Level::None, expected), [""; 0]);
    });
}

/// A datagram into nowhere is no error, so the server is asked what arrived.
#[test]
fn datagrams_to_the_host() {
    everybody("datagrams_to_the_host", || {
        for (level, arrives) in [(Level::Namespaces, false), (Level::Landlock, false), (Level::None, true)] {
            let scene = Scene::new();
            scene.udp.set_read_timeout(Some(std::time::Duration::from_millis(300))).unwrap();
            let build = scene.place.start(level);
            let program = "int main(){struct sockaddr_in a={AF_INET,htons(atoi(getenv(\"UDP\")))};
                a.sin_addr.s_addr=htonl(0x7f000001);sendto(socket(AF_INET,SOCK_DGRAM,0),\"x\",1,0,&a,sizeof a);return 0;}";
            got_through(&scene, &build, &C(program));
            assert_eq!(scene.udp.recv(&mut [0; 8]).is_ok(), arrives, "{level}");
        }
    });
}
