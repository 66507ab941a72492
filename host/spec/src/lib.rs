//! Versions, variants, specs and their hashes, in Spack's syntax; no I/O.
