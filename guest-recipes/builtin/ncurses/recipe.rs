//! ncurses, built twice as distributions do: with and without wide characters.

use std::path::PathBuf;

use spack_wasm_sdk::prelude::*;

mod declared;
mod offered;

struct Ncurses;

/// A build of it: its folder, and whether it has wide characters.
const FLAVOURS: &[(&str, bool)] = &[("build_ncurses", false), ("build_ncursesw", true)];

impl Recipe for Ncurses {
    fn describe() -> Package {
        declared::ncurses()
    }

    fn phase(build: &Build, phase: &str) -> Result {
        for &(folder, wide) in FLAVOURS {
            let folder = build.source().join(folder);
            match phase {
                "configure" => configure(build, folder, wide)?,
                "build" => build.tool("make").directory(folder).run()?,
                "install" => build.tool("make").arg("install").directory(folder).run()?,
                _ => build.usual_phase::<Self>(phase)?,
            }
        }
        if phase == "install" { links(build) } else { Ok(()) }
    }

    fn build_environment(_spec: &Spec) -> Result<Environment> {
        let mut changes = Environment::new();
        changes.unset("TERMINFO");
        Ok(changes)
    }

    fn libraries(spec: &Spec, query: &[String]) -> Result<Option<Libraries>> {
        let names = offered::libraries(offered::Flavours::of(query)?, spec.has("+termlib"));
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        find_libraries(&names, spec.prefix(), true).map(Some)
    }

    fn headers(spec: &Spec, query: &[String]) -> Result<Option<Headers>> {
        let include = spec.prefix().join("include");
        let folders = offered::header_folders(offered::Flavours::of(query)?);
        let directories = folders.iter().map(|folder| include.join(folder)).collect();
        Ok(Some(Headers { directories, files: Vec::new() }))
    }

    fn detect(executables: &[FoundExecutable]) -> Result<Vec<Found>> {
        let versions = executables.iter().filter_map(|found| found.output.split_whitespace().next());
        Ok(versions.map(|version| Found::from(format!("ncurses@{version}"))).collect())
    }
}

fn configure(build: &Build, folder: PathBuf, wide: bool) -> Result {
    build.mkdirp(&folder)?;
    // By this name, since curses.h says where its sources were.
    build.tool("../configure").args(arguments(build, wide)).directory(folder).run()
}

fn arguments(build: &Build, wide: bool) -> Vec<String> {
    let (spec, prefix) = (build.spec(), build.prefix());
    let mut arguments = vec![
        format!("--prefix={}", prefix.display()),
        enable_or_disable("widec", wide),
        format!("--with-pkg-config-libdir={}", prefix.join("lib/pkgconfig").display()),
    ];
    let always = [
        "--disable-stripping",
        // A third of the work, for static libraries that nobody links.
        "--without-debug",
        "--with-shared",
        "--with-cxx-shared",
        "--without-ada",
        "--enable-pc-files",
        "--disable-overwrite",
        "--without-manpages",
        "--without-tests",
        // Dependents put the static libraries into shared ones.
        "CFLAGS=-O2 -fPIC",
        "CXXFLAGS=-O2 -fPIC",
    ];
    arguments.extend(always.map(str::to_owned));
    arguments.extend(spec.has("+symlinks").then(|| "--enable-symlinks".to_owned()));
    // It writes its `.pc` files without the program; with it, what they say would depend on that of this machine.
    arguments.extend(spec.has("@6.4:").then(|| "--without-pkg-config".to_owned()));
    if spec.has("+termlib") {
        let termlib = [
            "--with-termlib",
            "--enable-termcap",
            "--enable-getcap",
            "--enable-tcap-names",
            "--with-versioned-syms",
        ];
        arguments.extend(termlib.map(str::to_owned));
    }
    let abi = spec.variant("abi").filter(|abi| abi != "none");
    arguments.extend(abi.map(|abi| format!("--with-abi-version={abi}")));
    arguments
}

/// For programs that include `<ncurses.h>`, the wide headers are the usual ones; and some link `-lcurses`.
fn links(build: &Build) -> Result {
    let include = build.prefix().join("include");
    for header in find(include.join("ncursesw"), "*.h")? {
        let Some(name) = header.file_name() else { continue };
        build.symlink(PathBuf::from("ncursesw").join(name), include.join(name))?;
    }
    let libraries = build.prefix().join("lib");
    if libraries.join("libcurses.so").exists() {
        return Ok(());
    }
    build.symlink("libncurses.so", libraries.join("libcurses.so"))
}

recipe!(Ncurses);
