use std::collections::BTreeMap;
use std::path::Path;

use insta::assert_snapshot;

use super::*;
use crate::config::Dtags;

fn config() -> Config {
    Config {
        compilers: BTreeMap::from([
            (Language::C, "/usr/bin/gcc".into()),
            (Language::Cxx, "/usr/bin/g++".into()),
        ]),
        tools: BTreeMap::from([("ld".to_owned(), "/usr/bin/ld".into())]),
        managed: vec!["/build".into(), "/store".into()],
        include_dirs: vec!["/store/zlib/include".into()],
        link_dirs: vec!["/store/zlib/lib".into()],
        rpath_dirs: vec!["/store/me/lib".into(), "/store/me/lib64".into(), "/store/zlib/lib".into()],
        target_flags: BTreeMap::from([(Language::C, vec!["-march=zen3".into()])]),
        ..Config::default()
    }
}

fn flagged() -> Config {
    let flags = BTreeMap::from([
        (FlagClass::Cppflags, vec!["-DP".into()]),
        (FlagClass::Cflags, vec!["-O3".into()]),
        (FlagClass::Cxxflags, vec!["-std=c++17".into()]),
        (FlagClass::Ldflags, vec!["-L/opt/x/lib".into(), "-Wl,-z,now".into()]),
        (FlagClass::Ldlibs, vec!["m".into(), "-ldl".into()]),
    ]);
    Config { flags, ..config() }
}

fn rewritten(config: &Config, line: &str) -> String {
    let mut words = line.split_whitespace().map(OsString::from);
    let argv0 = words.next().unwrap();
    let command = rewrite(config, &argv0, &words.collect::<Vec<_>>());
    command.map_or_else(|error| error.to_string(), |words| words.join(OsStr::new(" ")).into_string().unwrap())
}

#[test]
fn compiling_adds_headers_and_target() {
    assert_snapshot!(rewritten(&config(), "cc -I. -I/opt/h -I/usr/include -c a.c -o a.o"),
        @"/usr/bin/gcc -march=zen3 -I. -I/store/zlib/include -I/opt/h -I/usr/include -c a.c -o a.o");
}

#[test]
fn linking_adds_libraries_and_run_paths() {
    assert_snapshot!(rewritten(&config(), "cc a.o -L/usr/lib -Lsub -lz -Wl,-rpath,/opt/r -Wl,--enable-new-dtags"),
        @"/usr/bin/gcc -march=zen3 -I/store/zlib/include -Lsub -L/store/zlib/lib -L/usr/lib -Wl,--disable-new-dtags -Wl,-rpath,/store/me/lib -Wl,-rpath,/store/me/lib64 -Wl,-rpath,/store/zlib/lib -Wl,-rpath,/opt/r a.o -lz");
}

#[test]
fn the_linker_itself_gets_its_own_form() {
    assert_snapshot!(rewritten(&config(), "ld -o x a.o -rpath /opt/r"),
        @"/usr/bin/ld -L/store/zlib/lib --disable-new-dtags -rpath=/store/me/lib -rpath=/store/me/lib64 -rpath=/store/zlib/lib -rpath=/opt/r -o x a.o");
    assert!(rewritten(&config(), "ld.gold a.o").starts_with("ld.gold -L"));
}

#[test]
fn isystem_is_answered_with_isystem() {
    assert_snapshot!(rewritten(&config(), "g++ -isystem /opt/boost -isystem /usr/include -c a.cc"),
        @"/usr/bin/g++ -isystem /store/zlib/include -isystem /opt/boost -isystem /usr/include -c a.cc");
}

#[test]
fn flags_of_the_spec_go_where_they_belong() {
    assert_snapshot!(rewritten(&flagged(), "cc a.c"),
        @"/usr/bin/gcc -march=zen3 -I/store/zlib/include -L/store/zlib/lib -L/opt/x/lib -Wl,--disable-new-dtags -Wl,-rpath,/store/me/lib -Wl,-rpath,/store/me/lib64 -Wl,-rpath,/store/zlib/lib a.c -DP -O3 -Wl,-z,now -lm -ldl");
    assert_snapshot!(rewritten(&flagged(), "g++ -c a.cc"), @"/usr/bin/g++ -I/store/zlib/include -c a.cc -DP -std=c++17");
    assert_snapshot!(rewritten(&flagged(), "cc -E a.c"), @"/usr/bin/gcc -march=zen3 -I/store/zlib/include -E a.c -DP");
    assert_snapshot!(rewritten(&flagged(), "cpp a.c"), @"cpp -I/store/zlib/include a.c -DP");
}

#[test]
fn questions_pass_untouched() {
    for question in ["--version", "-v", "-print-prog-name=ld", "-dumpversion"] {
        assert_eq!(rewritten(&flagged(), &format!("cc {question}")), format!("/usr/bin/gcc {question}"));
    }
}

#[test]
fn runpath_instead_of_rpath_on_request() {
    let config = Config { dtags: Dtags::Enable, rpath_dirs: vec![], ..config() };
    assert_snapshot!(rewritten(&config, "cc a.o -Wl,--disable-new-dtags"),
        @"/usr/bin/gcc -march=zen3 -I/store/zlib/include -L/store/zlib/lib -Wl,--enable-new-dtags a.o");
}

#[test]
fn the_random_seed_is_the_output() {
    let config =
        Config { random_seed: true, ..Config { compilers: config().compilers, ..Config::default() } };
    assert_snapshot!(rewritten(&config, "cc -c a.c -o sub/a.o"), @"/usr/bin/gcc -frandom-seed=sub/a.o -c a.c -o sub/a.o");
    assert_snapshot!(rewritten(&config, "cc -c a.c"), @"/usr/bin/gcc -frandom-seed=a.c -c a.c");
    assert_snapshot!(rewritten(&config, "cc -c a.c -frandom-seed=1"), @"/usr/bin/gcc -c a.c -frandom-seed=1");
    assert_snapshot!(rewritten(&config, "cc -E a.c"), @"/usr/bin/gcc -E a.c");
    assert!(!rewritten(&config, "cc a.c b.c -o x").contains("-frandom-seed"));
}

#[test]
fn native_targets_are_refused() {
    assert_snapshot!(rewritten(&config(), "cc -O2 -march=native -c a.c"), @"`-march=native` is refused: the result would depend on the machine that builds it; the spec's `target=` chooses the processor, so switch this flag off in the package's own build");
    assert!(rewritten(&config(), "g++ -mtune=native -v").contains("is refused"));
    assert!(rewritten(&config(), "cc -mcpu=native -E -").contains("is refused"));
}

#[test]
fn what_cannot_be_called_says_why() {
    assert_snapshot!(rewritten(&config(), "/w/gfortran a.f90"), @"`/w/gfortran` was called, but this build has no fortran compiler; the recipe has to depend on `fortran`");
    assert_snapshot!(rewritten(&config(), "rustc a.rs"), @"`rustc` is not a name of the compiler wrapper");
}

#[test]
fn the_own_folder_leaves_the_path() {
    let cleaned = path_without(OsStr::new("/w:/usr/bin::.:/bin"), Path::new("/w"));
    assert_eq!(cleaned, "/usr/bin:/bin");
}
