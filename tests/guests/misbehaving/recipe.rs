//! A recipe that does, on request, what no recipe may: the variant `act` chooses. What it declares may be wrong, too: a file
//! `declares` beside it chooses. Used by the end-to-end tests.

mod declared;

use std::hint::black_box;
use std::io::Write;

use spack_wasm_sdk::bindings::spack_wasm::recipe::tools;
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
    "ask-dependency",
    "bad-variable",
    "tool-writes-dependency",
    "link-out",
    "link-out-by-a-link",
    "link-to-own-files",
    "setuid",
    "trace",
    "empty",
    "clock",
    "tool-reads-home",
    "wait",
    "show-environment",
    "riddle",
    "fifo",
    "fifo-left-behind",
    "write-fifo",
    "script",
    "start",
    "warn-for-ever",
    "open-for-ever",
    "overdone",
    "find",
    "sparse",
];

/// What opening something that is neither file nor folder ends with.
const UNSUPPORTED: i32 = 58;

/// Beside the recipe: what it wants beyond its sandbox, a kind and a value a line.
const WISHES: &str = "/recipe/wishes";
/// Beside the recipe: what `script` runs.
const SCRIPT: &str = "/recipe/script";

/// Pigeons of `act=riddle`. There is one hole less, which no search proves in a reasonable time.
const PIGEONS: usize = 12;

/// Runs when an instance of the component starts, before any call. Where there is a stage, it is marked.
#[unsafe(no_mangle)]
#[expect(unsafe_code, reason = "the name is the component model's")]
extern "C" fn _initialize() {
    drop(fs_err::write("/build/at-start", "started\n"));
}

impl Recipe for Misbehaving {
    fn describe() -> Package {
        let package = package("misbehaving", "Does what no recipe may.")
            .license("MIT")
            .build_system(GENERIC)
            .variant(choice("act", "nothing", ACTS, "What it does"))
            .depends_on(build_dependency("zlib-api").when("act=write-dependency"));
        let package = declared::more(package)
            .depends_on(build_dependency("zlib-api").when("act=ask-dependency"))
            .depends_on(build_dependency("zlib-api").when("act=tool-writes-dependency"));
        let package = (1..=PIGEONS).fold(package, with_pigeon);
        let wishes = fs_err::read_to_string(WISHES).unwrap_or_default();
        let wishes = wishes.lines().filter_map(|line| line.split_once(' '));
        wishes
            .fold(package, |package, (kind, value)| package.wants(permission(kind, value, "because it can")))
    }

    fn accepts_variant_value(_name: &str, value: &str) -> bool {
        value.parse::<u32>().is_ok_and(|number| number % 2 == 0)
    }

    fn check_variant_values(_name: &str, values: &[String]) -> Option<String> {
        (values.len() > 2).then(|| "at most two at a time".to_owned())
    }

    fn build_environment(spec: &Spec) -> Result<Environment> {
        let mut changes = Environment::new();
        if spec.has("act=bad-variable") {
            changes.set("X; touch /tmp/pwned; Y", "1");
        }
        Ok(changes)
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

/// A variant says in which hole the pigeon sits, where none of those before it does.
fn with_pigeon(package: Package, pigeon: usize) -> Package {
    let holes: Vec<String> = (1..PIGEONS).map(|hole| hole.to_string()).collect();
    let choices: Vec<&str> = holes.iter().map(String::as_str).collect();
    let sits = choice(&format!("pigeon{pigeon}"), "1", &choices, "Where it sits").when("act=riddle");
    let crowds = holes.iter().flat_map(|hole| {
        (1..pigeon).map(move |other| {
            conflict(&format!("pigeon{pigeon}={hole}")).when(&format!("act=riddle pigeon{other}={hole}"))
        })
    });
    package.variant(sits).conflicts_all(crowds)
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
        "tool-writes-dependency" => {
            let path = build.spec().dependency("zlib-api")?.prefix().join("lib/evil");
            build.tool("touch").arg(path.display().to_string()).run()
        }
        "ask-dependency" => {
            let libraries = build.spec().dependency("zlib-api")?.libraries()?;
            Ok(fs_err::write(build.prefix().join("libraries.txt"), libraries.names().join(" "))?)
        }
        "link-out" => build.symlink("/etc/passwd", build.prefix().join("passwd")),
        "link-out-by-a-link" => {
            let deep = build.prefix().join("a/b/c");
            fs_err::create_dir_all(&deep)?;
            build.symlink("../..", deep.join("up"))?;
            // By its text alone it leads from `a/b/c/up` to `a/passwd`; in truth out of the prefix.
            build.symlink("../../../passwd", deep.join("up/passwd"))
        }
        "link-to-own-files" => build.symlink(SCRIPT, build.prefix().join("script")),
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
        "fifo" => {
            build.tool("mkfifo").args(["pipe"]).run()?;
            Ok(fs_err::read(build.source().join("pipe")).map(drop)?)
        }
        "fifo-left-behind" => open_what_is_exchanged(build),
        "write-fifo" => {
            build.tool("mkfifo").args(["pipe"]).run()?;
            Ok(fs_err::write(build.source().join("pipe"), "text")?)
        }
        "warn-for-ever" => {
            let text = "careful ".repeat(1 << 17);
            (0..1500).for_each(|_| build.warn(&text));
            Ok(())
        }
        "open-for-ever" => open_until_refused(build),
        "overdone" => {
            build.progress(7, 3, "more than all of it");
            Ok(())
        }
        "find" => find_programs(build),
        "sparse" => {
            let path = build.prefix().join("holes").display().to_string();
            build.tool("truncate").args(["-s", "8T", &path]).run()
        }
        "script" => build.tool("sh").args(["-c".to_owned(), fs_err::read_to_string(SCRIPT)?]).run(),
        // The mark is the build user's own.
        "start" => {
            build.tool("sh").args(["-c", "test -s /build/at-start && echo more >> /build/at-start"]).run()
        }
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

/// Keeps what it opened, and the number of it in a file, until the host has enough.
fn open_until_refused(build: &Build) -> Result {
    let path = build.prefix().join("count.txt");
    fs_err::write(&path, "")?;
    let mut opened = Vec::new();
    let refused = loop {
        match fs_err::File::open(&path) {
            Ok(file) => opened.push(file),
            Err(error) => break error,
        }
    };
    let count = opened.len();
    // Others build meanwhile.
    build.tool("sleep").args(["3"]).run()?;
    drop(opened);
    Ok(fs_err::write(&path, format!("{count}: {refused}\n"))?)
}

/// What `find` and `run` make of each program of a list beside the recipe.
fn find_programs(build: &Build) -> Result {
    let names = fs_err::read_to_string(SCRIPT)?;
    let lines = names.lines().map(|name| {
        let found = tools::find(name).unwrap_or_else(|| "none".to_owned());
        let runs = build.tool(name).outcome().is_ok();
        format!("{name}: {found}, {}\n", if runs { "runs" } else { "does not run" })
    });
    Ok(fs_err::write(build.prefix().join("found.txt"), lines.collect::<String>())?)
}

/// A process that was left behind puts a FIFO in a file's place and the file back, all the time.
fn open_what_is_exchanged(build: &Build) -> Result {
    let exchange = "mkfifo pipe; echo text > text; cp text file
        (while :; do ln pipe new; mv -f new file; ln text new; mv -f new file; done) > /dev/null 2>&1 &";
    build.tool("sh").args(["-c", exchange]).run()?;
    let file = build.source().join("file");
    let (mut texts, mut pipes) = (0, 0);
    while texts < 100 || pipes < 100 {
        match std::fs::OpenOptions::new().read(true).open(&file) {
            Ok(_) => texts += 1,
            Err(error) if error.raw_os_error() == Some(UNSUPPORTED) => pipes += 1,
            Err(error) => return Err(Failure::new(format!("opening failed otherwise: {error}"))),
        }
    }
    Ok(())
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
