//! Lines that look like errors and are none.

use std::sync::LazyLock;

use regex::RegexSet;

const EXCEPTIONS: &[&str] = &[
    // A configure script's question, whatever it asks about, and its results.
    r"^checking |^-- (Looking for|Performing Test|Check|Found|Could NOT find)",
    // Probes that are expected to fail: autoconf's, CMake's and meson's little programs.
    r"\bconftest|\bCMakeTmp\b|\bTryCompile-|\bCMakeScratch\b|\bmeson-private\b",
    // config.log's prefix of what a probe wrote, and its heading.
    r"^configure:\d+: (checking|result|\$\?|failed program|.*: error: conftest)",
    r"^\| ",
    // The first half of a message; what it says follows in the next line.
    r"^configure(:\d+)?: error: in [`'].*':$",
    // Summaries without errors, and names.
    r"(?i)\b(0|no) (errors?|failures?)\b",
    r"^100% tests passed",
    // Commands, which may carry any text.
    r"^(libtool: \w+: +)?(\S*/)?([\w.]+-)*(gcc|g\+\+|gfortran|clang|clang\+\+|cc|c\+\+|ar|ranlib|perl|python\d?|sh|bash|echo|printf|test|if|for|cd|rm|cp|install)(-[\d.]+)? +\S",
    // What a rule does not mind.
    r"^g?make(\[\d+\])?: (\[.*\] )?(Error \d+ )?\(ignored\)|warning: ",
    // Perl's warnings, which end like its errors.
    r"^(Use of |Argument .* isn't|Useless use|Subroutine .* redefined|Name .* used only once|Possible |Unescaped left)",
    // A source without its repository: tools that would read the version there go on without.
    r"^fatal: not a git repository|^fatal: No names found",
];

static PATTERNS: LazyLock<RegexSet> =
    LazyLock::new(|| RegexSet::new(EXCEPTIONS).expect("the table is constant and every test compiles it"));

/// Whether a line is harmless however it looks.
pub(crate) fn is_harmless(line: &str) -> bool {
    PATTERNS.is_match(line)
}

/// Whether a line opens autoconf's `config.log`, in which failing probes are the rule: only configure's own verdict
/// counts from there on.
pub(crate) fn opens_config_log(line: &str) -> bool {
    line.starts_with("This file contains any messages produced by compilers while")
}

/// Whether make says in a line that it does not mind the failure before it (`-` before a command, or `-i`).
pub(crate) fn forgives(line: &str) -> bool {
    line.ends_with("(ignored)") && (line.starts_with("make") || line.starts_with("gmake"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn harmless_lines() {
        for line in [
            "checking for error: unknown type... no",
            "conftest.c:10:10: fatal error: ac_nonexistent.h: No such file or directory",
            "configure:4000: error: in `/build':",
            "Build finished: 0 errors, error: none",
            "gcc -DFORMAT=\"error: %s\" -c a.c",
            "main.c:1:2: warning: #warning error: not really",
            "fatal: not a git repository (or any of the parent directories): .git",
        ] {
            assert!(is_harmless(line), "{line}");
        }
        for line in ["a.c:10:10: fatal error: x.h: No such file or directory", "configure: error: no"] {
            assert!(!is_harmless(line), "{line}");
        }
    }

    #[test]
    fn only_make_forgives() {
        assert!(forgives("make[2]: [Makefile:3: probe] Error 1 (ignored)"));
        assert!(!forgives("make: *** [Makefile:3: probe] Error 1"));
    }
}
