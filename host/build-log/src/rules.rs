//! Which lines are errors: one pattern a row, grouped by how much a match says.

use std::sync::LazyLock;

use regex::RegexSet;

use crate::finding::Kind;

/// How much a match says; a line of the best rank is the finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Rank {
    /// Names its own cause.
    Cause,
    /// Looks like an error.
    Likely,
    /// Only reports that something before it failed.
    Echo,
}

struct Rule {
    rank: Rank,
    kind: Kind,
    pattern: &'static str,
}

const fn cause(kind: Kind, pattern: &'static str) -> Rule {
    Rule { rank: Rank::Cause, kind, pattern }
}

const fn likely(kind: Kind, pattern: &'static str) -> Rule {
    Rule { rank: Rank::Likely, kind, pattern }
}

const fn echo(kind: Kind, pattern: &'static str) -> Rule {
    Rule { rank: Rank::Echo, kind, pattern }
}

/// Of several rows that match a line, the first counts.
const RULES: &[Rule] = &[
    // Configure scripts, autotools, meson.
    cause(Kind::Configure, r"^(configure|config\.status)(:\d+)?: error: "),
    cause(Kind::Configure, r"^\S*\.(ac|in|am|m4):\d+(:\d+)?: error: "),
    cause(
        Kind::Configure,
        r"^(autoreconf|autoconf|autoheader|automake|aclocal|autom4te|libtoolize)\S*: error: ",
    ),
    cause(Kind::Configure, r"^ERROR: (Dependency|Problem encountered|Program|Unknown compiler|Compiler)\b"),
    cause(Kind::Configure, r"^\S*meson\.build:\d+:\d+: ERROR: "),
    cause(Kind::Cmake, r"^CMake Error\b"),
    // Compilers: `file:line:column: error:` of GCC, clang, gas and javac, `file(line): error` of others.
    cause(
        Kind::Compiler,
        r"^[^:\s][^:]*:\d+(:\d+)?:? (fatal error|error|internal compiler error|sorry, unimplemented|Error|Fatal Error)[:,]",
    ),
    cause(Kind::Compiler, r"^\S+\(\d+(,\d+)?\): (catastrophic |fatal )?error\b"),
    cause(
        Kind::Compiler,
        r"^(\S*-)?(gcc|g\+\+|gfortran|clang|clang\+\+|flang|cc|c\+\+|cc1|cc1plus|f951|lto1|cpp|as|nvcc|icx|icpx|ifx)(-[\d.]+)?: (fatal error|error|internal compiler error): ",
    ),
    cause(Kind::Compiler, r"^spack-wasm: compiler wrapper: "),
    cause(Kind::Compiler, r"^(Fatal )?Error: .* at \(\d\)"),
    cause(Kind::Compiler, r"^error(\[E\d+\]): "),
    // Linkers.
    cause(Kind::Linker, r"undefined reference to [`']"),
    cause(Kind::Linker, r"multiple definition of [`']"),
    cause(Kind::Linker, r"\bld(\.\w+)?: error: "),
    cause(
        Kind::Linker,
        r"\bld(\.\w+)?: (cannot find |cannot open |unrecognized |.* can not be used when making |.*: file not recognized|.*: undefined symbol)",
    ),
    // Interpreters.
    cause(Kind::Perl, r"^Can't (locate|load|open|exec|find) .* at \S+ line \d+\b"),
    cause(
        Kind::Perl,
        r"^(syntax error|Bareword|Global symbol|Undefined subroutine|Can't ) ?.* at \S+ line \d+\b",
    ),
    cause(Kind::Python, r"^(\w+\.)*(\w+Error|\w+Exception|SystemExit|KeyboardInterrupt)(: |$)"),
    cause(Kind::Python, r"^ERROR: (Could not|Cannot|Failed|No matching|Exception)\b"),
    // What rules run.
    cause(
        Kind::Shell,
        r"^(\S*/)?(sh|bash|dash|ash|zsh): (line )?(\d+: )?.*(not found|Permission denied|No such file or directory|cannot create|[Ss]yntax error|bad substitution)",
    ),
    cause(
        Kind::Shell,
        r"^g?make(\[\d+\])?: (\S+): (No such file or directory|Command not found|Permission denied|Exec format error)$",
    ),
    cause(
        Kind::Shell,
        r"^(\S*/)?(install|cp|mv|ln|mkdir|rmdir|rm|chmod|chown|chgrp|touch|cat|tar|patch|sed|awk|gzip|ar|ranlib|strip): (cannot|can't|couldn't|could not|failed|unable|missing|error|invalid|(changing|setting|preserving) .*: (Operation not|Permission|Read-only)|\S+: (Cannot|No such|Permission|Read-only))",
    ),
    cause(Kind::Shell, r"^patch: \*\*\*\* |^\d+ out of \d+ hunks? FAILED"),
    // make and ninja about their own input.
    cause(Kind::Make, r"^[^\s:]+:\d+: \*\*\* "),
    cause(Kind::Make, r"^g?make(\[\d+\])?: \*\*\* No "),
    cause(Kind::Make, r"^ninja: (error|fatal): "),
    // The system.
    cause(
        Kind::System,
        r"No space left on device|Disk quota exceeded|[Cc]annot allocate memory|virtual memory exhausted|Too many open files|Read-only file system",
    ),
    likely(Kind::System, r"^\S.*: (Permission denied|Operation not permitted)\.?$"),
    likely(Kind::Perl, r"^\S.* at \S+ line \d+\.$"),
    likely(Kind::Test, r"^(FAIL|XPASS|ERROR): \S+$"),
    likely(Kind::Test, r"tests? failed out of \d+|^The following tests FAILED|\*\*\*Failed|\*\*\*Exception"),
    likely(Kind::Compiler, r"^\S+\.go:\d+:\d+: [a-z]"),
    // What only says that something failed before.
    echo(
        Kind::Linker,
        r"^(collect2|\S*ld(\.\w+)?): (error: ld returned|fatal error: ld terminated|final link failed|failed to )",
    ),
    echo(Kind::Perl, r"^(BEGIN failed|Compilation failed in require)"),
    echo(Kind::Cmake, r"^-- Configuring incomplete, errors occurred"),
    echo(Kind::Compiler, r"^(compilation terminated|\d+ errors? generated)\.$"),
    echo(Kind::Compiler, r"^error: (could not compile|aborting due to|build failed)"),
    echo(
        Kind::Make,
        r"^g?make(\[\d+\])?: \*\*\* .*(Error -?\d+|Segmentation fault|Killed|Terminated|Interrupt|Hangup|Bus error|Aborted)",
    ),
    echo(Kind::Make, r"^(FAILED: |ninja: build stopped)"),
    likely(
        Kind::System,
        r"\b(Segmentation fault|Bus error|Illegal instruction|Aborted|Killed)\b( \(core dumped\))?",
    ),
    // Anybody's.
    likely(Kind::Other, r"(?i)(^|[\s:])(fatal )?error:? ?: ?\S"),
    likely(Kind::Other, r"^(ERROR|FATAL|Error|Fatal|fatal)\b[: ]"),
];

static PATTERNS: LazyLock<RegexSet> = LazyLock::new(|| {
    let patterns = RULES.iter().map(|rule| rule.pattern);
    RegexSet::new(patterns).expect("the table is constant and every test compiles it")
});

/// What a line is by the table, whatever speaks against it.
pub(crate) fn judge(line: &str) -> Option<(Rank, Kind)> {
    let first = PATTERNS.matches(line).iter().next()?;
    RULES.get(first).map(|rule| (rule.rank, rule.kind))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lines of tools that are not on every machine, from their documentation and users' reports.
    #[test]
    fn lines_and_their_kinds() {
        let cases = [
            ("src/a.f90(12): error #6404: This name does not have a type.", Rank::Cause, Kind::Compiler),
            (
                "Fatal Error: Cannot open module file 'mpi.mod' for reading at (1): No such file",
                Rank::Cause,
                Kind::Compiler,
            ),
            ("gcc: fatal error: Killed signal terminated program cc1plus", Rank::Cause, Kind::Compiler),
            ("cc1: error: unrecognized command-line option '-mbogus'", Rank::Cause, Kind::Compiler),
            ("x86_64-linux-gnu-gcc-12: error: unrecognized argument", Rank::Cause, Kind::Compiler),
            ("error[E0425]: cannot find value `x` in this scope", Rank::Cause, Kind::Compiler),
            ("ld.lld: error: undefined symbol: H5Fopen", Rank::Cause, Kind::Linker),
            ("/usr/bin/ld: cannot find -lhdf5: No such file or directory", Rank::Cause, Kind::Linker),
            (
                "configure.ac:12: error: possibly undefined macro: AC_PROG_LIBTOOL",
                Rank::Cause,
                Kind::Configure,
            ),
            ("autoreconf: error: aclocal failed with exit status: 1", Rank::Cause, Kind::Configure),
            ("ERROR: Problem encountered: need boost", Rank::Cause, Kind::Configure),
            ("numpy.distutils.system_info.NotFoundError: No BLAS", Rank::Cause, Kind::Python),
            ("cp: cannot stat 'doc/x.1': No such file or directory", Rank::Cause, Kind::Shell),
            ("chmod: changing permissions of '/p/run': Operation not permitted", Rank::Cause, Kind::Shell),
            ("chown: changing ownership of 'x': Operation not permitted", Rank::Cause, Kind::Shell),
            ("touch: setting times of '/usr/x': Permission denied", Rank::Cause, Kind::Shell),
            ("mkdir: cannot create directory '/opt/x': Permission denied", Rank::Cause, Kind::Shell),
            ("sed: couldn't open temporary file /usr/sedX: Permission denied", Rank::Cause, Kind::Shell),
            ("ninja_install: /opt/x: Permission denied", Rank::Likely, Kind::System),
            ("1 out of 3 hunks FAILED -- saving rejects to file a.c.rej", Rank::Cause, Kind::Shell),
            ("/tmp/ccX.s: No space left on device", Rank::Cause, Kind::System),
            ("gmake[2]: *** No rule to make target 'x.f90'.  Stop.", Rank::Cause, Kind::Make),
            (
                "ninja: error: 'gone.c', needed by 'a.o', missing and no known rule to make it",
                Rank::Cause,
                Kind::Make,
            ),
            ("FAIL: test_dtypes", Rank::Likely, Kind::Test),
            ("75% tests passed, 1 tests failed out of 4", Rank::Likely, Kind::Test),
            ("ERROR: Could not find a version that satisfies x", Rank::Cause, Kind::Python),
            ("Error: the input is empty", Rank::Likely, Kind::Other),
            ("./conv: error: bad magic", Rank::Likely, Kind::Other),
            ("ERROR something went wrong", Rank::Likely, Kind::Other),
            ("make[3]: *** [Makefile:9: x] Segmentation fault", Rank::Echo, Kind::Make),
            ("collect2: error: ld returned 1 exit status", Rank::Echo, Kind::Linker),
        ];
        for (line, rank, kind) in cases {
            assert_eq!(judge(line), Some((rank, kind)), "{line}");
        }
    }

    #[test]
    fn ordinary_lines_are_nothing() {
        for line in [
            "gcc -Werror -c error.c -o error.o",
            "main.c:5:17: warning: variable 'u' set but not used",
            "main.c:5:17: note: in expansion of macro",
            "  CC       errors.lo",
            "/usr/bin/ld: warning: x.o: missing .note.GNU-stack section implies executable stack",
            "make[1]: Entering directory '/build'",
            "",
        ] {
            assert_eq!(judge(line), None, "{line}");
        }
    }
}
