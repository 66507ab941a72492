//! Spack's spec syntax: text to [`AbstractSpec`](crate::AbstractSpec) and back.
//!
//! The grammar is that of Spack 1.x (`spack help --spec`): `name`, `namespace.name`, `@versions`, `+v`, `~v`, `-v`, `key=value`,
//! `key:=value`, `key==value`, `^dep`, `%dep`, `^[virtuals=mpi] dep`, `^mpi=dep`, `/hash`.

mod cursor;
mod error;
mod parse;
mod print;
mod values;

pub use error::{Caret, ParseError};
