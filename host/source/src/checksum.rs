//! Checksums as recipes state them: hexadecimal, the algorithm told by the length.

use data_encoding::HEXLOWER;
use sha2::digest::DynDigest;
use std::fmt;
use std::io::{self, Read};
use std::str::FromStr;

const CHUNK: usize = 128 << 10;

/// The algorithms that Spack's recipes use. All but the SHA-2 family are broken against a deliberate forgery.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the names say it all")]
pub enum Algorithm {
    Md5,
    Sha1,
    Sha224,
    Sha256,
    Sha384,
    Sha512,
}

impl Algorithm {
    /// The algorithm whose digests have that many hexadecimal digits.
    fn with_digits(count: usize) -> Option<Self> {
        Some(match count {
            32 => Algorithm::Md5,
            40 => Algorithm::Sha1,
            56 => Algorithm::Sha224,
            64 => Algorithm::Sha256,
            96 => Algorithm::Sha384,
            128 => Algorithm::Sha512,
            _ => return None,
        })
    }

    fn name(self) -> &'static str {
        match self {
            Algorithm::Md5 => "md5",
            Algorithm::Sha1 => "sha1",
            Algorithm::Sha224 => "sha224",
            Algorithm::Sha256 => "sha256",
            Algorithm::Sha384 => "sha384",
            Algorithm::Sha512 => "sha512",
        }
    }

    /// A hasher for content that is to have a checksum of this algorithm.
    pub fn hasher(self) -> Hasher {
        let digest: Box<dyn DynDigest + Send> = match self {
            Algorithm::Md5 => Box::new(md5::Md5::default()),
            Algorithm::Sha1 => Box::new(sha1::Sha1::default()),
            Algorithm::Sha224 => Box::new(sha2::Sha224::default()),
            Algorithm::Sha256 => Box::new(sha2::Sha256::default()),
            Algorithm::Sha384 => Box::new(sha2::Sha384::default()),
            Algorithm::Sha512 => Box::new(sha2::Sha512::default()),
        };
        Hasher { algorithm: self, digest }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The checksum of an archive.
///
/// ```
/// use spack_wasm_source::{Algorithm, Checksum};
///
/// let checksum: Checksum = "d41d8cd98f00b204e9800998ecf8427e".parse().unwrap();
/// assert_eq!(checksum.algorithm(), Algorithm::Md5);
/// assert_eq!(checksum.to_string(), "md5:d41d8cd98f00b204e9800998ecf8427e");
/// ```
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Checksum {
    algorithm: Algorithm,
    hex: String,
}

impl Checksum {
    /// The algorithm.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The digest in lower-case hexadecimal.
    pub fn hex(&self) -> &str {
        &self.hex
    }
}

impl fmt::Display for Checksum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.algorithm, self.hex)
    }
}

impl fmt::Debug for Checksum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A text that is no checksum.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{text:?} is no checksum: md5, sha1, sha224, sha256, sha384 and sha512 have 32, 40, 56, 64, 96 and 128 \
     hexadecimal digits"
)]
pub struct ChecksumError {
    text: String,
}

impl FromStr for Checksum {
    type Err = ChecksumError;

    /// Takes the digits alone, as recipes have them, or behind `sha256:` and the like.
    fn from_str(text: &str) -> Result<Self, ChecksumError> {
        let error = || ChecksumError { text: text.to_owned() };
        let (name, digits) = text.split_once(':').map_or((None, text), |(name, digits)| (Some(name), digits));
        let hex = digits.to_ascii_lowercase();
        let algorithm = Algorithm::with_digits(hex.len()).ok_or_else(error)?;
        if !hex.bytes().all(|byte| byte.is_ascii_hexdigit())
            || name.is_some_and(|name| name != algorithm.name())
        {
            return Err(error());
        }
        Ok(Checksum { algorithm, hex })
    }
}

/// Hashes content piece by piece.
pub struct Hasher {
    algorithm: Algorithm,
    digest: Box<dyn DynDigest + Send>,
}

impl Hasher {
    /// Takes the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.digest.update(bytes);
    }

    /// The checksum of everything taken.
    pub fn finish(self) -> Checksum {
        Checksum { algorithm: self.algorithm, hex: HEXLOWER.encode(&self.digest.finalize()) }
    }

    /// Takes everything that a reader has, and returns how much that was.
    pub(crate) fn read(&mut self, mut reader: impl Read) -> io::Result<u64> {
        let mut buffer = vec![0; CHUNK];
        let mut total = 0;
        loop {
            let count = match reader.read(&mut buffer) {
                Ok(0) => return Ok(total),
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            self.update(&buffer[..count]);
            total += count as u64;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn of(algorithm: Algorithm, content: &[u8]) -> String {
        let mut hasher = algorithm.hasher();
        hasher.update(content);
        hasher.finish().to_string()
    }

    #[test]
    fn published_digests_of_abc() {
        assert_eq!(of(Algorithm::Md5, b"abc"), "md5:900150983cd24fb0d6963f7d28e17f72");
        assert_eq!(of(Algorithm::Sha1, b"abc"), "sha1:a9993e364706816aba3e25717850c26c9cd0d89d");
        assert_eq!(
            of(Algorithm::Sha224, b"abc"),
            "sha224:23097d223405d8228642a477bda255b32aadbce4bda0b3f7e36c9da7"
        );
        assert_eq!(
            of(Algorithm::Sha256, b"abc"),
            "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
        assert!(of(Algorithm::Sha384, b"abc").starts_with("sha384:cb00753f45a35e8bb5a03d699ac65007"));
        assert!(of(Algorithm::Sha512, b"abc").starts_with("sha512:ddaf35a193617abacc417349ae204131"));
    }

    #[test]
    fn texts_that_are_no_checksums() {
        for text in
            ["", "abc", &"g".repeat(64), &"a".repeat(63), &format!("md5:{}", "a".repeat(64)), "../../etc"]
        {
            assert!(text.parse::<Checksum>().is_err(), "{text}");
        }
        assert_eq!("A".repeat(64).parse::<Checksum>().unwrap().hex(), "a".repeat(64));
    }

    proptest! {
        #[test]
        fn what_is_printed_is_read_again(bytes in proptest::collection::vec(any::<u8>(), 0..40), which in 0..6_usize) {
            let all = [Algorithm::Md5, Algorithm::Sha1, Algorithm::Sha224, Algorithm::Sha256, Algorithm::Sha384, Algorithm::Sha512];
            let mut hasher = all[which].hasher();
            hasher.update(&bytes);
            let checksum = hasher.finish();
            prop_assert_eq!(checksum.to_string().parse::<Checksum>().unwrap(), checksum.clone());
            prop_assert_eq!(checksum.hex().parse::<Checksum>().unwrap(), checksum);
        }
    }
}
