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
            Some(layer) if self.may_miss(layer) => {
                self.missing.push(Missing { layer, errno: failure.errno });
                Ok(())
            }
            _ => Err(failure),
        }
    }

    /// Without mounts of its own the level `namespaces` does not exist, whatever was allowed.
    pub(crate) fn may_miss(&self, layer: Layer) -> bool {
        layer != Layer::Mount && self.allowed.contains(&layer)
    }

    pub(crate) fn stands(&self, layer: Layer) -> bool {
        self.missing.iter().all(|missing| missing.layer != layer)
    }

    pub(crate) fn into_missing(self) -> Vec<Missing> {
        self.missing
    }
}

#[cfg(test)]
mod tests {
    use spack_wasm_sandbox_protocol::{Level, Limits};

    use super::*;

    fn walls(allow_missing: BTreeSet<Layer>) -> Walls {
        let no_limit = None;
        let limits = Limits {
            processes: no_limit,
            open_files: no_limit,
            address_space: no_limit,
            file_size: no_limit,
            cpu_seconds: no_limit,
        };
        Walls::new(&Setup {
            level: Level::Namespaces,
            allow_missing,
            mounts: Vec::new(),
            links: Vec::new(),
            files: Vec::new(),
            devices: Vec::new(),
            build_uid: 65534,
            hostname: String::new(),
            limits,
            tmp_bytes: 0,
            trace: false,
        })
    }

    fn missing(layer: Layer) -> Outcome<()> {
        Err(io::Error::from_raw_os_error(libc::EPERM)).fail_layer(Step::Unshare, layer)
    }

    #[test]
    fn only_what_is_allowed_may_be_missing_and_mounts_never() {
        let mut walls = walls(Layer::ALL.into_iter().filter(|layer| *layer != Layer::Pid).collect());
        assert!(walls.tolerate(missing(Layer::Network)).is_ok());
        assert!(!walls.stands(Layer::Network) && walls.stands(Layer::Uts));
        assert!(walls.tolerate(missing(Layer::Pid)).is_err());
        assert!(walls.tolerate(missing(Layer::Mount)).is_err());
        assert!(walls.tolerate(Err(io::Error::from_raw_os_error(libc::EIO)).fail(Step::NewRoot)).is_err());
        assert_eq!(walls.into_missing().len(), 1);
    }
}
