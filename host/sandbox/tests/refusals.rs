//! A trace names what was refused, and nothing else.

mod support;

use std::path::Path;

use spack_wasm_sandbox::Level;
use spack_wasm_sandbox::refusal::probable_refusals;
use support::{Place, everybody};

#[test]
fn a_trace_names_refusals_exactly() {
    everybody("a_trace_names_refusals_exactly", || {
        for level in [Level::Namespaces, Level::Landlock] {
            let place = Place::new();
            let mut policy = place.policy(level);
            policy.trace = true;
            let build = place.start_with(&policy).unwrap();
            let script = "cat \"$SECRET\"; echo x > $DEPENDENCY/file; cd $DEPENDENCY && rm file; echo fine > $STAGE/own;
                cat $DEPENDENCY/file /etc/no-such-file; echo > /dev/null";
            let ran = build.shell(script);
            let said: Vec<_> = ran.outcome.refusals.iter().map(ToString::to_string).collect();
            let expected = [(build.secret.as_path(), "read"), (&build.dependency.join("file"), "write")];
            let mut expected: Vec<_> = expected
                .map(|(path, wanted)| {
                    let path = path.display();
                    format!("refused by the sandbox: {path} ({wanted}); allow with `-c config:sandbox:{wanted}:[{path}]`")
                })
                .into();
            expected.sort();
            let mut sorted = said.clone();
            sorted.sort();
            assert_eq!(sorted, expected, "{level}: {}", ran.stderr);
            assert!(build.shell("true").outcome.refusals.is_empty());
        }
    });
}

#[test]
fn each_command_is_told_what_it_was_refused() {
    everybody("each_command_is_told_what_it_was_refused", || {
        let place = Place::new();
        let mut policy = place.policy(Level::Namespaces);
        policy.trace = true;
        let build = place.start_with(&policy).unwrap();
        let secret = build.secret.display().to_string();
        let expected = format!(
            "refused by the sandbox: {secret} (read); allow with `-c config:sandbox:read:[{secret}]`"
        );
        for script in
            ["cat $SECRET", "cat $SECRET", "test -f $SECRET || exit 1", "test -r $SECRET", "readlink $SECRET"]
        {
            let ran = build.shell(script);
            let said: Vec<_> = ran.outcome.refusals.iter().map(ToString::to_string).collect();
            assert_eq!(said, [expected.as_str()], "{script}: {}", ran.stderr);
        }
        let ran = build.shell("test -f $STAGE/no-such || test -f /no-such/file || test -d /usr/lib");
        assert!(ran.success() && ran.outcome.refusals.is_empty(), "{:?}", ran.outcome.refusals);
    });
}

#[test]
fn a_trace_names_connections() {
    let place = Place::new();
    let mut policy = place.policy(Level::Namespaces);
    policy.trace = true;
    let build = place.start_with(&policy).unwrap();
    let program = "#include <arpa/inet.h>\n#include <sys/socket.h>\n
        int main(){struct sockaddr_in a={AF_INET,htons(443)};a.sin_addr.s_addr=inet_addr(\"192.0.2.1\");
        connect(socket(AF_INET,SOCK_STREAM,0),(void*)&a,sizeof a);return 0;}";
    let ran = build.c(program);
    let said: Vec<_> = ran.outcome.refusals.iter().map(ToString::to_string).collect();
    assert_eq!(said, ["refused by the sandbox: connection to 192.0.2.1:443; builds have no network"]);
}

#[test]
fn a_traced_build_with_thousands_of_files_does_not_block() {
    let place = Place::new();
    let mut policy = place.policy(Level::Namespaces);
    policy.trace = true;
    let build = place.start_with(&policy).unwrap();
    let ran = build.shell("i=0; while [ $i -lt 3000 ]; do : > f$i; i=$((i+1)); done; ls | wc -l");
    assert_eq!(ran.stdout.trim(), "3000");
    assert!(ran.outcome.refusals.is_empty(), "{:?}", ran.outcome.refusals);
}

#[test]
fn a_tool_that_is_refused_for_ever_fills_no_memory() {
    let place = Place::new();
    let mut policy = place.policy(Level::Namespaces);
    policy.trace = true;
    let build = place.start_with(&policy).unwrap();
    let ran = build.shell("i=0; while [ $i -lt 1500 ]; do echo > /usr/lib/$i; i=$((i+1)); done 2> /dev/null");
    assert_eq!(ran.outcome.refusals.len(), 1000);
}

/// What real tools say when the sandbox refuses them something, with the path at fault.
const WRITES: &[&str] = &[
    "touch /usr/lib/spack-wasm-new",
    "mkdir /usr/lib/spack-wasm-new",
    "echo x > x; cp x /usr/lib/spack-wasm-new",
    "echo x > x; mv x /usr/lib/spack-wasm-new",
    "ln -s x /usr/lib/spack-wasm-new",
    "echo x > x; install -m 644 x /usr/lib/spack-wasm-new",
    "echo x | tee /usr/lib/spack-wasm-new > /dev/null",
    "echo x > /usr/lib/spack-wasm-new",
    "echo 'int main(void){return 0;}' > x.c; cc x.c -o /usr/lib/spack-wasm-new",
    "echo x > x; ar rcs /usr/lib/spack-wasm-new x",
    "printf '/usr/lib/spack-wasm-new:\\n\\t@cp Makefile $@\\n' > Makefile; make",
    "perl -e 'open(F, \">\", \"/usr/lib/spack-wasm-new\") or die \"cannot write /usr/lib/spack-wasm-new: $!\\n\"'",
];

const READS: &[&str] = &[
    "cat $SECRET",
    "ls $SECRET",
    "cp $SECRET x",
    ". $SECRET",
    "cc -c -x c $SECRET",
    "make -f $SECRET",
    "printf \"x: $SECRET\\n\" > Makefile; make",
    "perl $SECRET",
    "sed -n p $SECRET",
];

#[test]
fn real_tools_are_understood() {
    everybody("real_tools_are_understood", || {
        let place = Place::new();
        let policy = place.policy(Level::Namespaces);
        let build = place.start_with(&policy).unwrap();
        let secret = build.secret.display().to_string();
        let write =
            "/usr/lib/spack-wasm-new (write); allow with `-c config:sandbox:write:[/usr/lib]`".to_owned();
        let read = format!("{secret} (read); allow with `-c config:sandbox:read:[{secret}]`");
        let scripts =
            WRITES.iter().map(|script| (script, &write)).chain(READS.iter().map(|script| (script, &read)));
        for (script, expected) in scripts {
            let ran = build.shell(script);
            let lines = format!("{}{}", ran.stdout, ran.stderr);
            assert!(!ran.success(), "{script}");
            let found = probable_refusals(&lines, &build.stage, &policy);
            let found: Vec<_> = found.iter().map(ToString::to_string).collect();
            assert_eq!(found, [format!("probably refused by the sandbox: {expected}")], "{script}: {lines}");
        }
        let ran = build.shell("touch run; chmod 4755 run");
        let found = probable_refusals(&ran.stderr, Path::new("/build"), &policy);
        let found: Vec<_> = found.iter().map(ToString::to_string).collect();
        assert_eq!(
            found,
            ["probably refused by the sandbox: set-uid or set-gid bit of /build/run; builds set neither"]
        );
    });
}
