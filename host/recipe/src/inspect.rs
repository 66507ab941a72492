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
        return Err(LoadError::NotAComponent { found: kind_of(bytes).to_owned() });
    }
    let mut survey = Survey::default();
    for payload in Parser::new(0).parse_all(bytes) {
        survey.see(payload.map_err(malformed)?)?;
    }
    survey.conclude()
}

fn malformed(error: wasmparser::BinaryReaderError) -> LoadError {
    LoadError::Damaged { reason: error.message().to_owned(), at: error.offset() }
}

/// What a file is that is no WebAssembly, in words for whoever named it.
fn kind_of(bytes: &[u8]) -> &'static str {
    let beginning = bytes.trim_ascii_start();
    if bytes.is_empty() {
        "it is empty"
    } else if beginning.first() == Some(&b'<') {
        "it is HTML or XML"
    } else if bytes.starts_with(b"\x7fELF") {
        "it is a native program or library"
    } else if bytes.starts_with(b"\0asm") {
        "it is WebAssembly of another version"
    } else if std::str::from_utf8(&bytes[..bytes.len().min(512)]).is_ok_and(|text| !text.contains('\0')) {
        "it is a text"
    } else {
        "it is not WebAssembly"
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
        // An SDK may declare imports of a newer contract than its exports'.
        let mut imported = self.imports.iter().filter_map(|name| name.strip_prefix(PACKAGE)?.split_once('@'));
        if let Some((_, found)) = imported.find(|(_, version)| spoken(version).is_none()) {
            return Err(LoadError::Contract { found: found.to_owned(), spoken: CONTRACT });
        }
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
        spoken(text).ok_or_else(|| LoadError::Contract { found: text.to_owned(), spoken: CONTRACT })
    }
}

/// The version, if this host speaks it. Semantic versioning below 1.0: same minor version.
fn spoken(version: &str) -> Option<Version> {
    let version = Version::parse(version).ok()?;
    ((version.major, version.minor) == (CONTRACT.major, CONTRACT.minor)).then_some(version)
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
        assert!(matches!(inspect(b"\0asm\x01\0\0\0"), Err(LoadError::CoreModule)));
        for (bytes, found) in [
            (b"".as_slice(), "it is empty"),
            (b"#!/bin/sh\n", "it is a text"),
            (b"\n<!doctype html><html>", "it is HTML or XML"),
            (b"\x7fELF\x02\x01", "it is a native program or library"),
            (b"\0asm\x02\0\0\0", "it is WebAssembly of another version"),
            (b"\x1f\x8b\x08\0\0", "it is not WebAssembly"),
        ] {
            let error = inspect(bytes).unwrap_err();
            assert!(error.to_string().starts_with(&format!("{found}; a recipe is")), "{error}");
        }
        let error = inspect(b"\0asm\x0d\0\x01\0").unwrap_err();
        assert_eq!(
            error.to_string(),
            "it is a WebAssembly component and not a recipe: it exports nothing, and no 'spack-wasm:recipe/describe'"
        );
    }

    #[test]
    fn another_contract_is_refused_with_both_versions() {
        let survey = |exports: &[&str]| Survey {
            exports: exports.iter().map(|&name| name.to_owned()).collect(),
            ..Survey::default()
        };
        let facts = survey(&["spack-wasm:recipe/describe@0.1.7"]).conclude().unwrap();
        assert_eq!(facts.contract, Version::new(0, 1, 7));
        for found in ["0.2.0", "1.0.0", "none"] {
            let name = format!("spack-wasm:recipe/describe@{found}");
            let error = survey(&[&name]).conclude().unwrap_err().to_string();
            let expected =
                format!("it is a recipe for contract {found}, and this version of spack-wasm speaks 0.1;");
            assert!(error.starts_with(&expected), "{error}");
        }
        let mut mixed = survey(&["spack-wasm:recipe/describe@0.1.0"]);
        mixed.imports.push("spack-wasm:recipe/tools@0.3.0".to_owned());
        assert!(mixed.conclude().unwrap_err().to_string().contains("contract 0.3.0"));
        let error = survey(&["a", "b", "c", "wasi:cli/run@0.2.6"]).conclude().unwrap_err().to_string();
        assert!(error.contains("it exports 'a', 'b', 'c' and more, and no"), "{error}");
    }

    #[test]
    fn a_damaged_component_is_told_from_no_component() {
        let error = inspect(b"\0asm\x0d\0\x01\0\x07\xff").unwrap_err().to_string();
        assert!(
            error.starts_with("it begins as a WebAssembly component and is damaged or cut off: "),
            "{error}"
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
