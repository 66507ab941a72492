use std::fmt;
use std::str::FromStr;

use data_encoding::{BASE32_NOPAD, Encoding, Specification};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// The number of the hash scheme that this version computes, written into `spec.json` beside each hash.
///
/// Scheme 1: SHA-256 over the compact JSON of the node's identity (fields in a fixed order, maps sorted), the first
/// 160 bits in lower-case base32. An identity holds namespace, name, version, variants, architecture, package hash,
/// patches, compiler flags, and of each dependency name, hash, types and virtuals; that of an external holds its name and
/// version only. A later scheme gets another number; nodes of older ones keep their hashes.
pub const SCHEME: u32 = 1;

/// Length of a hash in characters.
const LENGTH: usize = 32;

/// The identity of a concrete node: 32 characters of lower-case base32, as Spack's DAG hash.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct DagHash(String);

/// The text is no DAG hash.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not a DAG hash: 32 characters out of a-z and 2-7 were expected")]
pub struct InvalidHash(String);

impl DagHash {
    /// Hashes a node's canonical identity.
    pub(crate) fn of_identity(canonical: &[u8]) -> Self {
        let mut text = lowercase_base32().encode(&Sha256::digest(canonical));
        text.truncate(LENGTH);
        Self(text)
    }

    /// All 32 characters.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The first seven characters, as Spack shows a hash to people.
    pub fn short(&self) -> &str {
        &self.0[..7]
    }
}

/// RFC 4648's base32 without padding, in lower case.
fn lowercase_base32() -> Encoding {
    let mut specification: Specification = BASE32_NOPAD.specification();
    specification.symbols.make_ascii_lowercase();
    specification.encoding().unwrap_or(BASE32_NOPAD)
}

impl fmt::Display for DagHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for DagHash {
    type Err = InvalidHash;

    fn from_str(text: &str) -> Result<Self, InvalidHash> {
        let valid = text.len() == LENGTH && text.bytes().all(|b| matches!(b, b'a'..=b'z' | b'2'..=b'7'));
        if valid { Ok(Self(text.to_owned())) } else { Err(InvalidHash(text.to_owned())) }
    }
}

impl TryFrom<String> for DagHash {
    type Error = InvalidHash;

    fn try_from(text: String) -> Result<Self, InvalidHash> {
        text.parse()
    }
}

impl From<DagHash> for String {
    fn from(hash: DagHash) -> Self {
        hash.0
    }
}
