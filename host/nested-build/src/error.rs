//! Why an inner build did not come to a product.

use std::path::PathBuf;
use std::process::ExitStatus;

/// Shown to whoever runs `cargo build`: each says what to do next where it is known.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NestedBuildError {
    /// A variable that cargo sets for build scripts is absent.
    #[error("`{variable}` is not set: nested builds are started by build scripts only")]
    NotABuildScript {
        /// The variable's name.
        variable: &'static str,
    },
    /// The toolchain has no standard library for the target.
    #[error("the toolchain cannot compile for `{target}`; add it with: rustup target add {target}")]
    MissingTarget {
        /// The target triple.
        target: String,
    },
    /// cargo or rustc could not be started.
    #[error("cannot start `{}`", program.display())]
    Spawn {
        /// What was started.
        program: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// The inner cargo failed; it has printed why.
    #[error("building {} failed ({status}); the compiler's messages stand above", packages.join(", "))]
    Failed {
        /// The packages of that call.
        packages: Vec<String>,
        /// cargo's exit status.
        status: ExitStatus,
    },
    /// cargo succeeded and left no such file.
    #[error("package `{package}` left no `{}`: is its kind (program or component) right?", path.display())]
    NoArtifact {
        /// The package.
        package: String,
        /// The file that was expected.
        path: PathBuf,
    },
    /// cargo's list of the sources could not be read.
    #[error("cannot read the list of sources")]
    DepInfo(#[source] std::io::Error),
}
