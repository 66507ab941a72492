//! The embedded recipes, by packages that are built from their real sources and used outside the sandbox.

use std::path::{Path, PathBuf};
use std::time::Duration;

use spack_wasm_tests::{TestContext, require, skip};

use crate::sources::cache;
use crate::{location, user};

/// GEOS alone takes a busy machine a quarter of an hour.
const PATIENCE: Duration = Duration::from_secs(45 * 60);

/// Somebody who installed packages, with the archives of an earlier run. `None`, said, where they can't be had.
fn with(archives: &str, packages: &[&str]) -> Option<TestContext> {
    let programs = ["cmake", "g++"];
    if !programs.into_iter().all(require) {
        return None;
    }
    let user = user().within(PATIENCE);
    let setting = format!("config:source_cache:{}", cache(archives).display());
    let output = user.run(["-c", &setting, "install", "-j2"].iter().chain(packages));
    if output.code() == Some(1) && output.stderr.contains("cannot be reached") {
        skip(&format!("network, for the sources of {}", packages.join(", ")));
        return None;
    }
    output.succeeded();
    Some(user)
}

/// A user's program, linked against what they installed.
struct Program<'a> {
    user: &'a TestContext,
    compiler: &'static str,
    prefixes: Vec<PathBuf>,
    libraries: &'static [&'static str],
}

impl Program<'_> {
    /// What it prints when it is compiled and run.
    fn prints(&self, name: &str, text: &str) -> String {
        let source = self.user.work().join(name);
        fs_err::write(&source, text).unwrap();
        let flags = self.prefixes.iter().flat_map(|prefix| {
            let library = library_folder(prefix).display().to_string();
            let include = format!("-I{}", prefix.join("include").display());
            [include, format!("-L{library}"), format!("-Wl,-rpath,{library}")]
        });
        let mut arguments = vec!["-o".to_owned(), format!("{name}.out"), name.to_owned()];
        arguments.extend(flags);
        arguments.extend(self.libraries.iter().map(|&flag| flag.to_owned()));
        self.user.run_program(self.compiler, arguments).succeeded();
        self.user.run_program(self.user.work().join(format!("{name}.out")), None::<&str>).succeeded().stdout
    }
}

/// CMake says `lib64` where it does not see that the system is Debian.
fn library_folder(prefix: &Path) -> PathBuf {
    let folder = prefix.join("lib64");
    if folder.is_dir() { folder } else { prefix.join("lib") }
}

/// Each library that a file asks for by one of `names` comes out of `prefix`.
fn assert_links(user: &TestContext, file: &Path, prefix: &Path, names: &[&str]) {
    let output = user.run_program("ldd", [file]).succeeded();
    for name in names {
        let found = output.stdout.lines().find_map(|line| line.trim().strip_prefix(&format!("{name} => ")));
        let found =
            found.unwrap_or_else(|| panic!("{} does not need {name}: {}", file.display(), output.stdout));
        assert!(Path::new(found).starts_with(prefix), "{name} is {found}, not below {}", prefix.display());
    }
    if require("readelf") {
        let output = user.run_program("readelf", ["-d".as_ref(), file.as_os_str()]).succeeded();
        let run_path =
            output.stdout.lines().find(|line| line.contains("(RUNPATH)") || line.contains("(RPATH)"));
        let folder = prefix.join("lib").display().to_string();
        assert!(run_path.is_some_and(|line| line.contains(&folder)), "{}", output.report());
    }
}

const FFI: &str = r#"
#include <ffi.h>
#include <stdio.h>
#include <stdlib.h>

int main(void) {
    ffi_cif cif;
    ffi_type *types[] = {&ffi_type_sint};
    int number = -42;
    void *values[] = {&number};
    ffi_arg result;
    if (ffi_prep_cif(&cif, FFI_DEFAULT_ABI, 1, &ffi_type_sint, types) != FFI_OK) return 1;
    ffi_call(&cif, FFI_FN(abs), &result, values);
    printf("%d\n", (int)result);
    return 0;
}
"#;

const SNAPPY: &str = r#"
#include <iostream>
#include <snappy.h>

int main() {
    std::string text(100000, 'x'), small, again;
    snappy::Compress(text.data(), text.size(), &small);
    snappy::Uncompress(small.data(), small.size(), &again);
    std::cout << (small.size() < 10000 && again == text) << std::endl;
}
"#;

const CURSES: &str = r#"
#include <ncurses.h>
#include <locale.h>

int main(void) {
    setlocale(LC_ALL, "");
    SCREEN *screen = newterm("xterm", stdout, stdin);
    if (!screen) return 1;
    addstr("on the screen");
    refresh();
    endwin();
    delscreen(screen);
    return 0;
}
"#;

const READLINE: &str = r#"
#include <stdio.h>
#include <readline/readline.h>
#include <readline/history.h>

int main(void) {
    using_history();
    add_history("an earlier line");
    rl_initialize();
    rl_insert_text("edited");
    printf("%s %s %d\n", rl_library_version, rl_line_buffer, history_length);
    return 0;
}
"#;

const LUA: &str = r#"
#include <stdio.h>
#include <lua.h>
#include <lauxlib.h>
#include <lualib.h>

int main(void) {
    lua_State *state = luaL_newstate();
    luaL_openlibs(state);
    if (luaL_dostring(state, "return ('x'):rep(3) .. _VERSION")) return 1;
    puts(lua_tostring(state, -1));
    lua_close(state);
    return 0;
}
"#;

fn use_lz4(user: &TestContext) {
    let lz4 = location(user, "lz4");
    let text = "again and ".repeat(10_000);
    fs_err::write(user.work().join("text"), &text).unwrap();
    user.run_program(lz4.join("bin/lz4"), ["text", "text.lz4"]).succeeded();
    assert!(fs_err::metadata(user.work().join("text.lz4")).unwrap().len() < 1_000);
    let output = user.run_program(lz4.join("bin/unlz4"), ["-c", "text.lz4"]).succeeded();
    assert!(output.stdout == text);
}

/// ncurses, readline upon it, and Lua upon both.
fn use_terminal(user: &TestContext) {
    let [ncurses, readline, lua] = ["ncurses", "readline", "lua"].map(|name| location(user, name));
    let program = Program {
        user,
        compiler: "cc",
        prefixes: vec![ncurses.clone()],
        libraries: &["-lncursesw", "-ltinfow"],
    };
    assert!(program.prints("curses.c", CURSES).contains("on the screen"));
    let colours = user.run_program(ncurses.join("bin/tput"), ["-T", "rxvt-unicode-256color", "colors"]);
    assert_eq!(colours.succeeded().stdout, "256\n");
    assert_links(user, &readline.join("lib/libreadline.so"), &ncurses, &["libtinfow.so.6"]);
    let program =
        Program { user, compiler: "cc", prefixes: vec![readline.clone()], libraries: &["-lreadline"] };
    assert_eq!(program.prints("readline.c", READLINE), "8.2 edited 1\n");
    assert_links(user, &lua.join("bin/lua"), &readline, &["libreadline.so.8"]);
    assert_links(user, &lua.join("bin/lua"), &ncurses, &["libtinfow.so.6"]);
    let program = Program { user, compiler: "cc", prefixes: vec![lua.clone()], libraries: &["-llua"] };
    assert_eq!(program.prints("lua.c", LUA), "xxxLua 5.4\n");
    // `make install` made the folder, under the name that the interpreter knows.
    fs_err::write(lua.join("share/lua/5.4/greeting.lua"), "return 'hello'\n").unwrap();
    let output = user.run_program(lua.join("bin/lua"), ["-e", "print((require('greeting')))"]).succeeded();
    assert_eq!(output.stdout, "hello\n");
}

#[test]
fn small_packages_of_each_build_system_are_of_use() {
    let Some(user) = with("small", &["lz4", "libffi", "snappy", "lua"]) else { return };
    use_lz4(&user);
    let libffi = Program {
        user: &user,
        compiler: "cc",
        prefixes: vec![location(&user, "libffi")],
        libraries: &["-lffi"],
    };
    assert_eq!(libffi.prints("ffi.c", FFI), "42\n");
    let snappy = Program {
        user: &user,
        compiler: "c++",
        prefixes: vec![location(&user, "snappy")],
        libraries: &["-lsnappy"],
    };
    assert_eq!(snappy.prints("snappy.cc", SNAPPY), "1\n");
    use_terminal(&user);
}

const GTEST: &str = r#"
#include <gmock/gmock.h>
#include <gtest/gtest.h>

TEST(Sums, AreRight) { EXPECT_THAT(1 + 1, testing::Eq(2)); }
"#;

const GEOS: &str = r#"
#include <geos_c.h>
#include <stdarg.h>
#include <stdio.h>

static void say(const char *format, ...) { (void)format; }

int main(void) {
    initGEOS(say, say);
    GEOSWKTReader *reader = GEOSWKTReader_create();
    GEOSGeometry *one = GEOSWKTReader_read(reader, "POLYGON((0 0, 4 0, 4 4, 0 4, 0 0))");
    GEOSGeometry *other = GEOSWKTReader_read(reader, "POLYGON((2 2, 6 2, 6 6, 2 6, 2 2))");
    double area;
    GEOSArea(GEOSIntersection(one, other), &area);
    printf("%s %g\n", GEOSversion(), area);
    finishGEOS();
    return 0;
}
"#;

/// A picture of one colour goes through the compressor and comes out nearly as it was.
fn use_libjpeg_turbo(user: &TestContext) {
    let bin = location(user, "libjpeg-turbo").join("bin");
    let mut picture = b"P6\n16 16\n255\n".to_vec();
    picture.extend([200, 100, 50].repeat(256));
    fs_err::write(user.work().join("picture.ppm"), &picture).unwrap();
    user.run_program(bin.join("cjpeg"), ["-quality", "95", "-outfile", "picture.jpg", "picture.ppm"])
        .succeeded();
    user.run_program(bin.join("djpeg"), ["-outfile", "again.ppm", "picture.jpg"]).succeeded();
    let again = fs_err::read(user.work().join("again.ppm")).unwrap();
    assert_eq!(again.len(), picture.len());
    assert!(again.iter().zip(&picture).all(|(one, other)| one.abs_diff(*other) < 4), "{again:?}");
}

#[test]
fn big_packages_of_cmake_are_of_use() {
    let Some(user) = with("big", &["libjpeg-turbo", "googletest", "geos"]) else { return };
    use_libjpeg_turbo(&user);
    let googletest = Program {
        user: &user,
        compiler: "c++",
        prefixes: vec![location(&user, "googletest")],
        libraries: &["-lgmock_main", "-lgmock", "-lgtest"],
    };
    let output = googletest.prints("sums.cc", GTEST);
    assert!(output.contains("[  PASSED  ] 1 test."), "{output}");
    let prefix = location(&user, "geos");
    let geos =
        Program { user: &user, compiler: "cc", prefixes: vec![prefix.clone()], libraries: &["-lgeos_c"] };
    let output = geos.prints("area.c", GEOS);
    assert!(output.starts_with("3.11.1-") && output.ends_with(" 4\n"), "{output}");
    let version = user.run_program(prefix.join("bin/geos-config"), ["--version"]).succeeded();
    assert_eq!(version.stdout, "3.11.1\n");
    assert_links(&user, &library_folder(&prefix).join("libgeos_c.so"), &prefix, &["libgeos.so.3.11.1"]);
}
