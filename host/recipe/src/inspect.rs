//! What is read from a component's bytes before anything is compiled or run.

use semver::Version;
use wasmparser::{ComponentExternalKind, Parser, Payload};

use crate::LoadError;

/// The version of the contract that this host speaks.
pub const CONTRACT: Version = Version::new(0, 1, 0);

/// The custom section that holds the package hash: 64 hexadecimal digits.
pub const PACKAGE_HASH_SECTION: &str = "spack-wasm:package-hash";

/// The package of the contract, as its interfaces are named.
const PACKAGE: &str = "spack-wasm:recipe/";

/// Interfaces of WASI that recipes may import, at any version 0.2.x.
const WASI: [&str; 6] =
    ["wasi:cli/", "wasi:clocks/", "wasi:filesystem/", "wasi:io/", "wasi:random/", "wasi:sockets/"];

/// What the bytes say about a recipe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Facts {
    /// The contract that it was built for.
    pub(crate) contract: Version,
    /// The hash of its sources, if its build put one into it.
    pub(crate) package_hash: Option<String>,
}

/// Reads contract version, package hash and imports of a component, and refuses what this host can't serve.
pub(crate) fn inspect(bytes: &[u8]) -> Result<Facts, LoadError> {
    if Parser::is_core_wasm(bytes) {
        return Err(LoadError::CoreModule);
    }
    if !Parser::is_component(bytes) {
        return Err(LoadError::NotAComponent {
            reason: "it does not begin as a WebAssembly component".into(),
        });
    }
    let mut survey = Survey::default();
    for payload in Parser::new(0).parse_all(bytes) {
        survey.see(payload.map_err(malformed)?)?;
    }
    survey.conclude()
}

fn malformed(error: wasmparser::BinaryReaderError) -> LoadError {
    LoadError::NotAComponent {
        reason: error.message().to_owned() + &format!(" (at byte {:#x})", error.offset()),
    }
}

#[derive(Default)]
struct Survey {
    /// How deep the parser stands inside nested modules and components; only the outermost level's imports count.
    depth: usize,
    imports: Vec<String>,
    exports: Vec<String>,
    package_hash: Option<String>,
}

impl Survey {
    fn see(&mut self, payload: Payload<'_>) -> Result<(), LoadError> {
        match payload {
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => self.depth += 1,
            Payload::End(_) => self.depth = self.depth.saturating_sub(1),
            Payload::ComponentImportSection(section) if self.depth == 0 => {
                for import in section {
                    self.imports.push(import.map_err(malformed)?.name.name.to_owned());
                }
            }
            Payload::ComponentExportSection(section) if self.depth == 0 => {
                for export in section {
                    let export = export.map_err(malformed)?;
                    if export.kind == ComponentExternalKind::Instance {
                        self.exports.push(export.name.name.to_owned());
                    }
                }
            }
            Payload::CustomSection(section) if section.name() == PACKAGE_HASH_SECTION => {
                self.package_hash = Some(package_hash(section.data())?);
            }
            _ => {}
        }
        Ok(())
    }

    fn conclude(self) -> Result<Facts, LoadError> {
        let contract = self.contract()?;
        if let Some(import) = self.imports.iter().find(|name| !is_allowed(name)) {
            return Err(LoadError::ForbiddenImport { import: import.clone() });
        }
        Ok(Facts { contract, package_hash: self.package_hash })
    }

    /// The version stands in the name of the exported interface `describe`.
    fn contract(&self) -> Result<Version, LoadError> {
        let exported =
            self.exports.iter().find_map(|name| name.strip_prefix(PACKAGE)?.strip_prefix("describe@"));
        let Some(text) = exported else {
            return Err(LoadError::NotARecipe { exports: self.exports.clone() });
        };
        match Version::parse(text) {
            Ok(version) if is_spoken(&version) => Ok(version),
            _ => Err(LoadError::Contract { found: text.to_owned(), spoken: CONTRACT }),
        }
    }
}

/// Semantic versioning below 1.0: same minor version.
fn is_spoken(version: &Version) -> bool {
    (version.major, version.minor) == (CONTRACT.major, CONTRACT.minor)
}

fn is_allowed(import: &str) -> bool {
    let wasi = WASI.iter().any(|package| import.starts_with(package)) && import.contains("@0.2.");
    wasi || import.starts_with(PACKAGE)
}

fn package_hash(data: &[u8]) -> Result<String, LoadError> {
    let text = std::str::from_utf8(data).ok().filter(|text| text.len() == 64);
    let text = text.filter(|text| text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')));
    text.map(str::to_owned).ok_or(LoadError::PackageHash)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_component_is_said() {
        assert!(matches!(inspect(b""), Err(LoadError::NotAComponent { .. })));
        assert!(matches!(inspect(b"#!/bin/sh\n"), Err(LoadError::NotAComponent { .. })));
        assert!(matches!(inspect(b"\0asm\x01\0\0\0"), Err(LoadError::CoreModule)));
        let error = inspect(b"\0asm\x0d\0\x01\0").unwrap_err();
        assert_eq!(
            error.to_string(),
            "it exports no interface 'spack-wasm:recipe/describe', so it is not a recipe"
        );
    }

    #[test]
    fn imports_are_allowed_by_name() {
        assert!(is_allowed("wasi:sockets/tcp@0.2.6"));
        assert!(is_allowed("spack-wasm:recipe/tools@0.1.0"));
        assert!(!is_allowed("wasi:http/types@0.2.6"));
        assert!(!is_allowed("wasi:cli/run@0.3.0"));
        assert!(!is_allowed("evil:host/files"));
    }
}
