//! Sources: fetch, mirrors, checksum, safe unpacking, patches.
