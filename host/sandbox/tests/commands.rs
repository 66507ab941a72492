//! Commands behind the walls: output, input, status, cost, errors.

mod support;

use std::time::{Duration, Instant};

use spack_wasm_sandbox::{Level, RunError, Status};
use support::{Place, everybody, lives};

const LEVELS: [Level; 3] = [Level::Namespaces, Level::Landlock, Level::None];

#[test]
fn output_status_and_streams() {
    everybody("output_status_and_streams", || {
        for level in LEVELS {
            let place = Place::new();
            let build = place.start(level);
            let ran = build.shell("echo out; echo err >&2; pwd; exit 7");
            assert_eq!(ran.status(), Status::Exited(7), "{level}");
            assert_eq!(ran.stdout, format!("out\n{}\n", build.stage.display()));
            assert_eq!(ran.stderr, "err\n");
            assert_eq!(build.shell("kill -TERM $$").status(), Status::Signaled(15));
        }
    });
}
