//! The programs that are looked for, one row a package.

/// How a program is named and what it is to its package.
pub(crate) struct Program {
    /// Role under which a recipe asks for it; a compiler's role is its language.
    pub(crate) role: &'static str,
    /// File name, without the version that may follow it.
    pub(crate) name: &'static str,
}

/// A package that can be found on a machine.
pub(crate) struct Tool {
    /// Spack's name of the package.
    pub(crate) package: &'static str,
    /// Programs that are asked for their version.
    pub(crate) programs: &'static [Program],
    /// Programs that are taken along from the same folder, unasked.
    pub(crate) companions: &'static [&'static str],
    /// Arguments of the question.
    pub(crate) arguments: &'static [&'static str],
    /// Texts in the answer behind which the version stands; an answer without any is another program's.
    pub(crate) markers: &'static [&'static str],
    /// Whether file names may end in a version, as in `gcc-12`.
    pub(crate) versioned_names: bool,
}

const VERSION: &[&str] = &["--version"];

/// A package with one program of its own name, asked with `--version`.
const fn simple(
    package: &'static str,
    programs: &'static [Program],
    markers: &'static [&'static str],
) -> Tool {
    Tool { package, programs, companions: &[], arguments: VERSION, markers, versioned_names: false }
}

const fn program(name: &'static str) -> Program {
    Program { role: name, name }
}

const fn role(role: &'static str, name: &'static str) -> Program {
    Program { role, name }
}

/// All rows. Where one file answers to two of them, the first has it.
pub(crate) const TOOLS: &[Tool] = &[
    Tool {
        arguments: &["-dumpfullversion", "-dumpversion"],
        versioned_names: true,
        ..simple("gcc", &[role("c", "gcc"), role("cxx", "g++"), role("fortran", "gfortran")], &[""])
    },
    Tool {
        versioned_names: true,
        ..simple(
            "llvm",
            &[role("c", "clang"), role("cxx", "clang++"), role("fortran", "flang")],
            &["clang version "],
        )
    },
    Tool {
        companions: &["ar", "as", "nm", "objcopy", "objdump", "ranlib", "readelf", "strip"],
        ..simple(
            "binutils",
            &[program("ld")],
            &["(GNU Binutils) ", "Binutils for Debian) ", "GNU ld version "],
        )
    },
    simple("gmake", &[role("make", "make"), role("make", "gmake")], &["GNU Make "]),
    Tool {
        arguments: &["-v"],
        companions: &["cpan", "pod2man", "pod2text", "xsubpp"],
        ..simple("perl", &[program("perl")], &["(v"])
    },
    Tool { companions: &["ctest", "cpack"], ..simple("cmake", &[program("cmake")], &["cmake version "]) },
    Tool { versioned_names: true, ..simple("python", &[program("python")], &["Python "]) },
    simple("m4", &[program("m4")], &["(GNU M4) "]),
    Tool {
        arguments: &["--about"],
        ..simple("pkgconf", &[role("pkg-config", "pkgconf"), program("pkg-config")], &["pkgconf "])
    },
    simple("pkg-config", &[program("pkg-config")], &[""]),
    Tool {
        companions: &["autoheader", "autom4te", "autoreconf", "autoscan", "autoupdate", "ifnames"],
        ..simple("autoconf", &[program("autoconf")], &["(GNU Autoconf) "])
    },
    Tool { companions: &["aclocal"], ..simple("automake", &[program("automake")], &["(GNU automake) "]) },
    simple("libtool", &[program("libtoolize"), program("libtool")], &["(GNU libtool) "]),
    simple("bison", &[program("bison")], &["(GNU Bison) "]),
    simple("flex", &[program("flex")], &["flex "]),
    Tool {
        companions: &["cmp", "diff3", "sdiff"],
        ..simple("diffutils", &[program("diff")], &["(GNU diffutils) "])
    },
    simple("patch", &[program("patch")], &["GNU patch "]),
    simple("ninja", &[program("ninja"), role("ninja", "ninja-build")], &[""]),
    simple("meson", &[program("meson")], &[""]),
    simple("dejagnu", &[program("runtest")], &["DejaGnu version\t"]),
    simple("tar", &[program("tar")], &["(GNU tar) "]),
    simple("sed", &[program("sed")], &["(GNU sed) "]),
    simple("gawk", &[program("gawk")], &["GNU Awk "]),
    simple("grep", &[program("grep")], &["(GNU grep) "]),
    Tool { companions: &["xargs"], ..simple("findutils", &[program("find")], &["(GNU findutils) "]) },
    simple("gzip", &[program("gzip")], &["gzip "]),
    simple("xz", &[program("xz")], &["xz (XZ Utils) "]),
    simple("zstd", &[program("zstd")], &["interface 64-bits v", "CLI (64-bit) v"]),
    simple("bash", &[program("bash")], &["GNU bash, version "]),
    Tool {
        companions: &["install-info", "texi2any"],
        ..simple("texinfo", &[program("makeinfo")], &["(GNU texinfo) "])
    },
    Tool {
        companions: &["msgfmt", "msgmerge", "xgettext"],
        ..simple("gettext", &[program("gettext")], &["(GNU gettext-runtime) "])
    },
    simple("git", &[program("git")], &["git version "]),
    simple("curl", &[program("curl")], &["curl "]),
    Tool { arguments: &["version"], ..simple("openssl", &[program("openssl")], &["OpenSSL "]) },
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_row_can_be_asked() {
        for tool in TOOLS {
            assert!(!tool.programs.is_empty() && !tool.arguments.is_empty(), "{}", tool.package);
            let names: BTreeSet<_> = tool.programs.iter().map(|program| program.name).collect();
            assert_eq!(names.len(), tool.programs.len(), "{}", tool.package);
        }
    }
}
