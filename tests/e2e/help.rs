//! What `spack-wasm` says of itself.

use crate::user;

#[test]
fn help_is_data_and_names_every_command() {
    let output = user().run(["--help"]).succeeded();
    assert_eq!(output.stderr, "");
    for command in [
        "find",
        "info",
        "install",
        "list",
        "location",
        "logs",
        "monitor",
        "reindex",
        "repo",
        "spec",
        "uninstall",
    ] {
        let named = output.stdout.lines().any(|line| line.trim_start().starts_with(command));
        assert!(named, "{command}\n{}", output.stdout);
    }
}
