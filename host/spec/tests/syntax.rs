//! Spec texts: what they mean, how they are printed, and what is said of wrong ones.

#![expect(clippy::unwrap_used, reason = "a helper of a test may panic as the test itself may")]

use insta::assert_snapshot;
use spack_wasm_spec::{AbstractSpec, RequestedValue, SpecPart};

fn spec(text: &str) -> AbstractSpec {
    AbstractSpec::parse(text).unwrap_or_else(|error| panic!("{error}"))
}

fn error(text: &str) -> String {
    AbstractSpec::parse(text).unwrap_err().to_string()
}

/// The text, printed again.
fn printed(text: &str) -> String {
    spec(text).to_string()
}

#[test]
fn a_spec_is_printed_as_spack_prints_it() {
    let cases = [
        ("", ""),
        ("zlib", "zlib"),
        ("builtin.hdf5", "builtin.hdf5"),
        ("hdf5 @1.14, =1.10.8  +mpi -shared ~~hl", "hdf5@=1.10.8,1.14~~hl+mpi~shared"),
        ("@1.2: +mpi ^dep@3", "@1.2:+mpi ^dep@3"),
        ("@1.2:build_system=cmake", "@1.2: build_system=cmake"),
        ("languages='c,c++'", "languages='c,c++'"),
        ("fabrics:=ucx,ofi schedulers=*", "fabrics:=ofi,ucx schedulers=*"),
        ("hdf5 api==v18 cflags=\"-O3 -g\" %gcc@12", "hdf5 api==v18 cflags='-O3 -g' %gcc@12"),
        ("hdf5 ^mpi=mpich@4 ^zlib%clang", "hdf5 ^[virtuals=mpi] mpich@4 ^zlib %llvm"),
        ("x %c,cxx=gcc@12", "x %[virtuals=c,cxx] gcc@12"),
        ("x ^[deptypes=link,build when='@2: +mpi'] y", "x ^[deptypes=build,link when='@2:+mpi'] y"),
        ("arch=linux-debian12-x86_64_v3", "platform=linux os=debian12 target=x86_64_v3"),
        ("target=x86_64_v3:,aarch64: os=debian12", "os=debian12 target=x86_64_v3:,aarch64:"),
        ("zlib/abcdef", "zlib /abcdef"),
        ("x@git.release/2=1.5", "x@git.release/2=1.5"),
    ];
    for (text, expected) in cases {
        assert_eq!(printed(text), expected, "{text}");
        assert_eq!(spec(expected), spec(text), "{expected}");
    }
}

#[test]
fn a_command_line_holds_several_specs() {
    let specs = AbstractSpec::parse_all("zlib@1.3 hdf5 ~mpi ^cmake@3.20: +ncurses openmpi").unwrap();
    let texts: Vec<String> = specs.iter().map(ToString::to_string).collect();
    assert_eq!(texts, ["zlib@1.3", "hdf5~mpi ^cmake@3.20:+ncurses", "openmpi"]);
}

#[test]
fn a_dependency_takes_what_stands_behind_it() {
    let hdf5 = spec("hdf5 ^mpich %gcc@12 +mpi");
    assert_eq!(hdf5.dependencies.len(), 1);
    let gcc = &hdf5.dependencies[0].spec.dependencies[0];
    assert!(gcc.direct);
    assert_eq!(gcc.spec.variants["mpi"].value, RequestedValue::Bool(true));
}

#[test]
fn parts_know_where_they_were_written() {
    let text = "hdf5 +mpi api=v19 ^zlib@1.2";
    let hdf5 = spec(text);
    let word = |spec: &AbstractSpec, part: SpecPart| text[spec.span(&part).unwrap()].to_owned();
    assert_eq!(word(&hdf5, SpecPart::Name), "hdf5");
    assert_eq!(word(&hdf5, SpecPart::Variant("mpi".into())), "+mpi");
    assert_eq!(word(&hdf5, SpecPart::Value("api".into())), "v19");
    let zlib = &hdf5.dependencies[0].spec;
    assert_eq!(word(zlib, SpecPart::Versions), "1.2");
}

#[test]
fn errors_point_at_the_word() {
    assert_snapshot!(error("hdf5@ +mpi"), @r"
    a version is missing behind `@`
        hdf5@ +mpi
            ^
    ");
    assert_snapshot!(error("hdf5@1.4:1.2"), @r"
    the range '1.4:1.2' is empty: its upper end lies below its lower end
        hdf5@1.4:1.2
             ^^^^^^^
    ");
    assert_snapshot!(error("hdf5 @1.2 @1.3"), @r"
    a version is given twice
        hdf5 @1.2 @1.3
                  ^^^^
    ");
    assert_snapshot!(error("hdf5 + "), @r"
    a variant's name is missing behind `+`
        hdf5 + 
             ^^
    ");
    assert_snapshot!(error("hdf5 +mpi ~mpi"), @r"
    variant `mpi` is given twice
        hdf5 +mpi ~mpi
                  ^^^^
    ");
    assert_snapshot!(error("hdf5 api="), @r"
    a value is missing behind `=`
        hdf5 api=
                ^
    ");
    assert_snapshot!(error("hdf5 cflags='-O3"), @r"
    the closing ' is missing
        hdf5 cflags='-O3
                    ^^^^
    ");
    assert_snapshot!(error("hdf5 ^"), @r"
    a package is missing behind `^`
        hdf5 ^
             ^
    ");
    assert_snapshot!(error("hdf5 ^[virtual=mpi] mpich"), @r"
    a dependency has no attribute `virtual`
        hdf5 ^[virtual=mpi] mpich
               ^^^^^^^^^^^
    hint: known are `virtuals`, `deptypes` and `when`
    ");
    assert_snapshot!(error("hdf5 ^[deptypes=compile] mpich"), @r"
    `compile` is no type of dependency
        hdf5 ^[deptypes=compile] mpich
               ^^^^^^^^^^^^^^^^
    hint: known are build, link, run and test
    ");
    assert_snapshot!(error("hdf5 ^[virtuals=mpi mpich"), @r"
    an attribute such as `virtuals=mpi` or `]` is expected
        hdf5 ^[virtuals=mpi mpich
                                 ^
    ");
    assert_snapshot!(error("hdf5 arch=linux"), @r"
    `linux` is no architecture
        hdf5 arch=linux
             ^^^^^^^^^^
    hint: write platform, operating system and target, as in `arch=linux-debian12-x86_64_v3`
    ");
    assert_snapshot!(error("hdf5 zlib"), @r"
    only one spec is expected here
        hdf5 zlib
             ^^^^
    ");
    assert_snapshot!(error("hdf5!"), @r"
    `!` is unexpected here
        hdf5!
            ^
    ");
    assert_snapshot!(error("größe"), @r"
    `ö` is unexpected here
        größe
          ^
    ");
    assert_snapshot!(error("builtin..hdf5"), @r"
    `builtin..hdf5` is no package name
        builtin..hdf5
        ^^^^^^^^^^^^^
    ");
    assert_snapshot!(error("hdf5/"), @r"
    a hash is missing behind `/`
        hdf5/
            ^
    ");
}
