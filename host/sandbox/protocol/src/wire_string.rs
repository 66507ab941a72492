//! Paths, arguments and variables: bytes that need not be UTF-8.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// An operating system string on the wire.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WireString(Vec<u8>);

impl WireString {
    /// The raw bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The same as an operating system string.
    pub fn as_os_str(&self) -> &OsStr {
        OsStr::from_bytes(&self.0)
    }

    /// The same as a path.
    pub fn as_path(&self) -> &Path {
        Path::new(self.as_os_str())
    }
}

impl<T: AsRef<OsStr> + ?Sized> From<&T> for WireString {
    fn from(text: &T) -> Self {
        WireString(text.as_ref().as_bytes().to_vec())
    }
}

impl From<WireString> for OsString {
    fn from(text: WireString) -> Self {
        OsString::from_vec(text.0)
    }
}

impl From<WireString> for PathBuf {
    fn from(text: WireString) -> Self {
        PathBuf::from(OsString::from(text))
    }
}

impl fmt::Debug for WireString {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_os_str().fmt(formatter)
    }
}

impl Serialize for WireString {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.0)
    }
}

impl<'de> Deserialize<'de> for WireString {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Bytes;
        impl Visitor<'_> for Bytes {
            type Value = WireString;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("bytes")
            }

            fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<WireString, E> {
                Ok(WireString(bytes.to_vec()))
            }
        }
        deserializer.deserialize_bytes(Bytes)
    }
}
