//! The compiler wrapper: adds the dependencies' include, library and rpath entries.

fn main() {}
