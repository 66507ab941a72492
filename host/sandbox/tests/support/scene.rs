//! What an attacker would like to reach: secrets, servers, processes, all open to the build's user by their modes.

use std::net::{TcpListener, UdpSocket};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{SocketAddr, UnixListener};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Stdio};

use spack_wasm_sandbox::{Command, Level, Policy};

use super::{Build, Place, is_root};

pub struct Scene {
    pub place: Place,
    pub udp: UdpSocket,
    victim: Child,
    variables: Vec<(&'static str, String)>,
    shared: [PathBuf; 2],
    _tcp: TcpListener,
    _unix: UnixListener,
    _abstract: UnixListener,
    segment: i32,
}

impl Scene {
    pub fn new() -> Self {
        let place = Place::new();
        let owner = Policy::new(Level::None).owner();
        for name in ["home", "home/.ssh", "home/.ssh/id", "dependency", "dependency/file", "home/.bashrc"] {
            let path = place.path(name);
            if name == "home/.bashrc" {
                fs_err::write(&path, "# mine\n").unwrap();
            }
            if is_root() {
                fs_err::os::unix::fs::chown(&path, Some(owner), Some(owner)).unwrap();
            }
        }
        let unique = format!("sandbox-test-{}-{}", std::process::id(), place.folder.path().display())
            .replace(['/', '.'], "-");
        let shared = ["/dev/shm", "/tmp"].map(|folder| PathBuf::from(folder).join(&unique));
        for path in &shared {
            fs_err::write(path, "SHARED").unwrap();
            fs_err::set_permissions(path, std::fs::Permissions::from_mode(0o666)).unwrap();
        }
        let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
        let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
        let socket = place.path("home/agent");
        let unix = UnixListener::bind(&socket).unwrap();
        fs_err::set_permissions(&socket, std::fs::Permissions::from_mode(0o777)).unwrap();
        let abstract_name = SocketAddr::from_abstract_name(&unique).unwrap();
        let abstract_socket = UnixListener::bind_addr(&abstract_name).unwrap();
        let victim = victim(owner);
        let key = 0x5000_0000 | (std::process::id() as i32 & 0xffff) << 8 | (victim.id() as i32 & 0xff);
        let segment = shared_segment(key);
        let variables = vec![
            ("HOME_OUTSIDE", place.path("home").display().to_string()),
            ("VICTIM", victim.id().to_string()),
            ("TCP", tcp.local_addr().unwrap().port().to_string()),
            ("UDP", udp.local_addr().unwrap().port().to_string()),
            ("UNIX", socket.display().to_string()),
            ("ABSTRACT", unique),
            ("SHM_FILE", shared[0].display().to_string()),
            ("TMP_FILE", shared[1].display().to_string()),
            ("KEY", key.to_string()),
        ];
        Scene {
            place,
            udp,
            victim,
            variables,
            shared,
            _tcp: tcp,
            _unix: unix,
            _abstract: abstract_socket,
            segment,
        }
    }

    pub fn equip(&self, mut command: Command) -> Command {
        for (name, value) in &self.variables {
            command = command.env(*name, value);
        }
        command
    }

    pub fn shell(&self, build: &Build, script: &str) -> super::Ran {
        build.run(&self.equip(build.command(["sh", "-c", script]))).unwrap()
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        let _ = self.victim.kill();
        let _ = self.victim.wait();
        remove_segment(self.segment);
        for path in &self.shared {
            let _ = fs_err::remove_file(path);
        }
    }
}

/// A process of the build's user with secrets in its arguments, its environment and its memory.
fn victim(owner: u32) -> Child {
    let mut command = std::process::Command::new("sleep");
    command.arg("1000").env("TOKEN", "SECRET-TOKEN").current_dir("/").stdin(Stdio::null());
    if is_root() {
        command.uid(owner).gid(owner);
    }
    command.spawn().unwrap()
}

#[expect(unsafe_code, reason = "System V memory has no safe interface")]
fn shared_segment(key: i32) -> i32 {
    // SAFETY: takes numbers only.
    let segment = unsafe { libc::shmget(key, 4096, libc::IPC_CREAT | 0o666) };
    assert!(segment >= 0);
    segment
}

#[expect(unsafe_code, reason = "System V memory has no safe interface")]
fn remove_segment(segment: i32) {
    // SAFETY: nothing is attached to the segment in this process.
    unsafe { libc::shmctl(segment, libc::IPC_RMID, std::ptr::null_mut()) };
}
