//! Commands behind the walls: output, input, status, cost, errors.

mod support;

use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use spack_wasm_sandbox::{Level, RunError, Status};
use support::{Place, everybody};

const LEVELS: [Level; 3] = [Level::Namespaces, Level::Landlock, Level::None];

#[test]
fn output_status_and_streams() {
    everybody("output_status_and_streams", || {
        for level in LEVELS {
            let place = Place::new();
            let build = place.start(level);
            let ran = build.shell("echo out; echo err >&2; pwd; exit 7");
            assert_eq!(ran.status(), Status::Exited(7), "{level}");
            assert_eq!(ran.stdout, format!("out\n{}\n", build.stage.display()));
            assert_eq!(ran.stderr, "err\n");
            assert_eq!(build.shell("kill -TERM $$").status(), Status::Signaled(15));
        }
    });
}

#[test]
fn threads_are_counted_while_they_live() {
    everybody("threads_are_counted_while_they_live", || {
        for level in LEVELS {
            let place = Place::new();
            let build = place.start(level);
            let until = |wanted: usize| {
                let deadline = Instant::now() + Duration::from_secs(20);
                while build.sandbox.threads() != Some(wanted) {
                    assert!(Instant::now() < deadline, "{:?} at {level}", build.sandbox.threads());
                    std::thread::sleep(Duration::from_millis(10));
                }
            };
            until(0);
            std::thread::scope(|scope| {
                // The shell and two others, one of which has lost its parent.
                let tool = scope.spawn(|| build.shell("(sleep 4 &) ; sleep 4 & wait"));
                until(3);
                assert!(tool.join().unwrap().success());
            });
            until(0);
        }
    });
}

#[test]
fn large_input_and_output_do_not_block() {
    let place = Place::new();
    let build = place.start(Level::Namespaces);
    let mut command = build.command(["sh", "-c", "cat; head -c 5000000 /dev/zero >&2"]);
    command.stdin = Some(vec![b'x'; 8_000_000]);
    let ran = build.run(&command).unwrap();
    assert_eq!((ran.stdout.len(), ran.stderr.len()), (8_000_000, 5_000_000));
}

#[test]
fn a_slow_listener_gets_everything() {
    let place = Place::new();
    let build = place.start(Level::Namespaces);
    let mut bytes = 0;
    let command = build.command(["head", "-c", "300000", "/dev/zero"]);
    let sink = &mut |_, piece: &[u8]| {
        std::thread::sleep(Duration::from_millis(60));
        bytes += piece.len();
    };
    build.sandbox.run(&command, sink).unwrap();
    assert_eq!(bytes, 300_000);
}

#[test]
fn without_input_a_command_reads_nothing() {
    let place = Place::new();
    let build = place.start(Level::Namespaces);
    assert!(build.shell("test -z \"$(cat)\"").success());
}

#[test]
fn several_commands_run_at_once() {
    let place = Place::new();
    let build = place.start(Level::Namespaces);
    let began = Instant::now();
    std::thread::scope(|scope| {
        let build = &build;
        let runs: Vec<_> = (0..8)
            .map(|n| scope.spawn(move || build.shell(&format!("sleep 0.5; echo {n}; exit {n}"))))
            .collect();
        for (n, run) in runs.into_iter().enumerate() {
            let ran = run.join().unwrap();
            assert_eq!((ran.stdout, ran.outcome.status), (format!("{n}\n"), Status::Exited(n as i32)));
        }
    });
    assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
}

#[test]
fn a_process_left_behind_does_not_hold_the_command() {
    for level in LEVELS {
        let place = Place::new();
        let build = place.start(level);
        let began = Instant::now();
        let ran = build.shell("sleep 100 & echo started");
        assert_eq!(ran.stdout, "started\n");
        assert!(began.elapsed() < Duration::from_secs(5), "{level}: {:?}", began.elapsed());
    }
}

#[test]
fn cost_is_measured() {
    let place = Place::new();
    let build = place.start(Level::Namespaces);
    let ran = build.shell("i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done; sleep 0.2");
    assert!(ran.outcome.user_cpu > Duration::from_millis(20), "{:?}", ran.outcome);
    assert!(ran.outcome.wall > Duration::from_millis(200), "{:?}", ran.outcome);
    assert!(ran.outcome.max_rss_kib > 100, "{:?}", ran.outcome);
}

#[test]
fn further_descriptors_keep_their_numbers() {
    let place = Place::new();
    let build = place.start(Level::Namespaces);
    let (mut reader, writer) = std::io::pipe().unwrap();
    let (tokens, mut give) = std::io::pipe().unwrap();
    give.write_all(b"+").unwrap();
    drop(give);
    let mut command = build.command(["sh", "-c", "head -c 1 <&8 >&7; ls -l /proc/self/fd | wc -l"]);
    command.extra_fds = vec![(7, OwnedFd::from(writer)), (8, OwnedFd::from(tokens))];
    let ran = build.run(&command).unwrap();
    drop(command);
    let mut read = String::new();
    reader.read_to_string(&mut read).unwrap();
    assert_eq!(read, "+");
    // The two, the three standard ones, the one of `ls`, and the line with the total.
    assert_eq!(ran.stdout.trim(), "7");
}

#[test]
fn the_environment_is_exactly_what_was_given() {
    let place = Place::new();
    let build = place.start(Level::Namespaces);
    let command = spack_wasm_sandbox::Command::new(["/usr/bin/env"], "/build").env("ONLY", "this");
    assert_eq!(build.run(&command).unwrap().stdout, "ONLY=this\n");
}

#[test]
fn a_program_is_found_where_it_would_run() {
    everybody("a_program_is_found_where_it_would_run", || {
        for level in LEVELS {
            let place = Place::new();
            let build = place.start(level);
            build.shell(
                "mkdir bin bin/test own; echo exit > bin/true; echo '#!/bin/sh' > own/tool; chmod 755 own/tool",
            );
            let path = format!("{}/bin:own:/usr/bin", build.stage.display());
            for program in
                ["true", "test", "tool", "./own/tool", "no-such", "/etc/passwd", "/usr/bin", "bin/true"]
            {
                let command = spack_wasm_sandbox::Command::new([program], &build.stage).env("PATH", &path);
                let found = build.sandbox.find(&command).unwrap();
                let runs = build.run(&command).is_ok();
                assert_eq!(found.is_some(), runs, "{program} at {level}: {found:?}");
                let expected = match program {
                    "true" | "test" => Some(format!("/usr/bin/{program}").into()),
                    "tool" | "./own/tool" => Some(build.stage.join("./own/tool")),
                    _ => None,
                };
                assert_eq!(found, expected, "{program} at {level}");
            }
        }
    });
}

#[test]
fn the_mask_is_the_commands() {
    let place = Place::new();
    let build = place.start(Level::Namespaces);
    let mut command = build.command(["sh", "-c", "umask"]);
    assert_eq!(build.run(&command).unwrap().stdout.trim(), "0022");
    command.umask = 0o077;
    assert_eq!(build.run(&command).unwrap().stdout.trim(), "0077");
}

#[test]
fn a_program_that_does_not_exist_is_named_with_the_path() {
    let place = Place::new();
    let build = place.start(Level::Namespaces);
    let error = build.run(&build.command(["no-such-tool"])).err().unwrap();
    insta::assert_snapshot!(error, @"`no-such-tool` was not found in the sandbox along PATH=/usr/local/bin:/usr/bin:/bin");
    let error = build.run(&build.command(["/opt/none"])).err().unwrap();
    insta::assert_snapshot!(error, @"`/opt/none` was not found in the sandbox");
}

#[test]
fn the_program_is_the_sandboxs_not_the_hosts() {
    let place = Place::new();
    let hostile = place.path("stage/sh");
    fs_err::write(&hostile, "#!/bin/sh\necho from the stage\n").unwrap();
    fs_err::set_permissions(&hostile, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let build = place.start(Level::Namespaces);
    let ran = build.run(&build.command(["./sh"])).unwrap();
    assert_eq!(ran.stdout, "from the stage\n");
    let link = place.path("stage/outside");
    fs_err::os::unix::fs::symlink(place.helper.path(), &link).unwrap();
    assert!(matches!(build.run(&build.command(["./outside"])), Err(RunError::NotFound { .. })));
}

#[test]
fn why_a_program_did_not_start() {
    let place = Place::new();
    let build = place.start(Level::Namespaces);
    let script = "printf '#!/no/such/interpreter\\n' > a; chmod +x a; echo > b; printf x > c; chmod +x c";
    assert!(build.shell(script).success());
    let error = |argv: &[&str]| build.run(&build.command(argv.iter().copied())).err().unwrap();
    insta::assert_snapshot!(error(&["./a"]), @"`./a` names an interpreter (first line, or ELF loader) that does not exist in the sandbox");
    insta::assert_snapshot!(error(&["./b"]), @"`./b` may not be executed: its mode, or the sandbox, forbids it");
    let not_executable = error(&["./c"]);
    assert!(
        matches!(&not_executable, RunError::NotStarted { source, .. } if source.raw_os_error() == Some(libc::ENOEXEC))
    );
    let huge = "x".repeat(10_000_000);
    let too_long = error(&["echo", &huge]);
    assert!(
        matches!(&too_long, RunError::NotStarted { source, .. } if source.raw_os_error() == Some(libc::E2BIG))
    );
    let mut elsewhere = build.command(["true"]);
    elsewhere.cwd = "/no/such/folder".into();
    insta::assert_snapshot!(build.run(&elsewhere).err().unwrap(), @"cannot enter the working directory `/no/such/folder`");
}

#[test]
fn arguments_need_not_be_text() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    let place = Place::new();
    let build = place.start(Level::Namespaces);
    let argv = [OsStr::new("printf"), OsStr::new("%s"), OsStr::from_bytes(b"\xff\xfe")];
    let command = spack_wasm_sandbox::Command::new(argv, "/build").env("PATH", "/usr/bin");
    let mut output = Vec::new();
    build.sandbox.run(&command, &mut |_, bytes| output.extend_from_slice(bytes)).unwrap();
    assert_eq!(output, b"\xff\xfe");
}
