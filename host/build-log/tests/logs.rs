//! Real logs of make, gcc, ld, configure, CMake, ninja, meson, Python and Perl, and the line that explains each.
#![expect(clippy::unwrap_used, reason = "test code, helpers included")]

use fs_err as fs;
use spack_wasm_build_log::{Kind, first_error};

/// Line and kind of a first real error, and a text in that line.
type Explanation = (usize, Kind, &'static str);

/// Each log and what explains it; nothing where the build went well.
const EXPECTED: &[(&str, Option<Explanation>)] = &[
    ("asm", Some((3, Kind::Compiler, "bad register name"))),
    ("cm", Some((7, Kind::Cmake, "CMake Error at CMakeLists.txt:4"))),
    ("cmbuild", Some((6, Kind::Compiler, "no member named 'missing'"))),
    ("cmdnf", Some((2, Kind::Shell, "make: nosuchprogram"))),
    ("compile", Some((6, Kind::Compiler, "no member named 'missing'"))),
    ("config-log-cc", Some((107, Kind::Configure, "C compiler cannot create executables"))),
    ("config-log-good", None),
    ("configure-cc", Some((13, Kind::Configure, "C compiler cannot create executables"))),
    ("configure-good", None),
    ("configure-then-make", Some((207, Kind::Compiler, "no member named 'missing'"))),
    ("cxx", Some((3, Kind::Compiler, "no matching function"))),
    ("false-hits", None),
    ("header", Some((2, Kind::Compiler, "hdf5_no_such.h"))),
    ("ignored", Some((9, Kind::Compiler, "'nothing' undeclared"))),
    ("install", Some((2, Kind::Shell, "cannot create regular file"))),
    ("link", Some((4, Kind::Linker, "undefined reference to `missing'"))),
    ("mes", Some((16, Kind::Configure, "Dependency \"nosuchdep\" not found"))),
    ("multi", Some((4, Kind::Linker, "multiple definition of `twice'"))),
    ("nin", Some((6, Kind::Compiler, "no member named 'missing'"))),
    ("nolib", Some((3, Kind::Linker, "cannot find -lnosuchlibrary"))),
    ("norule", Some((2, Kind::Make, "No rule to make target 'gone.o'"))),
    ("onlymake", Some((2, Kind::Make, "Error 3"))),
    ("perldie", Some((2, Kind::Perl, "cannot read missing.txt"))),
    ("perlm", Some((2, Kind::Perl, "Can't locate No/Such/Module.pm"))),
    ("pic", Some((3, Kind::Linker, "recompile with -fPIC"))),
    ("pyt", Some((7, Kind::Python, "ModuleNotFoundError"))),
    ("recursive", Some((4, Kind::Compiler, "hdf5_no_such.h"))),
    ("separator", Some((1, Kind::Make, "missing separator"))),
    ("shnf", Some((2, Kind::Shell, "nosuchprogram: not found"))),
    ("werror", Some((3, Kind::Compiler, "format not a string literal"))),
];

fn log(name: &str) -> String {
    fs::read_to_string(format!("{}/tests/logs/{name}.log", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

#[test]
fn the_line_that_explains_each_log_is_found() {
    let mut wrong = Vec::new();
    for (name, expected) in EXPECTED {
        let found = first_error(&log(name));
        let matches = match (expected, &found) {
            (Some((line, kind, text)), Some(found)) => {
                (found.line_number, found.kind) == (*line, *kind) && found.line.contains(text)
            }
            (None, None) => true,
            _ => false,
        };
        if !matches {
            let line = found.map(|found| format!("{}: {:?}: {}", found.line_number, found.kind, found.line));
            wrong.push(format!("{name}: {line:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_log_is_in_the_table() {
    let folder = format!("{}/tests/logs", env!("CARGO_MANIFEST_DIR"));
    assert_eq!(fs::read_dir(folder).unwrap().count(), EXPECTED.len());
}

#[test]
fn a_finding_is_shown_with_its_context() {
    let finding = first_error(&log("configure-cc")).unwrap();
    insta::assert_snapshot!(finding.to_string(), @r"
       7     checking whether make supports nested variables... yes
       8     checking whether make supports nested variables... (cached) yes
       9     checking for gawk... (cached) mawk
       10    checking for gcc... /bin/false
       11    checking whether the C compiler works... no
       12    configure: error: in `/build/du':
    >> 13    configure: error: C compiler cannot create executables
       14    See `config.log' for more details
    ");
    assert_eq!(finding.further_reading(), Some("config.log"));
    assert_eq!(first_error(&log("mes")).unwrap().further_reading(), Some("meson-logs/meson-log.txt"));
    assert_eq!(first_error(&log("link")).unwrap().further_reading(), None);
}
