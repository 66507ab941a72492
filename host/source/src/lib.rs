//! Sources: fetch, mirrors, checksum, safe unpacking, patches.

pub mod unpack;
