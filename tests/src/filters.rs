//! What differs between two runs, and what snapshots have in its place.

/// Patterns and replacements that hold for all snapshots, in this order.
const FILTERS: &[(&str, &str)] = &[
    // Before hashes: 64 digits contain 32.
    (r"\b[0-9a-f]{64}\b", "[SHA256]"),
    (r"\b[a-z2-7]{32}\b", "[HASH]"),
    (r"(@[\d.]+|\blogs )/[a-z2-7]{7}\b", "$1/[HASH]"),
    // In trees of specs and in `find -l`.
    (r"(?m)^(( - |\[[+e]\])  )?[a-z2-7]{7}( +\^?[\w-]+@)", "$1[HASH]$3"),
    // A stage's folder: process, time and count behind the hash.
    (r"(\[HASH\])-\d+-[0-9a-f]+-\d+\b", "$1-[STAGE]"),
    // A place in a guest's source.
    (r"\.rs:\d+:\d+", ".rs:[LINE]"),
    (r"\bspack-wasm([ -])\d+\.\d+\.\d+", "spack-wasm$1[VERSION]"),
    (r"\b(gcc|gmake|perl|cmake|glibc)@=?\d+(\.\d+)*", "$1@[VERSION]"),
    (r"\b(linux|darwin)-([a-z]+\d*)-([a-z0-9_]+)\b", "$1-[OS]-[TARGET]"),
    (r"\blinux-(x86_64(_v\d)?|aarch64)\b", "linux-[TARGET]"),
    (r"(\[STORE\]/(linux|darwin))-[a-z0-9_]+", "$1-[TARGET]"),
    // Editors take them out of snapshots.
    (r"(?m) +$", ""),
    // The rule behind a title ends at the screen's edge.
    (r"(?m)^(-- .*) -{5,}$", "$1 [RULE]"),
    // A saved run of the monitor: time and seconds since 1970.
    (r"\b\d{4}(-\d\d){5}-\d{10}\b", "[RUN]"),
    (r"\b\d{4}-\d\d-\d\d[T -]\d\d[:-]\d\d[:-]\d\d(\.\d+)?(Z|[+-]\d\d:?\d\d(\[[^]]*])?)?", "[DATE]"),
    (r"\b(\d+ ?h )?(\d+ ?m )?\d+(\.\d+)? ?(ms|s)\b", "[TIME]"),
    (r"\b\d+(\.\d+)? (B|kB|KiB|MB|MiB|GB|GiB)\b", "[SIZE]"),
    (r"\b127\.0\.0\.1:\d+", "127.0.0.1:[PORT]"),
    (r"\bprocess \d+\b", "process [PID]"),
];

/// Settings with all filters, for a context whose folder is `root`.
pub(crate) fn settings(root: &str) -> insta::Settings {
    let mut settings = insta::Settings::clone_current();
    // As it is, since a folder's name may mean something else as a pattern.
    let literal: String = root.chars().flat_map(escaped).collect();
    settings.add_filter(&format!("{literal}/home/.spack/reports/monitor"), "[MONITOR]");
    settings.add_filter(&format!("{literal}/home/.spack-wasm/store"), "[STORE]");
    settings.add_filter(&format!("{literal}/home"), "[HOME]");
    settings.add_filter(&literal, "[ROOT]");
    for (pattern, text) in FILTERS {
        settings.add_filter(pattern, *text);
    }
    settings
}

fn escaped(c: char) -> impl Iterator<Item = char> {
    let backslash = (!c.is_ascii_alphanumeric() && c != '/' && c != '_').then_some('\\');
    backslash.into_iter().chain([c])
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;

    #[test]
    fn what_differs_between_two_runs_is_replaced() {
        let hash = "abcdefghijklmnopqrstuvwxyz234567";
        let text = format!(
            "==> zlib-1.2.13-{hash} installed in /tmp/.x+1/home/.spack-wasm/store/linux-x86_64_v3 (12.5s)\n\
             [+] /tmp/.x+1/work, took 1m 3s, 1.2 MiB\n\
             {}\n\
             [+]  abcdefg     ^zlib@1.2\n\
             -- linux-debian12-zen4 / %c=gcc@12.2.0 ----------\n\
             failed: zlib@1.2/abcdefg, see logs /abcdefg, {hash}-26084-18eb23f19a7b0ddf-1/log, recipe.rs:52:20\n\
             saved in 2026-11-25-01-01-38-1795568498\n\
             arch=linux-debian12-x86_64_v4 %gcc@12.2.0 by spack-wasm 0.1.0\n\
             saved 2026-11-24T15:20:31.25Z, http://127.0.0.1:4711/ms1/, process 77\n",
            "0".repeat(64)
        );
        settings("/tmp/.x+1").bind(|| {
            assert_snapshot!(text, @"
            ==> zlib-1.2.13-[HASH] installed in [STORE]/linux-[TARGET] ([TIME])
            [+] [ROOT]/work, took [TIME], [SIZE]
            [SHA256]
            [+]  [HASH]     ^zlib@1.2
            -- linux-[OS]-[TARGET] / %c=gcc@[VERSION] [RULE]
            failed: zlib@1.2/[HASH], see logs /[HASH], [HASH]-[STAGE]/log, recipe.rs:[LINE]
            saved in [RUN]
            arch=linux-[OS]-[TARGET] %gcc@[VERSION] by spack-wasm [VERSION]
            saved [DATE], http://127.0.0.1:[PORT]/ms1/, process [PID]
            ");
        });
    }
}
