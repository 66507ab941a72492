//! A trace names what was refused, and nothing else.

mod support;

use spack_wasm_sandbox::Level;
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
                    format!("refused by the sandbox: {path} ({wanted}); allow with `config:sandbox:{wanted}: [{path}]`")
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
