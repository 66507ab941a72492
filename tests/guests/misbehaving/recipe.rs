//! A recipe that does, on request, what no recipe may: the variant `act` chooses. What it declares may be wrong, too: a file
//! `declares` beside it chooses. Used by the end-to-end tests.

mod declared;

use std::hint::black_box;
use std::io::Write;

use spack_wasm_sdk::prelude::*;

struct Misbehaving;

/// What it can be asked for; `nothing` installs a file and is fine.
const ACTS: &[&str] = &[
    "nothing",
    "panic",
    "loop",
    "memory",
    "stack",
    "fail",
    "no-tool",
    "failing-tool",
    "read-passwd",
    "write-dependency",
    "link-out",
    "setuid",
    "trace",
    "empty",
    "clock",
    "tool-reads-home",
    "wait",
    "show-environment",
];

impl Recipe for Misbehaving {
    fn describe() -> Package {
        let package = package("misbehaving", "Does what no recipe may.")
            .license("MIT")
            .build_system(GENERIC)
            .variant(choice("act", "nothing", ACTS, "What it does"))
            .depends_on(build_dependency("zlib-api").when("act=write-dependency"));
        declared::more(package)
    }

    fn accepts_variant_value(_name: &str, value: &str) -> bool {
        value.parse::<u32>().is_ok_and(|number| number % 2 == 0)
    }

    fn check_variant_values(_name: &str, values: &[String]) -> Option<String> {
        (values.len() > 2).then(|| "at most two at a time".to_owned())
    }

    fn phase(build: &Build, phase: &str) -> Result {
        if build.build_system() == "makefile" {
            return build.usual_phase::<Self>(phase);
        }
        let act = build.spec().variant("act").unwrap_or_default();
        act_out(&act, build)?;
        if act == "empty" {
            return Ok(());
        }
        fs_err::write(build.prefix().join("done.txt"), format!("{act}\n"))?;
        Ok(())
    }
}

fn act_out(act: &str, build: &Build) -> Result {
    match act {
        "panic" => panic!("the recipe has had enough"),
        "loop" => loop {
            black_box(());
        },
        "memory" => exhaust_memory(),
        "stack" => {
            exhaust_stack(0);
            Ok(())
        }
        "fail" => Err(Failure::new("it does not feel like it today")),
        "no-tool" => build.tool("no-such-tool").run(),
        "failing-tool" => {
            build.tool("sh").args(["-c", "echo 'main.c:1:1: error: it is broken' >&2; exit 3"]).run()
        }
        "read-passwd" => {
            let text = fs_err::read_to_string("/etc/passwd")?;
            Err(Failure::new(format!("it got {} bytes of /etc/passwd", text.len())))
        }
        "write-dependency" => {
            let path = build.spec().dependency("zlib-api")?.prefix().join("lib/evil");
            Ok(fs_err::write(path, "evil")?)
        }
        "link-out" => build.symlink("/etc/passwd", build.prefix().join("passwd")),
        "setuid" => {
            let path = build.prefix().join("run");
            fs_err::write(&path, "#!/bin/sh\n")?;
            build.tool("chmod").args(["4755".to_owned(), path.display().to_string()]).run()
        }
        "trace" => {
            Ok(fs_err::write(build.prefix().join("where.txt"), format!("{}\n", build.source().display()))?)
        }
        "clock" => {
            let now = std::time::SystemTime::now();
            let random =
                std::hash::BuildHasher::hash_one(&std::collections::hash_map::RandomState::new(), 1_u8);
            Ok(fs_err::write(build.prefix().join("clock.txt"), format!("{now:?} {random}\n"))?)
        }
        "tool-reads-home" => build.tool("sh").args(["-c", "cat /root/.netrc /home/*/.netrc"]).run(),
        "show-environment" => {
            writeln!(std::io::stdout(), "the recipe has {:?}", std::env::vars().collect::<Vec<_>>())?;
            build.tool("env").run()
        }
        // Two processes that name the prefix, and that nothing but a signal ends.
        "wait" => {
            let path = build.prefix().join("waiting").display().to_string();
            build.tool("sh").args(["-c", "echo waits > \"$0\"; tail -f \"$0\"; exit 1", &path]).run()
        }
        _ => Ok(()),
    }
}

fn exhaust_memory() -> Result {
    let mut hoard: Vec<Vec<u8>> = Vec::new();
    loop {
        hoard.push(vec![1; 16 << 20]);
        black_box(&hoard);
    }
}

#[expect(unconditional_recursion, reason = "that is the point")]
fn exhaust_stack(depth: u64) -> u64 {
    black_box(exhaust_stack(black_box(depth + 1))) + 1
}

recipe!(Misbehaving);
