//! Recipes that do what no recipe may. Each fails its own build, and says what it was; nothing else is harmed.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use spack_wasm_tests::{MISBEHAVING, Output, TestContext, assert_output};

use crate::sources::with_zlib;
use crate::{User, misbehave, of, user};

/// The final error of a failed build: what a user reads last.
fn refused(user: &TestContext, act: &str) -> Output {
    let mut output = misbehave(user, act, &[]).failed_with(1);
    output.stdout = String::new();
    assert!(output.stderr.contains("misbehaving"), "{}", output.report());
    output
}

fn location(user: &TestContext, spec: &[&str]) -> PathBuf {
    let output = user.run(["location"].iter().chain(spec)).succeeded();
    output.stdout.trim_end().into()
}

#[test]
fn a_panic_is_told_with_what_the_recipe_wrote() {
    let user = user();
    assert_output!(user, refused(&user, "panic"), @"
    exit status: 1
    ----- stderr -----
    ==> Error: misbehaving@1.0/[HASH] failed in phase 'install': the recipe of misbehaving crashed in phase 'install': it gave up (a panic, an abort or an exception that nobody caught)
    It wrote:
      thread '<unnamed>' (1) panicked at tests/guests/misbehaving/recipe.rs:[LINE]:
      the recipe has had enough
      note: run with `RUST_BACKTRACE=1` environment variable to display a backtrace

    Log:   [HOME]/.spack/spack-wasm/stage/spack-wasm-stage-misbehaving-1.0-[HASH]-[STAGE]/spack-build-out.txt
    Stage: [HOME]/.spack/spack-wasm/stage/spack-wasm-stage-misbehaving-1.0-[HASH]-[STAGE]
    hint: `spack-wasm logs /[HASH]` shows the whole log
    ");
}

#[test]
fn a_recipe_without_end_is_stopped() {
    let user = user();
    assert_output!(user, refused(&user, "loop"), @"
    exit status: 1
    ----- stderr -----
    ==> Error: misbehaving@1.0/[HASH] failed in phase 'install': the recipe of misbehaving was stopped in phase 'install': it ran for more than [TIME] without an end

    Log:   [HOME]/.spack/spack-wasm/stage/spack-wasm-stage-misbehaving-1.0-[HASH]-[STAGE]/spack-build-out.txt
    Stage: [HOME]/.spack/spack-wasm/stage/spack-wasm-stage-misbehaving-1.0-[HASH]-[STAGE]
    hint: `spack-wasm logs /[HASH]` shows the whole log
    ");
}

#[test]
fn memory_and_stack_have_limits() {
    let user = user();
    assert_output!(user, refused(&user, "memory"), @"
    exit status: 1
    ----- stderr -----
    ==> Error: misbehaving@1.0/[HASH] failed in phase 'install': the recipe of misbehaving was stopped in phase 'install': it needs more than [SIZE] of memory
    It wrote:
      memory allocation of 16777216 bytes failed
      note: run with `RUST_BACKTRACE=1` environment variable to display a backtrace

    Log:   [HOME]/.spack/spack-wasm/stage/spack-wasm-stage-misbehaving-1.0-[HASH]-[STAGE]/spack-build-out.txt
    Stage: [HOME]/.spack/spack-wasm/stage/spack-wasm-stage-misbehaving-1.0-[HASH]-[STAGE]
    hint: `spack-wasm logs /[HASH]` shows the whole log
    ");
    assert_output!(user, refused(&user, "stack"), @"
    exit status: 1
    ----- stderr -----
    ==> Error: misbehaving@1.0/[HASH] failed in phase 'install': the recipe of misbehaving was stopped in phase 'install': it needs more stack than it may have

    Log:   [HOME]/.spack/spack-wasm/stage/spack-wasm-stage-misbehaving-1.0-[HASH]-[STAGE]/spack-build-out.txt
    Stage: [HOME]/.spack/spack-wasm/stage/spack-wasm-stage-misbehaving-1.0-[HASH]-[STAGE]
    hint: `spack-wasm logs /[HASH]` shows the whole log
    ");
}

#[test]
fn a_recipe_can_say_why_it_fails() {
    let user = user();
    assert_output!(user, refused(&user, "fail"), @"
    exit status: 1
    ----- stderr -----
    ==> Error: misbehaving@1.0/[HASH] failed in phase 'install': the recipe of misbehaving says: it does not feel like it today

    Log:   [HOME]/.spack/spack-wasm/stage/spack-wasm-stage-misbehaving-1.0-[HASH]-[STAGE]/spack-build-out.txt
    Stage: [HOME]/.spack/spack-wasm/stage/spack-wasm-stage-misbehaving-1.0-[HASH]-[STAGE]
    hint: `spack-wasm logs /[HASH]` shows the whole log
    ");
}

#[test]
fn a_tool_that_is_not_there_is_named() {
    let user = user();
    assert_output!(user, refused(&user, "no-tool"), @"
    exit status: 1
    ----- stderr -----
    ==> Error: misbehaving@1.0/[HASH] failed in phase 'install': misbehaving wants to run 'no-such-tool', and there is no such program in its sandbox; a dependency of type build on the package that has it would bring it in

    Log:   [HOME]/.spack/spack-wasm/stage/spack-wasm-stage-misbehaving-1.0-[HASH]-[STAGE]/spack-build-out.txt
    Stage: [HOME]/.spack/spack-wasm/stage/spack-wasm-stage-misbehaving-1.0-[HASH]-[STAGE]
    hint: `spack-wasm logs /[HASH]` shows the whole log
    ");
}

#[test]
fn a_failing_tool_is_shown_with_its_first_error() {
    let user = user();
    assert_output!(user, refused(&user, "failing-tool"), @r#"
    exit status: 1
    ----- stderr -----
    ==> Error: misbehaving@1.0/[HASH] failed in phase 'install': `'sh' '-c' 'echo '"'"'main.c:1:1: error: it is broken'"'"' >&2; exit 3'` exited with status 3

    The first error in the log:
         1     ==> misbehaving: Executing phase: 'install'
         2     ==> [[DATE]] 'sh' '-c' 'echo '"'"'main.c:1:1: error: it is broken'"'"' >&2; exit 3'
      >> 3     main.c:1:1: error: it is broken
         4     ==> misbehaving: `'sh' '-c' 'echo '"'"'main.c:1:1: error: it is broken'"'"' >&2; exit 3'` exited with status 3

    Log:   [HOME]/.spack/spack-wasm/stage/spack-wasm-stage-misbehaving-1.0-[HASH]-[STAGE]/spack-build-out.txt
    Stage: [HOME]/.spack/spack-wasm/stage/spack-wasm-stage-misbehaving-1.0-[HASH]-[STAGE]
    hint: `spack-wasm logs /[HASH]` shows the whole log
    "#);
}

#[test]
fn the_whole_log_is_shown_on_request() {
    let user = user();
    let output = misbehave(&user, "failing-tool", &["--show-log-on-error"]).failed_with(1);
    let (_, log) = output.stderr.split_once("The log:\n").unwrap();
    assert!(log.contains("main.c:1:1: error: it is broken"), "{log}");
    let log = user.run(["logs", "misbehaving"]).succeeded();
    assert!(log.stdout.contains("main.c:1:1: error: it is broken"), "{}", log.report());
}

#[test]
fn files_of_the_machine_are_not_there() {
    let user = user();
    assert_output!(user, refused(&user, "read-passwd"), @"
    exit status: 1
    ----- stderr -----
    ==> Error: misbehaving@1.0/[HASH] failed in phase 'install': the recipe of misbehaving says: failed to open file `/etc/passwd`: No such file or directory

    Log:   [HOME]/.spack/spack-wasm/stage/spack-wasm-stage-misbehaving-1.0-[HASH]-[STAGE]/spack-build-out.txt
    Stage: [HOME]/.spack/spack-wasm/stage/spack-wasm-stage-misbehaving-1.0-[HASH]-[STAGE]
    hint: `spack-wasm logs /[HASH]` shows the whole log
    ");
    assert_output!(user, refused(&user, "tool-reads-home"), @"
    exit status: 1
    ----- stderr -----
    ==> Error: misbehaving@1.0/[HASH] failed in phase 'install': `'sh' '-c' 'cat /root/.netrc /home/*/.netrc'` exited with status 1

    The first error in the log:
         1     ==> misbehaving: Executing phase: 'install'
         2     ==> [[DATE]] 'sh' '-c' 'cat /root/.netrc /home/*/.netrc'
      >> 3     cat: /root/.netrc: No such file or directory
         4     cat: '/home/*/.netrc': No such file or directory
         5     ==> misbehaving: `'sh' '-c' 'cat /root/.netrc /home/*/.netrc'` exited with status 1

    Log:   [HOME]/.spack/spack-wasm/stage/spack-wasm-stage-misbehaving-1.0-[HASH]-[STAGE]/spack-build-out.txt
    Stage: [HOME]/.spack/spack-wasm/stage/spack-wasm-stage-misbehaving-1.0-[HASH]-[STAGE]
    hint: `spack-wasm logs /[HASH]` shows the whole log
    ");
}

#[test]
fn nothing_of_the_users_environment_is_there() {
    let secrets = ["SPACKMON_TOKEN", "SPACKMON_USER", "MY_PASSWORD", "LD_PRELOAD", "SSH_AUTH_SOCK"];
    let marker = "marker-of-what-is-the-users-own";
    let user = secrets.iter().fold(user(), |user, name| user.env(name, format!("/{marker}")));
    misbehave(&user, "show-environment", &[]).succeeded();
    let log = user.run(["logs", "misbehaving"]).succeeded().stdout;
    assert!(log.contains("the recipe has []"), "{log}");
    assert!(log.lines().any(|line| line.starts_with("PATH=")), "{log}");
    assert!(!log.contains(marker), "{log}");
    let home = user.home().display().to_string();
    let homes = log.lines().filter(|line| line.starts_with("HOME=") && line.contains(&home));
    assert_eq!(homes.count(), 0, "{log}");
}

#[test]
fn links_out_of_the_prefix_and_other_peoples_rights_are_refused() {
    let user = user();
    assert_output!(user, refused(&user, "link-out"), @"
    exit status: 1
    ----- stderr -----
    ==> Error: misbehaving@1.0/[HASH] failed in phase 'install': the recipe of misbehaving says: a link from [STORE]/linux-[TARGET]/misbehaving-1.0-[HASH]/passwd to /etc/passwd is not allowed: /etc/passwd is in none of the recipe's folders

    Log:   [HOME]/.spack/spack-wasm/stage/spack-wasm-stage-misbehaving-1.0-[HASH]-[STAGE]/spack-build-out.txt
    Stage: [HOME]/.spack/spack-wasm/stage/spack-wasm-stage-misbehaving-1.0-[HASH]-[STAGE]
    hint: `spack-wasm logs /[HASH]` shows the whole log
    ");
    assert_output!(user, refused(&user, "setuid"), @"
    exit status: 1
    ----- stderr -----
    ==> Error: misbehaving@1.0/[HASH] failed in phase 'install': `'chmod' '4755' '[STORE]/linux-[TARGET]/misbehaving-1.0-[HASH]/run'` exited with status 1

    The first error in the log:
         1     ==> misbehaving: Executing phase: 'install'
         2     ==> [[DATE]] 'chmod' '4755' '[STORE]/linux-[TARGET]/misbehaving-1.0-[HASH]/run'
      >> 3     chmod: changing permissions of '[STORE]/linux-[TARGET]/misbehaving-1.0-[HASH]/run': Operation not permitted
         4     ==> misbehaving: `'chmod' '4755' '[STORE]/linux-[TARGET]/misbehaving-1.0-[HASH]/run'` exited with status 1

    Sandbox: probably refused by the sandbox: set-uid or set-gid bit of [STORE]/linux-[TARGET]/misbehaving-1.0-[HASH]/run; builds set neither

    Log:   [HOME]/.spack/spack-wasm/stage/spack-wasm-stage-misbehaving-1.0-[HASH]-[STAGE]/spack-build-out.txt
    Stage: [HOME]/.spack/spack-wasm/stage/spack-wasm-stage-misbehaving-1.0-[HASH]-[STAGE]
    hint: `spack-wasm logs /[HASH]` shows the whole log
    ");
}

#[test]
fn a_prefix_that_names_the_stage_or_is_empty_is_not_published() {
    let user = user();
    assert_output!(user, refused(&user, "trace"), @"
    exit status: 1
    ----- stderr -----
    ==> Error: misbehaving@1.0/[HASH] failed: the files that misbehaving@1.0 installed can't be accepted:
        where.txt names the stage (/build)

    Log:   [HOME]/.spack/spack-wasm/stage/spack-wasm-stage-misbehaving-1.0-[HASH]-[STAGE]/spack-build-out.txt
    Stage: [HOME]/.spack/spack-wasm/stage/spack-wasm-stage-misbehaving-1.0-[HASH]-[STAGE]
    hint: `spack-wasm logs /[HASH]` shows the whole log
    ");
    assert_output!(user, refused(&user, "empty"), @"
    exit status: 1
    ----- stderr -----
    ==> Error: misbehaving@1.0/[HASH] failed: its install phases put nothing into the prefix

    Log:   [HOME]/.spack/spack-wasm/stage/spack-wasm-stage-misbehaving-1.0-[HASH]-[STAGE]/spack-build-out.txt
    Stage: [HOME]/.spack/spack-wasm/stage/spack-wasm-stage-misbehaving-1.0-[HASH]-[STAGE]
    hint: `spack-wasm logs /[HASH]` shows the whole log
    ");
    assert_output!(user, user.run(["find"]), @"
    exit status: 0
    ----- stdout -----
    ==> 0 installed packages
    ");
}

#[test]
fn a_dependency_is_read_only() {
    let Some(user) = with_zlib(User::Current) else { return };
    assert_output!(user, refused(&user, "write-dependency"), @"
    exit status: 1
    ----- stderr -----
    ==> Error: misbehaving@1.0/[HASH] failed in phase 'install': the recipe of misbehaving says: failed to create file `[STORE]/linux-[TARGET]/zlib-1.2.13-[HASH]/lib/evil`: Operation not permitted; a recipe may write its stage and its prefix and nothing else

    Log:   [HOME]/.spack/spack-wasm/stage/spack-wasm-stage-misbehaving-1.0-[HASH]-[STAGE]/spack-build-out.txt
    Stage: [HOME]/.spack/spack-wasm/stage/spack-wasm-stage-misbehaving-1.0-[HASH]-[STAGE]
    hint: `spack-wasm logs /[HASH]` shows the whole log
    ");
    let zlib = location(&user, &["zlib"]);
    assert!(zlib.join("lib/libz.so").exists() && !zlib.join("lib/evil").exists());
    // Its recipe answers in the middle of a phase, too.
    misbehave(&user, "ask-dependency", &[]).succeeded();
    let asked = location(&user, &["misbehaving"]).join("libraries.txt");
    assert_eq!(fs_err::read_to_string(asked).unwrap(), "z");
}

#[test]
fn one_that_misbehaves_does_not_harm_its_neighbour() {
    let Some(user) = with_zlib(User::Current) else { return };
    let arguments = ["install", "--recipe", MISBEHAVING, "zlib", "misbehaving", "act=panic"];
    let output = user.run(arguments).failed_with(1);
    assert!(output.stderr.contains("the recipe has had enough"), "{}", output.report());
    assert!(location(&user, &["zlib"]).join("lib/libz.so").exists());
    assert_output!(user, user.run(["find"]), @"
    exit status: 0
    ----- stdout -----
    -- linux-[OS]-[TARGET] / %c=gcc@[VERSION] [RULE]
    zlib@1.2.13

    ==> 1 installed package
    ");
}

/// Every file of a prefix but those of the record, with what it holds.
fn content(prefix: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let entries = fs_err::read_dir(prefix).unwrap().map(|entry| entry.unwrap().path());
    let files = entries.filter(|path| !path.ends_with(".spack"));
    files.map(|path| (path.strip_prefix(prefix).unwrap().to_owned(), fs_err::read(&path).unwrap())).collect()
}

#[test]
fn time_and_chance_are_the_same_in_each_build() {
    let built = [user(), user()].map(|user| {
        misbehave(&user, "clock", &[]).succeeded();
        let first = content(&location(&user, &["misbehaving"]));
        misbehave(&user, "clock", &["--overwrite", "-y"]).succeeded();
        assert_eq!(content(&location(&user, &["misbehaving"])), first);
        first
    });
    let clock = String::from_utf8_lossy(&built[0][Path::new("clock.txt")]).into_owned();
    assert!(clock.contains("SystemTime"), "{clock}");
    assert_eq!(built[0], built[1]);
}

#[test]
fn a_pipe_that_nobody_else_opens_is_not_waited_for() {
    let user = user();
    assert_output!(user, refused(&user, "fifo"), @"
    exit status: 1
    ----- stderr -----
    ==> Error: misbehaving@1.0/[HASH] failed in phase 'install': the recipe of misbehaving says: failed to open file `/build/spack-src/pipe`: Not supported

    Log:   [HOME]/.spack/spack-wasm/stage/spack-wasm-stage-misbehaving-1.0-[HASH]-[STAGE]/spack-build-out.txt
    Stage: [HOME]/.spack/spack-wasm/stage/spack-wasm-stage-misbehaving-1.0-[HASH]-[STAGE]
    hint: `spack-wasm logs /[HASH]` shows the whole log
    ");
    let output = refused(&user, "write-fifo");
    assert!(output.stderr.contains("spack-src/pipe`: Not supported"), "{}", output.report());
    // Put in a file's place at any moment.
    misbehave(&user, "fifo-left-behind", &[]).succeeded();
}

#[test]
fn a_link_counts_by_where_it_leads() {
    let user = user();
    let told = refused(&user, "link-out-by-a-link").stderr;
    assert!(told.contains("up/passwd to ../../../passwd is not allowed: "), "{told}");
    assert!(told.contains("is in none of the recipe's folders"), "{told}");
    let told = refused(&user, "link-to-own-files").stderr;
    assert!(told.contains("/script to /recipe/script is not allowed: "), "{told}");
}

#[test]
fn a_variable_has_a_name_that_a_shell_knows() {
    let told = refused(&user(), "bad-variable").stderr;
    assert!(
        told.contains("a recipe changes the variable 'X; touch /tmp/pwned; Y', which is no name"),
        "{told}"
    );
}

#[test]
fn what_a_recipe_writes_has_the_modes_of_what_tools_write() {
    for mask in ["000", "002", "077"] {
        for who in User::everybody() {
            let user = of(who);
            fs_err::copy(MISBEHAVING, user.root().join("own.wasm")).unwrap();
            user.run_with_umask(mask, &["install", "--recipe", "../own.wasm", "misbehaving"]).succeeded();
            let prefix = user.run(["location", "misbehaving"]).succeeded().stdout;
            let file = Path::new(prefix.trim_end()).join("done.txt");
            let mode = fs_err::metadata(file).unwrap().permissions().mode() & 0o777;
            assert_eq!(mode, 0o644, "{mask} {who:?}");
        }
    }
}

#[test]
fn what_a_component_does_at_its_start_it_does_as_the_builds_user() {
    for who in User::everybody() {
        let user = of(who);
        fs_err::copy(MISBEHAVING, user.root().join("own.wasm")).unwrap();
        user.run(["install", "--recipe", "../own.wasm", "misbehaving", "act=start"]).succeeded();
    }
}
