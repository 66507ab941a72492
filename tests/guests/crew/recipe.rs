//! A recipe of many packages that depend on each other. The end-to-end tests make a copy of its component for each of them,
//! with the package's name in the place of [`NAME`].

use std::hint::black_box;

use spack_wasm_sdk::prelude::*;

struct Crew;

/// Replaced in copies; all names are as long.
static NAME: [u8; 10] = *b"crew-xxxxx";

/// What a package can be asked for.
const ACTS: &[&str] =
    &["nothing", "sleep", "fail", "mute", "use", "flood", "make", "ninja", "ctest", "hoard", "forge"];

impl Recipe for Crew {
    fn describe() -> Package {
        let package = package(&name(), "One of a crew.")
            .license("MIT")
            .build_system(GENERIC)
            .version(version("1.0"))
            .variant(choice("act", "nothing", ACTS, "What it does"))
            .depends_on(build_dependency("gmake").when("act=make"))
            .depends_on(build_dependency("ninja").when("act=ninja"));
        needs(&name()).iter().fold(package, |package, other| package.depends_on(dependency(other)))
    }

    fn phase(build: &Build, _phase: &str) -> Result {
        act_out(&build.spec().variant("act").unwrap_or_default(), build)?;
        Ok(fs_err::write(build.prefix().join("done.txt"), "done\n")?)
    }

    fn dependent_build_environment(spec: &Spec, _dependent: &Spec) -> Result<Environment> {
        match spec.variant("act").as_deref() {
            Some("mute") => Err(Failure::new("it tells its dependents nothing")),
            _ => Ok(Environment::new()),
        }
    }
}

fn name() -> String {
    String::from_utf8_lossy(black_box(&NAME)).into_owned()
}

fn needs(name: &str) -> &'static [&'static str] {
    match name.strip_prefix("crew-") {
        Some("joint") => &["crew-north", "crew-south"],
        Some("outer") => &["crew-joint"],
        _ => &[],
    }
}

fn act_out(act: &str, build: &Build) -> Result {
    let shell = |script: &str| build.tool("sh").args(["-c", script]);
    let perl = |script: &str| build.tool("perl").args(["-e", script]).run();
    match act {
        "sleep" => shell("sleep 2").run(),
        "fail" => shell("exit 3").run(),
        // Time, then memory, then time again in a tool that fails.
        "use" => {
            let busy = "i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done";
            shell(busy).run()?;
            shell("head -c 100000000 /dev/zero | tail -c 90000000 > /dev/null").run()?;
            shell(&format!("{busy}; exit 3")).run()
        }
        "flood" => {
            shell("yes 'a line of a tool that prints and prints' | head -c 300000000; echo the end").run()
        }
        "make" => build.tool("make").run(),
        "ninja" => build.tool("ninja").run(),
        "ctest" => build.tool("ctest").run(),
        // Takes a token and does nothing with it.
        "hoard" => perl("open(T, '<&=198') or die; sysread(T, $b, 1) == 1 or die; sleep 10"),
        "forge" => perl("open(T, '>&=199') or die; syswrite(T, '+' x 20) == 20 or die; sleep 1"),
        _ => Ok(()),
    }
}

recipe!(Crew);
