//! Which walls stand, which do not, and whether that is accepted.

use std::collections::BTreeSet;
use std::io;
use std::path::Path;

use spack_wasm_sandbox_protocol::{Failure, Layer, Missing, Setup, Step, WireString};

/// A step's result.
pub(crate) type Outcome<T> = Result<T, Failure>;

/// Names the step that an error of the system belongs to.
pub(crate) trait Fail<T> {
    /// A step that belongs to no wall and concerns no path.
    fn fail(self, step: Step) -> Outcome<T>;
    /// A step of a wall.
    fn fail_layer(self, step: Step, layer: Layer) -> Outcome<T>;
    /// A step that concerns a path.
    fn fail_at(self, step: Step, path: &Path) -> Outcome<T>;
}

impl<T, E: Into<io::Error>> Fail<T> for Result<T, E> {
    fn fail(self, step: Step) -> Outcome<T> {
        self.map_err(|error| Failure { step, path: None, layer: None, errno: errno(error) })
    }

    fn fail_layer(self, step: Step, layer: Layer) -> Outcome<T> {
        self.map_err(|error| Failure { step, path: None, layer: Some(layer), errno: errno(error) })
    }

    fn fail_at(self, step: Step, path: &Path) -> Outcome<T> {
        self.map_err(|error| Failure {
            step,
            path: Some(WireString::from(path)),
            layer: None,
            errno: errno(error),
        })
    }
}

fn errno(error: impl Into<io::Error>) -> i32 {
    error.into().raw_os_error().unwrap_or(0)
}

/// The account of the walls.
#[derive(Debug)]
pub(crate) struct Walls {
    allowed: BTreeSet<Layer>,
    missing: Vec<Missing>,
    /// Set when root's rights must be given up after the mounts instead of before, see [`crate::namespaces`].
    pub(crate) drop_late: bool,
    /// Set when the launcher, as root, has laid the new root already.
    pub(crate) laid_outside: bool,
}

impl Walls {
    pub(crate) fn new(setup: &Setup) -> Self {
        Walls {
            allowed: setup.allow_missing.clone(),
            missing: Vec::new(),
            drop_late: false,
            laid_outside: false,
        }
    }

    /// Takes note of the failure of a wall that may be missing; any other failure ends the setup.
    pub(crate) fn tolerate(&mut self, laid: Outcome<()>) -> Outcome<()> {
        let Err(failure) = laid else { return Ok(()) };
        match failure.layer {
            Some(layer) if self.allowed.contains(&layer) => {
                self.missing.push(Missing { layer, errno: failure.errno });
                Ok(())
            }
            _ => Err(failure),
        }
    }

    pub(crate) fn may_miss(&self, layer: Layer) -> bool {
        self.allowed.contains(&layer)
    }

    pub(crate) fn stands(&self, layer: Layer) -> bool {
        self.missing.iter().all(|missing| missing.layer != layer)
    }

    pub(crate) fn into_missing(self) -> Vec<Missing> {
        self.missing
    }
}
